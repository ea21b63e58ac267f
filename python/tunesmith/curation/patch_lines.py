"""One line of a patch: which fields it may have, of what kind, and what goes with which action.

Knows JSON alone; whether a line fits a row is found out where it meets the row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from tunesmith.errors import did_you_mean

Action = Literal["drop", "edit", "weight", "mask", "add"]
Status = Literal["proposed", "accepted", "rejected"]
ACTIONS: tuple[Action, ...] = get_args(Action)
"""In the order in which edits of one row give way: the first that a row has is taken."""
STATUSES: tuple[Status, ...] = get_args(Status)
NAMES = ("edit_id", "position", "row_id", "action", "fields", "weight", "turn", "category", "reason", "evidence", "status", "reviewer")
TEXTS = ("instruction", "input", "output", "system")
TURNS = ("messages", "rejected")
FIELDS = (*TEXTS, "messages", "tools", "rejected")
"""What an edit can change: the fields that make a row's id."""
OF_A_TURN = ("instruction", "output")
"""What an edit of one turn can change: what the user asks, or what the assistant answers."""
_LARGEST = 3.4e38
"""The largest weight that fits the column (Float32)."""


class LineError(ValueError):
    """What is wrong with a line: `field` (None: the line), what was `found`, what was `expected`."""

    def __init__(self, field: str | None, found: str, expected: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.field, self.found, self.expected = field, found, expected


def parse(content: str) -> dict[str, Any]:
    """Check one line.

    Returns:
        The fields that were given and are not null.
    Raises:
        LineError: At the first thing that is wrong.

    >>> parse('{"action": "add", "fields": {"instruction": "Sing", "output": "La"}, "row_id": null}')["action"]
    'add'
    """
    try:
        raw = json.loads(content, parse_constant=_no_constant)
        json.dumps(raw, ensure_ascii=False).encode()  # a lone surrogate parses, but no table holds it
    except (ValueError, RecursionError) as error:
        raise LineError(None, f"{error} in {shown(content)}", "one JSON object a line") from error
    if not isinstance(raw, dict):
        raise LineError(None, shown(raw), "a JSON object with the fields of an edit")
    given = {name: value for name, value in raw.items() if value is not None}
    for problem in _problems(given, raw):
        raise problem
    return given


def _problems(given: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterator[LineError]:
    for name in raw:
        if name not in NAMES:
            yield LineError(name, "an unknown field", f"a field of an edit ({did_you_mean(name, NAMES)})")
    for name, known in (("action", ACTIONS), ("status", STATUSES)):
        if given.get(name, STATUSES[0] if name == "status" else None) not in known:
            yield LineError(name, shown(raw.get(name)), _one_of(raw.get(name), known))
    for name, (test, expected) in _KINDS.items():
        if name in given and not test(given[name]):
            yield LineError(name, shown(given[name]), expected)
    yield from _combined(given["action"], given, raw)


def _combined(action: Action, given: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterator[LineError]:
    """Find what does not go with the action."""
    for name in ("position", "row_id"):
        if action == "add" and name in given:
            yield LineError(name, shown(given[name]), "nothing (a new row gets its place when it is added)")
        if action != "add" and name not in given:
            yield LineError(name, "nothing", f"{_KINDS[name][1]} (it tells which row is meant)")
    for name, actions in (("fields", ("edit", "add")), ("weight", ("weight", "add")), ("turn", ("edit", "mask"))):
        if action not in actions and name in given:
            yield LineError(name, shown(given[name]), f"nothing ({action} takes no {name})")
    if action in ("edit", "add") and not given.get("fields"):
        yield LineError("fields", shown(raw.get("fields")), 'the new values, such as {"output": "..."}')
    if action == "weight" and "weight" not in given:
        yield LineError("weight", "nothing", _KINDS["weight"][1])
    if action == "edit":
        yield from _new_values(given["fields"], given.get("turn"))


def _new_values(fields: Mapping[str, Any], turn: int | None) -> Iterator[LineError]:
    known = FIELDS if turn is None else OF_A_TURN
    if turn is not None and len(fields) > 1:
        expected = f"one of {', '.join(OF_A_TURN)}, the text of turn {turn}; `messages` without a turn changes several"
        yield LineError("fields", ", ".join(fields), expected)
    for name, value in fields.items():
        place = f"fields.{name}"
        if name not in known:
            yield LineError(place, f'"{name}"', f"a field that an edit can change ({did_you_mean(name, known)})")
        elif name in TURNS and not (isinstance(value, list) and value):
            yield LineError(place, shown(value), 'a list of turns, such as {"role": "user", "content": "..."}')
        elif name in TEXTS and not (isinstance(value, str) or (value is None and turn is None)):
            yield LineError(place, shown(value), "text")
        elif name == "tools" and not isinstance(value, str | list | None):
            yield LineError(place, shown(value), "a list of tool schemas")


def _whole(value: object, below: int) -> bool:
    return type(value) is int and 0 <= value < below


def _name(value: object) -> bool:
    return isinstance(value, str) and value.strip() == value != ""


def _row_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == 32 and set(value) <= set("0123456789abcdef")


def _weight(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and 0 <= value <= _LARGEST and math.isfinite(value)


_KINDS: dict[str, tuple[Any, str]] = {
    "edit_id": (_name, "text, 16 hex digits where Tunesmith writes it"),
    "position": (lambda value: _whole(value, 2**64), "a position, a whole number"),
    "row_id": (_row_id, "a row id, 32 hex digits"),
    "fields": (lambda value: isinstance(value, dict), "an object"),
    "weight": (_weight, "a number, 0 or more"),
    "turn": (lambda value: _whole(value, 2**32), "the index of a turn, a whole number"),
    "category": (_name, "a name"),
    "reason": (lambda value: isinstance(value, str), "text"),
    "evidence": (lambda value: isinstance(value, dict), "an object"),
    "reviewer": (lambda value: isinstance(value, str), "text"),
}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name}, which is no JSON number")


def _one_of(found: object, known: Sequence[str]) -> str:
    near = did_you_mean(found, known) if isinstance(found, str) else ""
    return f"one of {', '.join(known)}{f' ({near})' if near.startswith('did') else ''}"


def shown(value: object) -> str:
    """Quote what was found, shortened.

    >>> shown(None), shown("a"), shown([1])
    ('nothing', '"a"', '[1]')
    """
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
