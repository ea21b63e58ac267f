"""`tunesmith train`."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, require, verb
from tunesmith.training.options import TrainOptions, describe

if TYPE_CHECKING:
    from rich.console import Console


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for every field of `TrainOptions` but the seed, which every verb has."""
    hints = typing.get_type_hints(TrainOptions)
    for one in reversed(fields(TrainOptions)):
        if one.name == "seed":
            continue
        kind, choices, _ = describe(hints[one.name])
        name, text = "--" + one.name.replace("_", "-"), one.metadata["help"]
        if kind is bool:
            function = click.option(name, is_flag=True, help=text)(function)
        else:
            function = click.option(
                name, type=click.Choice(choices) if choices else kind, default=one.default, show_default=one.default is not None, help=text
            )(function)
    return function


@verb(
    "train",
    resumes=True,
    example="""
tunesmith train pack -o run --model SmolLM2-135M --validation validation-pack
tunesmith train pack --model SmolLM2-135M --preflight
tunesmith train pack -o run --model SmolLM2-135M --method full --steps 500
""",
    remote=("pack", "validation"),
)
@click.argument("pack", type=click.Path())
@click.option("-o", "--out", metavar="RUN", type=click.Path(), help="The run folder to write; not needed with --preflight.")
@click.option("--model", required=True, help="The base: a folder, or a hub name in the local hub cache.")
@click.option("--validation", metavar="PACK", type=click.Path(), help="Measured after every epoch; the weights of the best epoch are kept.")
@click.option("--preflight", is_flag=True, help="Measure a few passes, say what the whole will take, write nothing.")
@click.option("--force", is_flag=True, help="Replace what is at the output, start unfinished work over.")
@_options
def command(
    session: Session, pack: str, *, out: str | None, model: str, validation: str | None, preflight: bool, force: bool, **options: Any
) -> Outcome:
    """Finetune a model on a pack; what comes out loads with transformers or peft alone.

    Rows lie packed without seeing each other; every row's loss is kept in losses.parquet. An interrupted run goes on
    from its last checkpoint by the same command.
    """
    from tunesmith.training import preflight as measure
    from tunesmith.training import train

    chosen = TrainOptions(**options, seed=session.seed)
    require(out is not None or preflight, "-o RUN is needed: where to write the run (or --preflight, which writes nothing)")
    result: dict[str, Any]
    if preflight:
        result = measure(pack, model=model, options=chosen, progress=session.progress).result
        title = "What to expect"
    else:
        result = train(pack, str(out), model=model, validation=validation, options=chosen, force=force, progress=session.progress).result
        title = f"Run {out}"

    def show(console: Console) -> None:
        from tunesmith.cli.terminal import table

        console.print(table(title, ["", "value"], [[name.replace("_", " "), value] for name, value in result.items()]))

    return Outcome(data=result, show=show)
