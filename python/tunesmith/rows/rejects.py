"""Records that cannot be rows: every problem named, and a file of them that can be mended and read again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.errors import InputError
from tunesmith.rows import schema
from tunesmith.rows.values import loads

NOTE = "_reject"
"""The key under which a line of a rejects file says what is wrong; reading it again leaves it out."""
RAW = "_raw"
"""The key that holds a record that is no JSON object, as text."""

_EXCERPT = 80


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with one record.

    Attributes:
        row: Index among the readable records of its file.
        field: Where, for example ``output`` or ``messages[2].role``.
        code: Stable name for scripts.
        found: What stood there, shortened.
        expected: What belongs there.
    """

    row: int
    field: str | None
    code: str
    found: str
    expected: str


def excerpt(value: Any) -> str:
    """Show a found value with its JSON type, shortened.

    >>> excerpt(12), excerpt(None), excerpt(["a"])
    ('number 12', 'null', 'array ["a"]')
    """
    names = {bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
    if value is None:
        return "null"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    kind = "text" if isinstance(value, str) else names.get(type(value), type(value).__name__)
    return f"{kind} {shorten(text)}"


def shorten(text: str) -> str:
    """Cut a text to what fits a message.

    >>> shorten("a" * 100) == "a" * 79 + "…"
    True
    """
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def write_rejects(rejected: pl.DataFrame, file: str | Path) -> int:
    """Write rejected records as JSON lines: the record as it stood, and under ``_reject`` what is wrong with it.

    Mend the record and read the file again: ``_reject`` is left out. A record that is not a JSON object
    stands as text under ``_raw``; it is read once that text is an object.

    Args:
        rejected: ``schema.REJECT``.
        file: Path of the JSONL file.
    Returns:
        Records written.
    """
    with writing_rejects(file) as write:
        return write(rejected)


@contextmanager
def writing_rejects(file: str | Path) -> Iterator[Callable[[pl.DataFrame], int]]:
    """Write rejected records in pieces, as `write_rejects` does; the file gets its name when all is written.

    Raises:
        InputError: If nothing can be written there.
    """
    path = Path(file)
    beside = path.with_name(f"{path.name}.part")
    try:
        stream = beside.open("w", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: rejected records cannot be written there: {error.strerror}; choose another file") from error
    try:
        with stream:

            def write(rejected: pl.DataFrame) -> int:
                lines = [json.dumps(_record(problems), ensure_ascii=False) for problems in _by_record(rejected)]
                stream.write("".join(line + "\n" for line in lines))
                return len(lines)

            yield write
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def read_rejects(file: str | Path) -> pl.DataFrame:
    """Open a rejects file as problems again (``schema.REJECT``)."""
    rows: list[dict[str, Any]] = []
    with Path(file).open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            note = record.pop(NOTE)
            raw = record[RAW] if set(record) == {RAW} else json.dumps(record, ensure_ascii=False)
            place = {key: note[key] for key in ("position", "file", "record", "line")}
            rows += [{**place, **problem, "raw": raw} for problem in note["problems"]]
    return pl.DataFrame(rows, schema=schema.REJECT, orient="row")


def _by_record(rejected: pl.DataFrame) -> Sequence[list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rejected.sort("position", maintain_order=True).iter_rows(named=True):
        groups.setdefault(row["position"], []).append(row)
    return list(groups.values())


def _record(problems: list[dict[str, Any]]) -> dict[str, Any]:
    first = problems[0]
    note = {key: first[key] for key in ("position", "file", "record", "line")}
    note["problems"] = [{key: problem[key] for key in ("field", "code", "found", "expected")} for problem in problems]
    return {**as_object(first["raw"]), NOTE: note}


def as_object(raw: str | None) -> dict[str, Any]:
    """Open a record's text; what is no JSON object that UTF-8 can hold stays as text under ``_raw``.

    >>> as_object('{"a": 1}'), as_object('{"a": ')
    ({'a': 1}, {'_raw': '{"a": '})
    """
    try:
        found = loads(raw or "")
        # A lone surrogate cannot be written as UTF-8: the record stays as its escaped text.
        json.dumps(found, ensure_ascii=False).encode()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {RAW: raw}
