"""Alpaca: instruction, input, output; also system, history, and single names of Dolly's (context, response)."""

from __future__ import annotations

from typing import Any

import polars as pl

from tunesmith.rows import schema
from tunesmith.rows.formats import dolly, self_instruct
from tunesmith.rows.formats.base import Format, Parsed, TextColumns
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem, excerpt
from tunesmith.rows.turns import mirror


def _fits(keys: frozenset[str]) -> bool:
    named_otherwise = "output" not in keys and (keys >= dolly.NAMES or keys >= self_instruct.NAMES)
    return not named_otherwise and ("instruction" in keys or {"input", "output"} <= keys)


def _parse(records: Records) -> Parsed:
    text = TextColumns(records=records)
    instruction = text.take("instruction")
    given = text.take("input", "context")
    output = text.take("output", "response")
    system = text.take("system")
    text.require_prompt("instruction", instruction, given)
    content = pl.DataFrame([instruction, given, output, system]).with_columns(kind=pl.lit("instruct")).with_row_index("row")
    used = frozenset(text.columns)
    if "history" in records.keys:
        content = _with_history(content, records, text.problems)
        used |= {"history"}
    return Parsed(content=content, problems=text.problems, used=used)


def _with_history(content: pl.DataFrame, records: Records, problems: list[Problem]) -> pl.DataFrame:
    """Turn rows with earlier turns into conversations; the others stay as they are."""
    history = records.objects("history")
    for row, turns in enumerate(history):
        problems += _wrong(row, turns)
    bad = {problem.row for problem in problems}
    talks = [None if not turns or row in bad else turns for row, turns in enumerate(history)]
    if not any(talks):
        return content
    messages = [turns and _messages(turns, line) for turns, line in zip(talks, content.iter_rows(named=True), strict=True)]
    asked = [turns and mirror(turns)["instruction"] for turns in messages]
    chat = pl.col("messages").is_not_null()
    return content.with_columns(pl.Series("messages", messages, dtype=schema.MESSAGES), pl.Series("asked", asked, dtype=pl.String)).select(
        pl.exclude("kind", "instruction", "input", "asked"),
        kind=pl.when(chat).then(pl.lit("chat")).otherwise("kind"),
        instruction=pl.when(chat).then("asked").otherwise("instruction"),
        input=pl.when(chat).then(None).otherwise("input"),
    )


def _wrong(row: int, turns: Any) -> list[Problem]:
    expected = "a list of [user, assistant] pairs of text"
    if turns is None:
        return []
    if not isinstance(turns, list):
        return [Problem(row=row, field="history", code="wrong_type", found=excerpt(turns), expected=expected)]
    return [
        Problem(row=row, field=f"history[{k}]", code="wrong_type", found=excerpt(pair), expected=expected)
        for k, pair in enumerate(turns)
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair))
    ]


def _messages(turns: list[list[str]], row: dict[str, Any]) -> list[dict[str, Any]]:
    asked = "\n".join(part for part in (row["instruction"], row["input"]) if part)
    system = [{"role": "system", "content": row["system"]}] if row["system"] else []
    before = [{"role": role, "content": part} for pair in turns for role, part in zip(("user", "assistant"), pair, strict=True)]
    answer = [{"role": "assistant", "content": row["output"]}] if row["output"] is not None else []
    return [*system, *before, {"role": "user", "content": asked}, *answer]


FORMAT = Format(name="alpaca", known_by="instruction, input, output", fits=_fits, parse=_parse)
