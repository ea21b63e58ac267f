"""`tunesmith export`: the data and the configuration that another trainer needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console

_TRAINERS = ("axolotl", "llama-factory", "trl", "openai", "torchtune", "hub")


@verb(
    "export",
    example="tunesmith export clean -o for-axolotl --for axolotl\ntunesmith export parts -o for-trl --for trl --model Qwen/Qwen3-8B",
    remote=("out",),
)
@click.argument("source")
@click.option("-o", "--out", required=True, metavar="DIR", type=click.Path(file_okay=False), help="The folder to make, or an address.")
@click.option("--for", "trainer", type=click.Choice(_TRAINERS), required=True, help="Whose formats.")
@click.option("--model", metavar="NAME", help="The model that the configuration names; else it is left to be filled in.")
@reading
@click.option("--force", is_flag=True, help="Replace DIR if it is there.")
def command(
    session: Session,
    source: str,
    out: str,
    trainer: str,
    model: str | None,
    format_: str | None,
    mapping: dict[str, str] | None,
    force: bool,
) -> Outcome:
    """Write rows as another trainer reads them, with the configuration that goes with them.

    SOURCE is rows (a split gives a file for each part), or a pack for axolotl and trl: its input_ids, attention_mask and
    labels. Row ids are kept; what a trainer would skip without a word is left out here, counted and named.
    """
    from tunesmith.cli.terminal import table
    from tunesmith.packing.exporting import export

    done = export(source, out, trainer=trainer, model=model, format=format_, mapping=mapping, force=force, progress=session.progress)  # type: ignore[arg-type]
    for note in done.notes:
        session.progress.say(note)
    result = done.result

    def show(console: Console) -> None:
        rows = [*result["datasets"].items(), ("rejected", result["rejected"])]
        left_out = [(f"left out: {reason}", count) for reason, count in result["left_out"].items()]
        lost = [(f"without their {name}", count) for name, count in result["lost"].items()]
        console.print(table(f"{out}{' (already there)' if done.reused else ''}", ["", "rows"], [*rows, *left_out, *lost]))
        for line in (f"README.md in {out} says how to run it.",):
            console.print(line, markup=False, soft_wrap=True)

    return Outcome(data={**result, **({"reused": True} if done.reused else {})}, show=show)
