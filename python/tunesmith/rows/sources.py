"""What a user may name as a source, opened one by one: files, globs, folders, standard input, frames, artefacts."""

from __future__ import annotations

import glob
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import is_artefact, read_manifest
from tunesmith.errors import InputError
from tunesmith.rows.records import FrameTable, JsonTable, Table

ENDINGS = (".json", ".jsonl", ".ndjson", ".parquet", ".csv", ".tsv", ".arrow", ".feather", ".txt")
JSON = (".json", ".jsonl", ".ndjson")
PACKED = (".gz", ".zst")
_NO_DATA = ("dataset_info.json", "dataset_dict.json", "dataset_infos.json", "state.json")
"""What `datasets` writes beside its data."""
_HEAD = 4096
"""Bytes to look at for signs of binary data."""
PARTS = ("train", "validation", "test")
"""The folders of a split, in order."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file or frame.

    Attributes:
        name: What ``origin.file`` and manifests call it: the path below what was named, never an absolute one.
        table: Its records.
        version: Whether it is a version's rows, whose positions and ids are kept.
        hash: The content hash that the version's manifest states.
    """

    name: str
    table: Table
    version: bool = False
    hash: str | None = None


def open_sources(source: Any) -> Iterator[Source]:
    """Open everything that `source` names, in order.

    Raises:
        InputError: If there is nothing to read; names the place and what was expected.
    """
    if isinstance(source, str | Path):
        yield from _named(source)
    elif isinstance(source, pl.LazyFrame):
        yield Source(name="LazyFrame", table=FrameTable(source.collect()))
    elif isinstance(source, pl.DataFrame):
        yield Source(name="DataFrame", table=FrameTable(source))
    elif type(source).__module__.startswith("datasets."):
        yield from _datasets(source)
    elif hasattr(source, "__arrow_c_stream__"):
        yield Source(name=type(source).__name__, table=FrameTable(pl.DataFrame(source)))
    elif isinstance(source, Sequence) and source and all(isinstance(item, str | Path) for item in source):
        for item in source:
            yield from _named(item)
    elif isinstance(source, Iterable) and not isinstance(source, Mapping):
        yield Source(name="list", table=_listed(list(source)))
    else:
        raise InputError(f"expected a path, frame, data set or list of dicts to read rows from, found {type(source).__name__}")


def _listed(records: list[Any]) -> Table:
    """Read Python objects as JSON lines, so that they are checked like a file."""
    lines = []
    for k, record in enumerate(records):
        try:
            lines.append(json.dumps(record))
        except (TypeError, ValueError) as error:
            raise InputError(f"list, record {k}: expected a dict of JSON values: {error}") from error
    return JsonTable("\n".join(lines).encode())


def _datasets(source: Any) -> Iterator[Source]:
    parts = source.items() if isinstance(source, dict) else [("Dataset", source)]
    for name, part in parts:
        table = part.with_format("arrow")[:] if hasattr(part, "num_rows") else None
        if table is None:
            raise InputError(f"{name}: a streaming data set has no length; take rows of it (`list(data.take(1000))`) and read those")
        yield Source(name=name, table=FrameTable(pl.DataFrame(pl.from_arrow(table))))


def _named(source: str | Path) -> Iterator[Source]:
    text = str(source)
    if text == "-":
        yield Source(name="-", table=_file_table(sys.stdin.buffer.read(), Path("standard input")))
        return
    if not text:
        raise InputError('expected a file, folder or version to read rows from, found an empty name (""); `-` is standard input')
    path = Path(source)
    if path.is_dir():
        yield from _folder(path)
    elif path.exists():  # a file, or what a shell puts in its place: <(zcat rows.json.gz)
        yield _file(path, path.name)
    elif "://" in text:
        raise InputError(f"{text}: addresses are not read yet; copy the file here and name the copy")
    else:
        found = [Path(match) for match in sorted(glob.glob(text, recursive=True))] if glob.has_magic(text) else []  # noqa: PTH207  (Path.glob takes no absolute pattern)
        files = [match for match in found if match.is_file()]
        if not files:
            near = f" (its folder holds {_listing(path.parent)})" if path.parent.is_dir() else f" (there is no folder {path.parent})"
            raise InputError(f"{text}: no such file or folder{near}")
        yield from (_file(match, match.name) for match in files)


