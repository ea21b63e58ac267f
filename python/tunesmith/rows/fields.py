"""The two texts that every room asks of a row, whatever its kind: what was asked, and what was answered."""

from __future__ import annotations

import polars as pl

from tunesmith.rows.pieces import pieces


def prompt(frame: pl.DataFrame) -> pl.Series:
    r"""Give what a row asks: never its system prompt, tools or tool results.

    Instruction and input joined by a newline (non-empty parts); for conversations the user's and
    assistant's texts before the last answer, joined by a newline.

    Args:
        frame: Rows (``schema.ROW``).
    Returns:
        ``String[n]``, "" where nothing is asked, never null.

    >>> prompt(pl.DataFrame({"instruction": ["Add"], "input": ["1, 2"], "output": ["3"]})).to_list()
    ['Add\n1, 2']
    """
    parts = [_prompt(piece) for piece in pieces(frame)]
    return parts[0] if len(parts) == 1 else pl.concat(parts)


def _prompt(frame: pl.DataFrame) -> pl.Series:
    instruction, given = (pl.col(name).fill_null("") for name in ("instruction", "input"))
    # Written out where both are there alone; all other texts are shared with their column.
    written = pl.when((instruction != "") & (given != "")).then(instruction) + "\n" + given
    joined = pl.when(instruction == "").then(given).when(given == "").then(instruction).otherwise(written)
    if "messages" not in frame.columns or frame["messages"].null_count() == frame.height:
        return frame.select(joined.alias("prompt")).to_series()
    messages = pl.col("messages")
    answered = messages.list.last().struct.field("role") == "assistant"
    before = pl.when(answered).then(messages.list.head(messages.list.len() - 1)).otherwise(messages)
    role, content = pl.element().struct.field("role"), pl.element().struct.field("content")
    spoken = before.list.eval(pl.when(role.is_in(["user", "assistant"])).then(content).drop_nulls())
    # An empty text between two turns would leave an empty line; similarity never sees it, but a reader would.
    text = spoken.list.eval(pl.element().filter(pl.element() != "")).list.join("\n")
    return frame.select(pl.when(messages.is_null()).then(joined).otherwise(text).alias("prompt")).to_series()


def response(frame: pl.DataFrame) -> pl.Series:
    """Give what a row answers: its output, which for conversations mirrors the last assistant turn.

    Args:
        frame: Rows (``schema.ROW``).
    Returns:
        ``String[n]``, null where there is no answer.

    >>> response(pl.DataFrame({"output": ["3", None]})).to_list()
    ['3', None]
    """
    return frame["output"].rename("response")
