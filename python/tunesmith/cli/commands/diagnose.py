"""`tunesmith diagnose`: what fails, where, why, and what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, require, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from tunesmith.diagnosis import Diagnosis


@verb(
    "diagnose",
    example="""
tunesmith diagnose finetuned --data split/train -o diagnosis --base base
tunesmith diagnose finetuned --data split/train -o diagnosis --losses run/losses.parquet
""",
)
@click.argument("evaluation", type=click.Path())
@click.option("--data", help="The rows that the model was trained on: any SOURCE.")
@click.option("-o", "--out", type=click.Path(file_okay=False), help="The diagnosis to write.")
@click.option("--base", type=click.Path(), help="The base model's evaluation of the same items.")
@click.option("--losses", type=click.Path(), help="The run's losses.parquet, to tell rows that were not learnt.")
@click.option("--part", type=click.Choice(["dev", "all"]), default="dev", show_default=True,
              help="Look at the items for diagnosis alone, so that the others can prove a patch; or at all.")  # fmt: skip
@reading
@click.option("--force", is_flag=True, help="Replace what lies at the output.")
def command(
    session: Session, evaluation: str, data: str | None, out: str | None, base: str | None, losses: str | None, part: Any,
    format_: str | None, mapping: dict[str, str] | None, *, force: bool,
) -> Outcome:  # fmt: skip
    """Sort the errors of EVALUATION, find in which slices they lie and why, and propose a patch of the training rows.

    One detector judges outputs, references and training targets. Where outputs fail more than elsewhere and more than the references,
    and the targets do too, their rows are to blame, and the patch proposes to drop or edit them; decoding, template and packing are
    ruled out first. Claims hold at p < .05 over all slices looked at; without one nothing is proposed.
    """
    from tunesmith.diagnosis import diagnose

    require(data, "expected --data SOURCE: the rows that the model was trained on")
    require(out, "expected -o DIAGNOSIS: where to write")
    assert out is not None
    made = diagnose(
        evaluation, data=data, out=out, base=base, losses=losses, part=part, format=format_, mapping=mapping, seed=session.seed,
        force=force, progress=session.progress,
    )  # fmt: skip
    told = {**made.summary, "diagnosis": str(made.folder), "reused": made.reused}
    return Outcome(data=told, show=lambda console: _show(console, made, data))


def _show(console: Console, made: Diagnosis, data: str | None) -> None:
    from shlex import quote

    from tunesmith.cli.terminal import table, visible

    told = made.summary
    items = f"{told['items']:,} items" + (" of the part dev" if told["part"] == "dev" else "")
    console.print(f"{items}, {told['rows']:,} training rows{' (reused)' if made.reused else ''}", markup=False)
    shown = sorted((each for each in told["categories"] if each["rate"] or each["base_rate"]), key=lambda each: -each["rate"])
    lines = [
        line for each in shown for line in (_line(each["detector"], each), *(_line(f"  {row['slice']}", row) for row in each["slices"]))
    ]
    if lines:
        title = "Share of items, 95% interval; beneath, slices in which outputs fail"
        console.print(table(title, ["where", "outputs", "base", "targets", "cause, status", "rows"], lines))
    because = [(each["detector"], row) for each in shown for row in each["slices"] if row["because"]]
    for name, row in because:
        console.print(visible(f"{name}, {row['slice']}: {row['cause']}: {row['because']}"), markup=False, highlight=False, soft_wrap=True)
    for name, check in told["checks"].items():
        if check["state"] != "fine":
            console.print(f"{name}: {check['state'].replace('_', ' ')}: {visible(check['says'])}", markup=False, soft_wrap=True)
    for note in told["notes"]:
        console.print(f"note: {visible(note)}", markup=False, soft_wrap=True)
    if not told["patch"]:
        console.print("no edit is proposed: no claim about rows holds", markup=False)
        return
    actions = ", ".join(f"{count:,} {action}" for action, count in told["patch"].items())
    console.print(f"proposed: {actions} (in {visible(str(made.folder))}/patch.jsonl)", markup=False, soft_wrap=True)
    command = f"tunesmith patch show {quote(str(made.folder))}" + (f" {quote(data)}" if data else "")
    console.print(f"next: {visible(command)}", markup=False, soft_wrap=True)


def _line(name: str, row: Mapping[str, Any]) -> list[object]:
    interval = f"{100 * row['low']:.0f}-{100 * row['high']:.0f}%"
    shares = [None if row[key] is None else f"{row[key]:.0%}" for key in ("base_rate", "target_rate")]
    told = ", ".join(part for part in (row["cause"], row["status"]) if part)
    return [name, f"{row['rate']:.0%} ({interval})", *shares, told, row["rows"] or None]
