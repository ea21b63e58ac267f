"""The measures of a recipe: its steps run in order by an engine, so that deciding needs nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

import polars as pl

from tunesmith.core.memory import give_back
from tunesmith.curation import counts
from tunesmith.curation.decision import decide, fused
from tunesmith.curation.engine import Engine
from tunesmith.curation.held import Rows
from tunesmith.curation.recipe import Recipe
from tunesmith.curation.steps.base import NOTE, KeyedStep, Measured, RankedStep, RowStep
from tunesmith.progress import Progress
from tunesmith.rows.schema import EDGES

NOTES = pl.Schema([("step", pl.String()), *NOTE.items()])


@dataclass(frozen=True, kw_only=True)
class Measures:
    """All that was measured.

    Attributes:
        values: `position` and a column per `step.measure`, every valid row; counts are narrow (`counts`).
        edges: `EDGES`.
        notes: `NOTE` with `step`: what the ledger shows beside a decision.
        rows: All rows with every edit, dropped or not.
        seconds: Wall time per step; a fused pass is shared out equally among its steps.
    """

    values: pl.DataFrame
    edges: pl.DataFrame
    notes: pl.DataFrame
    rows: Rows
    seconds: dict[str, float]


def measure(rows: Rows, recipe: Recipe, engine: Engine, progress: Progress) -> Measures:
    """Run the measures of all steps.

    Values and edges cover every row, dropped or not: what is decided never changes what is measured. Only a ranked
    step asks who is alive, and asks `decide`.

    Args:
        rows: Valid rows, sorted by position; they are handed over.
        recipe: The resolved recipe.
        engine: Runs the steps.
        progress: Told about each pass.
    """
    values, edges, notes = rows.select("position"), [pl.DataFrame(schema=EDGES)], [pl.DataFrame(schema=NOTES)]
    seconds: dict[str, float] = {}
    done: list[RowStep | KeyedStep | RankedStep] = []
    for group in fused(recipe.steps):
        start = time.perf_counter()
        made: tuple[Measured, ...]
        if group[0].shape == "row":
            result = engine.rows(rows, cast("tuple[RowStep, ...]", group), progress)
            rows, made = result.rows, result.measured
            del result
        elif group[0].shape == "keyed":
            made = (engine.keyed(rows, cast("KeyedStep", group[0]), progress),)
        else:
            alive = decide(values, pl.concat(edges), done).kept
            made = (engine.ranked(rows, cast("RankedStep", group[0]), alive, progress),)
        for step, measured in zip(group, made, strict=True):
            label = pl.lit(step.label).alias("step")
            named = counts.narrow(measured.values.select(pl.exclude("position").name.prefix(f"{step.label}.")))
            values = values.hstack(named)
            notes.append(measured.notes.select(label, *NOTE))
            if measured.edges is not None:
                edges.append(measured.edges.select(label, pl.exclude("step")))
            seconds[step.label] = (time.perf_counter() - start) / len(group)
        done.extend(cast("tuple[RowStep | KeyedStep | RankedStep, ...]", group))
        give_back()
    return Measures(values=values, edges=pl.concat(edges), notes=pl.concat(notes), rows=rows, seconds=seconds)
