"""Copies of artefacts that lie at addresses: only the files that are needed, fetched when they have changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith import stores
from tunesmith.errors import InputError
from tunesmith.stores import Store

_STATE, _LOCK = ".copied.json", ".lock"


def local(place: str | Path, *names: str) -> Path:
    """Find the folder in which an artefact's files lie on this machine.

    Of an address that is its copy, in `stores.cache_folder`: files are fetched where they are not there yet, were touched here,
    or are other ones now by what the store says (size and checksum); what is gone there goes here. It may be deleted at any time.

    Args:
        place: A folder, which is given back, or an address.
        names: Files or folders of it that are needed; all unless said.
    Raises:
        InputError: If the address cannot be read, or the copy not be written.
        MissingExtraError: If the package that speaks the scheme is not installed.
    """
    if not isinstance(place, str) or not stores.is_address(place):
        return Path(place)
    store, folder = Store(place), place_of(place)
    there = {name: info for name, info in store.files().items() if not names or any(_within(name, each) for each in names)}
    with _waiting(folder, place):
        had = _had(folder)
        for name in [name for name in had if name not in there and (not names or any(_within(name, each) for each in names))]:
            _forget(folder, name)
            del had[name]
            _keep(folder, place, had)
        for name, info in there.items():
            if had.get(name) != f"{stores.mark(info)} {stamp(folder / name)}":
                _fetch(store, folder, name, info)
                had[name] = f"{stores.mark(info)} {stamp(folder / name)}"
                _keep(folder, place, had)
    return folder


def place_of(address: str, ending: str = "") -> Path:
    """Name the folder of an address: its last name, with a hash of the whole.

    >>> place_of("s3://bucket/versions/v1").name, place_of("s3://bucket/versions/v1/", ".work").name
    ('v1-4b53017d', 'v1-4b53017d.work')
    """
    whole = address.rstrip("/")
    last = "".join(character if character.isalnum() or character in "-_." else "-" for character in whole.rpartition("/")[2])
    return stores.cache_folder() / f"{last}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}{ending}"


def _within(name: str, wanted: str) -> bool:
    return name == wanted or name.startswith(f"{wanted}/")


def _fetch(store: Store, folder: Path, name: str, info: Mapping[str, Any]) -> None:
    try:
        store.fetch(name, folder / name)
        found = (folder / name).stat().st_size
    except OSError as error:
        raise InputError(f"{store.address}: {name} cannot be copied to {folder}: {error.strerror}; XDG_CACHE_HOME names another") from error
    if info.get("size") not in (None, found):
        raise InputError(f"{store.address}: of {name} {found:,} of {info['size']:,} bytes came; give the command again")


def stamp(file: Path) -> str:
    """Tell whether a file of this machine is still the same: its size, and when it was written; "" where there is none."""
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _forget(folder: Path, name: str) -> None:
    """Delete a file, and the folder of parts that it leaves empty: a file may take its name."""
    (folder / name).unlink(missing_ok=True)
    for above in (folder / name).parents:
        if above == folder or not above.is_dir() or any(above.iterdir()):
            return
        above.rmdir()


def _keep(folder: Path, address: str, had: Mapping[str, str]) -> None:
    (folder / _STATE).write_text(json.dumps({"address": address, "files": had}, indent=2), encoding="utf-8")


def _had(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / _STATE).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(found)


@contextmanager
def _waiting(folder: Path, address: str) -> Iterator[None]:
    """Let one process at a time work on a copy; the others wait."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise InputError(f"{address}: no copy can be kept in {folder}: {error.strerror}; XDG_CACHE_HOME names another place") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
