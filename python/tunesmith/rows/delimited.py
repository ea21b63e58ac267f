"""CSV and TSV, line by line: a damaged line costs itself alone, whatever it is that is wrong with it."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tunesmith.errors import InputError, at
from tunesmith.rows.records import DAMAGED, FrameTable

ROWS = 50_000
"""Records of a block."""
_SEPARATORS = ",;\t"
_LONGEST = 1 << 31
"""Characters of a field: the module's own limit is 131,072. What is too long for a row is told when rows are checked."""
_LINES = 20_000
"""Lines that one quoted field may run on over; a quotation mark that is never closed is damage of its line."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How fields are told apart.

    Attributes:
        separator: The character between them.
        quoted: Whether quotation marks enclose fields; if not, they are characters like any other.
    """

    separator: str
    quoted: bool

    def reader(self, lines: Iterable[str]) -> Any:
        """Make a reader that refuses what is not well-formed."""
        return csv.reader(lines, delimiter=self.separator, quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE, strict=True)


def read_delimited(chunks: Iterator[bytes], place: str, *, tabs: bool) -> Iterator[FrameTable]:
    """Read a delimited file in blocks of records.

    The first line names the fields. An empty field is null. Lines with nothing on them are no records.

    Args:
        chunks: Its text as UTF-8.
        place: What messages call it.
        tabs: Whether fields end at tabs, as in TSV; else at the comma, semicolon or tab that the first line has most of.
    Yields:
        At least one table; its ``damaged`` holds the lines that are no records: ``bad_utf8``, ``bad_csv``, ``wrong_width``.
    Raises:
        InputError: If the first line does not name the fields.
    """
    csv.field_size_limit(_LONGEST)
    lines = _Lines(chunks)
    dialect = _dialect(lines, tabs=tabs)
    names = _header(lines, dialect, place)
    block = _Block(names=names)
    number = 0
    for record in _records(lines, dialect, len(names)):
        block.add(number, record)
        number += 1
        if number % ROWS == 0:
            yield block.table()
            block = _Block(names=names)
    if block.size or number < ROWS:
        yield block.table()


@dataclass(frozen=True, kw_only=True)
class _Record:
    line: int
    fields: list[str] | None
    code: str = ""
    found: str = ""
    expected: str = ""
    raw: str = ""


