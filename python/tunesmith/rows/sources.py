"""What a user may name as a source, opened one by one: files, globs, folders, standard input, addresses, frames, artefacts."""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from tunesmith.artefact import MANIFEST, UNDER_WAY, Manifest, is_artefact, read_manifest, recognised
from tunesmith.errors import InputError
from tunesmith.rows.addresses import Remote
from tunesmith.rows.contents import Content, on_disk, piped
from tunesmith.rows.folders import choose
from tunesmith.rows.formats import fitting
from tunesmith.rows.readers import ENDINGS, FileReader, FrameReader, ListReader, Reader
from tunesmith.rows.tables import TableReader
from tunesmith.stores import below

PARTS = ("train", "validation", "test")
"""The folders of a split, in order."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file or frame.

    Attributes:
        name: What ``origin.file`` and manifests call it: the path below what was named, never an absolute one.
        reader: Gives its records, whole or in blocks.
        version: Whether it is a version's rows, whose positions and ids are kept.
        hash: The content hash that the version's manifest states.
        notes: What is to be told of how it was found.
    """

    name: str
    reader: Reader
    version: bool = False
    hash: str | None = None
    notes: tuple[str, ...] = ()


def open_sources(source: Any) -> Iterator[Source]:
    """Open everything that `source` names, in order.

    Raises:
        InputError: If there is nothing to read; names the place and what was expected.
    """
    if isinstance(source, str | Path):
        yield from _named(source)
    elif isinstance(source, pl.LazyFrame):
        yield Source(name="LazyFrame", reader=FrameReader(source.collect()))
    elif isinstance(source, pl.DataFrame):
        yield Source(name="DataFrame", reader=FrameReader(source))
    elif type(source).__module__.startswith("datasets."):
        yield from _datasets(source)
    elif isinstance(getattr(source, "manifest", None), Manifest):  # a version or a split that is open
        yield from _named(source.folder)
    elif isinstance(getattr(source, "frame", None), pl.DataFrame):  # what curating or restoring gave
        written = getattr(source, "out", None)
        name = type(source).__name__
        yield from [Source(name=name, reader=FrameReader(source.frame))] if written is None else _named(written)
    elif hasattr(source, "__arrow_c_stream__"):
        yield Source(name=type(source).__name__, reader=FrameReader(_framed(source)))
    elif isinstance(source, Sequence) and source and all(isinstance(item, str | Path) for item in source):
        for item in source:
            yield from _named(item)
    elif isinstance(source, Iterable) and not isinstance(source, Mapping):
        yield Source(name="list", reader=_listed(list(source)))
    else:
        raise InputError(f"expected a path, frame, data set, list of dicts or version to read rows from, found {type(source).__name__}")


def _framed(table: Any) -> pl.DataFrame:
    """Take a table of another library."""
    try:
        return pl.DataFrame(table)
    except (ValueError, TypeError, pl.exceptions.PolarsError) as error:  # pyarrow's are among them
        said = str(error).strip().splitlines()[0]
        advice = "or pass its records as a list of dicts (pandas: df.to_dict('records'))"
        raise InputError(f"{type(table).__name__}: expected columns of one type each, found: {said}; give them one, {advice}") from error


def _listed(records: list[Any]) -> Reader:
    """Read Python objects as JSON lines, so that they are checked like a file."""
    lines = []
    for k, record in enumerate(records):
        try:
            lines.append(json.dumps(record))
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"list, record {k}: expected a dict of JSON values: {error}") from error
    return ListReader("\n".join(lines).encode())


def _datasets(source: Any) -> Iterator[Source]:
    parts = source.items() if isinstance(source, dict) else [("Dataset", source)]
    for name, part in parts:
        table = part.with_format("arrow")[:] if hasattr(part, "num_rows") else None
        if table is None:
            raise InputError(f"{name}: a streaming data set has no length; take rows of it (`list(data.take(1000))`) and read those")
        yield Source(name=name, reader=FrameReader(pl.DataFrame(pl.from_arrow(table))))


