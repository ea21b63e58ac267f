"""Preference pairs: chosen and rejected answers, as text, as a turn, or as whole conversations (also written out, as HH-RLHF has them)."""

from __future__ import annotations

import re
from typing import Any

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.conversations import systems_of, talk_frame, tools_of, with_system
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem, excerpt
from tunesmith.rows.turns import Message, Turns, mirror, tools

_PROMPTS = ("conversations", "messages", "prompt", "instruction", "question")
_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):[ \t]*")
"""How HH-RLHF (Bai et al. 2022, arXiv:2204.05862) begins a turn."""


def _fits(keys: frozenset[str]) -> bool:
    return {"chosen", "rejected"} <= keys


def _parse(records: Records) -> Parsed:
    turns = Turns()
    name = next((key for key in _PROMPTS if key in records.keys), None)
    prompts = values_of(records, name)
    inputs = values_of(records, "input" if name == "instruction" else None)
    chosen, rejected = values_of(records, "chosen"), values_of(records, "rejected")
    systems, schemas = systems_of(records, turns.problems), tools_of(records)
    rows = []
    for row in range(records.height):
        known = len(turns.problems)
        before = prompt_of(turns, row, name, prompts[row], inputs[row])
        answers = [chosen[row], rejected[row]]
        if not before and all(isinstance(answer, str) and answer.lstrip().startswith("Human:") for answer in answers):
            answers = [transcript(answer) for answer in answers]
        good, bad = (answer_of(turns, row, field, answer, before) for field, answer in zip(("chosen", "rejected"), answers, strict=True))
        if not before:
            before, good, bad = _shared(good, bad)
            if len(turns.problems) == known and not any(message["role"] == "user" for message in before):
                turns.problems.append(Problem(row=row, field=name or "prompt", code="empty_prompt", found="nothing", expected="a prompt"))
        messages = with_system([*before, *good], systems[row])
        schema = tools(schemas[row], row, turns.problems)
        rows.append({"row": row, "kind": "preference", **mirror(messages), "messages": messages, "tools": schema, "rejected": bad})
    used = frozenset({"chosen", "rejected", "system", "tools", *([name] if name else ()), *(["input"] if name == "instruction" else ())})
    return Parsed(content=talk_frame(rows), problems=turns.problems, used=used, lost=turns.lost)


def values_of(records: Records, name: str | None) -> list[Any]:
    """Give a field as conversations, or as the text it is."""
    if name is None:
        return [None] * records.height
    texts, types, values = records.texts(name), records.types(name), records.objects(name)
    return [text if kind == "string" and not isinstance(value, list | dict) else value
            for text, kind, value in zip(texts, types, values, strict=True)]  # fmt: skip


def prompt_of(turns: Turns, row: int, name: str | None, value: Any, given: Any = None) -> list[Message]:
    """Read what is asked: text, perhaps with an input of its own, or turns."""
    if name is None or value is None or value == "":
        return []
    if isinstance(value, str):
        asked = "\n".join(part for part in (value, given) if isinstance(part, str) and part)
        return turns.read(row, name, [{"role": "user", "content": asked}])
    return turns.read(row, name, value)


def answer_of(turns: Turns, row: int, name: str, value: Any, before: list[Message]) -> list[Message]:
    """Read an answer; one that repeats the prompt's turns is cut to what follows them."""
    if value is None:
        turns.problems.append(Problem(row=row, field=name, code="wrong_type", found="nothing", expected="text, a turn or messages"))
        return []
    if isinstance(value, str):
        return [{"role": "assistant", "content": value}]
    whole = isinstance(value, list) and len(value) > 1 and _starts(value, before)
    if not isinstance(value, list | dict):
        turns.problems.append(Problem(row=row, field=name, code="wrong_type", found=excerpt(value), expected="text, a turn or messages"))
        return []
    messages = turns.read(row, name, value, after=None if whole or not before else "user")
    return messages[len(before) :] if whole else messages


def transcript(text: str) -> list[Message]:
    r"""Take a conversation that is written out apart.

    >>> transcript("\n\nHuman: Hi?\n\nAssistant: Ho.")
    [{'role': 'user', 'content': 'Hi?'}, {'role': 'assistant', 'content': 'Ho.'}]
    """
    _, *parts = _SPEAKER.split(text.strip())
    roles = {"Human": "user", "Assistant": "assistant"}
    return [{"role": roles[who], "content": said.strip()} for who, said in zip(parts[::2], parts[1::2], strict=True)]


def _starts(value: list[Any], before: list[Message]) -> bool:
    """Tell whether a conversation begins with the prompt's own last user turn."""
    asked = [message["content"] for message in before if message["role"] == "user"]
    said = [turn.get("content", turn.get("value")) for turn in value if isinstance(turn, dict)]
    return bool(asked) and len(value) > len(before) and said[: len(before)] == [message["content"] for message in before]


def _shared(good: list[Message], bad: list[Message]) -> tuple[list[Message], list[Message], list[Message]]:
    """Divide two whole conversations into the turns they share and the two answers."""
    size = 0
    for a, b in zip(good[:-1], bad[:-1], strict=False):
        if a != b:
            break
        size += 1
    return good[:size], good[size:], bad[size:]


FORMAT = Format(name="preference", known_by="chosen, rejected", fits=_fits, parse=_parse)
