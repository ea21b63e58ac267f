"""Checkpoints in `OUT.work/`: which work they belong to, which of them is whole, and what is kept beside the weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.errors import ArtefactError

_WORK, _STATE = "work.json", "tunesmith.json"


@dataclass(kw_only=True)
class History:
    """What has happened so far, besides weights and optimizer.

    Attributes:
        step: Optimizer steps done.
        seconds: Wall time of those steps, over all sessions.
        validation: One entry an epoch: `step`, `epoch`, `loss` (nats, mean over supervised tokens), `tokens`.
    """

    step: int = 0
    seconds: float = 0.0
    validation: list[dict[str, Any]] = field(default_factory=list)

    def best(self) -> dict[str, Any] | None:
        """Return the first entry with the lowest validation loss."""
        return min(self.validation, key=lambda entry: (entry["loss"], entry["step"]), default=None)


def claim(folder: Path, out: Path, work: Mapping[str, Any], *, force: bool) -> None:
    """Say whose work a folder holds; refuse to go on with another's.

    Raises:
        ArtefactError: If it was begun with other inputs or options; names those that differ.
    """
    path = folder / _WORK
    plain = json.loads(json.dumps(work))
    if force:
        clear(folder)
    elif path.is_file():
        begun = json.loads(path.read_text(encoding="utf-8"))
        if begun != plain:
            differ = [
                f"{name}: {begun.get(name)} then, {plain.get(name)} now"
                for name in sorted({*begun, *plain})
                if begun.get(name) != plain.get(name)
            ]
            raise ArtefactError(
                f"{folder} holds an unfinished run of other inputs or options ({'; '.join(differ[:4])}); "
                f"finish that one, or choose another output than {out}, or --force to start over"
            )
    path.write_text(json.dumps(plain, indent=1), encoding="utf-8")


def clear(folder: Path) -> None:
    """Remove everything but the lock."""
    for path in folder.iterdir():
        if path.name == ".lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def mark_whole(checkpoint: Path, state: History) -> None:
    """Write a checkpoint's state, last: without it the checkpoint does not count."""
    path = checkpoint / (_STATE + ".new")
    path.write_text(json.dumps(asdict(state)), encoding="utf-8")
    path.replace(checkpoint / _STATE)


def newest(folder: Path) -> tuple[Path, History] | None:
    """Find the last whole checkpoint."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{_STATE}")]
    if not whole:
        return None
    last = max(whole, key=lambda path: int(path.name.rpartition("-")[2]))
    return last, History(**json.loads((last / _STATE).read_text(encoding="utf-8")))
