"""The opening of a conversation: the turns that say what it is about, by which conversations of one start are known."""

from __future__ import annotations

import polars as pl

from tunesmith import core
from tunesmith.rows import fields

ENOUGH = 5
"""Words that the user must have said: a conversation is not known by its greeting."""


def openings(frame: pl.DataFrame) -> pl.Series:
    r"""Give each row's opening turns: up to the turn with which the user has said five words.

    System prompts, tools and their results do not count. A row that is no conversation opens with its whole prompt.

    Args:
        frame: Rows (``schema.ROW``).
    Returns:
        ``opening: String[n]``, turns joined by a newline; null where the user says fewer words in all, and for plain texts.

    >>> talk = [("user", "Hi!"), ("assistant", "Hello."), ("user", "Name four old red birds."), ("assistant", "No.")]
    >>> rows = pl.DataFrame({"instruction": ["Name four old red birds."], "input": [None], "output": ["No."],
    ...                      "messages": [[{"role": role, "content": text} for role, text in talk]]})
    >>> openings(rows).to_list()
    ['Hi!\nHello.\nName four old red birds.']
    """
    turns = _turns(frame)
    said = pl.col("role") == "user"
    words = pl.select(core.signals(turns["content"], only=["words"])["words"]).to_series().cast(pl.Int64)
    counted = turns.with_columns(words=words).with_columns(words=pl.when(said).then("words").otherwise(0))
    so_far = pl.col("words").cum_sum().over("row")
    opening = (
        counted.with_columns(before=so_far - pl.col("words"))
        .filter(pl.col("before") < ENOUGH)
        .group_by("row", maintain_order=True)
        .agg(opening=pl.col("content").str.join("\n"), words=pl.col("words").sum())
        .filter(pl.col("words") >= ENOUGH)
        .select("row", "opening")
    )
    rows = pl.DataFrame({"row": pl.int_range(frame.height, dtype=pl.UInt32, eager=True)})
    return rows.join(opening, on="row", how="left", maintain_order="left")["opening"]


def several_turns(frame: pl.DataFrame) -> bool:
    """Tell whether any row is a conversation in which the user speaks more than once: else openings are whole prompts."""
    if "messages" not in frame.columns or frame["messages"].null_count() == frame.height:
        return False
    asked = pl.col("messages").list.eval(pl.element().struct.field("role") == "user").list.sum()
    return bool(frame.select((asked > 1).any()).item())


def _turns(frame: pl.DataFrame) -> pl.DataFrame:
    """List who said what, in order: `row, role, content`; a row without messages is one user turn, its prompt."""
    rows = pl.int_range(frame.height, dtype=pl.UInt32, eager=True).alias("row")
    plain = frame["messages"].is_null()
    asked = pl.DataFrame([rows, fields.prompt(frame).alias("content")]).filter(plain & (pl.col("content") != ""))
    talks = frame.select(rows, "messages").filter(~plain).explode("messages").unnest("messages").select("row", "role", "content")
    spoken = talks.filter(pl.col("role").is_in(["user", "assistant"]) & (pl.col("content").fill_null("") != ""))
    return pl.concat([asked.select("row", role=pl.lit("user"), content="content"), spoken])
