"""A folder on disk that is either whole or not there: written beside, manifest last, then renamed.

At an address (s3://bucket/v1) it is made in a folder of this machine, and sent with the manifest last (`uploads`).
Standard library only, so that training and generation write artefacts on machines that hold nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

from tunesmith import uploads
from tunesmith._version import __version__
from tunesmith.errors import ArtefactError, InputError
from tunesmith.progress import SILENT, Progress
from tunesmith.stores import Store, is_address
from tunesmith.uploads import publish, vacant, work_folder

FORMAT = 1
MANIFEST, UNDER_WAY = uploads.MANIFEST, uploads.UNDER_WAY
LOCK = ".lock"
_ADDRESS_AS_PATH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")
Kind = Literal["version", "split", "pack", "run", "evaluation", "diagnosis", "experiment", "turn", "model", "report", "export"]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an artefact says of itself.

    Attributes:
        kind: What the folder holds.
        inputs: Name to logical content hash (or another fixed name) of everything it was made from.
        options: The options that decide the content, JSON values only.
        hash: Logical content hash of the result (32 or 64 hex digits), never of file bytes, time or path.
        result: The command's `--json` fields, so that a reused output answers like the first run.
        details: Anything else a reader needs (a recipe, a template's text, cache folders).
    """

    kind: Kind
    inputs: Mapping[str, str]
    options: Mapping[str, Any]
    hash: str
    result: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    tool: str = f"tunesmith {__version__}"

    def same_work(self, kind: Kind, inputs: Mapping[str, str], options: Mapping[str, Any]) -> bool:
        """Tell whether the same inputs and options would be worked on again."""
        return (self.kind, _plain(self.inputs), _plain(self.options)) == (kind, _plain(inputs), _plain(options))


_NEEDED = ("kind", "inputs", "options", "hash")


def _plain(value: Any) -> Any:
    """Normalise by a JSON round trip: tuples become lists, keys become text."""
    return json.loads(json.dumps(value, sort_keys=True))


def read_manifest(folder: str | Path, kind: Kind | None = None) -> Manifest:
    """Open an artefact's manifest.

    Args:
        folder: A folder, or an address.
        kind: What it should be.
    Raises:
        ArtefactError: If the folder is not an artefact, is of another kind, or of a newer format.
        InputError: If an address cannot be read.
    """
    path = f"{folder}/{MANIFEST}"
    expected = _a(kind) if kind else "an artefact"
    text = _text(folder)
    if text is None:
        found = _instead_there(str(folder)) if is_address(folder) else _instead(Path(folder))
        raise ArtefactError(f"{folder}: expected {expected}, found {found}")
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ArtefactError(f"{path}: expected JSON, found {error}; make the artefact again") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = f"format {raw.get('format')}" if isinstance(raw, dict) else type(raw).__name__
        raise ArtefactError(f"{path}: expected format {FORMAT}, found {found}; a newer tunesmith may have written it")
    if kind and raw.get("kind") != kind:
        raise ArtefactError(f"{folder}: expected {expected}, found {_a(str(raw.get('kind')))}")
    if missing := [name for name in _NEEDED if name not in raw]:
        raise ArtefactError(f"{path}: expected {', '.join(_NEEDED)}, found no {', '.join(missing)}; make the artefact again")
    known = Manifest.__dataclass_fields__
    return Manifest(**{name: value for name, value in raw.items() if name in known})


def _text(folder: str | Path) -> str | None:
    if isinstance(folder, str) and is_address(folder):
        return Store(folder).text(MANIFEST)
    path = Path(folder) / MANIFEST
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _instead(folder: Path) -> str:
    """Say what is there in place of an artefact, and what to do."""
    if _beside(folder, ".work").is_dir():
        return f"unfinished work in {_beside(folder, '.work')}; give the command that makes it again"
    if not folder.exists():
        return "no such folder; check the name, or make it first"
    if not folder.is_dir():
        return "a file; name the folder that tunesmith wrote"
    return f"a folder without {MANIFEST}; name one that tunesmith wrote"


def _instead_there(address: str) -> str:
    files = Store(address).files()
    if UNDER_WAY in files:
        return "an upload that has not ended; give the command that makes it again"
    return f"files without {MANIFEST}; name a folder that tunesmith wrote" if files else "nothing; check the address, or make it first"


def is_artefact(folder: str | Path, kind: Kind | None = None) -> bool:
    """Tell whether a folder holds a finished artefact (of this kind)."""
    try:
        read_manifest(folder, kind)
    except ArtefactError:
        return False
    return True


def recognised(folder: str | Path, kind: Kind | None = None) -> bool:
    """Tell whether a folder holds a finished artefact, before it is read as anything else.

    Raises:
        ArtefactError: If its manifest is one of tunesmith's and is damaged, or of a newer format.
    """
    if is_artefact(folder, kind):
        return True
    if kind is None or not is_artefact(folder):
        text = _text(folder)
        if text is not None and "tunesmith" in text:
            read_manifest(folder)
    return False


