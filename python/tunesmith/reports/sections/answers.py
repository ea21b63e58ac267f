"""The answers of one or several evaluations of the same items: a few in full, and all of them to look through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.evaluation import Evaluation
from tunesmith.reports.blocks import TABLES, Column, Parts, Rows, Sample, Samples, Section
from tunesmith.reports.differences import difference, same
from tunesmith.reports.texts import clip, counted, signed

LIMIT = 2_000
"""Items that a report holds."""
MARKS = "Words that the reference lacks are underlined, words of the reference that are missing are struck through."


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Items with the answers and scores of each side, in the order of the last evaluation.

    Attributes:
        labels: Names of the sides; the last one is the one to look at.
        metric: What they are ordered by: rougeL, else the first metric; None without references.
        frame: `item, instruction, input, reference, defects`, and a side's `output_K`, `score_K`.
    """

    labels: tuple[str, ...]
    metric: str | None
    frame: pl.DataFrame


def answers(sides: list[tuple[str, Path]]) -> Answers:
    """Join the answers of evaluations of the same items (by row id, copies in their order)."""
    opened = [Evaluation.open(folder) for _, folder in sides]
    last = opened[-1]
    metrics = last.scores["metric"].unique(maintain_order=True).to_list()
    metric = "rougeL" if "rougeL" in metrics else metrics[0] if metrics else None
    found = last.findings.filter(pl.col("side") == "output").group_by("item").agg(defects=pl.col("detector").unique().sort())
    frame = _keyed(last.items).select("item", "row_id", "copy", "instruction", "input", "reference").join(found, on="item", how="left")
    for k, evaluation in enumerate(opened):
        outputs = evaluation.predictions.sort("seed", maintain_order=True).unique("item", keep="first")
        scores = (
            evaluation.scores.filter(pl.col("metric") == (metric or "")).group_by("item").agg(pl.col("value").mean().alias(f"score_{k}"))
        )
        own = _keyed(evaluation.items).join(outputs, on="item", how="left").join(scores, on="item", how="left")
        own = own.select("row_id", "copy", pl.col("output").alias(f"output_{k}"), f"score_{k}")
        frame = frame.join(own, on=["row_id", "copy"], how="left")
    return Answers(labels=tuple(label for label, _ in sides), metric=metric, frame=frame.sort("item"))


def samples(made: Answers) -> Samples | None:
    """Show the items with the largest gain, the median one and the largest loss; of one evaluation the best, the median and the worst."""
    n = len(made.labels) - 1
    if made.metric is None:
        return None
    by = pl.col(f"score_{n}") - pl.col("score_0") if n else pl.col("score_0")
    ranked = made.frame.with_columns(by=by).filter(pl.col("by").is_not_null()).sort("by", "item", descending=[True, False])
    if ranked.height < 3:
        return None
    lines = ranked.rows(named=True)
    names = ("Largest gain", "Median", "Largest loss" if lines[-1]["by"] < 0 else "Smallest gain") if n else ("Best", "Median", "Worst")
    shown = []
    for name, line in zip(names, (lines[0], lines[len(lines) // 2], lines[-1]), strict=True):
        value = f"{made.metric} {signed(line['by'])}" if n else f"{made.metric} {line['by']:.3f}"
        texts: list[tuple[str, str, Parts]] = [("reference", "", same(line["reference"] or ""))]
        for k, label in enumerate(made.labels):
            texts.append((label, f"{made.metric} {line[f'score_{k}']:.3f}", _marked(line, k, last=k == n)))
        shown.append(Sample(title=f"{name}: {value} (item {line['item']})", prompt=clip(_prompt(line)), texts=texts))
    what = f"the change in {made.metric}" if n else made.metric
    lead = f"Chosen by {what} over {counted(len(lines), 'item')}: the highest, the middle and the lowest. {MARKS}"
    return Samples(title="Three answers in full", lead=lead, samples=shown)


def section(made: Answers, *, id: str = "answers") -> Section:  # noqa: A002  (named as the field is)
    """Draw all answers as a table to look through."""
    n = len(made.labels) - 1
    metric = made.metric
    scores = [] if metric is None else [f"{metric}, {label}" for label in made.labels] if n else [metric]
    columns = [Column(name="item", type="id"), Column(name="prompt"), Column(name="reference")]
    columns += [Column(name=label) for label in made.labels[:-1]]
    columns += [Column(name=made.labels[-1], type="diff"), *(Column(name=name, type="number") for name in scores)]
    columns.append(Column(name="defects" if n == 0 else f"defects, {made.labels[-1]}", type="tags", filter=True))
    records = []
    for line in made.frame.head(LIMIT).iter_rows(named=True):
        others = [clip(_stripped(line, k)) for k in range(n)]
        values = [line[f"score_{k}"] for k in range(len(scores))]
        reference = clip(line["reference"] or "")
        records.append([line["item"], clip(_prompt(line)), reference, *others, _marked(line, n, last=True), *values, line["defects"] or []])
    lead = f"{counted(made.frame.height, 'item')}. In the column {made.labels[-1]}: {MARKS[0].lower()}{MARKS[1:]}"
    table = Rows(id=f"{id}-table", title="", columns=columns, records=records, total=made.frame.height)
    return Section(id=id, title="All answers", lead=lead, blocks=[table], rank=TABLES)


def _keyed(items: pl.DataFrame) -> pl.DataFrame:
    return items.with_columns(copy=pl.int_range(pl.len()).over("row_id"))


def _prompt(line: dict[str, Any]) -> str:
    return "\n".join(part for part in (line["instruction"], line["input"]) if part)


def _stripped(line: dict[str, Any], k: int) -> str:
    return (line[f"output_{k}"] or "").strip()


def _marked(line: dict[str, Any], k: int, *, last: bool) -> Parts:
    """Mark the words of the side to look at that differ from the reference; white space at the ends is none of them."""
    output = _stripped(line, k)
    return difference(line["reference"].strip(), output) if last and line["reference"] else same(output)
