"""The local engine: chunks of rows in one process; the kernels use its threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from tunesmith.core.memory import compact, freeing
from tunesmith.curation import counts, overlay
from tunesmith.curation.engine import Pass
from tunesmith.curation.held import Rows, lean
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

    def rows(self, rows: Rows, steps: Sequence[RowStep], progress: Progress) -> Pass:
        """Run consecutive row steps in one pass over chunks."""
        for step in steps:
            step.prepare(rows.schema)
        parts: list[list[Measured]] = [[] for _ in steps]
        chunks: list[pl.DataFrame] = []
        before: list[pl.DataFrame] = [] if rows.before is None else [rows.before]
        height, ready = rows.height, 0
        with progress.task(", ".join(step.label for step in steps), height) as done:
            for piece in freeing(rows.handed_over(self.chunk)):
                chunk, touched = piece, []
                for k, step in enumerate(steps):
                    measured = step.measure(chunk)
                    parts[k].append(_kept(measured))
                    if measured.edited is not None and measured.edited.height:
                        chunk = overlay.laid_over(chunk, measured.edited)
                        touched.append(measured.edited["position"])
                if touched:
                    before.append(compact(piece.filter(pl.col("position").is_in(pl.concat(touched).implode()))))
                chunks.append(compact(lean(chunk)) if touched else lean(chunk))
                ready += chunk.height
                done(ready)
        left = Rows(schema=rows.schema, held=chunks, before=_first(before))
        return Pass(rows=left, measured=tuple(_joined(step, part) for step, part in zip(steps, parts, strict=True)))

    def keyed(self, rows: Rows, step: KeyedStep, progress: Progress) -> Measured:
        """Project chunk by chunk, then find the pairs of all projections."""
        return step.pairs(pl.concat([step.project(piece) for piece in rows.pieces(self.chunk)]), progress)

    def ranked(self, rows: Rows, step: RankedStep, alive: pl.Series, progress: Progress) -> Measured:
        """Order the rows alive."""
        here = pl.col("position").is_in(alive.implode())
        projected = pl.concat([step.project(piece.filter(here)) for piece in rows.pieces(self.chunk)])
        order = step.rank(projected, progress, self.cache)
        return Measured(values=rows.select("position").join(order, on="position", how="left", maintain_order="left"))


def _kept(measured: Measured) -> Measured:
    """Keep of a chunk's measures what all are made of, without the texts that they were read from."""
    return replace(measured, values=compact(counts.narrow(measured.values)), notes=compact(measured.notes), edited=None)


def _first(before: Sequence[pl.DataFrame]) -> pl.DataFrame | None:
    """Join rows as several passes met them: as the first one did, each was read."""
    if not before:
        return None
    return pl.concat(before).unique("position", keep="first", maintain_order=True).sort("position")


def _joined(step: RowStep, parts: Sequence[Measured]) -> Measured:
    """Put chunks together; a measure that some chunks lack is 0 there, and columns are in the same order always."""
    known = step.measures() or {}
    values = pl.concat([part.values for part in parts], how="diagonal_relaxed")
    extra = sorted(set(values.columns) - {"position"} - set(known))
    missing = [name for name in known if name not in values.columns]
    values = values.with_columns(pl.lit(0, dtype=known[name]).alias(name) for name in missing)
    values = values.with_columns(pl.col(counts.WIDE, counts.NARROW).fill_null(0))
    others = [pl.col(name).cast(dtype) for name, dtype in known.items() if dtype != counts.WIDE]
    return Measured(
        values=values.select("position", *known, *extra).with_columns(others),
        notes=pl.concat([pl.DataFrame(schema=NOTE), *(part.notes for part in parts)]),
    )