def finished(
    out: str | Path,
    *,
    kind: Kind,
    inputs: Mapping[str, str],
    options: Mapping[str, Any],
    sources: Iterable[object] = (),
    force: bool = False,
    progress: Progress = SILENT,
) -> Manifest | None:
    """Answer whether `out` already holds this very work: its manifest if so, None if it is still to do.

    Args:
        out: The folder to write.
        kind: What it is to hold.
        inputs: As in `Manifest`.
        options: As in `Manifest`.
        sources: What the work reads; those that are paths must not lie in what `force` would replace.
        force: Replace what lies at `out`.
        progress: Told of the rest of an upload that was interrupted.
    Raises:
        ArtefactError: If something else lies at `out` and `force` is not given, if `out` holds a source and it is, or if
            `out` names no folder that could be made.
        InputError: If `out` is an address that one may not write to.
    """
    place = _place(out)
    if isinstance(place, str):
        if Store(place, "written").text(MANIFEST) is None:
            vacant(place)
            return None if force else _sent_on(place, kind, inputs, options, progress)
    elif not place.exists():
        return None
    if not force and is_artefact(place, kind):
        manifest = read_manifest(place, kind)
        if manifest.same_work(kind, inputs, options):
            return manifest
    if force:
        for source in sources:
            if isinstance(source, str | Path) and _holds(place, source):
                raise ArtefactError(f"{out} cannot be replaced: {source}, which it would be made from, lies in it; choose another output")
        if isinstance(place, str):
            vacant(place)
        return None
    raise ArtefactError(f"{out} exists and was not made from the same inputs and options; choose another output, or --force to replace it")


def _holds(place: str | Path, source: str | Path) -> bool:
    if isinstance(place, str):
        return f"{source}/".startswith(f"{place}/")
    return not is_address(source) and Path(source).resolve().is_relative_to(place.resolve())


def _sent_on(address: str, kind: Kind, inputs: Mapping[str, str], options: Mapping[str, Any], progress: Progress) -> Manifest | None:
    """Go on with sending what an interrupted run has made: its manifest; None where there is nothing of the kind."""
    folder = work_folder(address)
    if not is_artefact(folder, kind):
        return None
    manifest = read_manifest(folder, kind)
    if not manifest.same_work(kind, inputs, options):
        return None
    with alone(folder, address):
        _send(folder, address, progress)
    return manifest


def _send(folder: Path, address: str, progress: Progress) -> None:
    try:
        publish(folder, address, progress)
    except InputError as error:
        raise InputError(f"{error}; what was made lies in {folder}, and the same command sends the rest") from error
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"what was made lies in {folder}, and the same command sends the rest") from stop
    shutil.rmtree(folder)


@dataclass(kw_only=True)
class Work:
    """A folder under construction. Write into `folder`; call `finish` once, last."""

    folder: Path
    manifest: Manifest | None = None

    def finish(self, manifest: Manifest) -> Manifest:
        """Say what was made. The folder gets its name when the `writing` block ends."""
        self.manifest = manifest
        return manifest


@contextmanager
def alone(folder: Path, out: str | Path) -> Iterator[None]:
    """Let one run at a time work in `folder`, which is made, on what will be `out`.

    Raises:
        ArtefactError: If another run works there, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise ArtefactError(f"{out}: nothing can be written there ({folder}: {error.strerror}); choose another output") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ArtefactError(f"{folder} is in use by another run; wait for it, or choose another output") from error
        yield


@contextmanager
def writing(out: str | Path, progress: Progress = SILENT) -> Iterator[Work]:
    """Write an artefact in `OUT.work/`, locked; at the end of the block it takes the name `OUT`.

    What is to lie at an address is made in a folder of its own on this machine (`uploads.work_folder`), and sent at the end.

    What an interrupted run left in `OUT.work/` is still there, so that the work can go on; whoever
    cannot go on clears it. Without a call of `Work.finish`, or on an error, `OUT` is not touched. An older
    artefact at `OUT` is replaced; anything that tunesmith did not write is kept beside it, as `OUT.old`.

    Args:
        out: A folder, or an address.
        progress: Told what was sent to an address.
    Raises:
        ArtefactError: If another run works on it, or nothing can be written there.
        InputError: If an address refuses; what was made stays in its folder, and the same command sends the rest.
    """
    place = _place(out)
    folder = work_folder(place) if isinstance(place, str) else _beside(place, ".work")
    with alone(folder, place):
        (folder / MANIFEST).unlink(missing_ok=True)
        work = Work(folder=folder)
        yield work
        if work.manifest is None:
            return
        if isinstance(place, Path):
            _commit(work.manifest, folder, place)
            return
        seal(folder, work.manifest)
        _send(folder, place, progress)


def seal(folder: Path, manifest: Manifest) -> None:
    """Make a folder an artefact where it lies, by its manifest, written whole: for one whose parts are artefacts that stay in place."""
    beside = folder / f"{MANIFEST}.part"
    with beside.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"format": FORMAT, **vars(manifest)}, indent=2, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / MANIFEST)


def _commit(manifest: Manifest, folder: Path, out: Path) -> None:
    seal(folder, manifest)
    (folder / LOCK).unlink()
    old, ours = _free(out), is_artefact(out)
    if os.path.lexists(out):
        out.rename(old)
    folder.rename(out)
    if ours:
        shutil.rmtree(old)


def _place(out: str | Path) -> str | Path:
    """Find the folder that `out` names: a link is followed, so that its target is replaced and not the link; an address is one."""
    if isinstance(out, str) and is_address(out):
        return out.rstrip("/")
    path = Path(out)
    if _ADDRESS_AS_PATH.match(str(path)):
        raise ArtefactError(f"{path}: expected a folder of this machine, found an address; write a folder, and copy it there")
    if path.name in ("", ".."):
        raise ArtefactError(f'"{out}": expected the name of a folder to make; name one, for example {path / "out"}')
    return path.resolve() if path.is_symlink() else path


def _beside(folder: Path, ending: str) -> Path:
    return folder.parent / (folder.name + ending)


def _free(out: Path) -> Path:
    """Name the place for what is replaced: `OUT.old`, or `OUT.old2` and so on where that is taken."""
    names = (_beside(out, f".old{number if number > 1 else ''}") for number in count(1))
    return next(path for path in names if not os.path.lexists(path))
