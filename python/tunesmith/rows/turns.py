"""Conversations: turns of any dialect as messages of one shape, every wrong turn named.

Read are OpenAI's (role, content) and ShareGPT's (from, value) names, in any mixture.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.rows.records import Unreadable
from tunesmith.rows.rejects import Problem, excerpt, shorten
from tunesmith.rows.values import loads

ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "bot": "assistant", "chatgpt": "assistant", "model": "assistant",
    "function_call": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool", "ipython": "tool",
}  # fmt: skip
"""Names of a role in the wild to ours."""

Message = dict[str, Any]
CALL = "function_call"
"""How OpenAI wrote a turn's one call before `tool_calls`."""
TRAIN = ("weight", "loss_weight", "train", "training")
KNOWN = {"role", "from", "content", "value", "reasoning_content", "reasoning", "name", "tool_calls", "tool_call_id", CALL, *TRAIN}
_AFTER = {
    None: {"system", "user"},
    "system": {"system", "user"},
    "user": {"assistant"},
    "assistant": {"user"},
    "call": {"tool"},
    "tool": {"tool", "assistant", "user"},
}
"""Which roles may follow which; "call" is an assistant turn that calls tools."""


@dataclass(kw_only=True)
class Turns:
    """Reads conversations and gathers what is wrong with them.

    Attributes:
        problems: All problems so far.
        lost: Turn fields that a message cannot hold, with how many turns have them.
    """

    problems: list[Problem] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)

    def read(self, row: int, name: str, value: Any, *, after: str | None = None) -> list[Message]:
        """Read one conversation.

        Args:
            row: Index of the record.
            name: The field, for messages.
            value: What stands there; a lone turn counts as a list of one.
            after: The role of the turn before the first one; None at the start.
        Returns:
            Its messages; meaningless where problems were found.
        """
        if isinstance(value, dict):
            value = [value]
        if not isinstance(value, list):
            self._wrong(row, name, "wrong_type", excerpt(value), "a list of turns")
            return []
        known = len(self.problems)
        messages: list[Message] = []
        unknown = False
        for k, turn in enumerate(value):
            message = self._turn(row, name, k, turn)
            if message is None:
                unknown = True  # whatever follows it may be in its place
                continue
            before = _state(messages[-1]) if messages else after
            if message["role"] == "assistant" and before in ("assistant", "call") and turn.get("from") and message.get("tool_calls"):
                _join(messages[-1], message)
                continue
            if message["role"] not in _AFTER[before] and not unknown:
                expected = " or ".join(sorted(_AFTER[before]))
                where = f"after {before or 'the start'}"
                self._wrong(row, f"{name}[{k}].role", "role_order", f"{message['role']} {where}", expected)
            messages.append(message)
            unknown = False
        asked = after is not None or any(message["role"] == "user" for message in messages)
        if not asked and len(self.problems) == known:
            self._wrong(row, name, "empty_prompt", "no user turn", "a user turn")
        return messages

    def _wrong(self, row: int, name: str, code: str, found: str, expected: str) -> None:
        self.problems.append(Problem(row=row, field=name, code=code, found=found, expected=expected))

    def _turn(self, row: int, field: str, k: int, turn: Any) -> Message | None:
        if not isinstance(turn, dict):
            self._wrong(row, f"{field}[{k}]", "wrong_type", excerpt(turn), "a turn (an object with role and content)")
            return None
        spoken = turn.get("role") or turn.get("from")
        role = ROLES.get(spoken) if isinstance(spoken, str) else None
        known, name = len(self.problems), f"{field}[{k}]"
        if role is None:
            self._wrong(
                row, f"{name}.{'from' if turn.get('from') else 'role'}", "unknown_role", excerpt(spoken), f"one of {', '.join(ROLES)}"
            )
        key = "content" if turn.get("content") is not None else "value" if "value" in turn else "content"
        content = self._content(row, name, key, turn.get(key))
        message: Message = {"role": role, "content": content, "reasoning": None, "name": None, "tool_call_id": None, "train": None}
        calls = None
        if len(turn) > 2 or key not in turn or not ("role" in turn or "from" in turn):  # more than who spoke and what
            if not KNOWN.issuperset(turn):
                self.lost.update(key for key, value in turn.items() if key not in KNOWN and value is not None)
            message["reasoning"] = self._text(row, name, turn, ("reasoning_content", "reasoning"))
            message["name"] = self._text(row, name, turn, ("name",))
            message["tool_call_id"] = self._text(row, name, turn, ("tool_call_id",))
            message["train"] = self._train(row, name, turn)
            calls = turn.get("tool_calls") or _one_call(turn.get(CALL))
        if spoken == "function_call":
            message["content"], calls = "", _parsed(content)
            message["tool_calls"] = self._calls(row, f"{name}.value", calls if isinstance(calls, list) else [calls])
        elif calls:
            message["tool_calls"] = self._calls(row, f"{name}.tool_calls", _parsed(calls) if isinstance(calls, str) else calls)
        if len(self.problems) > known:
            return message if role is not None else None
        if content is None and not message.get("tool_calls") and role != "assistant":
            self._wrong(row, f"{name}.content", "empty_turn", "nothing", f"what the {role} says")
        if role == "user" and isinstance(content, str) and not content.strip():
            self._wrong(row, f"{name}.content", "empty_prompt", "nothing", "what the user asks")
        return message

    def _content(self, row: int, turn: str, key: str, content: Any) -> str | None:
        if content is None or (isinstance(content, str) and "\0" not in content):
            return content
        name = f"{turn}.{key}"
        if isinstance(content, list):
            content = "".join(self._part(row, f"{name}[{k}]", part) for k, part in enumerate(content))
        if not isinstance(content, str):
            self._wrong(row, name, "wrong_type", excerpt(content), "text, or a list of text parts")
            return None
        if "\0" in content:
            self._wrong(row, name, "nul_character", f"NUL at character {content.index(chr(0))}", "text without NUL")
        return content

    def _part(self, row: int, name: str, part: Any) -> str:
        if isinstance(part, str):
            return part
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get("text", part.get("value")) if isinstance(part, dict) else None
        if kind in ("text", "input_text", "output_text") and isinstance(text, str):
            return text
        code = "wrong_type" if kind in (None, "text") else "unsupported_part"
        self._wrong(row, name, code, f"part of type {kind}" if kind else excerpt(part), "a text part (images and audio are not read)")
        return ""

    def _text(self, row: int, name: str, turn: dict[str, Any], keys: Sequence[str]) -> str | None:
        key = next((key for key in keys if turn.get(key) is not None), None)
        if key is None:
            return None
        if not isinstance(turn[key], str):
            self._wrong(row, f"{name}.{key}", "wrong_type", excerpt(turn[key]), "text")
            return None
        return str(turn[key])

    def _train(self, row: int, name: str, turn: dict[str, Any]) -> bool | None:
        key = next((key for key in TRAIN if turn.get(key) is not None), None)
        if key is None:
            return None
        if turn[key] not in (0, 1):
            self._wrong(row, f"{name}.{key}", "wrong_type", excerpt(turn[key]), "0 or 1 (true or false); graded turns cannot be held")
            return None
        return bool(turn[key])

    def _calls(self, row: int, name: str, calls: Any) -> str | None:
        """Bring tool calls to one shape, arguments as an object where they are JSON text."""
        if not isinstance(calls, list):
            self._wrong(row, name, "bad_tool_call", excerpt(calls), "a list of tool calls")
            return None
        made = []
        for call in calls:
            inner = call.get("function", call) if isinstance(call, dict) else None
            if not (isinstance(inner, dict) and isinstance(inner.get("name"), str)):
                self._wrong(row, name, "bad_tool_call", excerpt(call), 'a call such as {"name": ..., "arguments": {...}}')
                return None
            arguments = inner.get("arguments")
            if isinstance(arguments, str) and isinstance(_parsed(arguments), dict):
                arguments = _parsed(arguments)
            identity = {"id": call["id"]} if call.get("id") is not None else {}
            made.append({**identity, "type": "function", "function": {"name": inner["name"], "arguments": arguments}})
        return json.dumps(made, ensure_ascii=False)


