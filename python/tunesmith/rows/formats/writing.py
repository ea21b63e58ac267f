"""The formats out: a row as a record of each, and a count of what the record cannot hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import polars as pl

from tunesmith.rows.turns import Message

Record = dict[str, Any]

_MESSAGE = pl.Struct({
    "role": pl.String, "content": pl.String, "reasoning_content": pl.String, "name": pl.String, "tool_calls": pl.String,
    "tool_call_id": pl.String, "weight": pl.Int8,
})  # fmt: skip
_TURN = pl.Struct({"from": pl.String, "value": pl.String, "train": pl.Boolean})
_FROM = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation"}


@dataclass(kw_only=True)
class Writer:
    """Makes records of rows.

    Attributes:
        lost: Field to the number of rows whose content the target cannot hold.
    """

    lost: Counter[str] = field(default_factory=Counter)
    _now: set[str] = field(default_factory=set)

    def write(self, target: Target, row: Record) -> Record | None:
        """Make one record; a field counts once a row, however many turns lose it. A plain text asks nothing: no target holds it."""
        self._now.clear()
        if row["kind"] == "text":
            self._now.add("row")
        record = None if row["kind"] == "text" else target.make(self, row)
        self.lost.update(self._now)
        return record

    def alpaca(self, row: Record) -> Record:
        """Instruction, input, output; earlier turns as history."""
        self._lose(row, "rejected", "tools")
        messages = row["messages"]
        if messages is None:
            record = {"instruction": row["instruction"] or "", "input": row["input"] or "", "output": row["output"]}
            return {**record, "system": row["system"] or None}
        self._lose_turns(messages, "tool_calls", "tool", "reasoning", "name", "train", "system")
        pairs = _pairs(messages)
        asked, answered = pairs.pop()
        return {
            "instruction": asked,
            "input": "",
            "output": answered,
            "system": row["system"],
            "history": [list(pair) for pair in pairs] or None,
        }

    def sharegpt(self, row: Record) -> Record:
        """Conversations of from and value; calls and observations as turns of their own."""
        self._lose(row, "rejected")
        messages = self._messages(row)
        self._lose_turns(messages, "reasoning", "name", "tool_call_id")
        if any("id" in call for message in messages for call in json.loads(message.get("tool_calls") or "[]")):
            self._now.add("tool_call_id")
        return {"conversations": [turn for message in messages for turn in _turns(message)], "tools": row["tools"]}

    def messages(self, row: Record) -> Record:
        """OpenAI's messages, with everything that a row holds."""
        self._lose(row, "rejected")
        return {"messages": [_plain(message) for message in self._messages(row)], "tools": _loaded(row["tools"])}

    def openai(self, row: Record) -> Record | None:
        """Messages as OpenAI's finetuning takes them: ids on calls, arguments as text, weight on answers alone."""
        self._lose(row, "rejected")
        messages = self._messages(row)
        if not messages or messages[-1]["role"] != "assistant":
            self._now.add("row")
            return None
        self._lose_turns(messages, "reasoning")
        if any(message.get("name") is not None for message in messages if message["role"] == "tool"):
            self._now.add("name")
        if any(message.get("train") for message in messages if message["role"] != "assistant"):
            self._now.add("train")
        return {"messages": strict(messages), "tools": wrapped(row["tools"])}

    def prompt_completion(self, row: Record) -> Record:
        """Two texts; the turns before the answer are joined by a newline."""
        self._lose(row, "rejected", "tools", "system")
        messages = row["messages"]
        if messages is None:
            self._lose(row, "input")
            return {"prompt": _asked(row), "completion": row["output"]}
        self._lose_turns(messages, "tool_calls", "tool", "reasoning", "name", "train")
        said = [message for message in messages if message["role"] in ("user", "assistant")]
        answered = said[-1]["role"] == "assistant"
        before = said[:-1] if answered else said
        if len(before) > 1:
            self._now.add("messages")
        return {"prompt": "\n".join(m["content"] for m in before if m["content"]), "completion": said[-1]["content"] if answered else None}

    def preference(self, row: Record) -> Record | None:
        """Prompt, chosen and rejected, each a list of messages."""
        if row["rejected"] is None:
            self._now.add("row")
            return None
        messages = row["messages"]
        last = max(k for k, message in enumerate(messages) if message["role"] == "user") + 1
        parts = {"prompt": messages[:last], "chosen": messages[last:], "rejected": row["rejected"]}
        return {**{name: [_plain(message) for message in part] for name, part in parts.items()}, "tools": _loaded(row["tools"])}

    def _messages(self, row: Record) -> list[Message]:
        """Give any row as a conversation."""
        if row["messages"] is not None:
            return list(row["messages"])
        self._lose(row, "input")
        system = [{"role": "system", "content": row["system"]}] if row["system"] else []
        answer = [{"role": "assistant", "content": row["output"]}] if row["output"] is not None else []
        return [*system, {"role": "user", "content": _asked(row)}, *answer]

    def _lose(self, row: Record, *names: str) -> None:
        self._now.update(name for name in names if row[name] not in (None, "", "[]", []))

    def _lose_turns(self, messages: list[Message], *names: str) -> None:
        """Count turn fields; `tool` and `system` are turns of that role (a first system prompt has its own column)."""
        for name in names:
            if name in ("tool", "system"):
                found = any(message["role"] == name for message in messages[1 if name == "system" else 0 :])
                self._now.update(["messages"] if found else [])
            elif any(message.get(name) is not None for message in messages):
                self._now.add(name)


