"""Tables of a source's records: whole, or block by block where the source is larger than a block."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from tunesmith import core
from tunesmith.errors import InputError
from tunesmith.rows import contents
from tunesmith.rows.contents import Content
from tunesmith.rows.delimited import read_delimited
from tunesmith.rows.records import FrameTable, JsonTable, Table
from tunesmith.rows.single import opened

JSON = (".json", ".jsonl", ".ndjson")
TABLES = (".parquet", ".arrow", ".feather")
DELIMITED = (".csv", ".tsv")
ENDINGS = (*JSON, *TABLES, *DELIMITED, ".txt")
BLOCK = 100_000
"""Rows of a table that are held at a time."""
_HELD = 4
"""Blocks that are kept from the first reading of a file; one of more is read once more."""
_MAGIC = ((b"PAR1", ".parquet"), (b"ARROW1", ".arrow"), (b"\xff\xff\xff\xff", ".arrow"))

Fits = Callable[[Sequence[str]], bool]


class Reader(Protocol):
    """What can be read whole or in blocks, again and again."""

    @property
    def large(self) -> bool:
        """Tell whether reading it whole takes much more than its records, as the text of a large file does."""
        ...

    def whole(self) -> tuple[Table, tuple[str, ...]]:
        """Give all records, and what is to be told of them."""
        ...

    def blocks(self, *, ahead: bool = True) -> Iterator[tuple[Table, tuple[str, ...]]]:
        """Give the records in blocks; each knows the fields of all, or, unless `ahead`, at least those of all up to it."""
        ...


@dataclass(frozen=True)
class FrameReader:
    """A frame in memory."""

    frame: pl.DataFrame
    large = False

    def whole(self) -> tuple[Table, tuple[str, ...]]:
        """See `Reader`."""
        return FrameTable(self.frame), ()

    def blocks(self, *, ahead: bool = True) -> Iterator[tuple[Table, tuple[str, ...]]]:  # noqa: ARG002  (all are known)
        """See `Reader`."""
        for start in range(0, max(self.frame.height, 1), BLOCK):
            yield FrameTable(self.frame.slice(start, BLOCK), start=start), ()


@dataclass(frozen=True)
class ListReader:
    """JSON lines in memory."""

    lines: bytes
    large = False

    def whole(self) -> tuple[Table, tuple[str, ...]]:
        """See `Reader`."""
        return JsonTable(self.lines), ()

    def blocks(self, *, ahead: bool = True) -> Iterator[tuple[Table, tuple[str, ...]]]:  # noqa: ARG002  (all are known)
        """See `Reader`."""
        yield self.whole()


@dataclass(frozen=True, kw_only=True)
class FileReader:
    """A file of any kind.

    Attributes:
        content: Its bytes.
        name: What notes call it.
        fits: Whether some format is known by these fields.
    """

    content: Content
    name: str
    fits: Fits

    @property
    def large(self) -> bool:
        """See `Reader`."""
        return self.content.ending in JSON

    def whole(self) -> tuple[Table, tuple[str, ...]]:
        """See `Reader`."""
        with self._reading() as kind:
            if kind in TABLES:
                return FrameTable(self._frame(kind)), ()
            if kind in DELIMITED:
                return _joined(list(self._delimited(kind))), ()
            if kind == ".txt":
                return self._text(), ()
            return self._alone(*opened(JsonTable(self._plain or b"".join(self.content.text())), self.name, self.fits))
        raise AssertionError

    def blocks(self, *, ahead: bool = True) -> Iterator[tuple[Table, tuple[str, ...]]]:
        """See `Reader`."""
        with self._reading() as kind:
            if kind in TABLES:
                yield from ((table, ()) for table in self._slices(kind))
            elif kind in DELIMITED:
                yield from ((table, ()) for table in self._delimited(kind))
            elif kind == ".txt":
                yield self._text(), ()
            else:
                yield from self._json_blocks(ahead=ahead)

    def _json_blocks(self, *, ahead: bool) -> Iterator[tuple[Table, tuple[str, ...]]]:
        tables = self._json_tables()
        start = list(islice(tables, 2))
        if len(start) < 2:
            yield self._alone(*opened(start[0] if start else JsonTable(b""), self.name, self.fits))
            return
        keys: dict[str, None] = {}
        tables = chain(_given(start), tables)
        for table in self._seen(tables, keys) if ahead else tables:
            keys.update(dict.fromkeys(table.keys))
            table.keys = list(keys)
            yield table, ()

    def _seen(self, tables: Iterator[JsonTable], keys: dict[str, None]) -> Iterator[JsonTable]:
        """Go over all tables for the names of their fields, then give them, or what is read again where they are many."""
        held: list[JsonTable] | None = []
        for table in tables:
            keys.update(dict.fromkeys(table.keys))
            held = [*held, table] if held is not None and len(held) < _HELD else None
        return self._json_tables() if held is None else _given(held)

    def _json_tables(self) -> Iterator[JsonTable]:
        """Give a table of all, or of each block where they are more than one."""
        path = self._plain
        if path is None:
            with closing(self.content.text()) as chunks:
                first = next(chunks, b"")
                if len(first) < contents.CHUNK:
                    yield JsonTable(first + b"".join(chunks))
                else:
                    yield from map(JsonTable, core.json_blocks(chain([first], chunks)))
        elif path.stat().st_size <= contents.CHUNK:
            yield JsonTable(path)
        else:
            yield from map(JsonTable, core.json_blocks(path, size=contents.CHUNK))

    @property
    def _plain(self) -> Path | None:
        """Where its text lies as it is."""
        return None if self.content.packed or self.content.transcoded else self.content.path

    def _alone(self, table: JsonTable, notes: tuple[str, ...]) -> tuple[Table, tuple[str, ...]]:
        """Refuse what is no JSON at all; a damaged record among others is a reject."""
        place, kinds = self.content.place, ", ".join(ENDINGS)
        if not table.height and not table.damaged.height:
            found = "JSON without a record" if self.content.head().strip() else "an empty file"
            raise InputError(f"{place}: expected records, found {found}")
        if not table.height:
            if b"\0" in self.content.head():
                raise InputError(f"{place}: expected JSON, found binary data; name a file that ends in {kinds}")
            if self.content.ending not in ENDINGS:
                found = f"{table.damaged['found'][0]}, line {table.damaged['line'][0]}"
                raise InputError(f"{place}: expected JSON, found no record ({found}); name a file that ends in {kinds}")
        return table, notes

    def _kind(self) -> str:
        """Tell what it is by its ending, or by its first bytes where that tells nothing."""
        kind = self.content.ending
        if kind in ENDINGS:
            return kind
        head = self.content.head()
        magic = next((kind for start, kind in _MAGIC if head.startswith(start)), None)
        if magic:
            return magic
        lines = head.decode("utf-8-sig", "replace").splitlines()
        objects = any(line.lstrip()[:1] in ("{", "[", '"') for line in lines)
        separators = [separator for separator in ("\t", ",", ";") if lines and separator in lines[0]]
        return ".csv" if separators and not objects and len(lines) > 1 and "\0" not in lines[0] else ".json"

    def _source(self) -> Any:
        content = self.content
        return content.path if content.path is not None and not content.packed else io.BytesIO(content.whole())

    def _frame(self, kind: str) -> pl.DataFrame:
        source = self._source()
        if kind == ".parquet":
            return pl.read_parquet(source, glob=False)
        return _arrow(source)

    def _slices(self, kind: str) -> Iterator[FrameTable]:
        path = self.content.path
        if kind != ".parquet" or path is None or self.content.packed:
            yield from (table for table, _ in FrameReader(self._frame(kind)).blocks())  # type: ignore[misc]
            return
        scanned, start = pl.scan_parquet(path, glob=False), 0
        for frame in scanned.collect_batches(chunk_size=BLOCK, maintain_order=True):
            yield FrameTable(frame, start=start)
            start += frame.height
        if not start:
            yield FrameTable(scanned.collect())

    def _delimited(self, kind: str) -> Iterator[FrameTable]:
        if not self.content.head().strip():
            raise InputError(f"{self.content.place}: expected records, found an empty file")
        return read_delimited(self.content.text(), self.content.place, tabs=kind == ".tsv")

    def _text(self) -> FrameTable:
        data = b"".join(self.content.text())
        if not data.strip():
            raise InputError(f"{self.content.place}: expected text, found an empty file")
        return FrameTable(pl.DataFrame({"text": [data.decode("utf-8-sig")]}))

    @contextmanager
    def _reading(self) -> Iterator[str]:
        """Say what went wrong in our words, with the place."""
        place = self.content.place
        try:
            kind = self._kind()
        except (OSError, EOFError, zlib.error, InputError) as error:
            raise InputError(f"{place}: cannot be read: {_cause(error)}") from error
        try:
            yield kind
        except pl.exceptions.PolarsError as error:
            raise InputError(
                f"{place}: expected {kind.lstrip('.')}, found something else: {_first_line(error)}; is it whole, and what its ending says?"
            ) from error
        except UnicodeDecodeError as error:
            byte = f"byte {error.object[error.start]:#04x} at byte {error.start}"
            raise InputError(f"{place}: expected UTF-8, found {byte}; save it as UTF-8") from error
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{place}: cannot be read: {_cause(error)}") from error
        except InputError as error:
            text = str(error)
            if text.startswith(place):
                raise
            raise InputError(f"{place}: {text}") from error


def _cause(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _arrow(source: Any) -> pl.DataFrame:
    """Read an Arrow file, or a stream of batches as `datasets` writes it."""
    try:
        return pl.scan_ipc(source, glob=False).collect()
    except pl.exceptions.PolarsError:
        if isinstance(source, io.BytesIO):
            source.seek(0)
        return pl.read_ipc_stream(source)


def _given(tables: list[JsonTable]) -> Iterator[JsonTable]:
    """Give each table, and hold it no longer."""
    tables.reverse()
    while tables:
        yield tables.pop()


def _joined(tables: list[FrameTable]) -> FrameTable:
    if len(tables) == 1:
        return tables[0]
    return FrameTable(
        pl.concat([table.frame for table in tables]),
        record=pl.concat([table.record for table in tables]),
        line=pl.concat([table.line for table in tables if table.line is not None]),
        damaged=pl.concat([table.damaged for table in tables]),
    )
