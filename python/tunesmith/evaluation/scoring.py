"""From predictions to scores and findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from tunesmith import detection
from tunesmith.evaluation.items import REFERENCES, Items
from tunesmith.evaluation.metrics import Pairs, score
from tunesmith.evaluation.schema import FINDING, SCORE
from tunesmith.progress import SILENT, Progress

if TYPE_CHECKING:
    from tunesmith.models import Embedder

_KEYS = ("item", "model", "seed")


def scores(
    items: Items, predictions: pl.DataFrame, names: Sequence[str], *, embedder: Embedder | None = None, progress: Progress = SILENT
) -> pl.DataFrame:
    """Score every prediction whose item has a reference.

    Returns:
        ``schema.SCORE``, by item, seed and metric in the order of `names`.
    """
    references = pl.col(REFERENCES) if REFERENCES in items.table.columns else pl.concat_list("reference")
    targets = items.table.filter(pl.col("reference").is_not_null()).select("item", references=references)
    pairs = predictions.select(*_KEYS, "output").join(targets, on="item", how="inner", maintain_order="left")
    if pairs.is_empty():
        return SCORE.to_frame()
    made = score(Pairs(outputs=pairs["output"], references=pairs["references"]), names, embedder=embedder, progress=progress)
    wide = pl.concat([pairs.select(_KEYS), made], how="horizontal")
    return wide.unpivot(list(names), index=_KEYS, variable_name="metric").select(SCORE.names()).cast(dict(SCORE.items())).sort(
        "item", "seed", pl.col("metric").replace_strict({name: k for k, name in enumerate(names)}, return_dtype=pl.Int32)
    )  # fmt: skip


def findings(items: Items, predictions: pl.DataFrame, *, progress: Progress = SILENT) -> pl.DataFrame:
    """Run the detectors of responses over outputs and references, with the items' limits.

    Returns:
        ``schema.FINDING``; the references' findings have neither model nor seed.
    """
    answered = items.table.filter(pl.col("reference").is_not_null())["item"]
    outputs = _view(items, predictions["item"], predictions["output"], predictions["finish"])
    references = _view(items, answered, items.table["reference"].gather(answered), None)
    parts = []
    for side, view, keys in (("output", outputs, predictions.select(_KEYS)), ("reference", references, answered.to_frame("item"))):
        found = detection.find(view, only=judged(), limits=items.limits, progress=progress).filter(pl.col("field") == "response")
        named = keys.with_row_index("position").with_columns(pl.col("position").cast(pl.UInt64))
        made = found.join(named, on="position", how="left", maintain_order="left").with_columns(side=pl.lit(side))
        made = made.with_columns(pl.lit(None).alias(name) for name in ("model", "seed") if name not in made.columns)
        parts.append(made.select(FINDING.names()).cast(dict(FINDING.items())))
    return pl.concat(parts)


def judged() -> list[str]:
    """Name the detectors that judge a response, in registry order.

    >>> "repetitive" in judged()
    True
    """
    return [name for name, detector in detection.DETECTORS.items() if "response" in detector.fields]


def _view(items: Items, which: pl.Series, responses: pl.Series, finish: pl.Series | None) -> pl.DataFrame:
    """Lay out responses for the detectors, one line each, numbered by their place."""
    rows = items.rows[which].with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt64))
    return detection.view(rows, response=responses, reference=items.table["reference"].gather(which), finish=finish)