def _named(source: str | Path) -> Iterator[Source]:
    text = str(source)
    if text == "-":
        yield _file(piped(sys.stdin.buffer), "-")
        return
    if not text:
        raise InputError('expected a file, folder or version to read rows from, found an empty name (""); `-` is standard input')
    path = Path(source)
    if path.is_dir():
        yield from _folder(path)
    elif path.exists():  # a file, or what a shell puts in its place: <(zcat rows.json.gz)
        yield _file(on_disk(path), path.name)
    elif "://" in text:
        yield from _remote(text)
    else:
        found = [Path(match) for match in sorted(glob.glob(text, recursive=True))] if glob.has_magic(text) else []  # noqa: PTH207  (Path.glob takes no absolute pattern)
        files = [match for match in found if match.is_file()]
        if not files:
            near = f" (its folder holds {_listing(path.parent)})" if path.parent.is_dir() else f" (there is no folder {path.parent})"
            raise InputError(f"{text}: no such file or folder{near}")
        yield from (_file(on_disk(match), match.name) for match in files)


def _remote(address: str) -> Iterator[Source]:
    remote = Remote(address)
    files = remote.files()
    if not files:
        raise InputError(f"{address}: no such file or folder")
    if MANIFEST in files and recognised(address.rstrip("/")):
        yield from _artefact(address.rstrip("/"))
        return
    if UNDER_WAY in files:
        raise InputError(f"{address}: expected rows, found an upload that has not ended; give the command that makes it again")
    if not remote.folder:
        yield from (_file(remote.content(path), name) for name, path in files.items())
        return
    chosen = choose(address, files, lambda name: remote.text(files[name]))
    if not chosen.names:
        raise InputError(f"{address}: expected data files ({', '.join(ENDINGS)}), found {_some(sorted(files))}")
    for k, name in enumerate(chosen.names):
        yield _file(remote.content(files[name]), name, chosen.notes if k == 0 else ())


def parts_of(split: str | Path) -> dict[str, str | Path]:
    """Find the parts of a split, a folder or an address; one without rows is not there."""
    places = {part: below(split, part) for part in PARTS}
    return {part: place for part, place in places.items() if (place.is_dir() if isinstance(place, Path) else is_artefact(place))}


def _artefact(folder: str | Path) -> Iterator[Source]:
    """Open a version, or the parts of a split; at an address as well."""
    manifest = read_manifest(folder)
    if manifest.kind == "version":
        yield _version(folder, PurePosixPath(folder).name)
    elif manifest.kind == "split":
        yield from (_version(place, part) for part, place in parts_of(folder).items())
    else:
        found = f"an artefact of kind {manifest.kind}"
        raise InputError(f"{folder}: expected rows (a file, a folder of files, a version or a split), found {found}")


def _version(folder: str | Path, name: str) -> Source:
    return Source(name=name, reader=TableReader(folder, "rows"), version=True, hash=read_manifest(folder, "version").hash)


def _folder(folder: Path) -> Iterator[Source]:
    if recognised(folder):
        yield from _artefact(folder)
        return
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    chosen = choose(folder.name or str(folder), names, lambda name: (folder / name).read_text(encoding="utf-8", errors="replace"))
    if not chosen.names:
        raise InputError(f"{folder}: expected data files ({', '.join(ENDINGS)}), found {_listing(folder)}")
    for k, name in enumerate(chosen.names):
        yield _file(on_disk(folder / name), name, chosen.notes if k == 0 else ())


def _listing(folder: Path) -> str:
    return _some(sorted(path.name for path in folder.iterdir()))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "nothing"


def _file(content: Content, name: str, notes: tuple[str, ...] = ()) -> Source:
    return Source(name=name, reader=FileReader(content=content, name=name, fits=fitting), notes=notes)
