"""Conversations column by column: those in which every turn is a text of a known role, or a call of a tool, in its place.

Nothing is told here: a conversation with anything else in it (calls of another shape, mistakes) is left to
`tunesmith.rows.turns`, which reads turn by turn, and gives the same for those that are read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tunesmith import core
from tunesmith.rows import schema
from tunesmith.rows.formats.base import TEXT
from tunesmith.rows.records import Records, Table
from tunesmith.rows.turns import CALL, KNOWN, ROLES, TRAIN

FIELDS = {field.name: field.dtype for field in schema.MESSAGE.fields}
"""The fields of a message, in order."""
_NOTHING = frozenset({"null", "missing"})
_SAID = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
_AFTER = {
    "system": ("system", "user"), "user": ("assistant",), "assistant": ("user",), "call": ("tool",), "tool": ("tool", "assistant", "user"),
}  # fmt: skip
"""Roles that may follow which; a conversation begins as after a system prompt, "call" is an assistant's turn that calls tools."""


@dataclass(frozen=True, kw_only=True)
class Plain:
    """What was read.

    Attributes:
        content: ``row``, ``kind``, ``messages`` and the columns that mirror them, for the rows that were read, in order.
        lost: Turn fields that a message cannot hold, with how many turns of those rows have them.
    """

    content: pl.DataFrame
    lost: Counter[str]


def read_plain(records: Records, name: str, systems: Sequence[str | None]) -> Plain | None:
    """Read the conversations of a field that are plain; None where the field holds no lists of turns.

    Args:
        records: Some records.
        name: The field.
        systems: Per record the system prompt that stands beside its turns, which comes before them unless they have one.
    """
    opened = records.turns(name)
    if opened is None:
        return None
    row, table, other = opened
    turns = _turns(table).with_columns(row=row.set_sorted())
    state = pl.when(pl.col("tool_calls").is_null()).then("role").otherwise(pl.lit("call"))
    before = pl.when(pl.col("row") == pl.col("row").shift(1)).then(state.shift(1)).otherwise(pl.lit("system"))
    follows = pl.any_horizontal([(before == role) & pl.col("role").is_in(after) for role, after in _AFTER.items()])
    fine = turns.select((pl.col("plain") & follows).fill_null(value=False)).to_series()
    # Of a conversation all turns or none: its row is marked, and asked for by each of them.
    odd = _marked(records.height, row.filter(~fine), other)
    asks = _marked(records.height, row.filter((turns["role"] == "user").fill_null(value=False)))
    turns = turns.with_columns(plain=(asks & ~odd).gather(row))
    lost = _lost(table, turns["plain"])
    turns = turns.filter("plain").drop("plain")
    beside = _beside(turns, systems)
    if beside.height:
        turns = pl.concat([beside, turns], how="diagonal").sort("row", maintain_order=True)
    return Plain(content=talks(turns), lost=lost)


def _marked(height: int, *rows: pl.Series) -> pl.Series:
    marks = pl.repeat(value=False, n=height, eager=True)
    for some in rows:
        marks.scatter(some, True)  # in place
    return marks


def _turns(table: Table) -> pl.DataFrame:
    """Give each turn's fields as a message has them, and whether it is plain as far as can be told from it alone."""
    plain = pl.repeat(value=True, n=table.height, eager=True)
    columns: dict[str, pl.Series] = {}
    for key in ("role", "from", "content", "value", "reasoning_content", "reasoning", "name", "tool_call_id"):
        columns[key], texts = _parts(table, key) if key == "content" and "array" in table.kinds(key) else _texts(table, key)
        plain &= texts
    train, known = _train(table)
    plain &= known
    if not table.kinds(CALL) <= _NOTHING:
        plain &= table.types(CALL).is_in(_NOTHING)
    spoken = pl.when(pl.col("role") != "").then("role").otherwise("from")
    turns = (
        pl.DataFrame(columns)
        .with_columns(called=(spoken == "function_call").fill_null(value=False))
        .select(
            role=spoken.replace_strict(ROLES, default=None, return_dtype=pl.String),
            content=pl.coalesce("content", "value"),
            reasoning=pl.coalesce("reasoning_content", "reasoning"),
            name="name",
            tool_call_id="tool_call_id",
            train=train,
            called="called",
        )
    )
    said = turns["content"]
    calls, fine = _calls(table, turns)
    plain &= fine
    turns = turns.with_columns(content=pl.when("called").then(pl.lit("")).otherwise("content"))
    turns.insert_column(4, calls.alias("tool_calls"))
    said_or_called = pl.col("content").is_not_null() | (pl.col("role") == "assistant") | pl.col("tool_calls").is_not_null()
    told = pl.col("role").is_not_null() & said_or_called
    plain &= turns.select(told.fill_null(value=False)).to_series()
    if table.nul or "array" in table.kinds("content"):
        plain &= ~said.str.contains("\0", literal=True).fill_null(value=False)
    # White space, and so a text of nothing else, is below "!" or beyond ASCII: most texts need not be looked at.
    looked = turns.select((pl.col("role") == "user") & ~pl.col("content").is_between(pl.lit("!"), pl.lit("\x7f"))).to_series().arg_true()
    blank = [at for at, text in zip(looked, said.gather(looked), strict=True) if not text.strip()]
    return turns.drop("called").with_columns(plain=plain.scatter(blank, False) if blank else plain)


