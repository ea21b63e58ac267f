"""`tunesmith verdict`: is the patch better than the placebo?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import FAILED, FINE, Outcome, Session, verb

if TYPE_CHECKING:
    from rich.console import Console


@verb(
    "verdict",
    example="""
tunesmith verdict experiment --evaluation patch=e-patch --evaluation placebo=e-placebo
tunesmith verdict experiment --evaluation current=e0 --evaluation patch:0=e1 --evaluation placebo:0=e2
""",
)
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("--evaluation", "evaluations", multiple=True, metavar="ARM[:SEED]=EVALUATION", required=True,
              help="The answers of patch, placebo, and (shown beside them) current and base; one for each arm and seed.")  # fmt: skip
@click.option("--run", "runs", multiple=True, metavar="ARM[:SEED]=RUN", help="The run behind an evaluation, where it lies elsewhere.")
@click.option("--margin", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.10, show_default=True,
              help="How much worse another category (share of items) or rougeL may be.")  # fmt: skip
@click.option("--earlier", multiple=True, metavar="DIR", type=click.Path(), help="An experiment that looked at the same confirm items.")
def command(
    session: Session, folder: str, evaluations: tuple[str, ...], runs: tuple[str, ...], margin: float, earlier: tuple[str, ...]
) -> Outcome:
    """Judge an experiment: accepted, or not shown (exit 1).

    Counted is the share of items whose answer has any of the patch's defects, patch against placebo, item by item. The gate
    items decide, with Holm's adjustment for the other categories, which may not get worse; the confirm items are
    looked at only if the gate is passed, and each look is logged.
    """
    from tunesmith.turns import verdict

    made = verdict(
        folder, _named(evaluations, "--evaluation"), runs=_named(runs, "--run"), margin=margin, earlier=earlier, seed=session.seed
    )
    return Outcome(data=made, show=lambda console: show(console, made), code=FINE if made["verdict"] == "accepted" else FAILED)


def _named(given: tuple[str, ...], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in given:
        name, sign, path = pair.partition("=")
        if not sign or not path:
            raise click.UsageError(f"{option} {pair}: expected ARM=FOLDER or ARM:SEED=FOLDER")
        if name in found:
            raise click.UsageError(f"{option} {pair}: {name} is given twice ({found[name]}, {path})")
        found[name] = path
    return found


def show(console: Console, made: Mapping[str, Any]) -> None:
    """Draw a verdict."""
    from tunesmith.cli.terminal import table
    from tunesmith.turns.wording import percent, points

    console.print(made["sentence"], markup=False, soft_wrap=True)
    for part in ("gate", "confirm"):
        found = made[part]
        if found is None:
            continue
        arms = list(found["arms"])
        rows = [
            [name, each["role"], *(percent(each["arms"][arm]) for arm in arms), points(each["difference"]),
             f"{points(each['low'])} to {points(each['high'])}", f"{each['p']:.2g}"]
            for name, each in found["categories"].items()
        ]  # fmt: skip
        title = f"{part}: {found['items']:,} items; points are patch - placebo, 95% interval, p adjusted (Holm)"
        console.print(table(title, ["category", "", *arms, "points", "interval", "p"], rows))
        scores = [
            [name, *(f"{each['arms'][arm]:.3f}" if arm in each["arms"] else None for arm in arms), f"{each['difference']:+.3f}",
             f"{each['low']:+.3f} to {each['high']:+.3f}", f"{each['p']:.2g}"]
            for name, each in found["metrics"].items()
        ]  # fmt: skip
        if scores:
            console.print(table(f"{part}: metrics", ["metric", *arms, "difference", "interval", "p"], scores))
    for reason in made["reasons"]:
        console.print(f"not shown, because {reason}", markup=False, soft_wrap=True)
    for note in filter(None, [made["equal"]["warning"], *made["notes"]]):
        console.print(f"note: {note}", markup=False, soft_wrap=True)
