"""The local engine: chunks of rows in one process; the kernels use its threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tunesmith.curation import overlay
from tunesmith.curation.engine import Pass
from tunesmith.curation.steps.base import NOTE, KeyedStep, Measured, RankedStep, RowStep
from tunesmith.progress import Progress


@dataclass(frozen=True, kw_only=True)
class LocalEngine:
    """Run steps here.

    Attributes:
        chunk: Rows in a chunk; never changes a result. Small ones cost: every pattern is compiled anew for each.
        cache: A folder that keeps what models computed, by content, so that an interrupted run goes on from there.
    """

    chunk: int = 32_768
    cache: Path | None = None

    def rows(self, frame: pl.DataFrame, steps: Sequence[RowStep], progress: Progress) -> Pass:
        """Run consecutive row steps in one pass over chunks."""
        for step in steps:
            step.prepare(frame.schema)
        parts: list[list[Measured]] = [[] for _ in steps]
        chunks: list[pl.DataFrame] = []
        with progress.task(", ".join(step.label for step in steps), frame.height) as done:
            for start, piece in self._chunks(frame):
                chunk = piece
                for k, step in enumerate(steps):
                    measured = step.measure(chunk)
                    parts[k].append(measured)
                    if measured.edited is not None:
                        chunk = overlay.laid_over(chunk, measured.edited)
                chunks.append(chunk)
                done(start + chunk.height)
        return Pass(frame=pl.concat(chunks), measured=tuple(_joined(step, part) for step, part in zip(steps, parts, strict=True)))

    def keyed(self, frame: pl.DataFrame, step: KeyedStep, progress: Progress) -> Measured:
        """Project chunk by chunk, then find the pairs of all projections."""
        return step.pairs(self._projected(frame, step), progress)

    def ranked(self, frame: pl.DataFrame, step: RankedStep, alive: pl.Series, progress: Progress) -> Measured:
        """Order the rows alive."""
        here = frame.filter(pl.col("position").is_in(alive.implode()))
        order = step.rank(self._projected(here, step), progress, self.cache)
        return Measured(values=frame.select("position").join(order, on="position", how="left", maintain_order="left"))

    def _projected(self, frame: pl.DataFrame, step: KeyedStep | RankedStep) -> pl.DataFrame:
        return pl.concat([step.project(piece) for _, piece in self._chunks(frame)])

    def _chunks(self, frame: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
        """Cut rows into chunks; no rows are one empty chunk, so that every measure has its column."""
        for start in range(0, max(frame.height, 1), self.chunk):
            yield start, frame.slice(start, self.chunk)


def _joined(step: RowStep, parts: Sequence[Measured]) -> Measured:
    """Put chunks together; a measure that some chunks lack is 0 there, and columns are in the same order always."""
    known = step.measures() or {}
    values = pl.concat([part.values for part in parts], how="diagonal")
    extra = sorted(set(values.columns) - {"position"} - set(known))
    missing = [name for name in known if name not in values.columns]
    values = values.with_columns(pl.lit(0, dtype=known[name]).alias(name) for name in missing)
    values = values.with_columns(pl.col(pl.UInt32).fill_null(0))
    edited = [part.edited for part in parts if part.edited is not None]
    return Measured(
        values=values.select("position", *known, *extra).with_columns(pl.col(name).cast(dtype) for name, dtype in known.items()),
        notes=pl.concat([pl.DataFrame(schema=NOTE), *(part.notes for part in parts)]),
        edited=pl.concat(edited) if edited else None,
    )
