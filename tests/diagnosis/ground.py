"""Sides made of numbers: items and rows with real prompts, findings drawn at random."""

import numpy as np
import polars as pl
from numpy.random import Generator

from tunesmith.detection import Limits
from tunesmith.diagnosis.candidates import Candidates, candidates
from tunesmith.diagnosis.causes import Court, cause
from tunesmith.diagnosis.checks import Check, Checks
from tunesmith.diagnosis.measuring import measure
from tunesmith.diagnosis.search import SIGNIFICANT, Ground, failing
from tunesmith.diagnosis.sides import ALL, Sides
from tunesmith.rows import read
from tunesmith.slices import columns

VERBS = ("describe", "list", "explain", "name", "compare", "write", "define", "suggest")
PLACES = ("garden", "harbor", "stable", "forge", "school")


def rows_of(count: int, rng: Generator, *, topic: bool = True) -> pl.DataFrame:
    verbs, places = rng.choice(VERBS, count), rng.choice(PLACES, count)
    records = [
        {"instruction": f"{verb.capitalize()} thing {k} of the {place}.", "output": f"Thing {k}.", **({"topic": place} if topic else {})}
        for k, (verb, place) in enumerate(zip(verbs, places, strict=True))
    ]
    return read(records).frame


def items_of(count: int, rng: Generator, *, topic: bool = True, dev: float = 1 / 3) -> pl.DataFrame:
    rows = rows_of(count, rng, topic=topic)
    return rows.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("item"), "position", "row_id", "instruction", "input", reference="output",
        cluster=pl.col("position"), part=pl.Series(np.where(np.arange(count) < dev * count, "dev", "gate")),
    ).with_columns(columns(rows).drop("position").get_columns())  # fmt: skip


def sides_of(items: pl.DataFrame, rows: pl.DataFrame, *, outputs: np.ndarray, targets: np.ndarray, references: np.ndarray | None = None,
             base: np.ndarray | None = None) -> Sides:  # fmt: skip
    return Sides(
        categories=ALL,
        items=items,
        chosen=(items["part"] == "dev").to_numpy(),
        outputs=outputs.astype(float),
        base=None if base is None else base.astype(float),
        references=np.zeros((items.height, len(ALL)), dtype=bool) if references is None else references,
        referred=np.ones(items.height, dtype=bool),
        rows=rows,
        targets=targets.astype(bool),
        findings=pl.DataFrame(),
        limits=Limits(),
    )


def fine(sides: Sides) -> Checks:
    check = Check(state="fine", says="")
    nothing = np.zeros(sides.items.height)
    return Checks(decoding=check, template=check, truncation=check, budget=nothing, endless=nothing, cut=None)


def told(sides: Sides, slices: Candidates | None = None) -> dict[tuple[str, str], str]:
    """Give the cause of every category and slice that fails, no category explaining another."""
    ground = Ground(sides=sides, candidates=slices or candidates(sides.items, sides.rows, sides.chosen))
    court = Court(ground=ground, checks=fine(sides))
    found = {}
    for category in sides.categories:
        for place in failing(ground, category, sides.chosen.copy(), np.ones(sides.rows.height, dtype=bool)):
            if place.p >= SIGNIFICANT:
                continue
            everything = place.number is None
            inside = np.ones(sides.items.height, dtype=bool) if everything else ground.candidates.of_items(place.number)
            of_rows = np.ones(sides.rows.height, dtype=bool) if everything else ground.candidates.of_rows(place.number)
            measured = measure(sides, category, inside, of_rows)
            name = "all" if everything else ground.candidates.names[place.number]
            found[category, name] = cause(court, category, place, measured).cause
    return found
