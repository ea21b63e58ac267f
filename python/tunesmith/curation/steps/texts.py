"""The texts that `of` names: the prompt, the response, a field of the row, or a column of the user's."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tunesmith.errors import OptionError, did_you_mean
from tunesmith.rows import fields

VIEWS = ("prompt", "response")


def text(frame: pl.DataFrame, of: str) -> pl.Series:
    """Give one text a row, "" where there is none.

    Args:
        frame: Rows.
        of: `prompt` (instruction and input, or the turns before the answer), `response`, or a text column.
    Raises:
        OptionError: If there is no such text column.

    >>> text(pl.DataFrame({"instruction": ["Add"], "input": [None], "output": ["3"]}), "prompt").to_list()
    ['Add']
    """
    if of == "prompt":
        return fields.prompt(frame).fill_null("").rename(of)
    if of == "response":
        return fields.response(frame).fill_null("").rename(of)
    check(frame.schema, [of])
    return frame[of].cast(pl.String).fill_null("")


def joined(frame: pl.DataFrame, of: Sequence[str]) -> pl.Series:
    r"""Join several texts by a newline; null where all are empty, so that such rows are never duplicates.

    >>> rows = pl.DataFrame({"instruction": ["Add", ""], "input": [None, None], "output": ["3", None]})
    >>> joined(rows, ["prompt", "response"]).to_list()
    ['Add\n3', None]
    """
    texts = pl.DataFrame([text(frame, name).alias(str(k)) for k, name in enumerate(of)])
    empty = pl.all_horizontal(pl.all() == "")
    return texts.select(pl.when(~empty).then(pl.concat_str(pl.all(), separator="\n")).alias("text")).to_series()


def check(schema: pl.Schema, of: Sequence[str]) -> None:
    """Refuse names that are no text of these rows.

    Raises:
        OptionError: Naming the texts that there are.
    """
    known = [*VIEWS, *(name for name, dtype in schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum) and name != "row_id")]
    for name in of:
        if name not in known:
            found = f"a column of {schema[name]}" if name in schema else "no such column"
            raise OptionError(f'of: "{name}": expected a text of the row, found {found}; {did_you_mean(name, known)}')


def columns(frame: pl.DataFrame, of: Sequence[str]) -> list[pl.Series]:
    """Give several texts a row as columns; null where a text is empty."""
    return [text(frame, name).replace("", None).alias(name) for name in of]


def wholly(frame: pl.DataFrame, of: Sequence[str]) -> list[pl.Series]:
    """Give texts as `columns` does; a response with everything that the row teaches beside it.

    That is the assistant's reasoning and calls of tools, in every turn and without the calls' ids, and of a pair the answer not to give:
    rows that differ in them are no copies, though their texts are equal.

    >>> call = [{"role": "assistant", "content": "", "reasoning": None, "tool_calls": '[{"id": "7", "type": "function", "function": {}}]'}]
    >>> wholly(pl.DataFrame({"output": [""], "messages": [call]}), ["response"])[0].to_list()
    ['[{"function": {}}]']
    """
    made = columns(frame, of)
    lists = [name for name in ("messages", "rejected") if name in frame.columns and frame[name].null_count() < frame.height]
    if "response" not in of or not lists:
        return made
    at = list(of).index("response")
    silent = [_silent(name) for name in lists]
    whole = pl.concat_str(made[at], *silent, separator="\n", ignore_nulls=True)
    made[at] = frame.select(pl.when(whole != "").then(whole).alias("response")).to_series()
    return made


_ID = r'\{"id": (?:"(?:[^"\\]|\\.)*"|[^",]*), "type": "function", "function": '
"""How `rows.turns` begins a call that has an id."""


def _silent(name: str) -> pl.Expr:
    """Join what the assistant's turns hold beside their texts, and of the answer not to give the texts, too; null where that is nothing."""
    turn = pl.element().struct
    calls = turn.field("tool_calls").str.replace_all(_ID, '{"function": ')
    parts = [turn.field("reasoning"), calls, *([turn.field("content")] if name == "rejected" else [])]
    said = pl.when(turn.field("role") == "assistant").then(pl.concat_str(parts, separator="\n", ignore_nulls=True))
    joined = pl.col(name).list.eval(said.drop_nulls()).list.eval(pl.element().filter(pl.element() != "")).list.join("\n")
    return pl.when(joined != "").then(joined)


def length(texts: pl.DataFrame) -> pl.Series:
    """Count the characters of all text columns together."""
    return texts.select(pl.sum_horizontal(pl.all().str.len_chars().fill_null(0)).cast(pl.UInt32).alias("length")).to_series()
