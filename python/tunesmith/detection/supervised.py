"""What detectors read: one line per supervised turn, with code, JSON and tool calls masked for those that judge prose."""

from __future__ import annotations

import json
import re

import polars as pl

from tunesmith import core

MASK = "\ufffc"
"""OBJECT REPLACEMENT CHARACTER, one for every masked character, so that spans hold."""

VIEW = ("position", "turn", "instruction", "input", "response", "reference", "finish", "asked")

_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|<tool_call>.*?(?:</tool_call>|\Z)|`[^`\n]+`|\$\$.+?\$\$", re.DOTALL)
_MAYBE = r"```|~~~|<tool_call>|`[^`\n]+`|\$\$|^\s*[\[{]"


def view(
    frame: pl.DataFrame, *, response: pl.Series | None = None, reference: pl.Series | None = None, finish: pl.Series | None = None
) -> pl.DataFrame:
    """Lay out rows as one line per supervised turn.

    Instruct and text rows give one line, chat and preference rows one per assistant turn whose ``train`` is not
    false; its instruction is the user turn before it, the history is not shown. A turn that only calls tools
    has no text to judge and gives no line.

    Args:
        frame: Rows (`rows.schema.ROW`); ``position``, ``kind`` and ``messages`` may be absent in plain tables.
        response: ``String[n]``, judged instead of the rows' own answers: one line per row, its last turn.
        reference: ``String[n]``, what a good answer looks like, where known.
        finish: ``String[n]``, ``stop`` or ``length``, for generated responses.
    Returns:
        Frame of ``position, turn, instruction, input, response, reference, finish, asked, tools``; ``turn`` and
        ``asked`` (the user turn that is answered) are indices into ``messages``, null for instruct rows; ``tools``
        tells rows that have tools or call them.

    >>> view(pl.DataFrame({"instruction": ["Say hi."], "input": [None], "output": ["hi"]}))["response"].to_list()
    ['hi']
    """
    rows = _completed(frame).with_columns(
        (pl.Series("response", response, pl.String) if response is not None else pl.col("output").alias("response")),
        _column("reference", reference),
        _column("finish", finish),
    )
    if response is not None or rows.schema["messages"] == pl.String:
        return rows.select(*_plain(), "tools")
    chat = rows.filter(pl.col("messages").is_not_null())
    if chat.is_empty():
        return rows.select(*_plain(), "tools")
    plain = rows.filter(pl.col("messages").is_null()).select(*_plain(), "tools")
    return pl.concat([plain, _turns(chat)]).sort("position", "turn", maintain_order=True, nulls_last=False)


def is_view(frame: pl.DataFrame) -> bool:
    """Tell a view from rows."""
    return set(VIEW) <= set(frame.columns)


def prepare(lines: pl.DataFrame, *, circling: bool = False) -> pl.DataFrame:
    """Add what detectors need: ``row`` (line number), ``prose`` (the response, masked), text without nulls.

    Args:
        lines: A view.
        circling: Add the column of that name, too: whether the prose repeats any four words (``rep_4`` of
            `core.signals` above 0).
    """
    made = lines.with_row_index("row").with_columns(pl.col("instruction", "input", "response").fill_null(""))
    made = made.with_columns(_masked(made["response"]))
    if not circling:
        return made
    repeated = core.signals(made.select(unmasked(pl.col("prose"))).to_series(), only=["rep_4"])["rep_4"]
    return made.with_columns((repeated > 0).alias("circling"))


def replaced(prepared: pl.DataFrame, field: str, rows: list[int], texts: list[str]) -> pl.DataFrame:
    """Put other texts into some lines of a prepared view."""
    new = pl.Series(texts, dtype=pl.String)
    changed = [prepared[field].clone().scatter(rows, new)]
    if field == "response":
        changed.append(prepared["prose"].clone().scatter(rows, _masked(new)))
    return prepared.with_columns(changed)


def unmasked(prose: pl.Expr) -> pl.Expr:
    """Give what is masked as blanks, so that it holds no words."""
    return prose.str.replace_all(MASK, " ", literal=True)


def mask(text: str) -> str:
    """Mask code blocks, inline code, display formulas, tool calls and whole JSON values; line breaks stay.

    >>> mask("See `x`.") == "See " + 3 * MASK + "."
    True
    """
    bare = text.strip()
    if bare[:1] in ("{", "[") and bare[-1:] in ("}", "]") and _is_json(bare):
        return _blank(text)
    return _CODE.sub(lambda match: _blank(match.group()), text)


def _completed(frame: pl.DataFrame) -> pl.DataFrame:
    """Give plain tables the columns that a row has."""
    if "position" not in frame.columns:
        frame = frame.with_row_index("position")
    missing = [name for name in ("instruction", "input", "output", "messages") if name not in frame.columns]
    made = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in missing)
    tools = (
        pl.col("tools").cast(pl.String).fill_null("").is_in(["", "[]", "null"]).not_() if "tools" in frame.columns else pl.lit(value=False)
    )
    text = pl.col("instruction", "input", "output").cast(pl.String)
    return made.select(pl.col("position").cast(pl.UInt64), text, "messages", tools.alias("tools"))


def _column(name: str, values: pl.Series | None) -> pl.Expr | pl.Series:
    return pl.lit(None, pl.String).alias(name) if values is None else pl.Series(name, values, pl.String)


def _plain() -> list[pl.Expr]:
    nothing = pl.lit(None, pl.UInt32)
    return [nothing.alias(name) if name in ("turn", "asked") else pl.col(name) for name in VIEW]


def _turns(chat: pl.DataFrame) -> pl.DataFrame:
    """One line per supervised assistant turn."""
    messages = chat.select("position", "reference", "finish", "tools", "messages").explode("messages").unnest("messages")
    index = pl.int_range(pl.len(), dtype=pl.UInt32).over("position")
    said = pl.col("role") == "user"
    calls = ((pl.col("tool_calls").fill_null("") != "") | (pl.col("role") == "tool")).any().over("position")
    messages = messages.with_columns(index.alias("turn"), tools=pl.col("tools") | calls).with_columns(
        pl.when(said).then("content").forward_fill().over("position").alias("instruction"),
        pl.when(said).then("turn").forward_fill().over("position").alias("asked"),
    )
    answers = messages.filter(
        pl.col("role") == "assistant",
        pl.col("train").fill_null(value=True),
        (pl.col("content").fill_null("").str.strip_chars() != "") | (pl.col("tool_calls").fill_null("") == ""),
    )
    # A conversation in which nobody answers is a row without an answer: one line, so that it can be named.
    silent = messages.filter(~(pl.col("role") == "assistant").any().over("position")).group_by("position", maintain_order=True).last()
    silent = silent.with_columns(pl.lit(None, pl.UInt32).alias("turn"), pl.lit(None, pl.String).alias("content"))
    lines = pl.concat([answers, silent.select(answers.columns)])
    return lines.select(
        "position", "turn", "instruction", pl.lit(None, pl.String).alias("input"), pl.col("content").alias("response"),
        "reference", "finish", "asked", "tools",
    )  # fmt: skip


def _masked(responses: pl.Series) -> pl.Series:
    """Mask where there is something to mask; all other texts are shared."""
    maybe = responses.str.contains(_MAYBE).arg_true()
    if maybe.is_empty():
        return responses.alias("prose")
    changed = pl.Series([mask(text) for text in responses.gather(maybe)], dtype=pl.String)
    return responses.clone().scatter(maybe, changed).alias("prose")


def _blank(text: str) -> str:
    return re.sub(r"[^\r\n]", MASK, text)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_int=str), dict | list)
    except (ValueError, RecursionError):
        return False