def _calls(table: Table, turns: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Give each turn's calls of tools in our shape, and where they were read, or there are none."""
    kinds = table.kinds("tool_calls")
    if kinds <= _NOTHING and not turns["called"].any():
        return pl.repeat(None, turns.height, dtype=pl.String, eager=True), pl.repeat(value=True, n=turns.height, eager=True)
    given = pl.DataFrame([table.types("tool_calls").alias("kind"), table.texts("tool_calls").alias("calls"), *turns["content", "called"]])
    kind, calls = pl.col("kind"), pl.col("calls")
    listed = calls.str.strip_chars(" \t\n\r").str.starts_with("[")
    empty = ((kind == "array") & calls.str.contains(r"^\[\s*\]$")) | ((kind == "string") & (calls == ""))
    none = ~pl.col("called") & (kind.is_in(_NOTHING) | empty)
    asked = pl.when("called").then("content").when(~none & listed).then("calls")
    made = core.tool_calls(given.select(asked).to_series())
    return made, given.select(none).to_series() | made.is_not_null()


def _texts(table: Table, key: str) -> tuple[pl.Series, pl.Series]:
    """Give a field of text, and where it is one, or nothing."""
    kinds = table.kinds(key)
    texts = table.texts(key) if "string" in kinds else pl.repeat(None, table.height, dtype=pl.String, eager=True)
    return texts, pl.repeat(value=True, n=table.height, eager=True) if kinds <= TEXT else table.types(key).is_in(TEXT)


def _parts(table: Table, key: str) -> tuple[pl.Series, pl.Series]:
    """Give a field of which some are lists of text parts, joined, and where it is text, such a list, or nothing."""
    types = table.types(key)
    opened = table.turns(key)
    if opened is None:
        return _texts(table, key)
    turn, parts, other = opened
    (said, is_text), (value, is_value) = _texts(parts, "text"), _texts(parts, "value")
    said = pl.select(pl.when(parts.types("text") == "missing").then(value).otherwise(said)).to_series()
    fine = is_text & is_value & said.is_not_null() & parts.texts("type").is_in(["text", "input_text", "output_text"]).fill_null(value=False)
    joined = (
        pl.DataFrame([turn.alias("turn"), said.alias("said"), fine.alias("fine")])
        .group_by("turn")
        .agg(pl.col("said").str.join(), pl.col("fine").all())
    )
    joined = joined.filter(pl.col("fine") & ~pl.col("turn").is_in(other.implode()))
    turns = pl.DataFrame({"turn": pl.int_range(table.height, dtype=pl.UInt64, eager=True)}).join(
        joined, on="turn", how="left", maintain_order="left"
    )
    texts = table.texts(key) if "string" in table.kinds(key) else pl.repeat(None, table.height, dtype=pl.String, eager=True)
    content = pl.select(pl.when(types == "array").then(turns["said"]).otherwise(texts)).to_series()
    return content, types.is_in(TEXT) | turns["fine"].fill_null(value=False)


def _train(table: Table) -> tuple[pl.Series, pl.Series]:
    """Give whether a turn is to be learnt, where it says so, and where it says nothing but that."""
    train = pl.repeat(None, table.height, dtype=pl.Boolean, eager=True)
    known = pl.repeat(value=True, n=table.height, eager=True)
    for key in TRAIN:
        if not table.kinds(key) <= _NOTHING:
            types, texts = table.types(key), table.texts(key)
            said = texts.replace_strict(_SAID, default=None, return_dtype=pl.Boolean)
            known &= types.is_in(_NOTHING) | (types.is_in(["number", "bool"]) & said.is_not_null())
            train = pl.select(pl.coalesce(train, said)).to_series()
    return train, known


def _lost(table: Table, plain: pl.Series) -> Counter[str]:
    lost: Counter[str] = Counter()
    for key in table.keys:
        if key not in KNOWN and not table.kinds(key) <= _NOTHING:
            lost[key] = int((plain & ~table.types(key).is_in(_NOTHING)).sum())
    return +lost


def _beside(turns: pl.DataFrame, systems: Sequence[str | None]) -> pl.DataFrame:
    """Give turns for the system prompts that stand beside conversations without one."""
    if not any(systems):
        return turns.clear()
    without = turns.group_by("row").agg(has=(pl.col("role") == "system").any()).filter(~pl.col("has"))
    prompts = pl.DataFrame({"content": systems}, schema={"content": pl.String}).with_row_index("row").filter(pl.col("content") != "")
    prompts = prompts.with_columns(pl.col("row").cast(turns.schema["row"]), role=pl.lit("system"))
    return prompts.join(without, on="row", how="semi", maintain_order="left")


def talks(turns: pl.DataFrame) -> pl.DataFrame:
    """Put turns that stand one after another together to conversations, with the columns that mirror them.

    Args:
        turns: ``row`` and the fields of a message.
    Returns:
        ``row, instruction, output, system, messages, kind``, one line a conversation.
    """
    asked = pl.col("content").filter(pl.col("role") == "user").last()
    answered = pl.when(pl.col("role").last() == "assistant").then(pl.col("content").last())
    system = pl.col("content").filter(pl.col("role") == "system").first()
    made = turns.group_by("row", maintain_order=True).agg(
        instruction=asked, output=answered, system=system, messages=pl.struct(list(FIELDS))
    )
    return made.with_columns(kind=pl.lit("chat"))
