"""Which group of rows goes to which part: whole groups, in hash order, until a part is full."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from tunesmith import core
from tunesmith.errors import OptionError
from tunesmith.rows import clusters
from tunesmith.rows.rejects import shorten

SHARE, COUNT = 0.1, 1_000
"""Unless said, a part is the smaller of this share and this count."""
LARGEST_GROUP = 0.05
"""A group with a larger share of all rows cannot be moved without bending the parts."""


def size(given: float | None, rows: int, *, name: str) -> int:
    """Give the rows of a part: N below 1 is a share, else a count; unsaid, the smaller of 10% and 1,000.

    Raises:
        OptionError: If N is negative, or a count with a fraction.

    >>> size(0.25, 200, name="test"), size(30, 200, name="test"), size(None, 200, name="test")
    (50, 30, 20)
    """
    if given is None:
        return min(round(SHARE * rows), COUNT)
    if not math.isfinite(given) or given < 0 or (given >= 1 and given != int(given)):
        raise OptionError(f"{name}: found {given:g}, expected a share below 1 or a whole count of rows")
    return round(given * rows) if given < 1 else int(given)


def join_groups(frame: pl.DataFrame, group: pl.Series, column: str) -> pl.Series:
    """Join near-duplicate groups whose rows share a value of a user's column; null shares nothing.

    Args:
        frame: Rows.
        group: ``UInt64[n]``, a row's group so far (the smallest position in it).
        column: The user's column.
    Returns:
        ``UInt64[n]``: the smallest position of the joined group.
    """
    table = pl.DataFrame({"group": group, "value": frame[column]})
    first = table.drop_nulls("value").group_by("value").agg(pl.col("group").min().alias("other"), pl.col("group").unique())
    edges = first.explode("group").filter(pl.col("group") != pl.col("other")).select("group", "other")
    roots = core.components(edges).rename({"row": "group"})
    return (
        table.join(roots, on="group", how="left", maintain_order="left").select(pl.coalesce("root", "group").alias("cluster")).to_series()
    )


def refuse_giants(frame: pl.DataFrame, group: pl.Series) -> None:
    """Stop where one group holds more than 5% of all rows.

    Raises:
        OptionError: Names the group by its first row, its size and what to do.
    """
    counts = group.value_counts().sort("count", descending=True)
    count = int(counts["count"][0]) if counts.height else 0
    if count <= max(1, LARGEST_GROUP * frame.height):
        return
    giant = counts[group.name][0]
    first = frame.filter(group == giant)
    text = shorten(clusters.compared(first)[0] or "")
    share = f"{count:,} of {frame.height:,} rows ({count / frame.height:.0%})"
    advice = "remove near duplicates first (`tunesmith curate` with near_duplicates and action: drop)"
    raise OptionError(
        f"{share} are one group, that of position {giant} ({text!r}); a group above {LARGEST_GROUP:.0%} cannot move as a whole: {advice}"
    )


def assign(group: pl.Series, names: pl.Series, *, sizes: Mapping[str, int], seed: int, fixed: Mapping[int, str] | None = None) -> pl.Series:
    """Send whole groups to parts.

    Groups are taken in the hash order of the smallest row id in each, so that it is their content that decides,
    not where they stand in the file. A group goes to the first part, in the order of ``sizes``, that it does not
    overfill; else to train.

    Args:
        group: ``UInt64[n]``.
        names: ``String[n]``, row ids.
        sizes: Part to the rows that it should hold.
        seed: Draws the order.
        fixed: Groups whose part is known already; they count towards its size.
    Returns:
        ``part: String[n]``.

    >>> group, names = pl.Series([0, 0, 2, 3], dtype=pl.UInt64), pl.Series(["a", "b", "c", "d"])
    >>> assign(group, names, sizes={"test": 2}, seed=0).value_counts()["count"].sort().to_list()
    [2, 2]
    """
    order = pl.DataFrame({"group": group, "name": names}).group_by("group").agg(pl.len(), pl.col("name").min())
    order = order.with_columns(order=clusters.hash_order(order["name"], seed)).sort("order", "group")
    sides = dict(fixed or {})
    left = dict(sizes)
    groups = order.select("group", "len").rows()
    for root, count in groups:
        if sides.get(root) in left:
            left[sides[root]] -= count
    for root, count in groups:
        if root in sides:
            continue
        side = next((part for part, room in left.items() if count <= room), "train")
        sides[root] = side
        if side in left:
            left[side] -= count
    table = pl.DataFrame({"group": list(sides), "part": list(sides.values())}, schema={"group": group.dtype, "part": pl.String})
    return pl.DataFrame({"group": group}).join(table, on="group", how="left", maintain_order="left")["part"]
