"""The tables of a diagnosis on disk, as Polars schemas (`format: 1`)."""

from __future__ import annotations

import polars as pl

CATEGORY = pl.Schema({
    "detector": pl.String,
    "slice": pl.String,  # all | verb=name | verb=name & topic=forge | word=animal
    "n": pl.UInt32,  # items of the part in the slice, with an output
    "rate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "reference_rate": pl.Float64,  # of the slice's references, all parts
    "base_rate": pl.Float64,  # null without a base
    "target_rate": pl.Float64,  # null where no training row is in the slice, or targets cannot be judged
    "target_n": pl.UInt32,
    "ratio": pl.Float64,  # rate / target_rate; null where not finite or not measured
    "ratio_low": pl.Float64,
    "ratio_high": pl.Float64,
    "status": pl.String,  # inherited | introduced | fixed | persistent; null where nothing is told
    "cause": pl.String,  # null where there is nothing to explain
    "because": pl.String,  # what the cause rests on
    "p": pl.Float64,  # adjusted: the slice's outputs are no worse than others and references; null for slices not searched for
    "p_targets": pl.Float64,  # the same of its targets
    "rows": pl.UInt32,  # training rows to blame, named in `causes`
    "shown": pl.Boolean,  # a slice in which outputs fail; the others are there to look up
})  # fmt: skip
"""A line per category and slice; `all` first, then the slices found, then every slice of one condition."""

CAUSE = pl.Schema({
    "detector": pl.String,
    "slice": pl.String,
    "position": pl.UInt64,
    "row_id": pl.String,
    "rank": pl.UInt32,  # 1, 2, ... within detector and slice
    "score": pl.Float64,
    "method": pl.String,  # same_defect | density
    "evidence": pl.String,
})  # fmt: skip
