"""The tables of an evaluation on disk, as Polars schemas (`format: 1`)."""

from __future__ import annotations

import polars as pl

ITEM = pl.Schema({
    "item": pl.UInt32,  # 0, 1, ... in the order of the source
    "position": pl.UInt64,
    "row_id": pl.String,
    "instruction": pl.String,
    "input": pl.String,
    "reference": pl.String,  # null where the source has no answer
    "cluster": pl.UInt64,  # near duplicates of the prompt: the smallest position of the group
    "part": pl.String,  # dev | gate | confirm
})  # fmt: skip
"""The items; slice columns follow, and `references` (List[String]) where the source has several."""

PREDICTION = pl.Schema({
    "item": pl.UInt32,
    "model": pl.String,
    "seed": pl.Int64,
    "prompt": pl.String,  # as the model got it; null for predictions read from elsewhere
    "output": pl.String,
    "finish": pl.String,  # stop | length; null where not known
    "prompt_tokens": pl.UInt32,
    "output_tokens": pl.UInt32,
    "seconds": pl.Float64,
})  # fmt: skip

SCORE = pl.Schema({"item": pl.UInt32, "model": pl.String, "seed": pl.Int64, "metric": pl.String, "value": pl.Float64})
"""Only pairs that can be scored: an item without a reference has no score."""

FINDING = pl.Schema({
    "side": pl.String,  # output | reference
    "item": pl.UInt32,
    "model": pl.String,  # null on the side of the references
    "seed": pl.Int64,
    "detector": pl.String,
    "severity": pl.String,
    "field": pl.String,
    "turn": pl.UInt32,
    "start": pl.UInt32,
    "end": pl.UInt32,
    "evidence": pl.String,
})  # fmt: skip
