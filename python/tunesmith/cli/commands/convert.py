"""`tunesmith convert`: rows in another format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console

_TARGETS = ("alpaca", "sharegpt", "messages", "openai", "prompt-completion", "preference")


@verb(
    "convert",
    example="tunesmith convert alpaca.json messages.jsonl --to messages\ntunesmith convert chats.json.gz rows.parquet --to alpaca",
    remote=("file",),
)
@click.argument("source")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--to", type=click.Choice(_TARGETS), required=True, help="The format to write.")
@reading
@click.option(
    "--rejects", metavar="FILE", type=click.Path(dir_okay=False), help="Write records that could not be rows here, as JSON lines."
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(
    session: Session, source: str, file: str, to: str, format_: str | None, mapping: dict[str, str] | None, rejects: str | None, force: bool
) -> Outcome:
    """Write rows in another format, and count what it cannot hold.

    SOURCE is a file, glob, folder, version or `-`. FILE, or an address (s3://bucket/rows.jsonl), ends in
    .json, .jsonl, .parquet or .csv, perhaps with .gz or .zst.
    """
    from tunesmith.cli.terminal import table
    from tunesmith.rows.converting import convert

    done = convert(source, file, to=to, format=format_, mapping=mapping, rejects=rejects, force=force, progress=session.progress)  # type: ignore[arg-type]
    for note in done.notes:
        session.progress.say(note)
    data = {"rows_in": done.rows_in, "rows_out": done.rows_out, "rejected": done.rejected, "lost": dict(done.lost)}

    def show(console: Console) -> None:
        counts = [("rows in", done.rows_in), ("rows out", done.rows_out), ("rejected", done.rejected)]
        lost = [(f"lost: {name}", count) for name, count in done.lost.items()]
        console.print(table(f"{file} ({to})", ["", "rows"], [*counts, *lost]))

    return Outcome(data=data, show=show)
