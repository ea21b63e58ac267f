"""The log of looks at the confirm items: they are spent once, and whoever looks again is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.errors import InputError, at

LOG = "confirm.jsonl"


def spend(folder: Path, items: pl.DataFrame, candidate: str, *, earlier: Iterable[str | Path] = ()) -> list[dict[str, Any]]:
    """Log that a candidate is about to be measured on these confirm items.

    Args:
        folder: The experiment; its log is written.
        items: ``row_id`` of the confirm items.
        candidate: Names the answers that are looked at.
        earlier: Other experiments, whose logs count too.
    Returns:
        The looks of other candidates at the same items, before this one.
    Raises:
        InputError: If a log cannot be read.
    """
    named = sha256("\n".join(sorted(items["row_id"].to_list())).encode()).hexdigest()[:32]
    own = [look for look in _read(folder / LOG) if look["items"] == named]
    mine = next((look for look in own if look["candidate"] == candidate), None)
    if mine is None:
        mine = {"time": datetime.now(UTC).isoformat(timespec="microseconds"), "items": named, "candidate": candidate}
        with (folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(mine) + "\n")
    elsewhere = [look for place in earlier for look in _read(Path(place) / LOG) if look["items"] == named]
    before = [look for look in (*elsewhere, *own) if look["candidate"] != candidate and look["time"] < mine["time"]]
    return sorted(before, key=lambda look: look["time"])


def _read(log: Path) -> list[dict[str, Any]]:
    if not log.is_file():
        return []
    found: list[dict[str, Any]] = []
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines(), 1):
        try:
            look = json.loads(line)
            found.append({name: str(look[name]) for name in ("time", "items", "candidate")})
        except (ValueError, KeyError, TypeError) as error:
            expected = 'a look at the confirm items, {"time", "items", "candidate"}'
            raise InputError(f"{at(log, line=number)}: expected {expected}, found {line[:60]}; take the line out") from error
    return found
