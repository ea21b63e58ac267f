"""The verb `compare`: two evaluations of the same items, paired item by item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.errors import InputError
from tunesmith.evaluation import statistics
from tunesmith.evaluation.evaluation import Evaluation
from tunesmith.evaluation.items import slice_columns
from tunesmith.evaluation.scoring import judged
from tunesmith.evaluation.summarising import LARGEST, SMALLEST_SLICE, item_findings, item_scores

_MOST = 0.5


def compare(base: str | Path | Evaluation, other: str | Path | Evaluation, *, seed: int = 0) -> dict[str, Any]:
    """Compare two evaluations of the same items; every `difference` is other - base.

    Args:
        base: An evaluation.
        other: Another one, of the same items (row by row the same content).
        seed: Of resampling and sign flips.
    Returns:
        ``items`` (paired), ``metrics`` {name: base, other, difference, low, high, p, items}: the paired mean difference
        over items with its 95% interval and test (`statistics.paired`, not adjusted: the metrics measure nearly the same
        thing); ``findings`` {detector: base, other, fixed, broken, p}: rates, items with a finding in base and not in
        other and the reverse, and the exact McNemar test, Holm-adjusted over the detectors listed, which are those with a
        finding on either side (of items with several outputs, a finding in at least half of them counts); ``slices``:
        the same as metrics by slice, p Holm-adjusted over the slices of a metric; ``interval`` and ``notes``.
    Raises:
        ArtefactError: If one is no evaluation.
        InputError: If they are of different items.
    """
    first, second = (each if isinstance(each, Evaluation) else Evaluation.open(each) for each in (base, other))
    pairs = _pairs(first, second)
    notes = []
    both = _predicted(pairs, first, second)
    if both.height < pairs.height:
        notes.append(f"{pairs.height - both.height:,} of {pairs.height:,} items lack an output on one side; compared are the others")
    if both.is_empty():
        raise InputError(f"{first.folder} and {second.folder}: no item has an output on both sides")
    differences = _differences(both, first, second)
    clusters = both["cluster"].n_unique()
    return {
        "base": str(first.folder),
        "other": str(second.folder),
        "items": both.height,
        "metrics": {name: _paired(part, seed) for (name,), part in differences.group_by(["metric"], maintain_order=True)},
        "findings": _findings(both, first, second),
        "slices": _slices(differences, slice_columns(first.items), seed),
        "interval": {"level": statistics.LEVEL, "clusters": clusters, "means": statistics.method(clusters)},
        "notes": notes,
    }


def _pairs(base: Evaluation, other: Evaluation) -> pl.DataFrame:
    """Pair items by row id, copies in their order: the base's items with ``item_other``."""
    keyed = [each.items.with_columns(copy=pl.int_range(pl.len()).over("row_id")) for each in (base, other)]
    theirs = keyed[1].select("row_id", "copy", item_other="item")
    pairs = keyed[0].join(theirs, on=["row_id", "copy"], how="inner", maintain_order="left")
    if pairs.height < base.items.height or pairs.height < other.items.height:
        raise InputError(
            f"expected evaluations of the same items, found {base.items.height:,} in {base.folder} and {other.items.height:,} in "
            f"{other.folder}, {pairs.height:,} of them the same (by row id); evaluate both on the same SOURCE (and --limit)"
        )
    return pairs


def _predicted(pairs: pl.DataFrame, base: Evaluation, other: Evaluation) -> pl.DataFrame:
    """Keep the pairs that have an output on both sides."""
    return pairs.filter(
        pl.col("item").is_in(base.predictions["item"].unique().implode()),
        pl.col("item_other").is_in(other.predictions["item"].unique().implode()),
    )


def _differences(pairs: pl.DataFrame, base: Evaluation, other: Evaluation) -> pl.DataFrame:
    """Give ``metric, item, base, other, difference`` and the base's item columns, where both have a score."""
    mine = item_scores(base.scores, pairs).select("metric", "item", base="value")
    theirs = other.scores.group_by("metric", "item").agg(other=pl.col("value").mean())
    theirs = theirs.rename({"item": "item_other"}).join(pairs.select("item", "item_other"), on="item_other").drop("item_other")
    both = mine.join(theirs, on=["metric", "item"], how="inner", maintain_order="left")
    return both.with_columns(difference=pl.col("other") - pl.col("base")).join(pairs, on="item", how="left", maintain_order="left")


