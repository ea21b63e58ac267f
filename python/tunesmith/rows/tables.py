"""A table of a version: one Parquet file, or above a size a folder of that name with parts. No other file knows which."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tunesmith import core
from tunesmith.copies import local
from tunesmith.errors import ArtefactError, OptionError
from tunesmith.rows.readers import BLOCK
from tunesmith.rows.records import FrameTable, Table

FILE_BYTES = 1 << 30
"""Bytes of a table in memory that go into one file: some 200 to 400 MB on disk, what the hub advises."""
ROW_GROUP = 1 << 18
"""Rows that a Parquet file keeps together, as Polars writes it: reading fewer of them costs as much."""
CHANGED = "it was changed after it was made: make it again, or read rows.parquet as a file"


def write_table(frame: pl.DataFrame | pl.LazyFrame, place: Path, *, rows_per_file: int | None = None) -> tuple[slice, ...]:
    """Write a table, in several files where it is large; what an interrupted run left there goes.

    Args:
        frame: The table. Slices of it are written one after the other; nothing is copied, and of a LazyFrame little is held.
        place: Ends in ``.parquet``: the file, or the folder of ``part-00000.parquet`` and so on, in the order of the rows.
        rows_per_file: Rows of a file; unsaid, as many as `FILE_BYTES` hold, in parts of equal size, and of a LazyFrame all.
    Returns:
        The rows of each part; one slice where there is one file.
    Raises:
        OptionError: If a file is to hold no rows.
    """
    if rows_per_file is not None and rows_per_file < 1:
        raise OptionError(f"rows per file: expected at least 1, found {rows_per_file}")
    height: int = frame.select(pl.len()).collect().item() if isinstance(frame, pl.LazyFrame) else frame.height
    count = 1 if isinstance(frame, pl.LazyFrame) else -(-int(frame.estimated_size()) // FILE_BYTES)
    size = rows_per_file or max(-(-height // max(count, 1)), 1)
    cuts = tuple(slice(start, min(start + size, height)) for start in range(0, max(height, 1), size))
    if place.is_dir():
        shutil.rmtree(place)
    if len(cuts) == 1:
        _write(frame, place)
        return cuts
    place.unlink(missing_ok=True)
    place.mkdir()
    for k, cut in enumerate(cuts):
        _write(sliced(frame, cut), place / _part(k))
    return cuts


def sliced(frame: pl.DataFrame | pl.LazyFrame, cut: slice) -> pl.DataFrame | pl.LazyFrame:
    """Take the rows of one part."""
    return frame.slice(cut.start, cut.stop - cut.start)


def _write(frame: pl.DataFrame | pl.LazyFrame, place: Path) -> None:
    if isinstance(frame, pl.LazyFrame):
        frame.sink_parquet(place, compression="zstd", compression_level=1)
    else:
        frame.write_parquet(place, compression="zstd", compression_level=1)


def read_table(folder: str | Path, name: str) -> pl.DataFrame:
    """Read a table whole; one at an address by way of its copy.

    Args:
        folder: A version, or its address.
        name: The table, without its ending.
    Raises:
        ArtefactError: If it cannot be read; names the part that is damaged.
        InputError: If the address cannot be read.
    """
    place = _place(folder, name)
    try:
        return pl.read_parquet(place, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _damaged(folder, place, error) from error


def slices_of(place: Path, columns: Sequence[str] | None = None, *, size: int = ROW_GROUP) -> Iterator[pl.DataFrame]:
    """Read a table slice by slice; no rows are one empty slice.

    Slices, not batches: the streaming engine reads ahead, some gigabytes of long texts.

    Args:
        place: Its file, or the folder of its parts.
        columns: Those to read; all unless said.
        size: Rows of a slice.
    """
    scanned = pl.scan_parquet(place, glob=False)
    rows = scanned.select(pl.len()).collect().item()
    for start in range(0, max(rows, 1), size):
        yield scanned.select(columns or pl.all()).slice(start, size).collect()


def hash_table(folder: str | Path, name: str) -> str:
    """Hash a table's content, of which a part of a column is held at a time.

    Raises:
        ArtefactError: If it cannot be read; names the part that is damaged.
        InputError: If the address cannot be read.
    """
    place = _place(folder, name)
    try:
        return core.content_hash(pl.scan_parquet(place, glob=False))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _damaged(folder, place, error) from error


def files_of(place: Path, within: Path) -> str:
    """Name the files of a table as the hub, DuckDB and Polars take them: one name, or a pattern."""
    name = place.relative_to(within).as_posix()
    return f"{name}/*.parquet" if place.is_dir() else name


def part_of(place: Path, k: int) -> Path:
    """Name one part of a table in several files."""
    return place / _part(k)


@dataclass(frozen=True)
class TableReader:
    """A version's table as a source of rows.

    Attributes:
        folder: The version, or its address.
        name: The table, without its ending.
    """

    folder: str | Path
    name: str
    large = False

    def whole(self) -> tuple[Table, tuple[str, ...]]:
        """See `Reader`."""
        return FrameTable(read_table(self.folder, self.name)), ()

    def blocks(self, *, ahead: bool = True) -> Iterator[tuple[Table, tuple[str, ...]]]:  # noqa: ARG002  (all are known)
        """See `Reader`."""
        place = _place(self.folder, self.name)
        try:
            for nth, frame in enumerate(slices_of(place, size=BLOCK)):
                yield FrameTable(frame, start=nth * BLOCK), ()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise _damaged(self.folder, place, error) from error


def _place(folder: str | Path, name: str) -> Path:
    file = f"{name}.parquet"
    return local(folder, file) / file


def _part(k: int) -> str:
    return f"part-{k:05}.parquet"


def _damaged(folder: str | Path, place: Path, error: Exception) -> ArtefactError:
    """Name the table that cannot be read, and of several files the first one that cannot."""
    name = place.stem
    for part in sorted(place.glob("*")) if place.is_dir() else ():
        try:
            pl.scan_parquet(part, glob=False).collect(engine="streaming")
        except (OSError, pl.exceptions.PolarsError) as cause:
            name, error = f"{part.name} of {name}", cause
            break
    return ArtefactError(f"{folder}: {name} cannot be read ({str(error).strip().splitlines()[0]}); {CHANGED}")
