"""The script that most letters of a text are written in."""

from __future__ import annotations

import polars as pl

from tunesmith.detection.language import SCRIPTS

NONE = "none"


def scripts(texts: pl.Series) -> pl.Series:
    """Name the script of each text: the one that most of its letters are of (the first of `SCRIPTS` where several are).

    Args:
        texts: ``String[n]``.
    Returns:
        ``String[n]``, never null: ``none`` for a text without letters of any script that is known here.

    >>> scripts(pl.Series(["A cat", "你好 ok?", "42", None])).to_list()
    ['latin', 'latin', 'none', 'none']
    """
    frame = pl.DataFrame({"text": texts.fill_null("")}).with_row_index("row")
    latin = pl.when(pl.col("text").str.contains("[A-Za-z]")).then(pl.lit("latin")).otherwise(pl.lit(NONE))
    named = frame.select(latin.alias("script")).to_series()
    foreign = frame.filter(pl.col("text").str.contains(r"[^\x00-\x7f]"))
    if foreign.is_empty():
        return named
    counted = foreign.select("row", *(pl.col("text").str.count_matches(pattern.pattern).alias(name) for name, pattern in SCRIPTS.items()))
    names = list(SCRIPTS)
    best = pl.concat_list(names).list.arg_max().replace_strict(range(len(names)), names, return_dtype=pl.String)
    found = counted.select("row", script=pl.when(pl.max_horizontal(names) > 0).then(best).otherwise(pl.lit(NONE)))
    return named.scatter(found["row"], found["script"])
