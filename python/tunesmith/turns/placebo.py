"""The placebo of a patch: the same actions on as many random rows of the same slices, whatever these rows are like."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from tunesmith import core, slices
from tunesmith.curation.edits import Edit, edit_id
from tunesmith.errors import InputError
from tunesmith.rows import schema

CATEGORY = "placebo"
WHOLE = 0.8
"""Where the patch takes more than this share of a slice, a random choice in the slice would be the patch itself."""
RULE = (
    f"the same action on as many random rows of the same verb x topic slice, drawn from all its rows, the patch's included; from the whole "
    f"data where the patch takes over {WHOLE:.0%} of the slice"
)
_TEXTS = ("instruction", "input", "output", "system")


@dataclass(frozen=True, kw_only=True)
class Placebo:
    """A patch that should do nothing.

    Attributes:
        edits: One for each edit of the patch.
        slices: ``slice, rows, patch_rows, placebo_rows, from`` (slice or data), by patch_rows: what was drawn for whom.
    """

    edits: list[Edit]
    slices: list[dict[str, Any]]


def make_placebo(rows: pl.DataFrame, edits: Sequence[Edit], *, seed: int = 0) -> Placebo:
    """Make a placebo.

    - `drop`: as many random rows are dropped.
    - `edit`: as many random rows are replaced, whole, by copies of other random rows of the slice. So as many rows change, and none gets
      an answer that does not belong to its prompt.
    - `weight`, `mask`: the same weight, or the same masking (a row, or one random answer), on as many random rows.
    - `add`: as many random rows of the slice are added once more.

    No row is drawn twice, and which rows are drawn depends on the rows' positions and slices and the seed alone, not on what
    they hold. An action that would leave a row as it is passes on to the next row.

    Args:
        rows: The version's rows (``rows.schema.ROW`` and the user's columns), positions unique.
        edits: The edits that the patch applies, one a row.
        seed: Of the draw.
    Raises:
        InputError: If there are too few rows for it.
    """
    columns = slices.columns(rows)
    of_row: dict[int, str] = dict(columns.select("position", _named(columns)).iter_rows())
    shuffled = _shuffled(rows["position"], seed)
    members: dict[str, list[int]] = {}
    for position in shuffled:
        members.setdefault(of_row[position], []).append(position)
    wanted = [(edit, _slice_of(edit, of_row, rows)) for edit in edits]
    changed = Counter(name for edit, name in wanted if edit.action != "add")
    whole = {name for name, count in changed.items() if count > WHOLE * len(members[name])} | {n for _, n in wanted if n not in members}
    draw = _Draw(rows, shuffled, of_row)
    made: list[Edit] = []
    # Slices first: what they need may not be taken by draws from the whole data.
    for from_slice in (True, False):
        for edit, name in wanted:
            if (name not in whole) == from_slice:
                made.append(draw.placebo(edit, members[name] if from_slice else shuffled, name))
    counts = Counter(name for _, name in wanted)
    drawn = Counter(of_row[int(edit.evidence["position"])] for edit in made)
    listed = sorted({*counts, *drawn}, key=lambda name: (-counts[name], name))
    return Placebo(
        edits=made,
        slices=[
            {"slice": name, "rows": len(members.get(name, [])), "patch_rows": counts[name], "placebo_rows": drawn[name],
             "from": "data" if name in whole else "slice"}
            for name in listed
        ],
    )  # fmt: skip


def _named(columns: pl.DataFrame) -> pl.Expr:
    """Name slices by verb and, where rows have one, topic; never by length or what a detector measures."""
    verb = pl.col("verb").fill_null("unknown")
    if "topic" not in columns.columns:
        return pl.format("verb={}", verb)
    return pl.format("verb={} & topic={}", verb, pl.col("topic").fill_null("unknown"))


def _shuffled(positions: pl.Series, seed: int) -> list[int]:
    keys = core.row_ids([positions.cast(pl.String), pl.repeat(f"placebo {seed}", positions.len(), eager=True)])
    return pl.DataFrame({"position": positions, "key": keys}).sort("key")["position"].to_list()


def _slice_of(edit: Edit, of_row: Mapping[int, str], rows: pl.DataFrame) -> str:
    if edit.action != "add":
        return of_row[int(edit.position or 0)]
    fields = dict(edit.fields or {})
    asked = [str(turn.get("content") or "") for turn in fields.get("messages") or [] if turn.get("role") == "user"]
    texts = {name: fields.get(name) for name in ("input", "output")}
    new = {"position": 0, "instruction": fields.get("instruction") or (asked[-1] if asked else None), **texts}
    topic = next((name for name in slices.slicing.TOPICS if rows.schema.get(name) == pl.String), None)
    frame = pl.DataFrame([{**new, **({topic: fields.get(topic)} if topic else {})}], schema_overrides=dict.fromkeys(_TEXTS[:3], pl.String))
    columns = slices.columns(frame.with_columns(pl.col(topic).cast(pl.String)) if topic else frame)
    return str(columns.select(_named(columns)).item())


class _Draw:
    """Takes rows, each once, in their random order."""

    def __init__(self, rows: pl.DataFrame, shuffled: list[int], names: Mapping[int, str]) -> None:
        self._rows, self._shuffled, self._names = rows, shuffled, names
        self._at = {position: k for k, position in enumerate(rows["position"].to_list())}
        self._ids, self._kinds, self._weights = rows["row_id"].to_list(), rows["kind"].to_list(), rows["weight"].to_list()
        self._used: set[int] = set()
        self._passed: dict[int, int] = {}
        """How many rows at the start of a pool, by its identity, are used up."""
        self._places: dict[int, dict[int, int]] = {}
        """Where each position stands in a pool."""

    def placebo(self, edit: Edit, pool: list[int], name: str) -> Edit:
        """Do to a random row of the pool what an edit does to its row."""
        # A slice may run out of rows that the action would change.
        for position in chain(self._free(pool), self._free(self._shuffled)):
            changes = self._changes(edit, position, pool if position in self._place(pool) else self._shuffled)
            if changes is None:
                continue
            self._used.add(position)
            row_id, here = self._ids[self._at[position]], pool is not self._shuffled and self._names[position] == name
            added = edit.action == "add"
            own = {"position": None, "row_id": None} if added else {"position": position, "row_id": row_id}
            return Edit(
                edit_id=edit_id(**own, action=edit.action, category=CATEGORY, fields={"of": position} if added else None),
                **own,
                action=edit.action,
                category=CATEGORY,
                reason=f"a random row of {name if here else f'the whole data, for {name}'}",
                evidence={"position": position, "slice": name, "for": edit.edit_id},
                status="accepted",
                **changes,
            )
        raise InputError(
            f"too few rows for a placebo: none is left for the {edit.action} in {name}; give it more rows, or take fewer edits"
        )

    def _free(self, pool: list[int]) -> Iterator[int]:
        start = self._passed.get(id(pool), 0)
        while start < len(pool) and pool[start] in self._used:
            start += 1
        self._passed[id(pool)] = start
        return (pool[k] for k in range(start, len(pool)) if pool[k] not in self._used)

    def _changes(self, edit: Edit, position: int, pool: list[int]) -> dict[str, Any] | None:
        """Say what the edit does to this row; None where it would leave it as it is."""
        k = self._at[position]
        if edit.action == "drop":
            return {}
        if edit.action == "weight":
            return {"weight": edit.weight} if self._weights[k] != _float32(edit.weight) else None
        if edit.action == "mask":
            return self._masked(edit, k)
        if edit.action == "add":
            return {"fields": self._content(k, whole=True), "weight": edit.weight}
        donor = self._donor(k, pool)
        return None if donor is None else {"fields": self._content(donor, like=k)}

    def _masked(self, edit: Edit, k: int) -> dict[str, Any] | None:
        if edit.turn is None:
            return {} if self._weights[k] != 0 else None
        turns = self._rows["messages"][k]
        answers = [
            turn
            for turn, said in enumerate(turns if turns is not None else [])
            if said["role"] == "assistant" and said["train"] is not False
        ]
        # Rows are in random order, but their turns are not: the row's place in it chooses one.
        return {"turn": answers[self._rows["position"][k] % len(answers)]} if answers else None

    def _donor(self, k: int, pool: list[int]) -> int | None:
        """Find the next row in the random order, round and round, that is of the same kind and says something else."""
        start = self._place(pool)[self._rows["position"][k]] + 1
        behind = (pool[(start + step) % len(pool)] for step in range(len(pool)))
        for position in chain(behind, self._shuffled if pool is not self._shuffled else ()):
            other = self._at[position]
            if self._kinds[other] == self._kinds[k] and self._ids[other] != self._ids[k]:
                return other
        return None

    def _place(self, pool: list[int]) -> Mapping[int, int]:
        if id(pool) not in self._places:
            self._places[id(pool)] = {position: place for place, position in enumerate(pool)}
        return self._places[id(pool)]

    def _content(self, k: int, *, like: int | None = None, whole: bool = False) -> dict[str, Any]:
        """Give the fields that make a row's id, as an edit of the row `like` takes them, or (`whole`) as a new row needs them."""
        row = self._rows.row(k, named=True)
        if row["messages"] is not None:
            fields: dict[str, Any] = {"messages": [_turn(turn) for turn in row["messages"]]}
            fields |= {"rejected": [_turn(turn) for turn in row["rejected"]]} if row["rejected"] else {}
        else:
            fields = {"output": row["output"]} if row["kind"] == "text" else {name: row[name] for name in _TEXTS}
        if row["tools"] is not None or (like is not None and self._rows["tools"][like] is not None):
            fields["tools"] = json.loads(row["tools"]) if row["tools"] is not None else None
        if whole:
            fields = {name: value for name, value in fields.items() if value is not None}
            fields |= {name: row[name] for name in row if name not in schema.ROW and isinstance(row[name], str | int | float | bool)}
        return fields


def _float32(weight: float | None) -> float | None:
    value: float | None = pl.Series([weight], dtype=pl.Float32)[0]
    return value


def _turn(said: Mapping[str, Any]) -> dict[str, Any]:
    turn = {name: value for name, value in said.items() if value is not None}
    if "tool_calls" in turn:
        turn["tool_calls"] = json.loads(turn["tool_calls"])
    return turn
