"""What every trainer's export is made of: rows as conversations, what a record cannot hold, and the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

Record = dict[str, Any]
Kind = Literal["chat", "preference", "text"]
PARTS = ("train", "validation", "test")


class Unfit(Exception):  # noqa: N818  (no error: the row is left out, and counted under this reason)
    """A row that a trainer has no form for; the text is the reason."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A row as a conversation; instruction and input are one user turn, as packing joins them.

    Attributes:
        turns: Messages with the fields that say something; ``tool_calls`` as objects, ``train`` left out.
        learnt: Indices of the turns that are trained on: answers that are not empty and not marked otherwise.
        answered: Indices of all answers that are not empty.
        tools: Tool schemas, or None.
    """

    turns: list[Record]
    learnt: tuple[int, ...]
    answered: tuple[int, ...]
    tools: list[Any] | None

    @property
    def last_alone(self) -> bool:
        """Whether what is learnt is the last turn alone."""
        return self.learnt == (len(self.turns) - 1,)

    @property
    def calls(self) -> bool:
        """Whether tools are called, or answer."""
        return any(turn.get("tool_calls") or turn["role"] == "tool" for turn in self.turns)


def talk(row: Mapping[str, Any]) -> Talk:
    r"""Read a row of any kind but text as a conversation.

    >>> told = talk({"instruction": "Add.", "input": "1, 2", "output": "3", "system": None, "messages": None, "tools": None})
    >>> told.turns, told.learnt
    ([{'role': 'user', 'content': 'Add.\n1, 2'}, {'role': 'assistant', 'content': '3'}], (1,))
    """
    messages = row["messages"] if row["messages"] is not None else _turns(row)
    turns = [turn(message) for message in messages]
    answered = [k for k, made in enumerate(turns) if made["role"] == "assistant" and (made["content"] or made.get("tool_calls"))]
    learnt = [k for k in answered if messages[k].get("train") is not False]
    return Talk(turns=turns, learnt=tuple(learnt), answered=tuple(answered), tools=json.loads(row["tools"] or "null") or None)


def _turns(row: Mapping[str, Any]) -> list[Record]:
    asked = "\n".join(part for part in (row["instruction"], row["input"]) if part)
    system = [{"role": "system", "content": row["system"]}] if row["system"] else []
    return [*system, {"role": "user", "content": asked}, {"role": "assistant", "content": row["output"]}]


def turn(message: Mapping[str, Any]) -> Record:
    """Give a message with the fields that say something, in OpenAI's names."""
    names = {"reasoning": "reasoning_content", "name": "name", "tool_call_id": "tool_call_id"}
    made: Record = {"role": message["role"], "content": message["content"] or ""}
    made.update({theirs: message[ours] for ours, theirs in names.items() if message.get(ours)})
    if calls := json.loads(message.get("tool_calls") or "[]"):
        made["tool_calls"] = calls
    return made


def halves(row: Mapping[str, Any]) -> tuple[list[Record], list[Record], list[Record]]:
    """Divide a preference row into what was asked, the answer to give and the answer not to give."""
    turns = [turn(message) for message in row["messages"]]
    last = max(k for k, made in enumerate(turns) if made["role"] == "user") + 1
    return turns[:last], turns[last:], [turn(message) for message in row["rejected"]]


def pair(row: Mapping[str, Any]) -> tuple[list[Record], list[Record], list[Record]]:
    """Divide a preference row as `halves` does.

    Raises:
        Unfit: If one of the answers is empty.
    """
    asked, chosen, rejected = halves(row)
    if not all(any(made["content"] or made.get("tool_calls") for made in turns) for turns in (chosen, rejected)):
        raise Unfit("an answer of the pair is empty")
    return asked, chosen, rejected


def one(turns: Sequence[Record]) -> Record:
    """Give the only turn of an answer.

    Raises:
        Unfit: If there are several, or it calls tools.
    """
    if len(turns) != 1 or turns[0].get("tool_calls"):
        raise Unfit("an answer of the pair is more than one text")
    return turns[0]


def stripped(turns: Sequence[Record], *names: str) -> list[Record]:
    """Leave fields of turns out."""
    return [{key: value for key, value in made.items() if key not in names} for made in turns]


def fields(row: Mapping[str, Any], told: Talk | None) -> set[str]:
    """Name what a row says beyond who says what: what a trainer may not be able to hold."""
    turns = [*(told.turns if told else []), *(turn(message) for message in row["rejected"] or [])]
    found = {name for name in ("name", "tool_call_id") if any(name in made for made in turns)}
    found |= {"reasoning"} if any("reasoning_content" in made for made in turns) else set()
    found |= {"tool_call_id"} if any("id" in call for made in turns for call in made.get("tool_calls", [])) else set()
    found |= {"tools"} if told and told.tools else set()
    found |= {"train"} if told and row["kind"] != "preference" and told.learnt != told.answered else set()
    return found | ({"weight"} if row["weight"] != 1 else set())


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What makers of records and configurations know of the whole export.

    Attributes:
        model: The model that the configuration names; None leaves it to be filled in.
        last_alone: Whether every conversation trains on its last turn alone.
        digest: Names the content: ``datasets`` keys its cache by the card's head.
        context: Tokens a sequence.
    """

    model: str | None
    last_alone: bool
    digest: str = ""
    context: int = 4096


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of records.

    Attributes:
        name: Below the export's folder.
        part: train, validation or test.
        kind: What its records are.
        rows: How many.
    """

    name: str
    part: str
    kind: str
    rows: int


Maker = Callable[[Mapping[str, Any], Setting], Record]


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """One trainer's formats.

    Attributes:
        name: As typed after ``--for``.
        url: Where its formats are documented.
        makers: Kind of row to what makes its record; a kind that is missing has no form.
        holds: Which of `fields` the records can say.
        configs: The configuration's files, by name.
        how: Lines that say how to run it.
        folder: Where records lie within the export.
        ids: Whether a record may say its row's id and position itself; where not, ``row_ids.parquet`` alone says it.
        least: Rows below which the trainer refuses a file.
    """

    name: str
    url: str
    makers: Mapping[str, Maker]
    holds: frozenset[str]
    configs: Callable[[Sequence[File], Setting], Mapping[str, str]]
    how: str
    folder: str = ""
    ids: bool = True
    least: int = 1


def file_name(part: str, kind: str) -> str:
    """Name a file of records.

    >>> file_name("train", "chat"), file_name("train", "preference")
    ('train.jsonl', 'train-preference.jsonl')
    """
    return f"{part}.jsonl" if kind == "chat" else f"{part}-{kind}.jsonl"


def of(files: Sequence[File], part: str, *kinds: str) -> list[File]:
    """Pick files."""
    return [file for file in files if file.part == part and file.kind in kinds]


def as_yaml(data: Mapping[str, Any], *comments: str) -> str:
    """Write a configuration, with comments before it."""
    head = "".join(f"# {line}\n" for line in comments)
    return head + yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)


def card_head(configs: Mapping[str, Mapping[str, str]], digest: str) -> str:
    """Write the head of a data-set card: by it, ``datasets.load_dataset(FOLDER, CONFIG)`` opens these files."""
    listed = [
        {
            "config_name": name,
            "description": f"content {digest}",
            "data_files": [{"split": split, "path": path} for split, path in files.items()],
        }
        for name, files in configs.items()
    ]
    return f"---\n{yaml.safe_dump({'configs': listed}, sort_keys=False)}---\n\n"
