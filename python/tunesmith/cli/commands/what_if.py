"""`tunesmith what-if`: the outcome under other thresholds, without running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, verb

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.curation import WhatIf


@verb(
    "what-if",
    example="""
tunesmith what-if clean near_duplicates.threshold=0.8
tunesmith what-if clean detect.drop=review near_duplicates.action=drop
""",
    remote=("version",),
)
@click.argument("version", type=click.Path())
@click.argument("changes", nargs=-1, required=True, metavar="STEP.OPTION=VALUE...")
def command(session: Session, version: str, changes: tuple[str, ...]) -> Outcome:  # noqa: ARG001
    """Tell what other thresholds would keep and drop, from what the version measured.

    Options that change what is measured (a text, a field, a threshold below the recorded floor) need a run, and are told so.
    """
    from tunesmith.curation import what_if

    outcome = what_if(version, *changes)
    return Outcome(data=outcome.as_dict(), show=lambda console: _show(console, outcome))


def _show(console: Console, outcome: WhatIf) -> None:
    from tunesmith.cli.terminal import table

    rows = [[step.step, step.rows_in, step.dropped or None, step.edited or None, step.flagged or None] for step in outcome.steps]
    console.print(table("Rows, step by step, under these options", ["step", "in", "dropped", "edited", "flagged"], rows))
    console.print(
        f"{outcome.kept:,} kept ({outcome.newly_kept:,} newly), {outcome.dropped:,} dropped ({outcome.newly_dropped:,} newly),"
        f" {outcome.flagged:,} of those kept flagged",
        markup=False,
    )
    for example in outcome.examples:
        console.print(f"row {example['position']} would be {example['change']}: {example['step']}.{example['rule']}", markup=False)