@dataclass(frozen=True, kw_only=True)
class Target:
    """One way out.

    Attributes:
        name: As typed after ``--to``.
        make: Makes a record; None where a row has none.
        schema: The record's columns, in files that are tables.
        strict: Whether a record may hold nothing else.
    """

    name: str
    make: Callable[[Writer, Record], Record | None]
    schema: Mapping[str, Any]
    strict: bool = False


_TEXTS = dict.fromkeys(("instruction", "input", "output", "system"), pl.String)
TARGETS = {
    target.name: target
    for target in (
        Target(name="alpaca", make=Writer.alpaca, schema={**_TEXTS, "history": pl.List(pl.List(pl.String))}),
        Target(name="sharegpt", make=Writer.sharegpt, schema={"conversations": pl.List(_TURN), "tools": pl.String}),
        Target(name="messages", make=Writer.messages, schema={"messages": pl.List(_MESSAGE), "tools": pl.String}),
        Target(name="openai", make=Writer.openai, schema={"messages": pl.List(_MESSAGE), "tools": pl.String}, strict=True),
        Target(name="prompt-completion", make=Writer.prompt_completion, schema={"prompt": pl.String, "completion": pl.String}),
        Target(
            name="preference",
            make=Writer.preference,
            schema={"prompt": pl.List(_MESSAGE), "chosen": pl.List(_MESSAGE), "rejected": pl.List(_MESSAGE), "tools": pl.String},
        ),
    )
}


def tabular(record: Record) -> Record:
    """Write what has no fixed type (tool schemas, calls) as JSON text, for files that are tables."""
    made = {key: _flat(value) if key in ("messages", "prompt", "chosen", "rejected") else value for key, value in record.items()}
    if isinstance(made.get("tools"), list):
        made["tools"] = json.dumps(made["tools"], ensure_ascii=False)
    return made


def _flat(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [
        {**message, "tool_calls": json.dumps(message["tool_calls"], ensure_ascii=False)} if message.get("tool_calls") else message
        for message in value
    ]


def _asked(row: Record) -> str:
    return "\n".join(part for part in (row["instruction"], row["input"]) if part)


def _pairs(messages: list[Message]) -> list[tuple[str, str | None]]:
    """Fold a conversation into what was asked and what was answered in the end; None where nobody answered."""
    pairs: list[tuple[str, str | None]] = []
    for message in messages:
        if message["role"] == "user":
            pairs.append((message["content"] or "", None))
        elif message["role"] == "assistant" and pairs:
            asked, answered = pairs[-1]
            pairs[-1] = (asked, "\n".join(part for part in (answered, message["content"]) if part))
    return pairs or [("", None)]


def _turns(message: Message) -> list[Record]:
    train = {} if message.get("train") is None else {"train": message["train"]}
    calls = json.loads(message.get("tool_calls") or "[]")
    said = [{"from": _FROM[message["role"]], "value": message["content"] or "", **train}] if message["content"] or not calls else []
    functions = [call["function"] for call in calls]
    called = json.dumps(functions[0] if len(functions) == 1 else functions, ensure_ascii=False)
    return [*said, *([{"from": "function_call", "value": called, **train}] if calls else [])]


def _plain(message: Message) -> Record:
    """Write a message with the fields that say something."""
    names = {"reasoning": "reasoning_content", "name": "name", "tool_call_id": "tool_call_id"}
    record: Record = {"role": message["role"], "content": message["content"]}
    record.update({theirs: message[ours] for ours, theirs in names.items() if message.get(ours) is not None})
    if message.get("tool_calls"):
        record["tool_calls"] = json.loads(message["tool_calls"])
    if message.get("train") is not None:
        record["weight"] = int(message["train"])
    return record


def strict(messages: list[Message]) -> list[Record]:
    """Give every call an id and every tool turn the id of the call it answers."""
    records = []
    open_ids: list[str] = []
    given = {call.get("id") for message in messages for call in json.loads(message.get("tool_calls") or "[]")}
    free = (name for name in (f"call_{k}" for k in count()) if name not in given)
    for message in messages:
        record = _plain(message)
        record.pop("reasoning_content", None)
        if message["role"] != "assistant":
            record.pop("weight", None)
        if message["role"] == "tool":
            record.pop("name", None)
        for call in record.get("tool_calls", []):
            call["id"] = call.get("id") or next(free)
            open_ids.append(call["id"])
            if not isinstance(call["function"]["arguments"], str):
                call["function"]["arguments"] = json.dumps(call["function"]["arguments"], ensure_ascii=False)
        if message["role"] == "tool":
            answered = record.setdefault("tool_call_id", open_ids[0] if open_ids else next(free))
            open_ids = [identity for identity in open_ids if identity != answered]
        records.append(record)
    return records


def wrapped(tools: str | None) -> Any:
    """Give tool schemas as OpenAI writes them: each under ``function``; None where there are none."""
    loaded = _loaded(tools)
    if not loaded:
        return None
    return [tool if isinstance(tool, dict) and "function" in tool else {"type": "function", "function": tool} for tool in loaded]


def _loaded(tools: str | None) -> Any:
    return None if tools is None else json.loads(tools)
