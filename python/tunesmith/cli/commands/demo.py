"""`tunesmith demo`: the whole ring on embedded data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, verb

if TYPE_CHECKING:
    from rich.console import Console


@verb("demo", resumes=True, example="tunesmith demo\ntunesmith demo -o out/demo --json")
@click.option("-o", "--out", default="tunesmith-demo", show_default=True, metavar="DIR", help="A folder of its own.")
@click.option("--force", is_flag=True, help="Make everything in DIR anew.")
def command(session: Session, out: str, *, force: bool) -> Outcome:
    """Walk the whole ring on embedded data, offline: about four minutes on two cores.

    A tiny base model is made; a data set of some 3,000 rows is checked, curated and split; the model is finetuned on it,
    and both answer 900 items. The errors of the finetuned model are sorted and traced to training rows, a patch drops them,
    and the model is trained again: on the patched rows, and on rows with as many random ones dropped. A report tells what
    that proves. Needs the train, evaluate and report extras. What is already in the folder is used again.
    """
    from tunesmith.cli.demo import demo

    made = demo(out, seed=session.seed, force=force, progress=session.progress)

    def show(console: Console) -> None:
        from tunesmith.cli.terminal import table

        cells = [
            [name, m["base"], m["finetuned"], m["difference"], f"{m['low']:+.3f} to {m['high']:+.3f}"] for name, m in made.metrics.items()
        ]
        console.print(
            table("What finetuning did: all items, 95% paired intervals", ["metric", "base", "finetuned", "difference", "interval"], cells)
        )
        shares = [
            [name, *("" if arms.get(arm) is None else f"{arms[arm]:.1%}" for arm in ("base", "current", "patch", "placebo"))]
            for name, arms in made.categories.items()
        ]
        console.print(table("What the patch did: share of the gate items", ["category", "base", "finetuned", "patched", "placebo"], shares))
        spent = sum(seconds for name, seconds in made.seconds.items() if "." not in name)
        console.print(f"{spent:.0f} s in all. The report: {made.report}", markup=False, soft_wrap=True)
        console.print(made.verdict, markup=False, soft_wrap=True)

    data = {**asdict(made), "folder": str(made.folder), "report": str(made.report)}
    return Outcome(data=data, show=show)
