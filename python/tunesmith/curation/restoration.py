"""`restore`: rows that a version dropped come back, rows that it edited get back their text; from its own files, without a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import finished
from tunesmith.curation.explanation import find_rows
from tunesmith.curation.undoing import RESTORE, Undone, acts_of, undo
from tunesmith.errors import OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import Version, write_version
from tunesmith.stores import as_place

_LISTED = 20
"""Rules or steps that a message names."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A version with rows brought back. Rows in = kept + dropped + rejected, always.

    Attributes:
        rows_in: Rows and rejected records that the version accounts for: as many as the one that it was made from.
        restored: Rows that came back or got back their text: `returned` + `reverted`.
        returned: Rows that were dropped and are kept now, as they were when they were dropped.
        reverted: Rows that were kept edited and are kept now as they were before any edit.
        undone: `step.rule` to the number of restored rows on which it no longer stands.
        kept: Rows now.
        dropped: Rows that are still out.
        edited: Rows kept whose text, turns or weight is still changed.
        flagged: Rows kept that carry a flag.
        rejected: Records that could not be rows.
        notes: Facts worth telling: other rules that were undone along with what was asked for, rows that stay out.
        frame: The rows kept.
        removed: The rows still out, and the rows still edited as they were.
        ledger: The entries that still hold, and one of the step `restore` for each restored row.
        out: Where it was written; None in memory.
        reused: Whether it was already there.
    """

    rows_in: int
    restored: int
    returned: int
    reverted: int
    undone: Mapping[str, int]
    kept: int
    dropped: int
    edited: int
    flagged: int
    rejected: int
    notes: tuple[str, ...]
    frame: pl.DataFrame = field(repr=False)
    removed: pl.DataFrame = field(repr=False)
    ledger: pl.DataFrame = field(repr=False)
    out: str | Path | None = None
    reused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The `--json` fields."""
        said = {name: value for name, value in vars(self).items() if name not in ("frame", "removed", "ledger")}
        return {**said, "notes": list(self.notes), "out": None if self.out is None else str(self.out)}


