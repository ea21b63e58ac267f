"""Run detectors over rows or a view, and apply their safe fixes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Hit, Judged
from tunesmith.detection.limits import NO_LIMITS, Limits
from tunesmith.detection.registry import chosen
from tunesmith.detection.strata import STRATA, strata
from tunesmith.detection.supervised import is_view, prepare, replaced, view
from tunesmith.errors import OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows.pieces import pieces
from tunesmith.rows.schema import FINDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tunesmith.detection.detector import Detector
    from tunesmith.models.embed import Embedder

FIX = pl.Schema({"position": pl.UInt64, "detector": pl.String, "field": pl.String, "turn": pl.UInt32, "text": pl.String})
_HIT = pl.Schema({"row": pl.UInt32, "field": pl.String, "start": pl.UInt32, "end": pl.UInt32, "evidence": pl.String})


COVERAGE = pl.Schema({"detector": pl.String, "asked": pl.UInt32, "parsed": pl.UInt32, "wrong": pl.UInt32})


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What a run of the detectors gives.

    Attributes:
        findings: `rows.schema.FINDING`, as of `find`.
        coverage: ``detector, asked, parsed, wrong``, a line per verifier: how many lines ask for what it verifies, how many
            of them it could read, and how many of those are wrong.
    """

    findings: pl.DataFrame
    coverage: pl.DataFrame


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
    return examine(frame, only=only, skip=skip, limits=limits, progress=progress).findings


def examine(
    frame: pl.DataFrame,
    *,
    only: Iterable[str] | None = None,
    skip: Iterable[str] | None = None,
    limits: Limits | None = None,
    embedder: Embedder | None = None,
    progress: Progress = SILENT,
) -> Examined:
    """Run detectors as `find` does, also those that need an ``embedder``, and say how much of what they verify could be read.

    >>> made = examine(pl.DataFrame({"instruction": ["What is 3 + 2 x 5?"], "output": ["13"]}), only=["arith_wrong"])
    >>> made.coverage.rows()
    [('arith_wrong', 1, 1, 0)]
    """
    detectors = chosen(only, skip)
    lines = frame if is_view(frame) else view(frame)
    # Piece by piece: what detectors make of texts for a while takes several times their room. A model has batches of its own.
    parts = list(pieces(lines)) if embedder is None else [lines]
    found: list[pl.DataFrame] = []
    covered: Counter[tuple[str, str]] = Counter()
    with progress.task("Detecting", len(parts) * len(detectors)) as done:
        for nth, part in enumerate(parts):
            prepared = prepare(part, circling=any("circling" in detector.columns for detector in detectors))
            for number, detector in enumerate(detectors):
                hits, coverage = _hits(detector, prepared, limits or NO_LIMITS, embedder)
                covered.update({(detector.name, name): count for name, count in coverage.items()})
                found.append(_located(detector, hits, prepared))
                done(nth * len(detectors) + number + 1)
    verifiers = [each.name for each in detectors if each.judge is not None and (each.embeds is None or embedder is None)]
    rows = [(name, *(covered[name, count] for count in COVERAGE.names()[1:])) for name in verifiers]
    coverage_of_all = pl.DataFrame(rows, schema=COVERAGE, orient="row")
    if not found:
        return Examined(findings=FINDING.to_frame(), coverage=coverage_of_all)
    order = {detector.name: number for number, detector in enumerate(detectors)}
    whole = pl.concat(found).with_columns(pl.col("detector").replace_strict(order, return_dtype=pl.Int32).alias("_order"))
    unique = whole.unique(["position", "detector", "field", "turn"], keep="first", maintain_order=True)
    findings = unique.sort("position", "_order", "turn", "field", maintain_order=True).drop("_order")
    return Examined(findings=findings, coverage=coverage_of_all)


def _hits(detector: Detector, prepared: pl.DataFrame, limits: Limits, embedder: Embedder | None) -> tuple[Iterable[Hit], Mapping[str, int]]:
    """Run one detector over prepared lines; of a verifier, also tell how many lines it was asked, could read, and found wrong."""
    if detector.embeds is not None and embedder is not None:
        return detector.embeds(prepared, embedder), {}
    if detector.judge is None:
        return detector.find(prepared, limits), {}
    judged = list(detector.judge(prepared, limits))
    return [each.hit for each in judged if each.hit], dict(zip(COVERAGE.names()[1:], _counted(judged), strict=True))


def _counted(judged: Iterable[Judged]) -> tuple[int, int, int]:
    """Count lines: asked, parsed, wrong."""
    by_row: dict[int, Judged] = {}
    for each in judged:
        by_row.setdefault(each.row, each)
    lines = by_row.values()
    return len(lines), sum(each.parsed for each in lines), sum(each.hit is not None for each in lines)


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
    severity = pl.lit(detector.severity)
    if detector.severity == "fatal" and not detector.origin and set(STRATA) - set(detector.drops) and frame.height:
        here = strata(prepared[frame["row"]])
        severity = pl.when(here.is_in(list(detector.drops))).then(severity).otherwise(pl.lit("review"))
    placed = frame.with_columns(places["position"], turn.alias("turn"), pl.lit(detector.name).alias("detector"), severity.alias("severity"))
    return placed.select(FINDING.names()).cast(FINDING)
