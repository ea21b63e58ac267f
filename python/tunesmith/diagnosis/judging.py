"""All categories, one after the other: where each fails, since when, why, and through which rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tunesmith.diagnosis import tracing
from tunesmith.diagnosis.candidates import EVERYTHING
from tunesmith.diagnosis.causes import MOST, ORDER, Court, Verdict, cause
from tunesmith.diagnosis.measuring import Measure, measure, status
from tunesmith.diagnosis.proposing import Claim
from tunesmith.diagnosis.schema import CATEGORY, CAUSE
from tunesmith.diagnosis.search import SIGNIFICANT, Failing, failing
from tunesmith.diagnosis.sides import OFF_REFERENCE
from tunesmith.evaluation import Evaluation

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPLAINING = (
    "refusal", "prompt_echo", "wrong_format", "misspelled", "repetitive", "no_stop", "truncated", "too_long", OFF_REFERENCE,
)  # fmt: skip
"""Categories from the one that says most to the one that says least: what an earlier one explains by bad rows (items and rows
that have its finding in a claimed slice) is not looked at again. An answer given twice is too long; it is not two defects."""
_SHOWN = ("n", "rate", "low", "high", "base_rate", "reference_rate", "target_rate", "target_n", "ratio", "ratio_low", "ratio_high")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A category in a slice, judged.

    Attributes:
        category: The finding.
        name: The slice.
        found: Its rates.
        inside: ``bool[items]``, the slice.
        rows: ``bool[rows]``, the slice.
        place: How the search came upon it; None for slices that are there to look up.
        verdict: Its cause; None where there is nothing to explain.
        traced: Training rows (``schema.CAUSE``).
    """

    category: str
    name: str
    found: Measure
    inside: NDArray[np.bool_]
    rows: NDArray[np.bool_]
    place: Failing | None = None
    verdict: Verdict | None = None
    traced: pl.DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Everything that was found.

    Attributes:
        categories: ``schema.CATEGORY``.
        causes: ``schema.CAUSE``.
        summary: The `--json` list of categories.
        claims: The slices whose rows are to blame, in the order in which they explain rows.
        notes: What a reader should know.
    """

    categories: pl.DataFrame
    causes: pl.DataFrame
    summary: list[dict[str, Any]]
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]


def judge(court: Court, evaluation: Evaluation) -> Judged:
    """Judge every category in every slice in which it fails."""
    sides = court.ground.sides
    items, rows = sides.chosen.copy(), np.ones(sides.rows.height, dtype=bool)
    found: dict[str, list[Line]] = {}
    for category in (each for each in EXPLAINING if each in sides.categories):
        lines = list(_lines(court, category, items, rows, evaluation))
        found[category] = lines
        for line in lines:
            if line.verdict is not None and line.verdict.cause == "bad_rows":
                column = sides.column(category)
                items &= ~(line.inside & (sides.outputs[:, column] >= MOST))
                rows &= ~(line.rows & sides.targets[:, column])
    found = _told(court, found)
    ordered = [c for c in sides.categories if c in found]
    table = [_row(line) for c in ordered for line in found[c]]
    looked_up = [_row(line) for c in ordered for line in _others(court, c, {line.name for line in found[c]})]
    every = pl.DataFrame(sorted(table + looked_up, key=lambda row: ordered.index(row["detector"])), schema=CATEGORY, orient="row")
    traced = [line.traced for c in ordered for line in found[c] if line.traced is not None]
    claims = [
        Claim(category=c, name=line.name, rows=line.rows, found=line.found, items=_failing_positions(court, line))
        for c, lines in found.items()
        for line in lines
        if line.verdict is not None and line.verdict.cause == "bad_rows"
    ]
    return Judged(
        categories=every,
        causes=pl.concat(traced) if traced else CAUSE.to_frame(),
        summary=[_summary(court, found[c]) for c in ordered],
        claims=tuple(claims),
        notes=_notes(court, found),
    )


def _lines(court: Court, category: str, items: NDArray[np.bool_], rows: NDArray[np.bool_], evaluation: Evaluation) -> list[Line]:
    """Judge one category: all items first, then the slices in which it fails."""
    sides, slices = court.ground.sides, court.ground.candidates
    made: list[Line] = []
    whole = None
    for place in failing(court.ground, category, items, rows):
        everywhere = place.number is None
        inside = np.ones(sides.items.height, dtype=bool) if place.number is None else slices.of_items(place.number)
        in_slice = np.ones(sides.rows.height, dtype=bool) if place.number is None else slices.of_rows(place.number)
        measured = measure(sides, category, inside, in_slice)
        if measured is None:
            continue
        line = Line(
            category=category,
            name=EVERYTHING if place.number is None else slices.names[place.number],
            found=measured,
            inside=inside,
            rows=in_slice,
            place=place,
        )
        if place.number is not None and not _mostly_left(court, line):
            continue
        if place.p < SIGNIFICANT:
            line = replace(line, verdict=cause(court, category, place, measured))
            line = replace(line, traced=_traced(court, line, evaluation))
        if everywhere:
            whole = line
        else:
            made.append(line)
    return ([whole] if whole else []) + made


def _told(court: Court, found: dict[str, list[Line]]) -> dict[str, list[Line]]:
    """Say of what stayed unknown which rows are blamed for another category of the same outputs."""
    blamed = [line for lines in found.values() for line in lines if line.verdict is not None and line.verdict.cause == "bad_rows"]

    def told(line: Line) -> Line:
        fails = _fails(court, line)
        if line.verdict is None or line.verdict.cause != "unknown" or not fails.any():
            return line
        for other in blamed:
            share = float((fails & _fails(court, other)).sum() / fails.sum())
            if share >= MOST:
                because = f"{share:.0%} of these outputs have {other.category}, too, for which rows of {other.name} are to blame"
                return replace(line, verdict=replace(line.verdict, because=because))
        return line

    return {category: [told(line) for line in lines] for category, lines in found.items()}


def _mostly_left(court: Court, line: Line) -> bool:
    """Tell whether at least half of a slice's failing items are left for it, and not explained before."""
    fails = _fails(court, line)
    assert line.place is not None
    return bool((fails & line.place.items).sum() >= MOST * fails.sum())


