"""Python's own `json`, line by line and whole: the slow, plain twin of `core.read_json`."""

from __future__ import annotations

import json
from typing import Any


def loads(text: str) -> Any:
    """Parse one value; ValueError also for what no text can hold (an escaped surrogate without its pair)."""
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return value


def lines(data: bytes) -> tuple[list[tuple[int, dict[str, Any]]], list[int]]:
    """Read JSON lines: ([(1-based line, object)], [lines that hold no readable object])."""
    good, bad = [], []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            value = loads(line.decode())
        except ValueError:
            value = None
        if isinstance(value, dict):
            good.append((number, value))
        else:
            bad.append(number)
    return good, bad


def kind(record: dict[str, Any], field: str) -> str:
    """Name the type of a field's value."""
    if field not in record:
        return "missing"
    names = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object", type(None): "null"}
    return names[type(record[field])]