def restore(
    version: Version | str | Path,
    out: str | Path | None = None,
    *,
    row: str | int | Sequence[str | int] | None = None,
    rule: str | Sequence[str] | None = None,
    step: str | Sequence[str] | None = None,
    dry_run: bool = False,
    force: bool = False,
    rows_per_file: int | None = None,
    progress: Progress = SILENT,
) -> Restored:
    """Bring rows back: a version like the one named, without what a step did to some of its rows.

    A dropped row comes back as it was when it was dropped: edits that came before stand, and restoring it once more undoes
    them. A row that is kept edited gets back the text, turns and weight that it was read with: all its edits are undone,
    since a version keeps no text between two edits. Positions, ids and origins stay, and every row keeps its place. A row
    that a step only flagged is as it was, so there is nothing to restore.

    With `rule` or `step` the rows are meant that it dropped or edited; several selections together mean what one of them means. A
    row that was dropped for several reasons comes back if one of them is named. A row that is out stays out unless what dropped it is
    named. The notes count all of these.

    The ledger keeps the entries that still hold, flags among them, each with the id of the text that it saw, and has one of
    the step `restore` for every restored row. Measures and pairs of rows that got back another text are left out.

    Args:
        version: A version.
        out: The version to write, a folder or an address; in memory when absent.
        row: Rows, each a position or a prefix of a row id as in `explain`; an id that copies share means them all.
        rule: Rules of the ledger, each as `output_empty` or `detect.output_empty`.
        step: Steps of the ledger.
        dry_run: Look, but write nothing.
        force: Replace what lies at `out`.
        rows_per_file: Rows of a file; unsaid, tables of more than 1 GiB in memory are cut into parts.
        progress: Told about the work.
    Raises:
        OptionError: If none of `row`, `rule` and `step` is given, the ledger does not know one, or nothing would be restored.
        InputError: If there is no such row.
        ArtefactError: If `version` is none or was changed since it was made, or if something else lies at `out`.

    >>> import tempfile
    >>> from tunesmith.curation import curate
    >>> folder = tempfile.mkdtemp() + "/clean"
    >>> made = curate([{"instruction": f"Say {word}", "output": "ok"} for word in ("hi", "hi", "bye")], out=folder)
    >>> back = restore(folder, rule="exact_duplicate")
    >>> made.kept, back.kept, dict(back.undone)
    (2, 3, {'exact_duplicates.exact_duplicate': 1})
    """
    rows = (row,) if isinstance(row, str | int) else tuple(row or ())
    rules, steps = _names(rule), _names(step)
    if not (rows or rules or steps):
        raise OptionError("expected --row ROW, --rule RULE or --step STEP, which say what to bring back; found none")
    opened = version if isinstance(version, Version) else Version.open(version)
    stated = opened.manifest.details.get("hashes", {})
    inputs = {"version": opened.manifest.hash, **{name: given for name, given in stated.items() if name != "rows"}}
    named = sorted({position for each in rows for position in find_rows(opened, each)})
    options = {"restore": {name: given for name, given in (("rows", named), ("rules", rules), ("steps", steps)) if given}}
    if out is not None and not dry_run:
        done = finished(out, kind="version", inputs=inputs, options=options, sources=(opened.folder,), force=force, progress=progress)
        if done is not None:
            there = Version.open(out)
            result = {**done.result, "notes": tuple(done.result["notes"])}
            return Restored(**result, frame=there.frame, removed=there.removed, ledger=there.ledger, out=as_place(out), reused=True)
    with progress.task("Restoring"):
        opened.verify()
        made = undo(opened, rows=named, rules=rules, steps=steps)
        idle = _idle_names(opened, made, {"rule": rules, "step": steps})
        if not made.restored:
            raise OptionError(_nothing(opened, named, idle))
    result = _counts(opened, made, named)
    result["notes"] = (*result["notes"], *idle)
    restored = Restored(**result, frame=made.frame, removed=made.removed, ledger=made.ledger)
    if out is None or dry_run:
        return restored
    with progress.task("Writing"):
        write_version(
            out, frame=made.frame, removed=made.removed, ledger=made.ledger, values=made.values, edges=made.edges,
            rejected=opened.rejected, inputs=inputs, options=options, result={**result, "notes": list(restored.notes)},
            details={"notes": list(restored.notes)}, rows_per_file=rows_per_file, progress=progress,
        )  # fmt: skip
    return Restored(**{**vars(restored), "out": as_place(out)})


def _names(given: str | Sequence[str] | None) -> list[str]:
    return [] if given is None else [given] if isinstance(given, str) else sorted(set(given))


def _counts(version: Version, made: Undone, named: Sequence[int]) -> dict[str, Any]:
    kept, removed = made.frame["position"], made.removed["position"].unique()
    still = removed.is_in(kept.implode())
    flags = made.ledger.filter(action="flag")["position"].unique()
    dropped, rejected = int((~still).sum()), version.rejected["position"].n_unique()
    return {
        "rows_in": kept.len() + dropped + rejected, "restored": made.restored, "returned": made.returned.len(),
        "reverted": made.reverted.len(), "undone": dict(made.undone), "kept": kept.len(), "dropped": dropped, "edited": int(still.sum()),
        "flagged": int(flags.is_in(kept.implode()).sum()), "rejected": rejected, "notes": _notes(version, made, named),
    }  # fmt: skip


def _notes(version: Version, made: Undone, named: Sequence[int]) -> tuple[str, ...]:
    said = []
    if made.also_dropped:
        said.append(f"rows came back that other rules had dropped as well: {_list(made.also_dropped)}")
    if made.also_edited:
        why = "a version keeps an edited row as it was read, and no text between two edits"
        said.append(f"edits of other rules were undone as well, for {why}: {_list(made.also_edited)}")
    if made.returned_edited:
        come, they = ("row comes", "it was") if made.returned_edited == 1 else ("rows come", "they were")
        said.append(f"{made.returned_edited:,} {come} back edited, as {they} when dropped; restoring once more undoes the edits")
    if made.stay_out:
        stay = "edited row stays" if made.stay_out_rows == 1 else "edited rows stay"
        said.append(f"{made.stay_out_rows:,} {stay} out, dropped by what was not named: {_list(made.stay_out)}")
    restored = {*made.returned, *made.reverted}
    idle = [position for position in named if position not in restored]
    said += [f"row {position}: {_idle(version, position)}" for position in idle[:_LISTED]]
    if len(idle) > _LISTED:
        said.append(f"{len(idle) - _LISTED:,} more of the rows named have nothing to restore")
    return tuple(said)


