"""A patch and a version: look at what it would change, apply it, take it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.artefact import finished
from tunesmith.curation import Curated, changes, curate
from tunesmith.curation.edits import ACTIONS, STATUSES, Edit, against, conflicts, find_patch, fingerprint, read_patch, taken
from tunesmith.curation.explanation import text_changes
from tunesmith.errors import ArtefactError, OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import Version, fields, read, write_version
from tunesmith.rows.schema import LEDGER
from tunesmith.stores import as_place

NOWHERE = "(none)"
"""What edits without a category are counted under."""
UNDO = "patch_undo"
"""The step that taking back is booked under."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a patch holds.

    Attributes:
        edits: How many there are.
        counts: Edits per action, then per status: `{action: {status: n}}`.
        categories: Edits per category, then per action.
        taken: Edits per action that `patch_apply` would take: the accepted ones, with `all` the proposed ones too; one a row.
        conflicts: Edits that would give way: `position, taken, action, gives_way, other`, the ids and actions of both.
        samples: Some edits of each category with the text that changes: `edit_id, position, row_id, action, status, category, reason,
            prompt, changes`, a change being `field, before, after` and `words`, the pieces of both texts: `op` (equal,
            delete, insert) and `text`. Empty without a version.
        notes: Facts worth telling.
    """

    edits: int
    counts: Mapping[str, Mapping[str, int]]
    categories: Mapping[str, Mapping[str, int]]
    taken: Mapping[str, int]
    conflicts: Sequence[Mapping[str, Any]]
    samples: Sequence[Mapping[str, Any]] = field(repr=False)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The `--json` fields."""
        return {**vars(self), "notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A patched version.

    Attributes:
        curated: The version, as `curate` returns it; rows in + added = kept + dropped + rejected.
        taken: Edits per action that were taken.
        counts: Edits of the patch per action, then per status.
        conflicts: Edits that gave way, as in `Shown`.
        notes: Facts worth telling, such as how many proposed edits were not taken.
    """

    curated: Curated
    taken: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    conflicts: Sequence[Mapping[str, Any]]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The `--json` fields."""
        own = {name: value for name, value in vars(self).items() if name not in ("curated", "notes")}
        out = None if self.curated.out is None else str(self.curated.out)
        return {**self.curated.summary, **own, "notes": list(self.notes), "out": out, "reused": self.curated.reused}


@dataclass(frozen=True, kw_only=True)
class Undone:
    """A version as it was before a patch. Rows in + restored = kept + taken out.

    Attributes:
        rows_in: Rows of the patched version.
        restored: Rows that the patch had dropped.
        reverted: Rows that it had changed.
        taken_out: Rows that it had added.
        kept: Rows now.
        equal: True when their logical content hash is that of the version that was patched; None where that was no version.
        out: Where it was written; None in memory.
        frame: The rows.
        reused: Whether it was already there.
    """

    rows_in: int
    restored: int
    reverted: int
    taken_out: int
    kept: int
    equal: bool | None
    out: str | Path | None = None
    frame: pl.DataFrame = field(repr=False)
    reused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The `--json` fields."""
        said = {name: value for name, value in vars(self).items() if name != "frame"}
        return {**said, "out": None if self.out is None else str(self.out)}


def patch_show(patch: str | Path, version: Any = None, *, all: bool = False, samples: int = 3) -> Shown:  # noqa: A002
    """Tell what a patch holds, and what it would change.

    Args:
        patch: A `patch.jsonl`, or the folder of a diagnosis.
        version: The version that it is for; without one nothing but counts is told.
        all: Look at it as `patch_apply` with `all` would.
        samples: Edits to show of each category, at most.
    Raises:
        InputError: If the patch cannot be read, or is for another version.
    """
    place = find_patch(patch)
    edits = read_patch(place)
    chosen = taken(edits, all)
    shown: list[dict[str, Any]] = []
    if version is not None:
        frame = read(version).frame
        alive = [edit for edit in edits if edit.status != "rejected"]
        against(alive, frame, patch=place, version=version if isinstance(version, str | Path) else "the rows read")
        shown = _samples(alive, frame, place, samples)
    return Shown(
        edits=len(edits), counts=_counts(edits), categories=_categories(edits), taken=_actions(chosen), conflicts=_conflicts(edits, all),
        samples=shown, notes=_notes(place, edits, all),
    )  # fmt: skip


def patch_apply(
    patch: str | Path,
    version: Any,
    out: str | Path | None = None,
    *,
    all: bool = False,  # noqa: A002
    dry_run: bool = False,
    force: bool = False,
    rows_per_file: int | None = None,
    progress: Progress = SILENT,
) -> Applied:
    """Make the version that a patch asks for: `curate` with the one step `patch`.

    Positions are kept; rows that are added come behind all others. What is dropped lies in `removed`, and so do edited rows as
    they were; the ledger has every edit with its reason. The manifest names the patch by its content hash.

    Args:
        patch: A `patch.jsonl`, or the folder of a diagnosis.
        version: The version (or part of a split) that it is for.
        out: The version to write; in memory when absent.
        all: Take the proposed edits too; rejected ones are never taken.
        dry_run: Decide, but write nothing.
        force: Replace what lies at `out`.
        rows_per_file: Rows of a file; unsaid, tables of more than 1 GiB in memory are cut into parts.
        progress: Told about the work.
    Raises:
        InputError: If the patch cannot be read, is for another version, or an edit does not fit its row.
        OptionError: If none of its edits is to be taken: a copy of the version would look like a patched one.
        ArtefactError: If something else lies at `out`.

    >>> import tempfile
    >>> from tunesmith.curation.edits import edit_id, write_patch
    >>> rows = read([{"instruction": "Add 1 and 2.", "output": "3"}, {"instruction": "Add 2 and 2.", "output": "5"}]).frame
    >>> wrong = dict(position=1, row_id=rows["row_id"][1], action="drop", category="wrong_sum")
    >>> file = tempfile.mkdtemp() + "/patch.jsonl"
    >>> write_patch(file, [Edit(edit_id=edit_id(**wrong), status="accepted", **wrong)])
    >>> made = patch_apply(file, rows)
    >>> made.curated.kept, dict(made.curated.reasons), made.taken
    (1, {'patch.wrong_sum': 1}, {'drop': 1})
    """
    place = find_patch(patch)
    edits = read_patch(place)
    chosen = taken(edits, all)
    if not chosen:
        raise OptionError(f"{place}: {_nothing(edits)}")
    recipe = {"steps": [{"patch": {"file": str(place.resolve()), "all": all}}]}
    made = curate(version, recipe, out=out, dry_run=dry_run, force=force, rows_per_file=rows_per_file, progress=progress)
    notes = _notes(place, edits, all)
    unchanged = made.ledger.filter(step="patch", action="keep").height - made.added
    if unchanged:
        notes = (*notes, f"{_many(unchanged, 'edit changes', 'edits change')} nothing: the row already reads as the edit says")
    return Applied(curated=made, taken=_actions(chosen), counts=_counts(edits), conflicts=_conflicts(edits, all), notes=notes)


def patch_undo(
    patch: str | Path,
    version: Version | str | Path,
    out: str | Path | None = None,
    *,
    force: bool = False,
    rows_per_file: int | None = None,
    progress: Progress = SILENT,
) -> Undone:
    """Give back a version as it was before a patch: its rows, ids, positions and weights.

    Args:
        patch: The patch as it was when it was applied.
        version: A version that `patch_apply` made.
        out: The version to write; in memory when absent.
        force: Replace what lies at `out`.
        rows_per_file: As in `patch_apply`.
        progress: Told about the work.
    Raises:
        ArtefactError: If `version` was not made by applying this patch, was changed since, or if something else lies at `out`.
    """
    opened = version if isinstance(version, Version) else Version.open(version)
    place = find_patch(patch)
    stated = fingerprint(read_patch(place))
    label = _patched_by(opened, stated, place)
    inputs = {"version": opened.manifest.hash, "removed": opened.manifest.details["hashes"]["removed"], "patch": stated}
    options = {"undo": label}
    if out is not None:
        done = finished(out, kind="version", inputs=inputs, options=options, sources=(opened.folder, place), force=force, progress=progress)
        if done is not None:
            return Undone(**done.result, out=as_place(out), frame=Version.open(out).frame, reused=True)
    with progress.task("Taking back"):
        opened.verify()
        was, book, counts = _before(opened, label)
    originals = [given for name, given in opened.manifest.inputs.items() if name != f"{label}.file"]
    # A version's input hash is that of its rows; that of a file is made another way, and says nothing here.
    equal = True if [core.content_hash(was)] == originals else None
    result: dict[str, Any] = {"rows_in": opened.frame.height, **counts, "kept": was.height, "equal": equal}
    if out is not None:
        gone = opened.frame.filter(pl.col("position").is_in(book.filter(action="drop")["position"].implode()))
        changed = opened.frame.filter(pl.col("position").is_in(book.filter(action="edit")["position"].implode()))
        removed = pl.concat([gone, changed]).sort("position")
        rejected = opened.rejected
        write_version(
            out, frame=was, removed=removed, ledger=book, rejected=rejected, inputs=inputs, options=options, result=result,
            rows_per_file=rows_per_file, progress=progress,
        )  # fmt: skip
    return Undone(**result, out=None if out is None else as_place(out), frame=was)


def _patched_by(version: Version, stated: str, patch: Path) -> str:
    """Find the one step of a patched version.

    Raises:
        ArtefactError: If it was not made by applying this patch, and nothing else.
    """
    recipe = version.manifest.details.get("recipe") or {}
    steps = [(kind, options.get("name", kind)) for step in recipe.get("steps", []) for kind, options in step.items()]
    if [kind for kind, _ in steps] != ["patch"]:
        found = f"one of the steps {', '.join(kind for kind, _ in steps)}" if steps else "one that was made otherwise"
        raise ArtefactError(f"{version.folder}: expected a version that `patch apply` made, found {found}")
    label = str(steps[0][1])
    made_by = version.manifest.inputs.get(f"{label}.file")
    if made_by != stated:
        raise ArtefactError(
            f"{version.folder}: expected a version that {patch} (content {stated}) was applied to, found one of the patch {made_by}; "
            f"name that patch, as it was then"
        )
    return label


def _before(version: Version, label: str) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Make the rows as they were, the ledger of what is taken back, and its counts."""
    now, position = version.frame, pl.col("position")
    new = version.values.filter(pl.col(f"{label}.action") == "add")["position"].implode()
    was = version.removed.unique("position", keep="first", maintain_order=True).filter(~position.is_in(new))
    back = was["position"].implode()
    rows = pl.concat([now.filter(~position.is_in(back), ~position.is_in(new)), was]).sort("position")
    mine = version.ledger.filter(pl.col("step") == label)
    added, dropped, edited = mine.filter(position.is_in(new)), mine.filter(action="drop"), mine.filter(action="edit")
    keep = pl.lit(None, pl.String).alias("new_id")
    again = pl.when(pl.col("new_id").is_not_null()).then("row_id").alias("new_id")
    book = pl.concat([
        added.select("position", "row_id", "rule", pl.lit("drop").alias("action"), keep),
        dropped.select("position", "row_id", "rule", pl.lit("keep").alias("action"), keep),
        edited.select("position", pl.coalesce("new_id", "row_id").alias("row_id"), "rule", pl.lit("edit").alias("action"), again),
    ]).with_columns(pl.lit(UNDO).alias("step"))  # fmt: skip
    book = book.with_columns(pl.lit(None).alias(name) for name in LEDGER if name not in book.columns)
    counts = {"restored": dropped.height, "reverted": edited.height, "taken_out": added.height}
    return rows, book.select(pl.col(name).cast(dtype) for name, dtype in LEDGER.items()).sort("position"), counts


def _counts(edits: Iterable[Edit]) -> dict[str, dict[str, int]]:
    found = Counter((edit.action, edit.status) for edit in edits)
    rows: dict[str, dict[str, int]] = {
        action: {str(status): found[action, status] for status in STATUSES if found[action, status]} for action in ACTIONS
    }
    return {action: row for action, row in rows.items() if row}


def _actions(edits: Iterable[Edit]) -> dict[str, int]:
    found = Counter(edit.action for edit in edits)
    return {action: found[action] for action in ACTIONS if found[action]}


def _categories(edits: Iterable[Edit]) -> dict[str, dict[str, int]]:
    by: dict[str, list[Edit]] = {}
    for edit in edits:
        by.setdefault(edit.category or NOWHERE, []).append(edit)
    return {name: _actions(some) for name, some in sorted(by.items(), key=lambda pair: (-len(pair[1]), pair[0]))}


def _conflicts(edits: Iterable[Edit], everything: bool) -> list[dict[str, Any]]:
    return [
        {"position": one.position, "taken": one.edit_id, "action": one.action, "gives_way": two.edit_id, "other": two.action}
        for one, two in conflicts(edits, everything)
    ]


def _notes(place: Path, edits: Sequence[Edit], everything: bool) -> tuple[str, ...]:
    said = []
    proposed = sum(edit.status == "proposed" for edit in edits)
    if not edits:
        said.append(f"{place} holds no edits")
    if proposed and not everything:
        said.append(
            f"{_many(proposed, 'proposed edit is', 'proposed edits are')} not taken; --all takes {'it' if proposed == 1 else 'them'}"
        )
    unseen = sum(edit.status == "proposed" for edit in taken(edits, everything))
    if unseen:
        said.append(f"{_many(unseen, 'edit is', 'edits are')} taken that nobody has reviewed (--all)")
    lost = len(conflicts(edits, everything))
    if lost:
        order = "drop before edit before weight before mask"
        said.append(f"{_many(lost, 'edit gives', 'edits give')} way to another edit of the same row ({order})")
    return tuple(said)


def _nothing(edits: Sequence[Edit]) -> str:
    """Say why nothing is taken, and what to do."""
    if not edits:
        return "expected edits to take, found an empty patch; there is nothing to apply"
    counts = Counter(edit.status for edit in edits)
    found = f"none accepted of {_many(len(edits), 'edit', 'edits')} ({counts['proposed']:,} proposed, {counts['rejected']:,} rejected)"
    advice = 'set "status": "accepted" on those that are right, or --all takes the proposed ones'
    return f"expected edits to take, found {found}; {advice if counts['proposed'] else 'there is nothing to apply'}"


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _samples(edits: Sequence[Edit], frame: pl.DataFrame, patch: Path, most: int) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    shown = []
    for edit in edits:
        category = edit.category or NOWHERE
        seen[category] += 1
        if seen[category] <= most:
            shown.append(_sample(edit, frame, patch))
    return shown


def _sample(edit: Edit, frame: pl.DataFrame, patch: Path) -> dict[str, Any]:
    told = {name: getattr(edit, name) for name in ("edit_id", "position", "row_id", "action", "status", "category", "reason", "turn")}
    if edit.action == "add":
        row = changes.additions([(1, edit)], frame.schema, patch=patch)
        return {**told, "prompt": fields.prompt(row)[0], "changes": [_change("response", None, fields.response(row)[0])]}
    row = frame.filter(pl.col("position") == edit.position)
    told["prompt"] = fields.prompt(row)[0]
    if edit.action == "drop":
        return {**told, "changes": [_change("response", fields.response(row)[0], None)]}
    assert edit.position is not None
    after = changes.changed(row, {edit.position: edit}, patch=patch)
    found = text_changes(row, after)
    turns = [one for one in found if str(one["field"]).startswith("messages[")]
    mirrors = ("instruction", "output", "system") if turns else ()
    return {**told, "changes": [_change(one["field"], one["before"], one["after"]) for one in found if one["field"] not in mirrors]}


def _change(name: str | None, before: str | None, after: str | None) -> dict[str, Any]:
    old, new = before or "", after or ""
    words = [
        {"op": span["op"], "text": new[span["b_start"] : span["b_end"]] if span["op"] == "insert" else old[span["a_start"] : span["a_end"]]}
        for span in core.word_diff([old], [new])[0]
    ]
    return {"field": name, "before": before, "after": after, "words": words}