def _paired(part: pl.DataFrame, seed: int) -> dict[str, Any]:
    found = statistics.paired(part["difference"].to_numpy(), part["cluster"].to_numpy(), seed=seed)
    return {"base": part["base"].mean(), "other": part["other"].mean(), **found._asdict(), "items": part.height}


def _findings(pairs: pl.DataFrame, base: Evaluation, other: Evaluation) -> dict[str, dict[str, Any]]:
    sides = []
    for each, item in ((base, "item"), (other, "item_other")):
        outputs = each.findings.filter(pl.col("side") == "output")
        shares = item_findings(outputs, each.predictions, each.items).select("detector", pl.col("item").alias(item), "value")
        sides.append(pairs.select("item", "item_other").join(shares, on=item, how="inner"))
    both = sides[0].join(sides[1], on=["item", "item_other", "detector"], suffix="_other")
    had, has = pl.col("value") >= _MOST, pl.col("value_other") >= _MOST
    counted = both.group_by("detector").agg(
        base=pl.col("value").mean(), other=pl.col("value_other").mean(), fixed=(had & ~has).sum(), broken=(~had & has).sum()
    )
    found = {row.pop("detector"): row for row in counted.iter_rows(named=True)}
    shown = {name: found[name] for name in judged() if name in found and (found[name]["base"] or found[name]["other"])}
    adjusted = statistics.holm({name: statistics.mcnemar(row["fixed"], row["broken"]) for name, row in shown.items()})
    return {name: {**row, "p": adjusted[name]} for name, row in shown.items()}


def _slices(differences: pl.DataFrame, columns: list[str], seed: int) -> list[dict[str, Any]]:
    """Break the differences down by slice, the most frequent values of each column."""
    found: list[dict[str, Any]] = []
    for column in columns:
        known = differences.filter(pl.col(column).is_not_null())
        sizes = known.group_by(column).agg(items=pl.col("item").n_unique()).filter(pl.col("items") >= SMALLEST_SLICE)
        for value in sizes.sort("items", column, descending=[True, False]).head(LARGEST)[column]:
            part = known.filter(pl.col(column) == value)
            for (metric,), rows in part.group_by(["metric"], maintain_order=True):
                found.append({"slice": column, "value": str(value), "metric": metric, **_paired(rows, seed)})
    for metric in {row["metric"] for row in found}:
        rows_of = {str(k): row for k, row in enumerate(found) if row["metric"] == metric}
        adjusted = statistics.holm({k: row["p"] for k, row in rows_of.items()})
        for k, row in rows_of.items():
            row["p"] = adjusted[k]
    return found


def markdown(compared: Mapping[str, Any]) -> str:
    """Write a comparison as Markdown, for a pull request or a CI summary.

    >>> print(markdown({"base": "a", "other": "b", "items": 1, "metrics": {}, "findings": {}, "notes": []}))
    ### a → b, 1 items, paired
    <BLANKLINE>
    """
    lines = [f"### {_cell(compared['base'])} → {_cell(compared['other'])}, {compared['items']:,} items, paired", ""]
    if compared["metrics"]:
        lines += ["| metric | base | other | difference | 95% interval | p |", "|---|--:|--:|--:|--:|--:|"]
        for name, row in compared["metrics"].items():
            numbers = f"{row['base']:.4f} | {row['other']:.4f} | {row['difference']:+.4f}"
            lines.append(f"| {name} | {numbers} | {row['low']:+.4f} to {row['high']:+.4f} | {row['p']:.3g} |")
        lines.append("")
    if compared["findings"]:
        lines += ["| finding | base | other | fixed | broken | p (McNemar, Holm) |", "|---|--:|--:|--:|--:|--:|"]
        for name, row in compared["findings"].items():
            lines.append(f"| {name} | {row['base']:.1%} | {row['other']:.1%} | {row['fixed']} | {row['broken']} | {row['p']:.3g} |")
        lines.append("")
    lines += [f"- {_cell(note)}" for note in compared["notes"]]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Keep text from being read as Markdown."""
    return "".join(f"\\{c}" if c in "\\|`*_[]<>#" else " " if c == "\n" else c for c in text)