def _folder(folder: Path) -> Iterator[Source]:
    if is_artefact(folder, "version"):
        yield _version(folder, folder.name)
    elif is_artefact(folder, "split"):
        yield from (_version(folder / part, part) for part in PARTS if (folder / part).is_dir())
    elif is_artefact(folder):
        kind = read_manifest(folder).kind
        raise InputError(f"{folder}: expected rows (a file, a folder of files, a version or a split), found an artefact of kind {kind}")
    else:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and ending(path) in ENDINGS and not _hidden(path, folder))
        files = [path for path in files if path.name not in _NO_DATA]
        if not files:
            raise InputError(f"{folder}: expected data files ({', '.join(ENDINGS)}), found {_listing(folder)}")
        yield from (_file(path, path.relative_to(folder).as_posix()) for path in files)


def _version(folder: Path, name: str) -> Source:
    frame = pl.read_parquet(folder / "rows.parquet")
    return Source(name=name, table=FrameTable(frame), version=True, hash=read_manifest(folder, "version").hash)


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)


def _listing(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "nothing"


def ending(path: Path) -> str:
    """Give the ending that tells the format, a compression's left out."""
    inner = path.with_suffix("") if path.suffix in PACKED else path
    return inner.suffix.lower()


def _file(path: Path, name: str) -> Source:
    try:
        if path.suffix == ".parquet":
            return Source(name=name, table=FrameTable(pl.read_parquet(path, glob=False)))
        if path.suffix in (".arrow", ".feather"):
            return Source(name=name, table=FrameTable(_arrow(path)))
        if path.is_file() and ending(path) == path.suffix.lower() and ending(path) in JSON:
            return Source(name=name, table=_text_alone(_json_file(path), path))
        table = _file_table(_content(path), path)
        return Source(name=name, table=_text_alone(table, path) if path.is_file() and ending(path) not in ENDINGS else table)
    except pl.exceptions.PolarsError as error:
        kind = ending(path).lstrip(".") or "JSON"
        raise InputError(f"{path}: expected {kind}, found something else: {_reason(error)}") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8, found byte {error.object[error.start]:#04x} at {error.start}; save it as UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


def _reason(error: Exception) -> str:
    """Say in our words what a table's reader says in its own, where that would not help."""
    first = str(error).strip().splitlines()[0]
    if "more fields than defined" in first:
        return "a line with more fields than the first line names; put fields that hold commas in double quotes"
    if "could not parse" in first:
        return f"{first}; a field with quotation marks stands in quotation marks, and those in it are doubled"
    if "utf" in first.lower():
        return f"{first}; save it as UTF-8, or pack it again"
    return f"{first}; is it whole, and what its ending says?"


def _text_alone(table: Table, path: Path) -> Table:
    """Refuse what is no JSON at all; a damaged record among others is a reject."""
    if table.height or not table.damaged.height:
        return table
    with path.open("rb") as file:
        binary = b"\0" in file.read(_HEAD)
    if binary:
        raise InputError(f"{path}: expected JSON, found binary data; name a file that ends in {', '.join(ENDINGS)}")
    if ending(path) not in ENDINGS:
        found = f"{table.damaged['found'][0]}, line {table.damaged['line'][0]}"
        raise InputError(f"{path}: expected JSON, found no record ({found}); name a file that ends in {', '.join(ENDINGS)}")
    return table


def _json_file(path: Path) -> Table:
    """Let the core read the file itself: its text is held once."""
    table = JsonTable(path)
    if not table.height and not table.damaged.height:
        raise InputError(f"{path}: expected records, found an empty file")
    return table


def _arrow(path: Path) -> pl.DataFrame:
    try:
        return pl.read_ipc(path)
    except pl.exceptions.PolarsError:
        return pl.read_ipc_stream(path)


def _content(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return "\n".join(pl.read_lines(path)["line"].to_list()).encode()
    return path.read_bytes()


def _file_table(content: bytes, path: Path) -> Table:
    kind = ending(path)
    if not content.strip():
        raise InputError(f"{path}: expected records, found an empty file")
    if kind in (".csv", ".tsv"):
        return FrameTable(pl.read_csv(io.BytesIO(content), separator="\t" if kind == ".tsv" else ",", infer_schema=False))
    if kind == ".txt":
        return FrameTable(pl.DataFrame({"text": [content.decode("utf-8-sig", errors="strict")]}))
    return JsonTable(content)
