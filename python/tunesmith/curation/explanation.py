"""`explain`: everything that happened to a row, from the files of its version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.errors import InputError
from tunesmith.rows import Version, fields

_TEXTS = ("instruction", "input", "output", "system")


@dataclass(frozen=True, kw_only=True)
class RowStory:
    """What happened to one row.

    Attributes:
        position: The row.
        fate: `kept`, `dropped` or `rejected`.
        origin: Where it came from: file, record, part.
        text: Its prompt and response, as they are now.
        changes: Fields that were edited: `field, before, after`.
        entries: Its lines of the ledger, each with `twin` (the twin's text) where it has one.
        values: What was measured on it, where it is not zero or null.
        pairs: Its recorded pairs: `step, twin_position, similarity`, the most similar first.
    """

    position: int
    fate: str
    origin: Mapping[str, Any] | None
    text: Mapping[str, str | None]
    changes: tuple[Mapping[str, str | None], ...]
    entries: tuple[Mapping[str, Any], ...]
    values: Mapping[str, Any]
    pairs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The stories of the rows that a name means: one, or all copies of a content."""

    rows: tuple[RowStory, ...]

    def as_dict(self) -> dict[str, Any]:
        """The `--json` fields; `entries` are those of all rows."""
        return {"entries": [dict(entry) for row in self.rows for entry in row.entries], "rows": [_plain(row) for row in self.rows]}


def explain(version: Version | str | Path, row: str | int) -> Explanation:
    """Tell what happened to a row, and why.

    Args:
        version: A version.
        row: A position (digits), or a prefix of a row id (8 hex digits or more); an id that was its own once counts too.
    Raises:
        InputError: If there is no such row.
    """
    opened = version if isinstance(version, Version) else Version.open(version)
    return Explanation(rows=tuple(_story(opened, position) for position in find_rows(opened, row)))


def find_rows(version: Version, row: str | int) -> list[int]:
    """Find the positions that a ROW means.

    Raises:
        InputError: If it is neither a position nor a prefix of an id, or nothing has it.
    """
    name = str(row).strip()
    tables = (version.frame, version.removed, version.ledger)
    if re.fullmatch(r"[0-9]{1,20}", name):
        position = int(name)
        if position < 2**64 and any((table["position"] == position).any() for table in tables):
            return [position]
        highest = max((int(table["position"].max()) for table in tables if table.height), default=0)  # type: ignore[arg-type]
        raise InputError(f"{version.folder}: no row has the position {position}; positions go up to {highest}")
    if not re.fullmatch(r"[0-9a-fA-F]{8,32}", name):
        raise InputError(f"{name!r}: expected a position (digits) or a row id's first 8 hex digits or more")
    prefix = name.lower()
    ids = [*(table.select("position", "row_id") for table in tables), version.ledger.select("position", pl.col("new_id").alias("row_id"))]
    found = pl.concat(ids).filter(pl.col("row_id").str.starts_with(prefix))["position"].unique().sort().to_list()
    if not found:
        raise InputError(f"{version.folder}: no row's id begins with {prefix}; expected an id of this version, or a position")
    return found


def _story(version: Version, position: int) -> RowStory:
    here = pl.col("position") == position
    kept, gone = version.frame.filter(here), version.removed.filter(here)
    entries = version.ledger.filter(here)
    # Of a dropped row, the last line of `removed` is the row as the fixes left it; those before are as it was.
    now = kept if kept.height else gone.tail(1)
    before = gone if kept.height else gone.head(max(gone.height - 1, 0))
    fate = "kept" if kept.height else "dropped" if gone.height else "rejected"
    twins = _texts(version, entries["twin_position"].drop_nulls())
    told = [{**entry, "twin": twins.get(entry["twin_position"])} for entry in entries.iter_rows(named=True)]
    return RowStory(
        position=position, fate=fate, origin=now["origin"][0] if now.height else None,
        text={"prompt": fields.prompt(now)[0], "response": fields.response(now)[0]} if now.height else {"prompt": None, "response": None},
        changes=tuple(text_changes(before, now)), entries=tuple(told), values=_values(version.values.filter(here)),
        pairs=tuple(_pairs(version.edges, position)),
    )  # fmt: skip


def text_changes(before: pl.DataFrame, now: pl.DataFrame) -> list[dict[str, str | None]]:
    """List what differs between a row as it was and as it is, one line each: `field, before, after`; none where one is absent."""
    if not before.height or not now.height:
        return []
    old, new = before.row(0, named=True), now.row(0, named=True)
    made = [{"field": name, "before": old[name], "after": new[name]} for name in _TEXTS if old[name] != new[name]]
    if old["weight"] != new["weight"]:
        made.append({"field": "weight", "before": f"{old['weight']:g}", "after": f"{new['weight']:g}"})
    turns: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]
    turns = zip_longest(old["messages"] or [], new["messages"] or [], fillvalue={})
    for k, (was, turn) in enumerate(turns):
        for name in ("content", "train"):
            said, follows = (message.get(name) for message in (was, turn))
            if said != follows:
                made.append({"field": f"messages[{k}].{name}", "before": _said(said), "after": _said(follows)})
    return made


def _said(value: str | bool | None) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value


def _texts(version: Version, positions: pl.Series) -> dict[int, str]:
    """Prompt and response of rows, whether they stayed or not."""
    found: dict[int, str] = {}
    for table in (version.removed, version.frame):
        rows = table.filter(pl.col("position").is_in(positions.implode()))
        texts = zip(rows["position"], fields.prompt(rows), fields.response(rows), strict=True)
        found.update({position: f"{prompt}\n→ {response or ''}" for position, prompt, response in texts})
    return found


def _values(values: pl.DataFrame) -> dict[str, Any]:
    if not values.height:
        return {}
    return {name: value for name, value in values.row(0, named=True).items() if value not in (None, 0) and name != "position"}


def _pairs(edges: pl.DataFrame, position: int) -> list[dict[str, Any]]:
    mine = edges.filter((pl.col("position") == position) | (pl.col("twin_position") == position))
    other = pl.when(pl.col("position") == position).then("twin_position").otherwise("position").alias("twin_position")
    return mine.select("step", other, "similarity").sort("similarity", "twin_position", descending=[True, False]).head(10).to_dicts()


def _plain(row: RowStory) -> dict[str, Any]:
    return {**vars(row), "changes": [dict(change) for change in row.changes], "entries": [dict(entry) for entry in row.entries]}
