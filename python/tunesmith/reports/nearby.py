"""Artefacts that lie near a report's folder, found by content: an artefact names its inputs by hash, never by path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tunesmith.artefact import Kind, Manifest, read_manifest
from tunesmith.errors import ArtefactError

LEVELS = 3
"""Folders upwards that are searched, each with what it holds directly and one folder below."""


def find(kind: Kind, hashes: Iterable[str], *, near: Path, named: Iterable[str | Path | None] = ()) -> Path | None:
    """Find an artefact of a kind by its content hash.

    Args:
        kind: What it is.
        hashes: Any of these; others of the manifest's inputs may be among them.
        near: Where to begin.
        named: Paths that may be it, tried first; relative ones from `near`.
    Returns:
        The folder; None where nothing of that content lies near.
    """
    wanted = set(hashes)
    places = [place for path in named if path for place in (near / path, Path(path))]
    for place in (*places, *_around(near.resolve())):
        manifest = _manifest(place, kind)
        if manifest is not None and manifest.hash in wanted:
            return place
    return None


def _around(folder: Path) -> Iterator[Path]:
    for level in [folder, *folder.parents][: LEVELS + 1]:
        yield level
        for child in _folders(level):
            yield child
            yield from _folders(child)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:  # one that may not be read holds nothing for a report
        return []


def _manifest(folder: Path, kind: Kind) -> Manifest | None:
    try:
        return read_manifest(folder, kind)
    except (ArtefactError, OSError):
        return None
