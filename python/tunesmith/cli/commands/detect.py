"""`tunesmith detect`: findings, with the spans that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.detection import Detected


@verb(
    "detect",
    example="""
tunesmith detect alpaca.json --only merged_rows --show 5
tunesmith detect alpaca.json -o findings.parquet
tunesmith detect alpaca.json --only output_empty --detector checks:shouting
""",
)
@click.argument("source")
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write all findings: Parquet, JSONL or CSV by the ending.")
@click.option("--only", multiple=True, metavar="NAME", help="Run this detector alone (repeat for more).")
@click.option("--detector", "own", multiple=True, metavar="MODULE:FUNCTION", help="Run a detector of your own, too (repeat for more).")
@click.option("--embedder", metavar="MODEL", help="A local sentence-transformers model: runs off_topic, too.")
@click.option("--show", type=click.IntRange(min=0), default=3, show_default=True, help="Examples a detector.")
@reading
@click.option("--force", is_flag=True, help="Replace an existing output.")
def command(
    session: Session,
    source: str,
    out: str | None,
    only: tuple[str, ...],
    own: tuple[str, ...],
    embedder: str | None,
    show: int,
    format_: str | None,
    mapping: dict[str, str] | None,
    *,
    force: bool,
) -> Outcome:
    """Find defects in a SOURCE, with the spans that show them.

    `tunesmith detectors` lists the detectors. Limits of length belong to an evaluation: `too_long` stays silent here.
    A detector of your own is a function of (instruction, input, response) that gives None, or what it found.
    """
    from tunesmith.detection import detect

    found = detect(
        source,
        out,
        only=only or None,
        detectors=own,
        embedder=embedder,
        show=show,
        format=format_,
        mapping=mapping,
        force=force,
        progress=session.progress,
    )
    return Outcome(data=found.result, show=lambda console: _show(console, found, out, only=bool(only)))


def _show(console: Console, found: Detected, out: str | None, *, only: bool) -> None:
    import polars as pl
    from rich.text import Text

    from tunesmith.cli.terminal import table

    hits = {name: each for name, each in found.result.items() if each["count"]}
    rows = found.data.frame.height
    clean = len(found.result) - len(hits)
    if hits:
        found_as = dict(found.findings.group_by("detector").agg(pl.col("severity").unique().sort().str.join(", ")).iter_rows())
        lines = [(found_as[name], name, each["count"], f"{each['rate']:.2%}") for name, each in hits.items()]
        console.print(table(f"Findings in {rows:,} rows", ("severity", "detector", "rows", "share of rows"), lines))
    console.print(f"{clean} of {len(found.result)} detectors found nothing.")
    asked, unparsed = (sum(each.get(key, 0) for each in found.result.values()) for key in ("asked", "unparsed"))
    if not only and "off_topic" not in found.result:
        console.print("off_topic did not run: it needs --embedder MODEL (pip install 'tunesmith[evaluate]').", markup=False)
    if asked:
        console.print(f"Answers that can be computed: {asked:,} asked for, of which {unparsed:,} could not be read and are not judged.")
    for name, each in hits.items():
        for example in each["examples"]:
            place = f"position {example['position']}" + (f", turn {example['turn']}" if example["turn"] is not None else "")
            head = Text.assemble((name, "bold"), f"  {place}, {example['field']}: {_visible(example['evidence'])}")
            body = Text.assemble("  ", _visible(example["before"]), (_visible(example["span"]), "reverse"), _visible(example["after"]))
            console.print(head, body, sep="\n", soft_wrap=True)
    if out:
        console.print(f"{found.findings.height:,} findings in {out}", markup=False)


def _visible(text: str) -> str:
    """Show line breaks and characters that a terminal would obey or hide."""
    shown = text.replace("\n", "⏎")
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in shown)
