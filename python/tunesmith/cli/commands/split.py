"""`tunesmith split`: training, validation and test rows that do not know each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import FAILED, FINE, Outcome, Session, rows_per_file, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console


@verb(
    "split",
    example="tunesmith split clean -o parts\ntunesmith split alpaca.json -o parts --test 500 --validation 0.05",
    remote=("out", "previous"),
)
@click.argument("source")
@click.option("-o", "--out", required=True, metavar="DIR", type=click.Path(file_okay=False), help="The folder to make, or an address.")
@click.option("--test", type=float, metavar="N", help="Rows to test on: a share below 1, else a count.  [default: 10%, at most 1,000]")
@click.option("--validation", type=float, metavar="N", help="Rows to validate on, likewise.  [default: 10%, at most 1,000]")
@click.option("--group", metavar="COLUMN", help="Rows with equal values here stay together, too.")
@click.option("--stratify", metavar="COLUMN", help="Every part gets the values of this column in about the same shares.")
@click.option("--previous", metavar="DIR", type=click.Path(file_okay=False), help="An earlier split; its rows keep their part.")
@reading
@rows_per_file
@click.option("--force", is_flag=True, help="Replace DIR if it is there.")
def command(
    session: Session,
    source: str,
    out: str,
    test: float | None,
    validation: float | None,
    group: str | None,
    stratify: str | None,
    previous: str | None,
    format_: str | None,
    mapping: dict[str, str] | None,
    rows_per_file: int | None,
    force: bool,
) -> Outcome:
    """Divide rows into train, validation and test parts that share no near-duplicate prompt.

    Whole groups of near-duplicate prompts move together (word 5-grams, exact Jaccard of .7 or more), and so do
    conversations that open with the same turns. The parts are read back and compared; certificate.json says how
    similar the most similar rows across the border are. Exit 1 when rows leak.
    """
    from tunesmith.cli.terminal import table
    from tunesmith.rows.splitting import split

    done = split(
        source, out, test=test, validation=validation, group=group, stratify=stratify, previous=previous, seed=session.seed,
        format=format_, mapping=mapping, force=force, rows_per_file=rows_per_file, progress=session.progress,
    )  # fmt: skip
    for note in done.notes:
        session.progress.say(note)
    result = done.manifest.result

    def show(console: Console) -> None:
        rows = [(name.replace("_", " "), value) for name, value in result.items()]
        console.print(table(f"{out}{' (already there)' if done.reused else ''}", ["", ""], rows))

    code = FAILED if result["leaks"] else FINE
    return Outcome(data={**result, **({"reused": True} if done.reused else {})}, show=show, code=code)