class _Lines:
    """The lines of a text, numbered; those of the record at hand are remembered, so that it can be read again."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._coming = _lines(chunks)
        self._waiting: list[tuple[bytes, int]] = []
        self.taken: list[tuple[bytes, int]] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LINES:
            raise csv.Error("a quotation mark that is not closed")
        line = self._waiting.pop() if self._waiting else next(self._coming)
        self.taken.append(line)
        return line[0].decode("utf-8", "surrogateescape")

    def begin(self) -> None:
        """Forget the lines of the last record."""
        self.number += len(self.taken)
        self.taken = []

    def back(self, kept: int) -> None:
        """Take all lines of the record at hand but the first `kept` once more."""
        self._waiting += reversed(self.taken[kept:])
        del self.taken[kept:]

    def ahead(self, count: int) -> list[str]:
        """Look at the next lines."""
        seen = [line for line, _ in zip(self, range(count), strict=False)]
        self.back(0)
        return seen


def _lines(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """Cut a text into lines, each with the offset of its first byte."""
    rest, at = b"", 0
    for number, chunk in enumerate(chunks):
        if number == 0 and chunk.startswith(codecs.BOM_UTF8):
            chunk, at = chunk[len(codecs.BOM_UTF8) :], len(codecs.BOM_UTF8)  # noqa: PLW2901
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n", at
            at += len(line) + 1
    if rest:
        yield rest, at


def _dialect(lines: _Lines, *, tabs: bool) -> Dialect:
    ahead = lines.ahead(1000)
    first = ahead[0] if ahead else ""
    separator = "\t" if tabs else max(_SEPARATORS, key=lambda each: (first.count(each), -_SEPARATORS.index(each)))
    quoted, plain = (Dialect(separator=separator, quoted=each) for each in (True, False))
    # In many TSV files quotation marks are characters: then some field goes on behind the mark that would end it, and none
    # has marks doubled in it.
    literal = separator == "\t" and not any('""' in line for line in ahead) and _reads(ahead, plain) and not _reads(ahead, quoted)
    return plain if literal else quoted


def _reads(lines: list[str], dialect: Dialect) -> bool:
    try:
        return len({len(fields) for fields in dialect.reader(lines) if fields}) <= 1
    except csv.Error as error:
        return "unexpected end" in str(error)


def _header(lines: _Lines, dialect: Dialect, place: str) -> list[str]:
    first = next(_records(lines, dialect, None), None)
    where = at(place, line=1)
    if first is None or first.fields is None:
        found = first.found if first else "nothing"
        raise InputError(f"{where}: expected the names of the fields, found {found}")
    names = [name.strip() or f"column_{k}" for k, name in enumerate(first.fields, 1)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f'{where}: expected a name for each field, found "{twice}" twice; rename one')
    return names


def _records(lines: _Lines, dialect: Dialect, width: int | None) -> Iterator[_Record]:
    """Read records; of one that is damaged, the first line is given up and reading goes on behind it."""
    reader = dialect.reader(lines)
    while True:
        lines.begin()
        number = lines.number + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            damage = _Record(line=number, fields=None, code="bad_csv", found=_said(error), expected=_QUOTES)
            yield _given_up(lines, damage)
            reader = dialect.reader(lines)
            continue
        if fields is None:
            return
        if not fields:
            continue
        bad = _not_utf8(lines.taken)
        if bad:
            yield _given_up(lines, _Record(line=number, fields=None, code="bad_utf8", found=bad, expected="UTF-8 text"))
            reader = dialect.reader(lines)
        elif width is not None and len(fields) != width:
            expected = f"{width} fields, as the first line names"
            yield _given_up(lines, _Record(line=number, fields=None, code="wrong_width", found=f"{len(fields)} fields", expected=expected))
            reader = dialect.reader(lines)
        else:
            yield _Record(line=number, fields=fields)


_QUOTES = "a field with quotation marks in quotation marks, those in it doubled"


def _said(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end" in said:
        return "a quotation mark that is not closed"
    if "new-line character" in said:
        return "a carriage return alone (lines must end in LF or CRLF; within a field it needs quotation marks)"
    return "text behind a closing quotation mark" if "expected after" in said else said


def _given_up(lines: _Lines, damage: _Record) -> _Record:
    lines.back(1)
    raw = lines.taken[0][0].decode("utf-8", "replace").rstrip("\r\n") if lines.taken else ""
    return _Record(line=damage.line, fields=None, code=damage.code, found=damage.found, expected=damage.expected, raw=raw)


def _not_utf8(taken: list[tuple[bytes, int]]) -> str:
    for line, start in taken:
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return f"byte 0x{line[error.start]:02X} at byte {start + error.start}"
    return ""


@dataclass(kw_only=True)
class _Block:
    names: list[str]
    rows: list[list[str]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    damaged: list[dict[str, Any]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.damaged)

    def add(self, number: int, record: _Record) -> None:
        if record.fields is not None:
            self.rows.append(record.fields)
            self.places.append((number, record.line))
            return
        told = {key: getattr(record, key) for key in ("line", "code", "found", "expected", "raw")}
        self.damaged.append({"record": number, "field": None, **told})

    def table(self) -> FrameTable:
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.names)
        frame = pl.DataFrame([pl.Series(name, values, dtype=pl.String) for name, values in zip(self.names, columns, strict=True)])
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
        record, line = (pl.Series([place[k] for place in self.places], dtype=pl.UInt64) for k in (0, 1))
        return FrameTable(frame, record=record, line=line, damaged=pl.DataFrame(self.damaged, schema=DAMAGED, orient="row"))
