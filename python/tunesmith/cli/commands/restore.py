"""`tunesmith restore`: bring rows back that a version dropped or edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, require, rows_per_file, verb

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.curation.restoration import Restored


@verb(
    "restore",
    example="""
tunesmith restore clean -o more --row 1042 --row 9a648e4a
tunesmith restore clean -o more --rule near_duplicate
tunesmith restore clean -o unfixed --step fix --rule near_duplicate
""",
    remote=("version", "out"),
)
@click.argument("version", type=click.Path())
@click.option("-o", "--out", type=click.Path(file_okay=False), help="The version to write: a folder, or an address (s3://bucket/v1).")
@click.option("--row", "rows", multiple=True, metavar="ROW", help="A row: its position, or 8 hex digits or more of its id. Repeatable.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="RULE",
    help="All rows that this rule dropped or edited: its name in the ledger, or STEP.RULE. Repeatable.",
)
@click.option("--step", "steps", multiple=True, metavar="STEP", help="All rows that this step dropped or edited. Repeatable.")
@rows_per_file
@click.option("--dry-run", is_flag=True, help="Look and show, but write nothing.")
@click.option("--force", is_flag=True, help="Replace what lies at the output.")
def command(
    session: Session, version: str, out: str | None, rows: tuple[str, ...], rules: tuple[str, ...], steps: tuple[str, ...], *,
    dry_run: bool, force: bool, rows_per_file: int | None,
) -> Outcome:  # fmt: skip
    """Bring rows back: a new version, without what a rule or a step did to some of its rows.

    A dropped row comes back as it was when it was dropped; an edited row gets back the text that it was read with, all its edits undone.
    Positions and ids stay. The ledger has an entry of the step `restore` for each of these rows, and no longer what was undone.

    Name rows, rules or steps, as many as you like: what one of them means is restored. A row that was dropped for several reasons comes
    back if one of them is named; a row that was edited and dropped comes back edited if the drop is named, and stays out if only the edit
    is. Rows that were only flagged are as they were.
    """
    from tunesmith.curation import restore

    require(out is not None or dry_run, "expected -o VERSION (what to write), or --dry-run to see what would come back")
    made = restore(
        version, out, row=rows or None, rule=rules or None, step=steps or None, dry_run=dry_run, force=force, rows_per_file=rows_per_file,
        progress=session.progress,
    )  # fmt: skip
    data: dict[str, Any] = {**made.as_dict(), **({"dry_run": True} if dry_run else {})}
    return Outcome(data=data, show=lambda console: _show(console, made, dry_run=dry_run))


def _show(console: Console, made: Restored, *, dry_run: bool) -> None:
    from shlex import quote

    from tunesmith.cli.terminal import table, visible

    console.print(table("What was undone (a row counts under each rule)", ["step.rule", "rows"], made.undone.items()))
    console.print(
        f"{made.restored:,} restored: {made.returned:,} came back, {made.reverted:,} got back their text;"
        f" {made.rows_in:,} in = {made.kept:,} kept + {made.dropped:,} dropped + {made.rejected:,} rejected",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    for note in made.notes:
        console.print(visible(note), markup=False, soft_wrap=True)
    if dry_run:
        console.print("nothing was written (--dry-run)", markup=False)
        return
    said = "already made from the same version" if made.reused else "written"
    console.print(f"{made.out}: {said}", markup=False, soft_wrap=True)
    first = made.ledger.filter(step="restore")["position"].to_list()[0]
    console.print(f"what became of a row: tunesmith explain {quote(str(made.out))} {first}", markup=False, soft_wrap=True)