def _nothing(version: Version, named: Sequence[int], idle: Sequence[str]) -> str:
    """Say why nothing would be restored, and what could be."""
    more = "; nor is there anything for the other rows that were named" if len(named) > 1 else ""
    rows = [f"row {named[0]}: {_idle(version, named[0])}{more}"] if named else []
    return f"{version.folder}: nothing to restore: {'; '.join([*rows, *idle])}"


def _idle_names(version: Version, made: Undone, chosen: Mapping[str, Sequence[str]]) -> list[str]:
    """Say of each rule and step by which nothing is restored why that is so.

    Raises:
        OptionError: If the ledger does not know one.
    """
    said = []
    for what, name in ((what, name) for what, names in chosen.items() for name in names):
        if made.acts.filter(acts_of(what, name)).height:
            continue
        book = version.ledger.with_columns(name=pl.concat_str("step", "rule", separator="."))
        found = book.filter(acts_of(what, name), pl.col("step") != RESTORE)
        # Its edits of rows that are out: they can be undone once the row is there.
        if made.stay_out and found.filter(action="edit").height:
            said.append(f"every row that the {what} {name} edited was dropped by another rule; name that: {_list(made.stay_out)}")
            continue
        known = _known(made, what)
        if not known:
            said.append("its ledger has no dropped or edited row that could come back; flags alone are nothing to restore")
            continue
        told = f". Known, with their rows: {_list(known)}"
        if found.height:
            does = dict(found.group_by("action").agg(pl.col("position").n_unique()).sort("action").iter_rows())
            flags = f"(rows by action: {_list(does)}); flags alone are nothing to restore"
            said.append(f"the {what} {name} dropped and edited none {flags}{told}")
        elif what == "step" and name in _steps(version):
            said.append(f"the step {name} dropped, edited and flagged none{told}")
        else:
            # A rule may be said without its step; that only helps to find what was meant.
            close = get_close_matches(name, [*known, *(made.acts["rule"].unique() if what == "rule" else ())], n=1)
            hint = f' (did you mean "{close[0]}"?)' if close else ""
            raise OptionError(f"{version.folder}: nothing to restore: the ledger knows no {what} {name}{hint}{told}")
    return said


def _known(made: Undone, what: str) -> dict[str, int]:
    """Count the rows that each rule (`step.rule`) or step could bring back."""
    acts = made.acts.group_by(pl.col("step" if what == "step" else "name").alias("known")).agg(pl.col("position").n_unique().alias("rows"))
    return dict(acts.sort("rows", "known", descending=[True, False]).iter_rows())


def _steps(version: Version) -> set[str]:
    """Name the steps of the recipe that a version was made by; none where it was made otherwise."""
    recipe = version.manifest.details.get("recipe") or {}
    return {str(options.get("name", kind)) for step in recipe.get("steps", []) for kind, options in step.items()}


def _idle(version: Version, position: int) -> str:
    """Say why a row has nothing to restore."""
    entries = version.ledger.filter(pl.col("position") == position)
    actions = set(entries["action"])
    if "reject" in actions:
        return "a rejected record, which never was a row; mend it in the source"
    if RESTORE in set(entries["step"]):
        return "restored already"
    if "edit" in actions:
        return "as it was read, for its edits came to nothing"
    return "only flagged, and flags alone are nothing to restore" if "flag" in actions else "kept as it was read"


def _list(counts: Mapping[str, int]) -> str:
    """List names with the rows of each; a long list is cut, and says so."""
    said = [f"{name} ({count:,})" for name, count in list(counts.items())[:_LISTED]]
    more = len(counts) - _LISTED
    return ", ".join([*said, *([f"and {more:,} more"] if more > 0 else [])])
