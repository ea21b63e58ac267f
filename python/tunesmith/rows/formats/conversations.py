"""What messages and ShareGPT share: a list of turns, tools, perhaps a system prompt beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.rows import schema
from tunesmith.rows.formats.base import TEXT, Parsed
from tunesmith.rows.formats.plain_turns import FIELDS, read_plain, talks
from tunesmith.rows.records import Records, Unreadable, parsed
from tunesmith.rows.rejects import Problem, excerpt
from tunesmith.rows.turns import Listed, Message, Turns, tools

CONTENT: dict[str, Any] = {
    "row": pl.UInt32,
    "kind": pl.String,
    "instruction": pl.String,
    "output": pl.String,
    "system": pl.String,
    "messages": schema.MESSAGES,
    "tools": pl.String,
    "rejected": schema.MESSAGES,
}


def converse(records: Records, names: Sequence[str]) -> Parsed:
    """Read the first of `names` that the records have as conversations."""
    name = next((key for key in names if key in records.keys), names[0])
    turns = Turns()
    described = _described(records)
    systems, schemas = systems_of(records, turns.problems), tools_of(records, described)
    plain = read_plain(records, name, systems)
    left = pl.int_range(records.height, dtype=pl.UInt32, eager=True)
    if plain is not None:
        turns.lost.update(plain.lost)
        left = left.filter(~left.is_in(plain.content["row"].cast(pl.UInt32).implode()))
    flat: dict[str, list[Any]] = {key: [] for key in ("row", *FIELDS)}
    for row, value in zip(left.to_list(), records.objects(name, left), strict=True):
        if value is None:
            turns.problems.append(Problem(row=row, field=name, code="no_known_field", found="nothing", expected="a list of turns"))
            continue
        messages = turns.read(row, name, str(value) if isinstance(value, Unreadable) else value)
        messages = with_system(messages, systems[row])
        flat["row"] += [row] * len(messages)
        for key in FIELDS:
            flat[key] += [message.get(key) for message in messages]
    content = talks(pl.DataFrame(flat, schema={"row": pl.UInt32, **FIELDS}))
    if plain is not None:
        content = pl.concat([plain.content.cast({"row": pl.UInt32}), content]).sort("row")
    said = [tools(schemas[row], row, turns.problems) for row in content["row"]]
    return Parsed(
        content=content.with_columns(pl.Series("tools", said, dtype=pl.String)),
        problems=turns.problems,
        used=frozenset({name, "system", described}),
        lost=turns.lost,
    )


def talk_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Make content columns of conversations."""
    return pl.DataFrame(rows, schema=CONTENT, orient="row")


def _described(records: Records) -> str:
    """Name the field that describes the tools: OpenAI called it ``functions`` before."""
    older = "tools" not in records.keys and "functions" in records.keys and records.kinds("functions") <= {"array", "null", "missing"}
    return "functions" if older else "tools"


def tools_of(records: Records, name: str = "tools") -> Sequence[Any]:
    """Give the tool schemas of each record as they stand: text stays text, a list is not widened to the keys of other records'."""
    if name not in records.keys:
        return [None] * records.height
    types, texts = records.types(name), records.texts(name)
    dumped = core.json_dumped(texts)
    dumped = dumped.set(~dumped.str.starts_with("["), None)
    return [
        text if made is None and kind == "string" else parsed(text) if made is None else Listed(text if kind == "string" else made)
        for kind, text, made in zip(types, texts, dumped, strict=True)
    ]


def systems_of(records: Records, problems: list[Problem]) -> Sequence[str | None]:
    """Give the system prompts that stand beside the turns."""
    if "system" not in records.keys:
        return [None] * records.height
    texts = records.texts("system")
    types = pl.Series(dtype=pl.String) if records.kinds("system") <= TEXT else records.types("system")
    for row in (~types.is_in(TEXT)).arg_true():
        problems.append(Problem(row=row, field="system", code="wrong_type", found=excerpt(texts[row]), expected="text"))
    return texts.to_list()


def with_system(messages: list[Message], system: str | None) -> list[Message]:
    """Put a system prompt that stands beside the turns before them, unless they have one."""
    if not system or any(message["role"] == "system" for message in messages):
        return messages
    return [{"role": "system", "content": system}, *messages]
