"""Groups of duplicates, resolved from edges among the rows still alive: the pure half of the keyed steps."""

from __future__ import annotations

from typing import Literal

import polars as pl

from tunesmith import core
from tunesmith.curation.steps.base import decisions, no_decisions

Keep = Literal["first", "longest"]
KEEP_LENGTH = "length"
"""The measure that `keep: longest` compares: characters of the joined texts."""


def decide_groups(alive: pl.DataFrame, edges: pl.DataFrame, *, threshold: float, keep: Keep, action: str, rule: str) -> pl.DataFrame:
    """Keep one row of each connected group of rows alive and decide about the others.

    Equality (similarity 1) is transitive, so it also ties rows through one that is gone; any other pair counts only
    while both its sides have a row alive. The twin that is named is the most similar row alive (the kept one where
    several are), the evidence names the kept one.

    Args:
        alive: `position` and `length` of the rows alive, sorted by position.
        edges: `position, twin_position, similarity` of all rows; equal rows may be tied to one of them alone, and
            this one may stand for all of them in other pairs.
        threshold: Pairs below it do not count.
        keep: The row that stays: the first, or the longest (the first of these).
        action: `drop` or `flag`.
        rule: The rule's name.
    """
    edges = edges.filter(pl.col("similarity") >= threshold)
    if edges.is_empty() or alive.is_empty():
        return no_decisions()
    equal = _groups(edges.filter(pl.col("similarity") >= 1.0))
    # Mostly few rows have a pair; the others are groups by themselves, and tables of all would take many times their room.
    paired = pl.concat([edges["position"], edges["twin_position"]]).unique().implode()
    rows = alive.select("position", KEEP_LENGTH).filter(pl.col("position").is_in(paired))
    rows = rows.join(equal, on="position", how="left", maintain_order="left")
    rows = rows.with_columns(pl.coalesce("group", "position").alias("class")).drop("group")
    between = _between_classes(edges, equal, rows["class"])
    groups = _groups(between)
    rows = rows.join(groups, left_on="class", right_on="position", how="left", maintain_order="left")
    rows = rows.with_columns(pl.coalesce("group", "class").alias("group")).filter(pl.len().over("group") > 1)
    order = [pl.col(KEEP_LENGTH).neg(), pl.col("position")] if keep == "longest" else [pl.col("position")]
    rows = rows.with_columns(pl.col(KEEP_LENGTH).cast(pl.Int64))
    rows = rows.with_columns(pl.col("position").sort_by(order).first().over("group").alias("root"), pl.len().over("group").alias("size"))
    lost = rows.filter(pl.col("position") != pl.col("root"))
    twins = _twins(lost, rows, between)
    evidence = pl.format("row {} is kept of a group of {}", "root", "size")
    return decisions(twins, rule=rule, action=action, value=pl.col("similarity"), threshold=threshold, evidence=evidence)


def _groups(edges: pl.DataFrame) -> pl.DataFrame:
    """`position, group`: the smallest position connected with it, of every position that an edge names."""
    return core.components(edges.select("position", "twin_position")).rename({"row": "position", "root": "group"})


def _between_classes(edges: pl.DataFrame, equal: pl.DataFrame, alive: pl.Series) -> pl.DataFrame:
    """Lift pairs to classes of equal rows; only classes with a row alive, each pair once, at its highest similarity."""
    for side in ("position", "twin_position"):
        edges = edges.join(equal.rename({"group": "_class"}), left_on=side, right_on="position", how="left")
        edges = edges.with_columns(pl.coalesce("_class", side).alias(side)).drop("_class")
    here = alive.unique().implode()
    both = pl.col("position").is_in(here) & pl.col("twin_position").is_in(here) & (pl.col("position") != pl.col("twin_position"))
    return edges.filter(both).group_by("position", "twin_position").agg(pl.col("similarity").max())


def _twins(lost: pl.DataFrame, rows: pl.DataFrame, between: pl.DataFrame) -> pl.DataFrame:
    """Name the most similar row alive for each row that does not stay."""
    seat = rows.group_by("class").agg(
        pl.col("position").sort().head(2).alias("first_two"), pl.col("root").filter(pl.col("position") == pl.col("root")).first()
    )
    both = pl.concat(
        [between, between.select(pl.col("twin_position").alias("position"), pl.col("position").alias("twin_position"), "similarity")]
    )
    near = both.join(seat, left_on="twin_position", right_on="class").select(
        pl.col("position").alias("class"), "similarity",
        pl.coalesce("root", pl.col("first_two").list.first()).alias("twin"), pl.col("root").is_not_null().alias("is_root"),
    )  # fmt: skip
    near = near.sort("similarity", "is_root", "twin", descending=[True, True, False]).unique("class", keep="first", maintain_order=True)
    equal = seat.rename({"root": "seat_root"})
    made = lost.join(near.drop("is_root"), on="class", how="left").join(equal, on="class", how="left")
    first, second = pl.col("first_two").list.first(), pl.col("first_two").list.get(1, null_on_oob=True)
    other = pl.coalesce("seat_root", pl.when(first != pl.col("position")).then(first).otherwise(second))
    return made.with_columns(
        pl.coalesce(other, "twin").alias("twin_position"),
        pl.when(other.is_not_null()).then(1.0).otherwise("similarity").alias("similarity"),
    ).sort("position")
