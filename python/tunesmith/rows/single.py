"""A file that is one JSON object: columns, records by name, or a list of records with something beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tunesmith import core
from tunesmith.rows.records import JsonTable
from tunesmith.rows.values import loads

_TURN = frozenset({"role", "from", "content", "value"})
"""What an object has one of that is a turn: then its list is a conversation, and the record a row."""


def opened(table: JsonTable, name: str, fits: Callable[[Sequence[str]], bool]) -> tuple[JsonTable, tuple[str, ...]]:
    """Open the records that one object holds; a record that is a row stays as it is.

    Read are columns (``{"instruction": [...], "output": [...]}``, and pandas' ``{"instruction": {"0": ...}, ...}``), records by
    name (``{"a": {...}, "b": {...}}``), pandas' split table (``{"columns": [...], "data": [[...], ...]}``), and one list of
    records among other fields (``{"version": 1, "data": [{...}, ...]}``).

    Args:
        table: A file's records.
        name: The file, for messages.
        fits: Whether some format is known by these fields.
    Returns:
        The table to read, and what is to be told of it.
    """
    if table.height != 1 or table.damaged.height or table.layout != "lines":
        return table, ()
    types = {key: table.types(key)[0] for key in table.keys}
    found = set(types.values())
    if found in ({"array"}, {"object"}):
        try:
            made, how = _table(loads(table.raw(0)), fits)
        except ValueError:  # numbers that the core reads and Python does not
            return table, ()
        if made is not None:
            return _made(made), (f"{name}: one object, read as {how}",)
    lists = [key for key, kind in types.items() if kind == "array"]
    if len(lists) == 1 and not fits(table.keys):
        items = table.items(lists[0])
        if items.height:
            beside = ", ".join(f'"{key}"' for key in table.keys if key != lists[0])
            left = f"; {beside} beside it stays unread" if beside else ""
            return items, (f'{name}: one object, read as the list of records under "{lists[0]}"{left}',)
    return table, ()


def _table(whole: dict[str, Any], fits: Callable[[Sequence[str]], bool]) -> tuple[list[Any] | None, str]:
    values = list(whole.values())
    if set(whole) >= {"columns", "data"} and isinstance(whole["columns"], list) and all(isinstance(row, list) for row in whole["data"]):
        if all(len(row) == len(whole["columns"]) for row in whole["data"]) and fits(whole["columns"]):
            return [dict(zip(whole["columns"], row, strict=True)) for row in whole["data"]], "a table of columns and data"
        return None, ""
    if not fits(list(whole)):
        records = isinstance(values[0], dict) and fits(sorted({key for value in values for key in value}))
        return (values, "records by name") if records else (None, "")
    if isinstance(values[0], dict):
        keys = list(values[0])
        same = all(list(value) == keys for value in values) and not any(_TURN & set(value) for value in values)
        return ([{name: value[key] for name, value in whole.items()} for key in keys], "columns") if same else (None, "")
    same = len({len(value) for value in values}) == 1
    first = [item for value in values for item in value[:1]]
    # A list of turns makes the object a row; but no row holds a list of conversations.
    row = any(_turn(item) for item in first) and not any(isinstance(item, list) and item and _turn(item[0]) for item in first)
    return ([dict(zip(whole, record, strict=True)) for record in zip(*values, strict=True)], "columns") if same and not row else (None, "")


def _turn(item: Any) -> bool:
    """Tell a turn from the root of a tree of messages, which has replies."""
    return isinstance(item, dict) and bool(_TURN & set(item)) and "replies" not in item


def _made(records: list[Any]) -> JsonTable:
    table = JsonTable(core.read_json("\n".join(json.dumps(record) for record in records).encode()))
    table.line = None
    return table