def _one_call(call: Any) -> list[Any] | None:
    """Give a turn's one call as a list; a table's empty place for one is none."""
    return [call] if call and (not isinstance(call, dict) or any(value is not None for value in call.values())) else None


def _parsed(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return loads(text)
    except ValueError:
        return Unreadable(text)


def _state(message: Message) -> str:
    return "call" if message.get("tool_calls") else str(message["role"])


def _join(message: Message, call: Message) -> None:
    """Add a call to the assistant turn before it: ShareGPT writes text and each call as turns of their own."""
    calls = json.loads(message.get("tool_calls") or "[]") + json.loads(call["tool_calls"])
    message["tool_calls"] = json.dumps(calls, ensure_ascii=False)


class Listed(str):
    """JSON text that is known to be a list, as Python writes it."""


def tools(value: Any, row: int, problems: list[Problem]) -> str | None:
    """Read tool schemas: a list, or the same as JSON text. Text stays as it is, "" is none."""
    if value is None or value == "":
        return None
    if isinstance(value, Listed):
        return str(value)
    parsed = _parsed(value)
    if not isinstance(parsed, list):
        problems.append(Problem(row=row, field="tools", code="bad_tools", found=shorten(excerpt(value)), expected="a list of tool schemas"))
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def mirror(messages: Sequence[Message]) -> dict[str, str | None]:
    """Give the columns that mirror a conversation: the last user turn, the last answer, the first system prompt.

    A conversation that does not end with the assistant has no answer yet.

    >>> mirror([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    {'instruction': 'a', 'output': 'b', 'system': None}
    """
    asked = next((m["content"] for m in reversed(messages) if m["role"] == "user"), None)
    answered = messages[-1]["content"] if messages and messages[-1]["role"] == "assistant" else None
    system = next((m["content"] for m in messages if m["role"] == "system"), None)
    return {"instruction": asked, "output": answered, "system": system}
