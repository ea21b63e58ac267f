"""JSON records: arrays of objects, JSON lines and concatenated objects, read once; columns are cut from the index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.errors import InputError

JSON_TYPES: tuple[str, ...] = tuple(_native.JSON_TYPES)
"""What a field of a record can be: a JSON type, or missing."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class JsonRecords:
    """The readable objects of a file, list or column, and what was not readable. Made by `read_json` and `parse_json`.

    Every table has one line per readable object, in the order of `frame`. A key that stands twice in an object has
    its last value, as in Python.
    """

    def __init__(self, native: _native.JsonIndex, *, items: bool = False) -> None:
        self._native = native
        self._items = items

    def __len__(self) -> int:
        """Count the readable objects."""
        return len(self._native)

    def __repr__(self) -> str:
        """Tell the counts."""
        return f"JsonRecords({len(self)} records, {self.rejects.height} rejects, {self.layout})"

    @property
    def layout(self) -> Literal["array", "lines", "empty"]:
        """How the records lie in the file."""
        return cast(Literal["array", "lines", "empty"], self._native.layout)

    @property
    def nul(self) -> bool:
        r"""Whether some text may hold a NUL (which JSON holds as ``\u0000`` alone)."""
        return self._native.nul

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Where each record stands.

        `record` (0-based among all elements of the file, rejects included; of items: the row of the parent), `item`
        (of items only: the place in the list), `line` (1-based, where it starts), `byte` (offset of its first byte).
        """
        return self._placed(self._native.frame())

    @cached_property
    def rejects(self) -> pl.DataFrame:
        """Everything that is no readable object, one line an element.

        The columns of `frame`, and `field` (the top-level key under which the damage lies, where known), `code`
        (``bad_json``, ``not_object``, ``bad_utf8``, ``lone_surrogate``, ``truncated``), `found`, `expected`, and `raw`:
        what stood there, bytes that are not UTF-8 as U+FFFD.
        """
        return self._placed(self._native.rejects())

    @property
    def damaged(self) -> int:
        """Count the rejects."""
        return self.rejects["record"].n_unique() if self._items else self.rejects.height

    def _placed(self, table: Any) -> pl.DataFrame:
        frame = pl.DataFrame(table)
        if not self._items:
            frame.drop_in_place("item")  # `drop` is a query, for which Polars needs threads that a forked process lacks
        return frame

    @cached_property
    def keys(self) -> pl.DataFrame:
        """Every top-level key and type: `key`, `type`, `count` of records; keys in order of first appearance."""
        return pl.DataFrame(self._native.keys())

    def raw(self) -> pl.Series:
        """Give each record's JSON text as it stood, ``String[n]``."""
        return pl.DataFrame(self._native.raw()).to_series()

    def longer(self, size: int) -> list[int]:
        """Name the rows whose JSON text has more than `size` bytes."""
        return self._native.longer(size)

    def texts(self, fields: Sequence[str], *, share: bool = True) -> pl.DataFrame:
        """Give fields as text: strings decoded, other values as their JSON text; null for null and missing.

        With `share`, where strings without escapes make up a third of the source or more, the columns keep it and point into it
        instead of copying.
        """
        return _named(fields, lambda names: self._native.texts(names, share))

    def types(self, fields: Sequence[str]) -> pl.DataFrame:
        """Give the type of each value, ``Enum(JSON_TYPES)`` columns."""
        return _named(fields, self._native.types, lambda codes: codes.cat.to(pl.Enum(JSON_TYPES)))

    def values(self, fields: Sequence[str], *, share: bool = True) -> pl.DataFrame:
        """Give fields in the type that their values have.

        All strings: ``String``; all true or false: ``Boolean``; all integers of 64 bits: ``Int64``; other numbers:
        ``Float64``; nothing but nulls: ``Null``. What has no such type becomes ``String`` as in `texts`: arrays, objects,
        mixtures, and numbers that a float would change. `share` as in `texts`.
        """
        return _named(fields, lambda names: self._native.values(names, share))

    def items(self, field: str) -> JsonRecords:
        """Open the objects in a field's arrays, for example the messages of conversations.

        Their `frame` says where each belongs: `record` is the row of this table, `item` the place in the list. An
        object in place of an array is a list of one; rows with another value there have no items.

        >>> chats = read_json(b'{"messages": [{"role": "user"}, {"role": "assistant"}]}')
        >>> chats.items("messages").texts(["role"]).to_series().to_list()
        ['user', 'assistant']
        """
        return JsonRecords(self._native.items(field), items=True)


