"""`patch`: the edits of a patch, row by row: drop, edit, weight, mask; and the rows that it adds, which are read with the sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import polars as pl
from pydantic import Field, PrivateAttr

from tunesmith.curation import changes
from tunesmith.curation.edits import Edit, against, conflicts, find_patch, fingerprint, read_lines, taken
from tunesmith.curation.steps.base import NOTE, Measured, RowStep, Step, decisions
from tunesmith.curation.steps.fix import NEW_ID
from tunesmith.errors import InputError


class Patch(RowStep):
    """Apply the accepted edits of a patch, one a row: drop before edit before weight before mask.

    An edit means the row at its position that has its id, when it was read or on entering the step. Rows that the patch adds are read
    after all sources: every step sees them, those before this one too.
    """

    type: ClassVar[str] = "patch"
    rewrites: ClassVar[bool] = True

    file: str = Field(description="A patch.jsonl, or the folder of a diagnosis, relative to the recipe.")
    all: bool = Field(default=False, description="Take the proposed edits too; rejected ones never.")
    _read_as: dict[int, str] = PrivateAttr(default_factory=dict)
    """The ids that edited rows had when they were read."""
    _added: dict[int, Edit] = PrivateAttr(default_factory=dict)
    """The edits that added rows, by the positions these got."""

    def resolved(self, folder: Path) -> Patch:
        """Read the patch, relative to the recipe's folder."""
        made = self.model_copy(update={"file": str(find_patch((folder / self.file).resolve()))})
        made._lines  # noqa: B018  (a broken patch is told with the recipe, before any row is read)
        return made

    @property
    def _called(self) -> str:
        """What messages call the patch: as short as it can be found from here."""
        path, here = Path(self.file), Path.cwd()
        return str(path.relative_to(here)) if path.is_relative_to(here) else self.file

    @cached_property
    def _lines(self) -> list[tuple[int, Edit]]:
        return read_lines(self._called)

    @cached_property
    def _edits(self) -> list[Edit]:
        return [edit for _, edit in self._lines]

    @cached_property
    def _taken(self) -> list[Edit]:
        return taken(self._edits, self.all)

    @cached_property
    def _by_position(self) -> dict[int, Edit]:
        return {edit.position: edit for edit in self._taken if edit.position is not None}

    def inputs(self) -> Mapping[str, str]:
        """Name the patch by what it says."""
        return {f"{self.label}.file": fingerprint(self._edits)}

    def files(self) -> tuple[str, ...]:
        """Name the patch."""
        return (self.file,)

    def remarks(self) -> tuple[str, ...]:
        """Tell what is not taken."""
        name = Path(self.file).name
        proposed = sum(edit.status == "proposed" for edit in self._edits)
        lost = len(conflicts(self._edits, self.all))
        said = []
        if not self._taken:
            said.append(f"{name}: none of its {len(self._edits):,} edits is taken")
        if proposed and not self.all:
            are = "proposed edit is" if proposed == 1 else "proposed edits are"
            said.append(f"{name}: {proposed:,} {are} not taken (`all: true` takes them)")
        if lost:
            said.append(f"{name}: {lost:,} {'edit gives' if lost == 1 else 'edits give'} way to another edit of the same row")
        return tuple(said)

    def additions(self, columns: pl.Schema) -> pl.DataFrame:
        """Make the rows that the patch adds."""
        lines = {edit.edit_id: line for line, edit in self._lines}
        new = [(lines[edit.edit_id], edit) for edit in self._taken if edit.action == "add"]
        return changes.additions(new, columns, patch=self._called)

    def met(self, rows: pl.DataFrame, added: pl.Series, *, settled: bool) -> Step:
        """Refuse edits of rows that are not there; keep the ids under which rows were read."""
        here = rows.filter(pl.col("position").is_in(list(self._by_position))).select("position", "row_id")
        ids = dict(here.iter_rows())
        missing = [edit for edit in self._taken if edit.action != "add" and edit.position not in ids]
        if missing or settled:
            against(self._taken, rows, patch=self._called)
        made = self.model_copy()
        made._read_as = ids
        made._added = dict(zip(added.to_list(), (edit for edit in self._taken if edit.action == "add"), strict=True))
        return made

    def measures(self) -> Mapping[str, pl.DataType]:
        """The edit of each row: what it does, why, whether anything changed, the new weight, and the new id."""
        return {
            "action": pl.String(), "category": pl.String(), "changed": pl.Boolean(), "weight": pl.Float64(), NEW_ID: pl.String(),
        }  # fmt: skip

    def measure(self, chunk: pl.DataFrame) -> Measured:
        """Make the edits of a chunk."""
        named = chunk.filter(pl.col("position").is_in([*self._by_position, *self._added])).select("position", "row_id").rows()
        edits = {position: self._by_position.get(position) or self._added[position] for position, _ in named}
        self._check([(position, row_id) for position, row_id in named if position in self._by_position])
        edited = changes.changed(chunk, edits, patch=self._called)
        before = dict(named)
        new = {position: None if row_id == before[position] else row_id for position, row_id in edited.select("position", "row_id").rows()}
        measured = pl.DataFrame(
            [_measured(position, edit, position in new, new.get(position)) for position, edit in edits.items()],
            schema={"position": pl.UInt64, **self.measures()}, orient="row",
        )  # fmt: skip
        values = chunk.select("position").join(measured, on="position", how="left", maintain_order="left")
        notes = pl.DataFrame([self._note(position, edit) for position, edit in edits.items()], schema=NOTE, orient="row")
        return Measured(values=values, notes=notes, edited=edited)

    def _check(self, rows: list[tuple[int, str]]) -> None:
        for position, row_id in rows:
            edit = self._by_position[position]
            read_as = self._read_as.get(position, row_id)
            if edit.row_id not in (row_id, read_as):
                raise InputError(
                    f"{self._called}: a patch for another version: edit {edit.edit_id} expected row {edit.row_id} at position {position}, "
                    f"found {row_id}" + (f" (read as {read_as})" if read_as != row_id else "")
                )

    def _note(self, position: int, edit: Edit) -> tuple[object, ...]:
        said = [edit.reason, json.dumps(edit.evidence, ensure_ascii=False) if edit.evidence else None]
        who = f" by {edit.reviewer}" if edit.reviewer else ""
        what = "added by " if edit.action == "add" else ""
        said.append(f"{what}edit {edit.edit_id} of {Path(self.file).name}, {edit.status}{who}")
        return position, _rule(edit), _field(edit), edit.turn, "; ".join(part for part in said if part)

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """Do what the patch says; the rule is the edit's category, or its action where it has none."""
        action = pl.when(action="drop").then(pl.lit("drop")).when(pl.col("changed") & (pl.col("action") != "add")).then(pl.lit("edit"))
        acted = alive.filter(pl.col("action").is_not_null())
        made = acted.select(
            "position", "weight", pl.coalesce("category", "action").alias("rule"), action.otherwise(pl.lit("keep")).alias("does")
        )
        return decisions(made.select("position", "rule", "weight", pl.col("does").alias("action")), value=pl.col("weight"))


def _measured(position: int, edit: Edit, changed: bool, new_id: str | None) -> tuple[object, ...]:
    weight = 0.0 if edit.action == "mask" and edit.turn is None else edit.weight
    return position, edit.action, edit.category, changed or edit.action in ("drop", "add"), weight, new_id


def _rule(edit: Edit) -> str:
    return edit.category or edit.action


def _field(edit: Edit) -> str | None:
    if edit.action == "edit":
        return ", ".join(edit.fields or ())
    if edit.action == "mask" and edit.turn is not None:
        return "train"
    return "weight" if edit.action in ("weight", "mask") else None
