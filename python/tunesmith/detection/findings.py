"""Run detectors over rows or a view, and apply their safe fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Hit
from tunesmith.detection.limits import NO_LIMITS, Limits
from tunesmith.detection.registry import chosen
from tunesmith.detection.supervised import is_view, prepare, replaced, view
from tunesmith.errors import OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows.schema import FINDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tunesmith.detection.detector import Detector

FIX = pl.Schema({"position": pl.UInt64, "detector": pl.String, "field": pl.String, "turn": pl.UInt32, "text": pl.String})
_HIT = pl.Schema({"row": pl.UInt32, "field": pl.String, "start": pl.UInt32, "end": pl.UInt32, "evidence": pl.String})


def find(
    frame: pl.DataFrame,
    *,
    only: Iterable[str] | None = None,
    skip: Iterable[str] | None = None,
    limits: Limits | None = None,
    progress: Progress = SILENT,
) -> pl.DataFrame:
    """Run detectors.

    Args:
        frame: Rows, or a view of them (`view`).
        only: Names of detectors to run; all when None.
        skip: Names to leave out.
        limits: What fits this task (`limits.fit`); detectors that need them stay silent without.
        progress: Told of each detector.
    Returns:
        `rows.schema.FINDING`, at most one line per detector, field and turn, sorted by position and then in
        registry order. The span is the first place, the evidence says when there are more.
    Raises:
        OptionError: If a name is unknown.

    >>> find(pl.DataFrame({"instruction": ["Say hi."], "output": [" "]}))["detector"].to_list()
    ['output_empty']
    """
    detectors = chosen(only, skip)
    lines = frame if is_view(frame) else view(frame)
    prepared = prepare(lines, circling=any("circling" in detector.columns for detector in detectors))
    found = []
    with progress.task("Detecting", len(detectors)) as done:
        for number, detector in enumerate(detectors):
            found.append(_located(detector, detector.find(prepared, limits or NO_LIMITS), prepared))
            done(number + 1)
    if not found:
        return FINDING.to_frame()
    order = {detector.name: number for number, detector in enumerate(detectors)}
    whole = pl.concat(found).with_columns(pl.col("detector").replace_strict(order, return_dtype=pl.Int32).alias("_order"))
    unique = whole.unique(["position", "detector", "field", "turn"], keep="first", maintain_order=True)
    return unique.sort("position", "_order", "turn", "field", maintain_order=True).drop("_order")


def fix(frame: pl.DataFrame, *, only: Iterable[str] | None = None) -> pl.DataFrame:
    """Apply the safe fixes, one detector after the other, each to the text that the ones before it left.

    Args:
        frame: Rows, or a view of them.
        only: Names of detectors whose fixes to apply; all safe ones when None.
    Returns:
        Frame of ``position, detector, field, turn, text``: one line per edit in the order of application, so the
        last line of a (position, field, turn) holds the final text.
    Raises:
        OptionError: If a name is unknown, or names a detector without a safe fix.

    >>> fix(pl.DataFrame({"instruction": ["Sing."], "input": ["n/a"], "output": ["&quot;La&quot;"]})).rows()
    [(0, 'html_entity', 'response', None, '"La"'), (0, 'input_placeholder', 'input', None, '')]
    """
    named = chosen(only)
    fixers = [detector for detector in named if detector.fix]
    if only is not None and (without := [detector.name for detector in named if detector.fix is None]):
        raise OptionError(f'"{without[0]}" has no safe fix; those that have: {", ".join(sorted(d.name for d in chosen() if d.fix))}')
    prepared = prepare(frame if is_view(frame) else view(frame))
    edits = [FIX.to_frame()]
    for detector in fixers:
        assert detector.fix is not None
        hits = list(detector.find(prepared, NO_LIMITS))
        changed: dict[str, tuple[list[int], list[str]]] = {}
        for hit in hits:
            text = prepared[hit.field][hit.row]
            new = detector.fix(text)
            if new != text:
                rows, texts = changed.setdefault(hit.field, ([], []))
                rows.append(hit.row)
                texts.append(new)
        for field, (rows, texts) in changed.items():
            places = prepared[rows].select("position", pl.col("asked" if field == "instruction" else "turn").alias("turn"))
            edit = places.with_columns(detector=pl.lit(detector.name), field=pl.lit(field), text=pl.Series(texts, dtype=pl.String))
            edits.append(edit.select(FIX.names()).cast(FIX).unique(["position", "field", "turn"], keep="first", maintain_order=True))
            prepared = replaced(prepared, field, rows, texts)
    return pl.concat(edits)


def _located(detector: Detector, hits: Iterable[Hit], prepared: pl.DataFrame) -> pl.DataFrame:
    """Give hits their detector, position and turn."""
    frame = pl.DataFrame(list(hits), schema=_HIT, orient="row")
    places = prepared.select("position", "turn", "asked")[frame["row"]]
    turn = pl.when(frame["field"] == "response").then(places["turn"]).otherwise(places["asked"])
    placed = frame.with_columns(
        places["position"], turn.alias("turn"), pl.lit(detector.name).alias("detector"), pl.lit(detector.severity).alias("severity")
    )
    return placed.select(FINDING.names()).cast(FINDING)