def _named(
    fields: Sequence[str], native: Callable[[list[str]], list[Any]], made: Callable[[pl.Series], pl.Series] = lambda column: column
) -> pl.DataFrame:
    names = list(dict.fromkeys([fields] if isinstance(fields, str) else fields))
    columns = (pl.DataFrame(column).to_series() for column in native(names))
    return pl.DataFrame({name: made(column) for name, column in zip(names, columns, strict=True)})


def read_json(source: bytes | str | Path, *, mapped: bool = False, progress: Callable[[int], object] | None = None) -> JsonRecords:
    r"""Read JSON records: an array of objects (or several), one object a line, or objects one after another.

    Read as Python's `json` reads (escapes, `NaN`), but record by record: one damaged element costs itself alone.
    A byte order mark and CRLF are fine.

    Args:
        source: The file's bytes, or its path.
        mapped: Read a file where the system caches it, not a copy of it. Columns are copied from there, whatever `share` says.
            The file must stay as it is while the records are used: one that is cut meanwhile ends the process.
        progress: Called with the number of bytes read so far.
    Raises:
        InputError: If the file cannot be opened or is UTF-16.

    >>> records = read_json(b'{"a": "x\\n", "n": 1}\n{"a": }\n{"a": null}\n')
    >>> records.values(["a", "n"]).rows()
    [('x\n', 1), (None, None)]
    >>> records.rejects.select("record", "line", "code", "found", "expected").row(0)
    (1, 2, 'bad_json', '} at byte 27', 'a JSON value')
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), "the input"
    else:
        data, name = None, str(source)
    if data is None:
        try:
            with Path(cast(str, source)).open("rb") as file:
                start = file.read(2)
        except OSError as error:
            raise InputError(f"{name}: cannot be read: {error.strerror}") from error
    else:
        start = data[:2]
    if start in _UTF16:
        raise InputError(f"{name}: expected UTF-8, found UTF-16 (byte order mark {start.hex(' ')}); save it as UTF-8")
    return JsonRecords(_native.json_open(str(source), mapped, progress) if data is None else _native.json_read(data, progress))


def json_blocks(source: Iterable[bytes] | Path, *, size: int = 1 << 24) -> Iterator[JsonRecords]:
    """Read JSON records block by block: of a file larger than memory, a block at a time is held.

    What `read_json` gives for all of them together, in pieces: records, lines and bytes are counted through, and a record
    that does not end in its block comes with the next. Damage without an end in sight waits for it, and is held.

    Args:
        source: The bytes of a file in chunks, cut anywhere, some megabytes each; or its path, which is read as `read_json` does
            with `mapped`.
        size: Bytes that are looked at together, of a path.
    Yields:
        The records that ended in each block; nothing for one in which none did.
    Raises:
        InputError: If the file cannot be opened, or has no bytes.

    >>> blocks = json_blocks([b'[{"a": 1}, {"a"', b": 2}, oops, ", b'{"a": 3}]'])
    >>> [(block.frame["record"].to_list(), block.rejects["record"].to_list()) for block in blocks]
    [([0], []), ([1], []), ([3], [2])]
    """
    for block in map(JsonRecords, _windows(source, size) if isinstance(source, Path) else _pushed(source)):
        if len(block) or block.damaged:
            yield block


def _windows(path: Path, size: int) -> Iterator[_native.JsonIndex]:
    windows = _native.JsonWindows(str(path))
    while (block := windows.next(size)) is not None:
        yield block


def _pushed(chunks: Iterable[bytes]) -> Iterator[_native.JsonIndex]:
    stream = _native.JsonStream()
    for chunk in chunks:
        yield stream.push(chunk, last=False)
    yield stream.push(b"", last=True)


def parse_json(texts: Any, *, progress: Callable[[int], object] | None = None) -> JsonRecords:
    """Read one JSON object per row of a column; `record` is the row, nulls are passed over.

    Args:
        texts: JSON texts, ``String[n]``.
        progress: Called with the number of rows done so far.

    >>> records = parse_json(['{"a": 1}', None, "[]"])
    >>> records.frame["record"].to_list(), records.rejects["record"].to_list()
    ([0], [2])
    """
    return JsonRecords(_native.json_parse(series(texts, pl.String, name="texts"), progress))
