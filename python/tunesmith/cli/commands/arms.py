"""`tunesmith arms`: a patch, a placebo, and the rows as they are, to be trained alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, require, verb

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.turns import Experiment


@verb(
    "arms",
    example="""
tunesmith arms diagnosis clean -o experiment --run run
tunesmith arms patch.jsonl clean -o experiment --all --steps 500 --bins 2
tunesmith arms patch.jsonl clean -o experiment --run run --seeds 0 --seeds 1 --seeds 2
""",
    remote=("version",),
)
@click.argument("patch", type=click.Path())
@click.argument("version")
@click.option("-o", "--out", type=click.Path(file_okay=False), help="The experiment to write.")
@click.option("--all", "all_", is_flag=True, help="Take the proposed edits too, not the accepted ones alone.")
@click.option("--run", type=click.Path(), help="How the current model was trained: its steps and bins a step are those of every arm.")
@click.option("--steps", type=click.IntRange(min=1), help="Optimizer steps of every arm.")
@click.option("--bins", type=click.IntRange(min=1), help="Bins of a pack that an optimizer step takes.")
@click.option("--seeds", type=click.IntRange(min=0), multiple=True, default=[0], show_default=True,
              help="A seed of the training runs that are planned; may be repeated.")  # fmt: skip
@click.option("--outcome", multiple=True, metavar="DETECTOR", help="What the verdict counts; the edits' categories unless given.")
@click.option("--force", is_flag=True, help="Replace what lies at the output.")
def command(
    session: Session,
    patch: str,
    version: str,
    out: str | None,
    *,
    all_: bool,
    run: str | None,
    steps: int | None,
    bins: int | None,
    seeds: tuple[int, ...],
    outcome: tuple[str, ...],
    force: bool,
) -> Outcome:
    """Make the arms of an experiment: VERSION as it is, with PATCH, and with a placebo.

    The placebo is the same action on as many random rows of the same verb x topic slices. Train the three versions with the
    same steps, bins a step and seeds (experiment.json), with any trainer; evaluate them on the same items; then
    `tunesmith verdict`.
    """
    from tunesmith.turns import arms
    from tunesmith.turns.arming import summary

    require(out, "expected -o DIR: where to write")
    made = arms(
        patch, version, str(out), all=all_, run=run, steps=steps, bins=bins, seeds=seeds, outcome=outcome, seed=session.seed, force=force,
        progress=session.progress,
    )  # fmt: skip
    data = {**summary(made.result), "out": str(out), "reused": made.reused}
    return Outcome(data=data, show=lambda console: _show(console, made))


def _show(console: Console, made: Experiment) -> None:
    from shlex import quote

    from tunesmith.cli.terminal import table
    from tunesmith.turns.wording import action

    said = made.result
    console.print(f"{action(said['edits'])}, against: {', '.join(said['categories'])}", markup=False, soft_wrap=True)
    console.print(table("Arms", ["arm", "rows"], [[name, count] for name, count in said["rows"].items()]))
    drawn = [[each["slice"], each["rows"], each["patch_rows"], each["placebo_rows"], each["from"]] for each in said["placebo"]["slices"]]
    console.print(table("Placebo: random rows by slice", ["slice", "rows", "patch", "placebo", "drawn from"], drawn[:12]))
    if len(drawn) > 12:
        console.print(f"{len(drawn) - 12:,} more slices in experiment.json", markup=False)
    bins = f" of {said['bins']} bins" if said["bins"] else ""
    console.print(f"Train each: {said['steps']:,} steps{bins}, seeds {', '.join(map(str, said['seeds']))} ({said['steps_from']})",
                  markup=False, soft_wrap=True)  # fmt: skip
    folder = str(made.folder)
    console.print(f"{folder}: already made from the same inputs and options" if made.reused else f"written to {folder}", markup=False)
    console.print(
        f"Next: train and evaluate {quote(folder + '/patch')} and {quote(folder + '/placebo')} alike, then "
        f"tunesmith verdict {quote(folder)} --evaluation patch=EVALUATION --evaluation placebo=EVALUATION",
        markup=False, soft_wrap=True,
    )  # fmt: skip
