"""`tunesmith loop`: from the errors to the rows, to a patch, to a proof; turn after turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import FAILED, FINE, Outcome, Session, verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


@verb(
    "loop",
    resumes=True,
    example="""
tunesmith loop tunesmith.yaml
tunesmith loop tunesmith.yaml --turns 3
""",
)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--turns", type=click.IntRange(min=1), help="Turns at most, instead of the file's.")
@click.option("--force", is_flag=True, help="Begin anew: the turns that lie there are deleted.")
def command(session: Session, file: str, *, turns: int | None, force: bool) -> Outcome:
    """Walk turns as FILE says: train, evaluate, diagnose, patch, train patch and placebo alike, judge, report.

    FILE is a tunesmith.yaml with a section `loop` (data, items, model, out; accept, turns, seeds) and the sections of the verbs it
    walks. An interrupted loop goes on by the same command, and nothing is trained twice. Exit 0 when the last turn's patch is
    accepted, 1 otherwise.
    """
    from pathlib import Path

    from tunesmith.artefact import is_artefact
    from tunesmith.reports import report
    from tunesmith.turns import loop

    made = loop(file, turns=turns, seed=session.seed, force=force, progress=session.progress)
    for turn in made["turns"]:
        if is_artefact(turn["folder"], "turn"):
            page = Path(turn["folder"]) / "report.html"
            if not (turn["reused"] and page.is_file()):
                report(turn["folder"], page, progress=session.progress)
            turn["report"] = str(page)
    return Outcome(data=made, show=lambda console: _show(console, made), code=FINE if made["verdict"] == "accepted" else FAILED)


def _show(console: Console, made: Mapping[str, Any]) -> None:
    from tunesmith.cli.terminal import table
    from tunesmith.turns.wording import points

    rows = [
        [turn["turn"], turn["verdict"], *(None if turn[name] is None else points(turn[name]) for name in ("difference", "low", "high"))]
        for turn in made["turns"]
    ]
    console.print(table("Turns: patch against placebo, percentage points", ["turn", "verdict", "difference", "low", "high"], rows))
    console.print(made["sentence"], markup=False, soft_wrap=True)
    for turn in made["turns"]:
        for note in turn["notes"]:
            console.print(f"turn {turn['turn']}, note: {note}", markup=False, soft_wrap=True)
        if "report" in turn:
            console.print(f"The report: {turn['report']}", markup=False, soft_wrap=True)
