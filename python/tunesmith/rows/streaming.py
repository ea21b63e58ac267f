"""A source's rows block by block: what reading it whole gives, while a block is all that is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.core.memory import give_back
from tunesmith.errors import InputError, OptionError, at, did_you_mean
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import schema
from tunesmith.rows.assembling import assemble, nameless
from tunesmith.rows.data import Data
from tunesmith.rows.formats import FIELDS, FORMATS, infer, named
from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.identity import ids
from tunesmith.rows.lengths import MAX_CHARACTERS, too_long
from tunesmith.rows.records import Records, Table
from tunesmith.rows.rejects import RAW
from tunesmith.rows.sources import Source, open_sources
from tunesmith.rows.unseen import unseen
from tunesmith.rows.values import together


class Unforeseen(Exception):  # noqa: N818  (no error of anyone's: the reader goes over the source for its fields, and begins again)
    """A block has a field that says more of the blocks before it, which have been given."""


@dataclass(kw_only=True)
class Stream:
    """Rows on their way: iterate once; what is told of all of them is complete when the iteration has ended.

    Attributes:
        source: As in `rows.read`.
        format: As in `rows.read`.
        mapping: As in `rows.read`.
        max_characters: As in `rows.read`.
        progress: Where to tell how far it is.
        label: What the work is called there.
        whole: Give each source in one block.
        passing: Rows live no longer than their block, and get no ids.
        ahead: Go over a source for its fields before its first block is given. Without, a user's field may be absent from the
            blocks before the one that has it first, and `Unforeseen` is raised where more depends on a field.
    """

    source: Any
    format: str | None = None
    mapping: Mapping[str, str] | None = None
    max_characters: int = MAX_CHARACTERS
    progress: Progress = SILENT
    label: str = "Reading"
    whole: bool = False
    passing: bool = False
    ahead: bool = True
    _formats: dict[str, None] = field(default_factory=dict)
    _notes: dict[str, None] = field(default_factory=dict)
    _lost: dict[str, Counter[str]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Data]:
        """Give the rows and rejects of each block, numbered through; ``inputs`` names the source, its hash "" unless known."""
        if isinstance(self.source, Data):
            self._formats[self.source.format] = None
            self._notes.update(dict.fromkeys(self.source.notes))
            yield self.source
            return
        chosen = named(self.format) if self.format else None
        start = 0
        with self.progress.task(self.label) as done:
            for opened in open_sources(self.source):
                self._notes.update(dict.fromkeys(opened.notes))
                blocks = self._one(opened, chosen, start, done) if self.whole else self._parsed(opened, chosen, start, whole=False)
                for block, end in blocks:
                    yield block
                    start = end
                    done(start)
        if not self._formats:
            raise InputError("expected at least one source, found none")

    def _one(self, opened: Source, chosen: Format | None, start: int, done: Callable[[int], object]) -> Iterator[tuple[Data, int]]:
        """Give a source in one block. A large file's records take as much as its rows: it is read in blocks, which are put together."""
        made = self._from_blocks(opened, chosen, start, done) if opened.reader.large else None
        yield from [made] if made is not None else self._parsed(opened, chosen, start, whole=True)

    def _from_blocks(self, opened: Source, chosen: Format | None, start: int, done: Callable[[int], object]) -> tuple[Data, int] | None:
        """Read it so; None where what the blocks hold is not what reading it whole gives."""
        tried = replace(self, whole=False, ahead=False, _formats={}, _notes={}, _lost={})
        blocks: list[Data] = []
        end = start
        try:
            for block, end in tried._parsed(opened, chosen, start, whole=False):
                blocks.append(block)
                if not alike(blocks[0], block):
                    return None
                done(end)
        except Unforeseen:
            return None
        self._formats.update(tried._formats)
        self._notes.update(tried._notes)
        for file, counts in tried._lost.items():
            self._lost.setdefault(file, Counter()).update(counts)
        if len(blocks) > 1:
            give_back()
        return put_together(blocks), end

    def _parsed(self, opened: Source, chosen: Format | None, start: int, *, whole: bool) -> Iterator[tuple[Data, int]]:
        """Give each block and the position behind it; one block where a row may be made of records far apart."""
        taken = None
        for records in self._blocks(opened, whole=whole):
            first = taken is None
            with self._begins(first):
                taken = taken or self._choose(records, chosen, opened)
            again = first and taken.together and not whole
            for part in self._blocks(opened, whole=True) if again else (records,):
                frame, rejected, start = self._rows(part, taken, start, keep=opened.version)
                yield Data(frame=frame, rejected=rejected, format=taken.name, inputs={opened.name: opened.hash or ""}), start
            if again:
                break

    def _blocks(self, opened: Source, *, whole: bool) -> Iterator[Records]:
        known: frozenset[str] | None = None
        for table, notes in [opened.reader.whole()] if whole else opened.reader.blocks(ahead=self.ahead):
            self._notes.update(dict.fromkeys(notes))
            with self._begins(known is None):
                records = Records(file=opened.name, table=table, mapping=_checked(self.mapping, opened.name, table))
            if known is not None and FIELDS & (frozenset(records.keys) - known):
                raise Unforeseen
            known = frozenset(records.keys)
            yield records

    @contextmanager
    def _begins(self, first: bool) -> Iterator[None]:
        """What a source's first block lacks may come later."""
        try:
            yield
        except (InputError, OptionError) as error:
            if self.ahead or not first:
                raise
            raise Unforeseen from error

    def data(self) -> Data:
        """Read everything, whole."""
        if isinstance(self.source, Data):
            return self.source
        frames, rejects = [], []
        inputs: dict[str, str] = {}
        for block in replace(self, whole=True):
            ((name, stated),) = block.inputs.items()
            inputs[_unique(name, inputs)] = stated or _hash(block.frame, block.rejected)
            frames.append(block.frame)
            rejects.append(block.rejected)
        return Data(frame=_joined(frames), rejected=pl.concat(rejects), format=self.formats, inputs=inputs, notes=self.notes)

    @property
    def formats(self) -> str:
        """The formats that were read, joined by ``", "``."""
        return ", ".join(self._formats)

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts worth telling."""
        lost = [
            f"{file}: fields of turns that a row does not hold: "
            + ", ".join(f'"{name}" ({count:,} turns)' for name, count in sorted(counts.items()))
            for file, counts in self._lost.items()
        ]
        return (*self._notes, *lost)

    def _rows(self, records: Records, taken: Format, start: int, *, keep: bool) -> tuple[pl.DataFrame, pl.DataFrame, int]:
        parsed = taken.parse(records)
        more = [*too_long(records, self.max_characters), *(() if keep else unseen(records, parsed))]
        if more:
            parsed = Parsed(content=parsed.content, problems=[*parsed.problems, *more], used=parsed.used, lost=parsed.lost)
        if parsed.lost:
            self._lost.setdefault(records.file, Counter()).update(parsed.lost)
        self._notes.update(dict.fromkeys(nameless(records)))
        frame, rejected, end = assemble(records, parsed, start=start, keep=keep)
        return frame if keep or self.passing else ids(frame), rejected, end

    def _choose(self, records: Records, chosen: Format | None, source: Source) -> Format:
        taken, told = _choice(records, chosen, source)
        self._formats[taken.name if chosen or records.keys else "unknown"] = None
        self._notes.update(dict.fromkeys(told))
        return taken


def _checked(mapping: Mapping[str, str] | None, name: str, table: Table) -> Mapping[str, str]:
    for theirs, ours in (mapping or {}).items():
        if theirs not in table.keys:
            there = ", ".join(table.keys[:12]) + (", ..." if len(table.keys) > 12 else "")
            raise OptionError(f'{name}: map names a field "{theirs}" that is not there ({there}); {did_you_mean(theirs, table.keys)}')
        if ours in table.keys and ours not in (mapping or {}):
            raise OptionError(
                f'{name}: map renames "{theirs}" to "{ours}", but there is a field of that name; map that one to another name'
            )
        twice = [other for other, taken in (mapping or {}).items() if taken == ours and other != theirs]
        if twice:
            raise OptionError(f'{name}: map gives the name "{ours}" to "{theirs}" and to "{twice[0]}"; give each a name of its own')
    return mapping or {}


def _choice(records: Records, chosen: Format | None, source: Source) -> tuple[Format, list[str]]:
    if source.version:
        return FORMATS["tunesmith"], []
    if chosen is not None or not records.keys:
        return chosen or FORMATS["alpaca"], []
    try:
        taken, others = infer(records.keys, records.file)
    except InputError as error:
        raise _known_cause(records) or error from None
    return taken, [f"{records.file}: read as {taken.name}; {', '.join(others)} would fit too (--format {others[0]})"] if others else []


def _known_cause(records: Records) -> InputError | None:
    """Recognise a file of rejects as it was written, and one object with lists of other things than records in it."""
    if records.keys == [RAW]:
        place = at(records.file, record=records.table.record[0], field=RAW)
        return InputError(f"{place}: expected a record's text, mended, found one that is still no JSON object; mend it, and read again")
    lists = [key for key in records.keys if records.types(key)[0] == "array"] if records.height == 1 else []
    if not lists:
        return None
    key = lists[0]
    return InputError(
        f"{at(records.file, field=key)}: expected a list of records, or one record a line, found one object with a list in it; "
        f"write that list to a file of its own (jq '.[\"{key}\"]')"
    )


def _hash(frame: pl.DataFrame, rejected: pl.DataFrame) -> str:
    """Hash what a source holds, wherever it lies and whatever it is called."""
    said = [column for column in frame.drop("position", "origin", "row_id") if column.null_count() < len(column)]
    rows = core.content_hash(pl.DataFrame(said))
    return core.content_hash(pl.DataFrame({"rows": [rows], "rejected": [core.content_hash(rejected.select("record", "raw"))]}))


def _unique(name: str, taken: Mapping[str, str]) -> str:
    count = Counter(key.partition("#")[0] for key in taken)[name]
    return f"{name}#{count + 1}" if count else name


def alike(first: Data, other: Data) -> bool:
    """Tell whether two blocks, put together, are what reading them whole gives.

    Their columns must be of equal types: that of a user's column depends on all of its values, and that of a nested one is found
    by looking at all of them. Rows that bring their own positions are numbered by all of these.
    """
    if other is first:
        return True
    nested = any(dtype.is_nested() for name, dtype in first.frame.schema.items() if name not in schema.ROW)
    return first.format != "tunesmith" and first.frame.schema == other.frame.schema and not nested


def put_together(blocks: list[Data]) -> Data:
    """Join the blocks of one source; their columns are kept in pieces, and nothing is copied."""
    frames, rejects = [block.frame for block in blocks], [block.rejected for block in blocks]
    return replace(blocks[0], frame=pl.concat(frames, rechunk=False), rejected=pl.concat(rejects))


def _joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Join several sources; where positions of versions meet, all are numbered anew, in order."""
    if len(frames) == 1:
        return frames[0]
    frame = pl.concat(together(frames), how="diagonal_relaxed")
    if frame["position"].is_duplicated().any():
        frame = frame.with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt64))
    return frame
