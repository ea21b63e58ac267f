"""Prompt / completion pairs: FLAN, P3, OpenAI's old finetuning files; as lists of turns also those of TRL."""

from __future__ import annotations

import polars as pl

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.conversations import systems_of, talk_frame, tools_of, with_system
from tunesmith.rows.formats.pairs import pair
from tunesmith.rows.formats.preference import answer_of, prompt_of, values_of
from tunesmith.rows.records import Records
from tunesmith.rows.turns import Turns, mirror, tools

_ANSWERS = ("completion", "response", "output")


def _fits(keys: frozenset[str]) -> bool:
    return "prompt" in keys and ("completion" in keys or keys.isdisjoint({"message_tree_id", "chosen"}))


def _parse(records: Records) -> Parsed:
    plain = pair(records, "prompt", _ANSWERS)
    if "array" not in records.kinds("prompt"):
        return plain
    listed = (records.types("prompt") == "array").arg_true()
    talks, among = _conversations(records, listed), set(listed)
    texts = plain.content.filter(~pl.col("row").is_in(listed.implode()))
    return Parsed(
        content=pl.concat([texts, talks.content], how="diagonal").sort("row"),
        problems=[
            *(problem for problem in plain.problems if problem.row not in among),
            *(problem for problem in talks.problems if problem.row in among),
        ],
        used=plain.used | talks.used,
        lost=talks.lost,
    )


def _conversations(records: Records, listed: pl.Series) -> Parsed:
    """Read the records whose prompts are turns, with the turns or the text that answer them."""
    turns = Turns()
    name = next((key for key in _ANSWERS if key in records.keys), None)
    prompts, answers = values_of(records, "prompt"), values_of(records, name)
    systems, schemas = systems_of(records, turns.problems), tools_of(records)
    rows = []
    for row in listed:
        before = prompt_of(turns, row, "prompt", prompts[row])
        answer = answer_of(turns, row, name or "", answers[row], before) if before and answers[row] is not None else []
        messages = with_system([*before, *answer], systems[row])
        schema = tools(schemas[row], row, turns.problems)
        rows.append({"row": row, "kind": "chat", **mirror(messages), "messages": messages, "tools": schema})
    used = frozenset({"prompt", "system", "tools", *([name] if name else ())})
    return Parsed(content=talk_frame(rows), problems=turns.problems, used=used, lost=turns.lost)


FORMAT = Format(name="prompt-completion", known_by="prompt, completion", fits=_fits, parse=_parse)
