"""`tunesmith detectors`: the list of detectors, or one detector's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, verb

if TYPE_CHECKING:
    from rich.console import Console


@verb(
    "detectors",
    example="""
tunesmith detectors
tunesmith detectors repetition_loop
""",
)
@click.argument("name", required=False)
def command(session: Session, name: str | None) -> Outcome:  # noqa: ARG001  (every verb gets its session)
    """List the detectors, or print the page of the one that is NAMEd."""
    from tunesmith.detection import detectors

    pages = detectors(name)
    return Outcome(
        data={"detectors": pages}, show=(lambda console: _page(console, pages[0])) if name else (lambda console: _list(console, pages))
    )


def _list(console: Console, pages: list[dict[str, Any]]) -> None:
    from tunesmith.cli.terminal import table
    from tunesmith.detection.detector import PROMISES

    lines = [(page["name"], page["severity"], page["class"], ", ".join(page["fields"]), "yes" if page["fix"] else "") for page in pages]
    console.print(table("Detectors", ("name", "severity", "class", "looks at", "safe fix"), lines))
    for grade, promise in PROMISES.items():
        if any(page["class"] == grade for page in pages):
            console.print(f"class {grade}: {promise}", markup=False)


def _page(console: Console, page: dict[str, Any]) -> None:
    from rich.text import Text

    def part(title: str, text: str) -> None:
        console.print(Text.assemble((f"\n{title}\n", "bold"), text))

    console.print(Text.assemble((page["name"], "bold"), f"  {page['severity']}, class {page['class']} ({page['promise']})"))
    part("What it finds", page["finds"])
    for title, text in (
        ("Why it is bad for a finetune", page["harm"]),
        ("Example: found", _example(page["bad"])), ("Example: left alone", _example(page["good"])),
    ):  # fmt: skip
        if text:  # a function of one's own has none of them
            part(title, text)
    part("Severity", page["consequence"])
    part("Known false alarms", page["false_alarms"])
    part("Safe fix", page["fix"] or "None.")
    part("Measured", "\n".join(f"{each['figure']}  ({each['sample']})" for each in page["measured"]) or "Not yet.")


def _example(example: dict[str, str | None]) -> str:
    return "\n".join(f"{key:12} {value!r}" for key, value in example.items() if value)
