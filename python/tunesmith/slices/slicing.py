"""Slice columns: what a row is about, in a few values that can be counted and compared."""

from __future__ import annotations

from typing import Final

import polars as pl

from tunesmith.detection import languages
from tunesmith.rows import schema
from tunesmith.slices.verbs import verbs

LENGTHS: Final = ("0", "1-10", "11-50", "51-150", "151-400", "over 400")
"""Buckets of response words."""
_UPPER = (0, 10, 50, 150, 400)
TOPICS: Final = ("topic", "category", "user_topic", "user_category")
ALONE: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}"
"""Scripts without spaces, whose every character is a word."""
WORD: Final = rf"[{ALONE}]|[[\p{{L}}\p{{N}}]&&[^{ALONE}]](?:[[\p{{L}}\p{{N}}\p{{M}}'’]&&[^{ALONE}]])*"
"""A word: letters and digits that belong together; in scripts without spaces every character."""


def columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Make the slice columns of rows.

    Args:
        frame: Rows (`rows.schema.ROW`, the user's columns after them).
    Returns:
        One line per row: ``position, verb, topic, length, language, turns``. ``topic`` is there only where the rows
        have a text column ``topic`` or ``category`` of their own; ``length`` is a bucket of response words
        (`LENGTHS`); ``language`` is that of the row's text (ISO 639-1, or ``unknown``); ``turns`` counts answers.

    >>> rows = pl.DataFrame({"position": [0], "instruction": ["List three rivers."], "input": [""], "output": ["Rhine, Elbe, Oder"]})
    >>> columns(rows).select("verb", "length", "turns").row(0)
    ('list', '1-10', 1)
    """
    text = frame.select(pl.concat_str("instruction", "input", "output", separator="\n", ignore_nulls=True)).to_series()
    topic = next((name for name in TOPICS if frame.schema.get(name) == pl.String), None)
    return frame.select(
        "position",
        verbs(frame["instruction"]).alias("verb"),
        *([] if topic is None else [pl.col(topic).fill_null("unknown").alias("topic")]),
        bucket(pl.col("output").fill_null("").str.count_matches(WORD)).alias("length"),
        languages(text).alias("language"),
        turns(frame).alias("turns"),
    )


def bucket(words: pl.Expr) -> pl.Expr:
    """Put counts of words into `LENGTHS`."""
    chosen: pl.Expr = pl.lit(LENGTHS[-1])
    for upper, label in reversed(list(zip(_UPPER, LENGTHS, strict=False))):
        chosen = pl.when(words <= upper).then(pl.lit(label)).otherwise(chosen)
    return chosen


def turns(frame: pl.DataFrame) -> pl.Series:
    """Count the answers of each row: one, or the assistant turns of a conversation."""
    one = pl.Series("turns", [1], dtype=pl.UInt32).new_from_index(0, frame.height)
    if frame.schema.get("messages") != schema.MESSAGES:
        return one
    answers = pl.col("messages").list.eval(pl.element().struct.field("role") == "assistant").list.sum().cast(pl.UInt32)
    return frame.select(answers.fill_null(1).alias("turns")).to_series()
