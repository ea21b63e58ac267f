"""`tunesmith diff`: rows added, removed, edited between two versions, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, verb

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.curation.difference import Difference


@verb("diff", example="tunesmith diff clean cleaner", remote=("first", "second"))
@click.argument("first", type=click.Path(), metavar="VERSION")
@click.argument("second", type=click.Path(), metavar="VERSION")
@click.option("--show", type=click.IntRange(min=0), default=20, show_default=True, help="Rows to list of each change.")
def command(session: Session, first: str, second: str, *, show: int) -> Outcome:  # noqa: ARG001
    """Compare two versions: rows added, removed and edited from the first to the second, and why.

    Rows are known by where they came from; those without a common origin are matched by content.
    """
    from tunesmith.curation import diff

    difference = diff(first, second)
    return Outcome(data=difference.as_dict(show), show=lambda console: _show(console, difference, show))


def _show(console: Console, difference: Difference, show: int) -> None:
    from tunesmith.cli.terminal import table

    reasons = [[change, why, rows] for change, whys in difference.why.items() for why, rows in whys.items()]
    if reasons:
        console.print(table("What changed, and why", ["change", "why", "rows"], reasons))
        listed = difference.as_dict(show)["rows"]
        cells = [[row["change"], _name(row["position"]), _name(row["other_position"]), row["why"]] for row in listed]
        console.print(table(f"Rows (the first {show} of each change)", ["change", "row before", "row after", "why"], cells))
    console.print(
        f"{difference.added:,} added, {difference.removed:,} removed, {difference.edited:,} edited, {difference.same:,} the same",
        markup=False,
    )


def _name(position: int | None) -> str:
    return "" if position is None else str(position)
