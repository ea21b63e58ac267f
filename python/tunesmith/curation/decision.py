"""The one pure function of (values, edges, recipe) that says what becomes of every row.

`curate`, `what_if` and everything that comes later (replay, another engine) call `decide`; none decides for itself. `restore` decides
nothing: a person names what is to come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from tunesmith.curation.steps.base import DECISION, NO_EDGES, Step

DECISIONS = pl.Schema([("position", pl.UInt64()), ("step", pl.String()), *((k, v) for k, v in DECISION.items() if k != "position")])


@dataclass(frozen=True, kw_only=True)
class StepCount:
    """The funnel at one step; a row counts where it was dropped first.

    Attributes:
        step: Its name.
        rows_in: Rows alive on entering it.
        dropped: Of these, rows that it dropped.
        edited: Of these, rows whose text it changed.
        flagged: Of these, rows that it flagged.
    """

    step: str
    rows_in: int
    dropped: int
    edited: int
    flagged: int


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of the rows.

    Attributes:
        decisions: `DECISIONS`, sorted by position, then in recipe order, then by rule.
        kept: Positions that stay, sorted.
        dropped: Positions that do not, sorted.
        steps: The funnel.
    """

    decisions: pl.DataFrame
    kept: pl.Series
    dropped: pl.Series
    steps: tuple[StepCount, ...]

    @property
    def edited(self) -> int:
        """Rows kept whose text was changed."""
        return self._kept_with("edit")

    @property
    def flagged(self) -> int:
        """Rows kept that carry a flag."""
        return self._kept_with("flag")

    def _kept_with(self, action: str) -> int:
        marked = self.decisions.filter(action=action)["position"].unique()
        return int(self.kept.is_in(marked.implode()).sum())


def fused(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """Group steps as an engine runs them: consecutive row steps together, every other step alone."""
    group: list[Step] = []
    for step in steps:
        if step.shape == "row":
            group.append(step)
            continue
        if group:
            yield tuple(group)
            group = []
        yield (step,)
    if group:
        yield tuple(group)


def decide(values: pl.DataFrame, edges: pl.DataFrame, steps: Sequence[Step]) -> Fate:
    """Resolve the steps in order among the rows still alive.

    All steps of a fused group decide about every row that entered the group, so that all reasons are recorded; no
    later step decides about a row that is gone. Depends on nothing but its arguments.

    Args:
        values: `position` and a column per `step.measure`, every valid row.
        edges: `step, position, twin_position, similarity`.
        steps: The recipe's, each with its name.
    """
    values = values if values["position"].is_sorted() else values.sort("position")
    alive = values["position"]
    made: list[pl.DataFrame] = []
    counts: list[StepCount] = []
    for group in fused(steps):
        entered = None if alive.len() == values.height else values["position"].is_in(alive.implode())
        for step in group:
            decided = step.decide(_of_step(values, step, entered), _edges_of(edges, step))
            made.append(decided.select(pl.col("position"), pl.lit(step.label).alias("step"), pl.exclude("position")))
            actions = {action: _alive_with(decided, action, alive) for action in ("drop", "edit", "flag")}
            dropped, edited, flagged = (actions[action].len() for action in ("drop", "edit", "flag"))
            counts.append(StepCount(step=step.label, rows_in=alive.len(), dropped=dropped, edited=edited, flagged=flagged))
            alive = alive.filter(~alive.is_in(actions["drop"].implode())) if dropped else alive
    order = pl.col("step").replace_strict({step.label: k for k, step in enumerate(steps)}, return_dtype=pl.UInt32, default=0)
    everything = pl.concat([pl.DataFrame(schema=DECISIONS), *made]).sort("position", order, "rule")
    gone = values["position"].filter(~values["position"].is_in(alive.implode())) if alive.len() < values.height else alive.clear()
    return Fate(decisions=everything, kept=alive, dropped=gone, steps=tuple(counts))


def _of_step(values: pl.DataFrame, step: Step, entered: pl.Series | None) -> pl.DataFrame:
    """Take the step's measures of the rows that enter it: first the columns, then the rows, since all columns are many times as much."""
    prefix = f"{step.label}."
    own = (pl.col(name).alias(name.removeprefix(prefix)) for name in values.columns if name.startswith(prefix))
    measured = values.select("position", *own)
    return measured if entered is None else measured.filter(entered)


def _edges_of(edges: pl.DataFrame, step: Step) -> pl.DataFrame:
    return edges.filter(step=step.label).select(NO_EDGES.columns) if step.shape == "keyed" else NO_EDGES


def _alive_with(decided: pl.DataFrame, action: str, alive: pl.Series) -> pl.Series:
    # The few are looked up among the many in this order: a table of all rows would be several times their room.
    return alive.filter(alive.is_in(decided.filter(action=action)["position"].unique().implode()))
