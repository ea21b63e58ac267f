"""A row as the messages that a chat template reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COLUMNS = ("position", "row_id", "kind", "instruction", "input", "output", "system", "messages", "tools")
"""What of a row is read here."""

JOIN = "\n"
"""Between instruction and input where a template has one content for both (as `rows.fields.prompt` joins them)."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """What a template renders.

    Attributes:
        messages: As templates expect them: absent fields left out, tool calls as objects.
        supervised: Indices of the assistant messages to learn.
        tools: Tool schemas or None.
    """

    messages: list[dict[str, Any]]
    supervised: list[int]
    tools: list[Any] | None = None

    def asking(self) -> list[dict[str, Any]]:
        """Give the messages before the last answer: what a model is prompted with."""
        last = len(self.messages) - 1
        if last >= 0 and self.messages[last]["role"] == "assistant":
            return self.messages[:last]
        return self.messages


def conversation(row: Mapping[str, Any], *, own_input: bool) -> Conversation:
    r"""Read a row.

    An answer that is empty or absent is not supervised, nor is a message whose `train` is false.

    Args:
        row: The columns `COLUMNS`.
        own_input: Whether the template reads `input` as a field of its own.
    Raises:
        ValueError: If `tools` or `tool_calls` hold no JSON.

    >>> row = {"kind": "instruct", "instruction": "Add", "input": "1 2", "output": "3"}
    >>> conversation(row, own_input=False).messages
    [{'role': 'user', 'content': 'Add\n1 2'}, {'role': 'assistant', 'content': '3'}]
    """
    messages = _instruct(row, own_input=own_input) if row.get("messages") is None else [_message(m) for m in row["messages"]]
    trained = [m.get("train") is not False for m in row["messages"]] if row.get("messages") is not None else [True] * len(messages)
    if row.get("system") and not any(m["role"] == "system" for m in messages):
        messages.insert(0, {"role": "system", "content": row["system"]})
        trained.insert(0, False)
    supervised = [
        k for k, m in enumerate(messages)
        if m["role"] == "assistant" and trained[k] and (m["content"] or m.get("tool_calls") or m.get("reasoning_content"))
    ]  # fmt: skip
    tools = json.loads(row["tools"]) if row.get("tools") else None
    return Conversation(messages=messages, supervised=supervised, tools=tools or None)


def _instruct(row: Mapping[str, Any], *, own_input: bool) -> list[dict[str, Any]]:
    instruction, given = row.get("instruction") or "", row.get("input") or ""
    user: dict[str, Any] = {"role": "user", "content": instruction}
    if own_input:
        user["input"] = given
    elif given:
        user["content"] = JOIN.join(part for part in (instruction, given) if part)
    messages = [user]
    if row.get("output") is not None:
        messages.append({"role": "assistant", "content": row["output"]})
    return messages


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message["role"], "content": message.get("content") or ""}
    if message.get("reasoning"):
        # The name templates read today, and the older one that gpt-oss reads.
        made["reasoning_content"] = made["thinking"] = message["reasoning"]
    for name in ("name", "tool_call_id"):
        if message.get(name):
            made[name] = message[name]
    if message.get("tool_calls"):
        made["tool_calls"] = [_call(call) for call in json.loads(message["tool_calls"])]
    return made


def _call(call: Any) -> Any:
    """Give a tool call's arguments as an object, which is what templates print as JSON."""
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict) and isinstance(function.get("arguments"), str):
        try:
            arguments = json.loads(function["arguments"])
        except (ValueError, RecursionError):
            return call
        if isinstance(arguments, dict):
            return {**call, "function": {**function, "arguments": arguments}}
    return call
