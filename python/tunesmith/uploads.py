"""Artefacts to addresses: made in a folder of this machine, then sent, the manifest last, so that without it nothing counts.

While one is under way, `manifest.json.part` lies at the address; whoever finds it knows that the rest is unfinished, and whose.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith import stores
from tunesmith.copies import place_of, stamp
from tunesmith.errors import ArtefactError, InputError
from tunesmith.progress import SILENT, Progress
from tunesmith.stores import Store

MANIFEST, UNDER_WAY = "manifest.json", "manifest.json.part"
_PROBE = json.dumps({"tool": "tunesmith"})
_SENT, _LOCK = ".sent.json", ".lock"


def work_folder(address: str) -> Path:
    """Name the folder in which what will lie at an address is made (`stores.cache_folder`)."""
    return place_of(address, ".work")


def vacant(address: str) -> None:
    """Make sure, before the work that makes it, that an artefact can be written at an address: nothing foreign is there, one may write.

    Raises:
        ArtefactError: If files lie there that tunesmith did not write: they are never deleted.
        InputError: If one may not write there; says why, and what to do.
    """
    store = Store(address, "written")
    there = store.files()
    _ours(store, there)
    if UNDER_WAY not in there:
        _may_write(store, UNDER_WAY)


def publish(folder: Path, address: str, progress: Progress = SILENT) -> None:
    """Send a finished folder to an address.

    Files that an interrupted run has sent, and that the store still has as it sent them, are not sent again. Files of an older
    artefact go, by the list in its manifest; others stay. The sizes of all are compared before the manifest, which makes it one, is
    sent, with such a list.

    Args:
        folder: A sealed artefact.
        address: Where it goes.
        progress: Told the bytes that lie there.
    Raises:
        ArtefactError: If files lie there that tunesmith did not write.
        InputError: If the store refuses; the same command goes on.
    """
    store = Store(address, "written")
    there, sent = store.files(), _sent(folder)
    ours = _ours(store, there)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name not in (_SENT, _LOCK))
    manifests = sorted((name for name in names if _is_manifest(name)), key=lambda name: (-name.count("/"), name))
    stated = {**json.loads((folder / MANIFEST).read_text(encoding="utf-8")), "files": names}
    (folder / MANIFEST).write_text(json.dumps(stated, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    # Until all is sent, what is left of older ones is named along with it, so that it is known whoever goes on.
    store.write(UNDER_WAY, json.dumps({**stated, "files": sorted({*names, *ours})}))
    old = [name for name in there if name in ours]
    store.remove(sorted((name for name in old if _is_manifest(name)), key=lambda name: (name.count("/"), name)))
    stale = [name for name in old if name not in names and not _is_manifest(name)]
    store.remove(stale)
    store.remove_empty({above for name in stale if (above := name.rpartition("/")[0]) in names})
    sizes = {name: (folder / name).stat().st_size for name in names if name not in manifests}
    lies = 0
    with progress.task(_sending(address), sum(sizes.values())) as done:
        for name, size in sizes.items():
            here = stamp(folder / name)
            if not (name in there and sent.get(name) == f"{stores.mark(there[name])} {here}"):
                sent[name] = f"{stores.mark(store.send(folder / name, name, _from(done, lies, size)))} {here}"
                (folder / _SENT).write_text(json.dumps(sent), encoding="utf-8")
            lies += size
            done(lies)
    _compare(store, folder, [name for name in names if name not in manifests])
    for name in manifests:
        store.send(folder / name, name)
    store.remove([UNDER_WAY])


@contextmanager
def sending(address: str, *, force: bool = False, progress: Progress = SILENT) -> Iterator[Path]:
    """Give a file of this machine to write; it is sent when the block has ended well. A store shows a file whole or not at all.

    Args:
        address: What it will be.
        force: Replace what lies there.
        progress: Told the bytes that were sent.
    Raises:
        ArtefactError: If something lies there, and `force` is not given.
        InputError: If one may not write there.
    """
    above, _, name = address.rpartition("/")
    store = Store(above, "written")
    if store.has(name) and not force:
        raise ArtefactError(f"{address} exists; choose another name, or --force to replace it")
    _may_write(store, f"{name}.part")
    folder = stores.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{address}: cannot be made in {folder}: {error.strerror}; XDG_CACHE_HOME names another place") from error
    with tempfile.TemporaryDirectory(prefix="sending-", dir=folder) as beside:
        yield Path(beside) / name
        size = (Path(beside) / name).stat().st_size
        with progress.task(_sending(address), size) as done:
            store.send(Path(beside) / name, name, _from(done, 0, size))
            done(size)


def _sending(address: str) -> str:
    return f"Sending to {address}, bytes"


def _from(done: Callable[[int], None], start: int, size: int) -> Callable[[int], None]:
    """Tell the bytes of one file among those of all; a store that tries again may send more than there are."""
    return lambda sent: done(start + min(sent, size))


def _ours(store: Store, there: Mapping[str, object]) -> set[str]:
    """Find the files of an artefact, or of an upload that has not ended, by what its manifest says.

    Raises:
        ArtefactError: If there are files, and no manifest of ours: nothing is written among them.
    """
    found = [_stated(store.text(name)) for name in (UNDER_WAY, MANIFEST) if name in there]
    ours = [files for files in found if files is not None]
    if there and not ours:
        some = ", ".join(sorted(there)[:3]) + (", ..." if len(there) > 3 else "")
        raise ArtefactError(f"{store.address} holds files that tunesmith did not write ({some}); choose another address, or empty it first")
    return {name for files in ours for name in files}


def _stated(text: str | None) -> list[str] | None:
    """Read the list of files in a manifest; None where it is none of ours."""
    try:
        found = json.loads(text or "")
        return [str(name) for name in found.get("files", ())] if str(found["tool"]).startswith("tunesmith") else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _may_write(store: Store, name: str) -> None:
    store.write(name, _PROBE)
    store.remove([name])


def _is_manifest(name: str) -> bool:
    return name.rpartition("/")[2] == MANIFEST


def _sent(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / _SENT).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _compare(store: Store, folder: Path, names: list[str]) -> None:
    there: Mapping[str, Mapping[str, Any]] = store.files()
    for name in names:
        size, found = (folder / name).stat().st_size, there.get(name, {}).get("size")
        if found != size:
            raise InputError(f"{store.address}: {name} was sent with {size:,} bytes and lies there with {found}")
