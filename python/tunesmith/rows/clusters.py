"""Groups of rows that ask nearly the same: what may not be divided between training and test.

The group rule is that of every split and every evaluation: near duplicates of the prompt
(`fields.prompt`: instruction and input, or all turns before the answer, never system prompts or tools),
word 5-grams, exact Jaccard >= .7, shorter prompts compared whole; and conversations that open with the same turns.
"""

from __future__ import annotations

import polars as pl

from tunesmith import core
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import fields
from tunesmith.rows.openings import openings, several_turns

THRESHOLD = 0.7
SHINGLE = 5
RULE = (
    f"near duplicates of the prompt (word {SHINGLE}-grams, exact Jaccard >= {THRESHOLD}; shorter prompts compared whole), "
    "and conversations with the same opening turns"
)
SMALLEST_PART = 30
"""A third of the test set with fewer items decides nothing: then all items are for diagnosis."""


def prompt_clusters(frame: pl.DataFrame, *, progress: Progress = SILENT) -> pl.Series:
    """Group rows by near-duplicate prompts, and conversations by their opening turns, too.

    Rows without a prompt (plain text) are grouped by their answer instead. Openings are equal when they differ in case,
    white space and punctuation at most.

    Args:
        frame: Rows (``schema.ROW``).
        progress: Where to tell how far it is.
    Returns:
        ``cluster: UInt64[n]``, the smallest position of the row's group.

    >>> rows = pl.DataFrame({"position": [5, 6, 7], "instruction": ["Name a bird.", "Count to 3.", "name a bird"],
    ...                      "input": [None] * 3, "output": ["a", "b", "c"]}, schema_overrides={"position": pl.UInt64})
    >>> prompt_clusters(rows).to_list()
    [5, 6, 5]
    """
    texts = compared(frame)
    with progress.task("Grouping prompts", len(texts)) as done:
        roots = core.near_duplicates(texts, threshold=THRESHOLD, shingle=SHINGLE, unit="word", progress=done)["root"]
    if several_turns(frame):
        roots = joined(roots, opened(frame))
    return smallest(frame["position"], roots)


def smallest(position: pl.Series, root: pl.Series) -> pl.Series:
    """Give each row the smallest position of its group.

    Args:
        position: Whole numbers.
        root: The number of the first row of each row's group.
    Returns:
        ``cluster: UInt64[n]``.

    >>> smallest(pl.Series([5, 6, 7]), pl.Series([0, 1, 0])).to_list()
    [5, 6, 5]
    """
    table = pl.DataFrame({"position": position.cast(pl.UInt64), "root": root})
    if position.is_sorted():  # then it is the first row's, without a table of groups
        return table["position"].gather(table["root"]).alias("cluster")
    return table.select(pl.col("position").min().over("root").alias("cluster")).to_series()


def compared(frame: pl.DataFrame) -> pl.Series:
    """Give the text by which rows are grouped: the prompt, or the whole of a plain text.

    >>> compared(pl.DataFrame({"instruction": [None, "b"], "input": [None, None], "output": ["a", "c"]})).to_list()
    ['a', 'b']
    """
    asked = fields.prompt(frame)
    if not (asked == "").any():
        return asked.alias("compared")
    return pl.select(pl.when(asked == "").then(frame["output"]).otherwise(asked).alias("compared")).to_series()


def opened(frame: pl.DataFrame) -> pl.Series:
    """Give the first row with the same opening turns, ``UInt32[n]``; null where a row has no opening."""
    return first_of(openings(frame))


def first_of(starts: pl.Series) -> pl.Series:
    """Give the first row with the same opening (`openings.openings`), ``UInt32[n]``; null stays null."""
    first = core.exact_duplicates(starts, normalize="unicode")["root"]
    return pl.select(pl.when(starts.is_not_null()).then(first).alias("opened")).to_series()


def joined(group: pl.Series, values: pl.Series) -> pl.Series:
    """Join groups whose rows share a value; null shares nothing.

    Args:
        group: Whole numbers, a row's group so far (the smallest member).
        values: Any column.
    Returns:
        ``[n]``, as ``group``: the smallest of the groups that are now one.

    >>> joined(pl.Series([0, 1, 1, 3]), pl.Series(["a", None, "a", None])).to_list()
    [0, 0, 0, 3]
    """
    table = pl.DataFrame({"group": group, "value": values})
    first = table.drop_nulls("value").group_by("value").agg(pl.col("group").min().alias("other"), pl.col("group").unique())
    edges = first.explode("group").filter(pl.col("group") != pl.col("other")).select("group", "other")
    roots = core.components(edges).rename({"row": "group"})
    return (
        table.join(roots, on="group", how="left", maintain_order="left").select(pl.coalesce("root", "group").alias(group.name)).to_series()
    )


def hash_order(values: pl.Series, seed: int) -> pl.Series:
    """Put values into an order that only they and the seed decide: their rank by hash.

    Args:
        values: Any column of text or whole numbers.
        seed: Another seed gives another order.
    Returns:
        ``UInt32[n]`` from 0; equal values have equal ranks.

    >>> hash_order(pl.Series([7, 8, 7]), 0).n_unique()
    2
    """
    return hash_keys(values, seed).rank("dense").cast(pl.UInt32) - 1


def hash_keys(values: pl.Series, seed: int) -> pl.Series:
    """Give the texts by which `hash_order` ranks values, ``String[n]``: fit to be sorted where no rank is asked for."""
    return core.row_ids([values.cast(pl.String), pl.repeat(str(seed), values.len(), eager=True)])


def parts(clusters: pl.Series, seed: int = 0) -> pl.Series:
    """Divide test rows once, by whole clusters in hash order, into dev, gate and confirm of a third each.

    Dev is to diagnose on, gate decides each turn, confirm is spent once. Where a third would hold fewer than
    30 items, all are dev.

    Args:
        clusters: The group of each item, as `prompt_clusters` gives it.
        seed: Draws the order.
    Returns:
        ``part: String[n]``: dev, gate or confirm.

    >>> parts(pl.Series(range(90), dtype=pl.UInt64)).value_counts().sort("part").rows()
    [('confirm', 30), ('dev', 30), ('gate', 30)]
    >>> parts(pl.Series(range(80), dtype=pl.UInt64)).unique().to_list()
    ['dev']
    """
    order = pl.DataFrame({"cluster": clusters, "order": hash_order(clusters, seed)})
    # A cluster belongs to the third in which its middle item lies: whole clusters, and thirds as even as they allow.
    sizes = order.group_by("cluster", "order").len().sort("order").with_columns(end=pl.col("len").cum_sum())
    middle = (pl.col("end") - pl.col("len") / 2) * 3 / max(1, clusters.len())
    name = pl.when(middle <= 1).then(pl.lit("dev")).when(middle <= 2).then(pl.lit("gate")).otherwise(pl.lit("confirm"))
    joined = order.join(sizes.select("cluster", part=name), on="cluster", how="left", maintain_order="left")["part"]
    counts = {part: int((joined == part).sum()) for part in ("dev", "gate", "confirm")}
    if min(counts.values()) < SMALLEST_PART:
        return pl.Series("part", ["dev"] * clusters.len(), dtype=pl.String)
    return joined