def _fails(court: Court, line: Line) -> NDArray[np.bool_]:
    """Give the failing items of a slice, ``bool[items]``."""
    sides = court.ground.sides
    return line.inside & sides.chosen & (sides.outputs[:, sides.column(line.category)] >= MOST)


def _traced(court: Court, line: Line, evaluation: Evaluation) -> pl.DataFrame | None:
    sides = court.ground.sides
    assert line.verdict is not None
    assert line.place is not None
    fails = _fails(court, line)
    if line.verdict.cause == "bad_rows":
        return tracing.same_defect(sides, line.category, line.name, line.rows, fails, _failing_outputs(evaluation, line.category))
    if line.verdict.cause == "missing":
        return tracing.density(sides, line.category, line.name, fails, court.density)
    return None


def _failing_outputs(evaluation: Evaluation, category: str) -> pl.Series:
    """Give one failing output of each item, null where there is none."""
    found = evaluation.findings.filter(pl.col("side") == "output", pl.col("detector") == category).select("item", "model", "seed").unique()
    failing_ones = evaluation.predictions.join(found, on=["item", "model", "seed"], how="semi").unique(
        "item", keep="first", maintain_order=True
    )
    return evaluation.items.select("item").join(failing_ones.select("item", "output"), on="item", how="left", maintain_order="left")[
        "output"
    ]


def _others(court: Court, category: str, known: set[str]) -> list[Line]:
    """Measure the slices of one condition that were not shown, to be looked up."""
    sides, slices = court.ground.sides, court.ground.candidates
    made = []
    for number, name in enumerate(slices.names):
        if slices.parents[number] or name in known or name.startswith("word="):
            continue
        inside, rows = slices.of_items(number), slices.of_rows(number)
        measured = measure(sides, category, inside, rows)
        if measured is not None:
            made.append(Line(category=category, name=name, found=measured, inside=inside, rows=rows))
    return made


def _row(line: Line) -> dict[str, Any]:
    named = {name: value for name, value in asdict(line.found).items() if name in CATEGORY}
    return {
        "detector": line.category,
        "slice": line.name,
        **named,
        "status": status(line.found) if line.place is not None else None,
        "cause": line.verdict.cause if line.verdict else None,
        "because": line.verdict.because if line.verdict else None,
        "p": line.place.p if line.place else None,
        "p_targets": line.place.p_targets if line.place else None,
        "rows": line.traced.height if line.traced is not None and line.verdict and line.verdict.cause == "bad_rows" else 0,
        "shown": line.place is not None and (line.name == EVERYTHING or line.verdict is not None),
    }


def _summary(court: Court, lines: Sequence[Line]) -> dict[str, Any]:
    """Sum a category up: its rates over all items, and the first cause, in the order of exclusion, that a slice of it has."""
    sides, whole = court.ground.sides, lines[0]
    fails = sides.chosen & (sides.outputs[:, sides.column(whole.category)] >= MOST)
    causes = {line.verdict.cause for line in lines if line.verdict is not None}
    traced = [line.traced for line in lines if line.traced is not None and line.verdict and line.verdict.cause == "bad_rows"]
    rows = pl.concat(traced)["position"].n_unique() if traced else 0
    measured = asdict(whole.found)
    return {
        "detector": whole.category,
        **{name: measured[name] for name in _SHOWN if name != "n"},
        "status": status(whole.found),
        "cause": next((name for name in ORDER if name in causes), None),
        "rows": rows,
        "items": int(fails.sum()),
        "slices": [_slice(line) for line in lines if line.verdict and line.name != EVERYTHING],
    }


def _slice(line: Line) -> dict[str, Any]:
    row = _row(line)
    return {name: row[name] for name in ("slice", *_SHOWN, "status", "cause", "because", "p", "p_targets", "rows")}


def _failing_positions(court: Court, line: Line) -> list[int]:
    return [int(position) for position in court.ground.sides.items["position"].to_numpy()[_fails(court, line)]]


def _notes(court: Court, found: dict[str, list[Line]]) -> tuple[str, ...]:
    """Say what cannot be patched: which rows would have to be written, and how many other slices like it have."""
    missing: dict[str, list[Line]] = {}
    for line in (line for lines in found.values() for line in lines):
        if line.verdict is not None and line.verdict.cause == "missing":
            missing.setdefault(line.name, []).append(line)
    return tuple(
        f"{name} has no training rows near ({', '.join(line.category for line in lines)} there): rows have to be written, no edit is "
        f"proposed; other slices like it have {_usual(court, name):,} rows (median)"
        for name, lines in missing.items()
    )


def _usual(court: Court, name: str) -> int:
    """Give the median number of training rows of the slices on the same columns, of those that have rows."""
    slices = court.ground.candidates
    column = [part.partition("=")[0] for part in name.split(" & ")]
    alike = [k for k, other in enumerate(slices.names) if [part.partition("=")[0] for part in other.split(" & ")] == column]
    sizes = slices.rows[alike].sum(axis=1)
    return int(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 0
