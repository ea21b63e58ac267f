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
from tunesmith.curation.undoing import RESTORE, Undone, undo
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
    rule: str | None = None,
    step: str | None = None,
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

    With `rule` or `step` the rows are meant that it dropped or edited. A row that was dropped for several reasons comes back
    if one of them is named. A row that is out stays out unless what dropped it is named. The notes count all of these.

    The ledger keeps the entries that still hold, flags among them, each with the id of the text that it saw, and has one of
    the step `restore` for every restored row. Measures and pairs of rows that got back another text are left out.

    Args:
        version: A version.
        out: The version to write, a folder or an address; in memory when absent.
        row: Rows, each a position or a prefix of a row id as in `explain`; an id that copies share means them all.
        rule: A rule of the ledger, as `output_empty` or `detect.output_empty`.
        step: A step of the ledger.
        dry_run: Look, but write nothing.
        force: Replace what lies at `out`.
        rows_per_file: Rows of a file; unsaid, tables of more than 1 GiB in memory are cut into parts.
        progress: Told about the work.
    Raises:
        OptionError: If not exactly one of `row`, `rule` and `step` is given, the ledger does not know it, or nothing would be restored.
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
    _one_of(rows, rule, step)
    opened = version if isinstance(version, Version) else Version.open(version)
    stated = opened.manifest.details.get("hashes", {})
    inputs = {"version": opened.manifest.hash, **{name: given for name, given in stated.items() if name != "rows"}}
    named = sorted({position for each in rows for position in find_rows(opened, each)})
    chosen = {"rows": named} if rows else {"rule": rule} if rule is not None else {"step": step}
    options = {"restore": chosen}
    if out is not None and not dry_run:
        done = finished(out, kind="version", inputs=inputs, options=options, sources=(opened.folder,), force=force)
        if done is not None:
            there = Version.open(out)
            result = {**done.result, "notes": tuple(done.result["notes"])}
            return Restored(**result, frame=there.frame, removed=there.removed, ledger=there.ledger, out=as_place(out), reused=True)
    with progress.task("Restoring"):
        opened.verify()
        made = undo(opened, rows=named) if rows else undo(opened, rule=rule, step=step)
        if not made.restored:
            raise OptionError(_nothing(opened, made, named, rule, step))
    result = _counts(opened, made, named)
    restored = Restored(**result, frame=made.frame, removed=made.removed, ledger=made.ledger)
    if out is None or dry_run:
        return restored
    with progress.task("Writing"):
        write_version(
            out, frame=made.frame, removed=made.removed, ledger=made.ledger, values=made.values, edges=made.edges,
            rejected=opened.rejected, inputs=inputs, options=options, result={**result, "notes": list(restored.notes)},
            details={"notes": list(restored.notes)}, rows_per_file=rows_per_file,
        )  # fmt: skip
    return Restored(**{**vars(restored), "out": as_place(out)})


def _one_of(rows: tuple[str | int, ...], rule: str | None, step: str | None) -> None:
    given = [name for name, value in (("--row", rows or None), ("--rule", rule), ("--step", step)) if value is not None]
    if len(given) != 1:
        found = f"{', '.join(given[:-1])} and {given[-1]}" if given else "none"
        raise OptionError(f"expected one of --row ROW, --rule RULE and --step STEP, which say what to bring back; found {found}")


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


def _nothing(version: Version, made: Undone, named: Sequence[int], rule: str | None, step: str | None) -> str:
    """Say why nothing would be restored, and what could be."""
    place = f"{version.folder}: nothing to restore"
    if named:
        more = "; nor is there anything for the other rows that were named" if len(named) > 1 else ""
        return f"{place}: row {named[0]}: {_idle(version, named[0])}{more}"
    what, name = ("rule", rule) if rule is not None else ("step", step)
    if made.stay_out:
        return f"{place}: every row that the {what} {name} edited was dropped by another rule; name that: {_list(made.stay_out)}"
    full = pl.concat_str("step", "rule", separator=".")
    acts = made.acts.group_by((pl.col("step") if what == "step" else full).alias("known")).agg(pl.col("position").n_unique().alias("rows"))
    known = dict(acts.sort("rows", "known", descending=[True, False]).iter_rows())
    if not known:
        return f"{place}: its ledger has no dropped or edited row that could come back; flags alone are nothing to restore"
    here = pl.col("step") == name if what == "step" else (pl.col("rule") == name) | (full == name)
    found = version.ledger.filter(here, pl.col("step") != RESTORE)
    if found.height:
        does = dict(found.group_by("action").agg(pl.col("position").n_unique()).sort("action").iter_rows())
        why = f"the {what} {name} dropped and edited none (rows by action: {_list(does)}); flags alone are nothing to restore"
    elif what == "step" and name in _steps(version):
        why = f"the step {name} dropped, edited and flagged none"
    else:
        # A rule may be said without its step; that only helps to find what was meant.
        close = get_close_matches(str(name), [*known, *(made.acts["rule"].unique() if what == "rule" else ())], n=1)
        why = f"the ledger knows no {what} {name}" + (f' (did you mean "{close[0]}"?)' if close else "")
    return f"{place}: {why}. Known, with their rows: {_list(known)}"


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
