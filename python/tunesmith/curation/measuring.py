"""The measures of a recipe: its steps run in order by an engine, so that deciding needs nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

import polars as pl

from tunesmith.curation.decision import decide, fused
from tunesmith.curation.engine import Engine
from tunesmith.curation.recipe import Recipe
from tunesmith.curation.steps.base import NOTE, KeyedStep, Measured, RankedStep, RowStep
from tunesmith.progress import Progress
from tunesmith.rows.schema import EDGES

NOTES = pl.Schema([("step", pl.String()), *NOTE.items()])


@dataclass(frozen=True, kw_only=True)
class Measures:
    """All that was measured.

    Attributes:
        values: `position` and a column per `step.measure`, every valid row.
        edges: `EDGES`.
        notes: `NOTE` with `step`: what the ledger shows beside a decision.
        frame: All rows with every edit, dropped or not.
        seconds: Wall time per step; a fused pass is shared out equally among its steps.
    """

    values: pl.DataFrame
    edges: pl.DataFrame
    notes: pl.DataFrame
    frame: pl.DataFrame
    seconds: dict[str, float]


def measure(frame: pl.DataFrame, recipe: Recipe, engine: Engine, progress: Progress) -> Measures:
    """Run the measures of all steps.

    Values and edges cover every row, dropped or not: what is decided never changes what is measured. Only a ranked
    step asks who is alive, and asks `decide`.

    Args:
        frame: Valid rows, sorted by position.
        recipe: The resolved recipe.
        engine: Runs the steps.
        progress: Told about each pass.
    """
    values, edges, notes = frame.select("position"), [pl.DataFrame(schema=EDGES)], [pl.DataFrame(schema=NOTES)]
    seconds: dict[str, float] = {}
    done: list[RowStep | KeyedStep | RankedStep] = []
    for group in fused(recipe.steps):
        start = time.perf_counter()
        made: tuple[Measured, ...]
        if group[0].shape == "row":
            result = engine.rows(frame, cast("tuple[RowStep, ...]", group), progress)
            frame, made = result.frame, result.measured
        elif group[0].shape == "keyed":
            made = (engine.keyed(frame, cast("KeyedStep", group[0]), progress),)
        else:
            alive = decide(values, pl.concat(edges), done).kept
            made = (engine.ranked(frame, cast("RankedStep", group[0]), alive, progress),)
        for step, measured in zip(group, made, strict=True):
            label = pl.lit(step.label).alias("step")
            named = measured.values.select(pl.exclude("position").name.prefix(f"{step.label}."))
            values = values.hstack(named)
            notes.append(measured.notes.select(label, *NOTE))
            if measured.edges is not None:
                edges.append(measured.edges.select(label, pl.exclude("step")))
            seconds[step.label] = (time.perf_counter() - start) / len(group)
        done.extend(cast("tuple[RowStep | KeyedStep | RankedStep, ...]", group))
    return Measures(values=values, edges=pl.concat(edges), notes=pl.concat(notes), frame=frame, seconds=seconds)
