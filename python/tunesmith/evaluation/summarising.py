"""What an evaluation says in a page: means and rates with intervals, overall and by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tunesmith.evaluation import statistics
from tunesmith.evaluation.items import slice_columns
from tunesmith.evaluation.scoring import judged

SMALLEST_SLICE = 5
"""Slices with fewer scored items are not shown: their intervals would say nothing."""
LARGEST = 20
"""Values of one slice column that are shown, the most frequent first."""


def summarise(
    items: pl.DataFrame, predictions: pl.DataFrame, scores: pl.DataFrame, findings: pl.DataFrame, *, by: Sequence[str], seed: int
) -> dict[str, Any]:
    """Summarise the tables of an evaluation.

    Args:
        items: ``schema.ITEM`` with slice columns.
        predictions: ``schema.PREDICTION``.
        scores: ``schema.SCORE``.
        findings: ``schema.FINDING``.
        by: Slice columns to break metrics down by.
        seed: Of the resampling.
    Returns:
        ``items``, ``predicted`` (items with an output), ``metrics`` {name: value, low, high, items},
        ``findings`` and ``reference_findings`` {detector: rate, low, high, items}, ``finish`` {reason: outputs},
        ``slices`` {column: {value: {items, metrics}}}, ``interval`` (how intervals were made).
    """
    per_item = item_scores(scores, items)
    predicted = predictions["item"].n_unique()
    finish = predictions["finish"].fill_null("unknown").value_counts(sort=True)
    return {
        "items": items.height,
        "predicted": predicted,
        "metrics": _metrics(per_item, seed),
        "findings": rates(findings.filter(pl.col("side") == "output"), predictions, items),
        "reference_findings": rates(findings.filter(pl.col("side") == "reference"), _referred(items), items),
        "finish": dict(finish.iter_rows()),
        "slices": {name: _slice(per_item, name, seed) for name in by if name in slice_columns(items)},
        "interval": {
            "level": statistics.LEVEL,
            "clusters": items["cluster"].n_unique(),
            "means": statistics.method(items["cluster"].n_unique()),
            "rates": "Wilson, over the effective number of items",
        },
    }


def item_scores(scores: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Average each item's scores over its outputs: ``metric, item, value``, and the item's columns."""
    averaged = scores.group_by("metric", "item", maintain_order=True).agg(pl.col("value").mean())
    return averaged.join(items, on="item", how="left", maintain_order="left")


def item_findings(findings: pl.DataFrame, predictions: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Say for every item with an output which share of its outputs each detector names: ``detector, item, value, cluster``."""
    outputs = predictions.group_by("item", maintain_order=True).agg(outputs=pl.len())
    named = findings.select("item", "seed", "detector").unique().group_by("item", "detector").agg(named=pl.len())
    every = outputs.join(pl.DataFrame({"detector": judged()}, schema={"detector": pl.String}), how="cross")
    joined = every.join(named, on=["item", "detector"], how="left").join(items.select("item", "cluster"), on="item", how="left")
    return joined.select("detector", "item", (pl.col("named").fill_null(0) / pl.col("outputs")).alias("value"), "cluster").sort("item")


def rates(findings: pl.DataFrame, predictions: pl.DataFrame, items: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Give the share of items that each detector names, with its interval."""
    shares = item_findings(findings, predictions, items)
    found = {}
    for name in judged():
        part = shares.filter(pl.col("detector") == name)
        if part.height:
            share, low, high = statistics.rate(part["value"].to_numpy(), part["cluster"].to_numpy())
            found[name] = {"rate": share, "low": low, "high": high, "items": part.height}
    return found


def interval(values: pl.Series, clusters: pl.Series, *, seed: int) -> statistics.Interval:
    """Estimate a mean, or a rate where every value is 0 or 1."""
    if values.is_in([0.0, 1.0]).all():
        return statistics.rate(values.to_numpy(), clusters.to_numpy())
    return statistics.mean(values.to_numpy(), clusters.to_numpy(), seed=seed)


def _metrics(per_item: pl.DataFrame, seed: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for (name,), part in per_item.group_by(["metric"], maintain_order=True):
        value, low, high = interval(part["value"], part["cluster"], seed=seed)
        found[str(name)] = {"value": value, "low": low, "high": high, "items": part.height}
    return found


def _slice(per_item: pl.DataFrame, column: str, seed: int) -> Mapping[str, Any]:
    known = per_item.filter(pl.col(column).is_not_null())
    sizes = known.group_by(column).agg(items=pl.col("item").n_unique()).filter(pl.col("items") >= SMALLEST_SLICE)
    largest = sizes.sort("items", column, descending=[True, False]).head(LARGEST)
    return {
        str(value): {"items": count, "metrics": _metrics(known.filter(pl.col(column) == value), seed)}
        for value, count in largest.iter_rows()
    }


def _referred(items: pl.DataFrame) -> pl.DataFrame:
    return items.filter(pl.col("reference").is_not_null()).select("item", seed=pl.lit(0))
