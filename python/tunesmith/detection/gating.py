"""A checked source before its gate, and beside an earlier version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith import core
from tunesmith.artefact import is_artefact
from tunesmith.detection.gate import Answer, DataGate, Verdict, conclude, judge, judge_increase
from tunesmith.errors import InputError, OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import Version, clusters, fields, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunesmith.detection.checking import Checked

Count = tuple[int, int]
"""Rows found, and rows that they are counted among."""


@dataclass(frozen=True, kw_only=True)
class Gated:
    """What the gate says.

    Attributes:
        verdicts: Every bound.
        answer: The worst of them.
        passed: Whether the check passes: an inconclusive gate does unless the file says otherwise.
    """

    verdicts: list[Verdict]
    answer: Answer
    passed: bool

    @property
    def as_json(self) -> dict[str, Any]:
        """The gate's `--json` object."""
        return {"verdict": self.answer, "passed": self.passed, "bounds": [verdict.as_json for verdict in self.verdicts]}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A source beside an earlier version.

    Attributes:
        before: The earlier rows, checked in the same way.
        added: Rows whose id the earlier version does not have.
        removed: Rows of the earlier version whose id is no longer there.
    """

    before: Checked
    added: int
    removed: int


def compare_with(checked: Checked, against: Any, *, progress: Progress = SILENT) -> Compared:
    """Check an earlier version in the same way, and count the rows that came and went.

    Args:
        checked: What was found, rows kept.
        against: A version, or anything `read` takes.
        progress: Told of the work.
    """
    from tunesmith.detection.checking import check

    before = check(against, progress=progress)
    if isinstance(against, str | Path) and is_artefact(against, "version"):
        # A version's rejects stand beside its rows; they were records of its sources, and count here as they would there.
        rejected = Version.open(against).rejected["position"].n_unique()
        before.tally.rows += rejected
    now, then = (_ids(data) for data in (checked, before))
    return Compared(before=before, added=len(now - then), removed=len(then - now))


def _ids(checked: Checked) -> set[str]:
    if checked.data is None:  # pragma: no cover  (the caller keeps them)
        raise ValueError("rows were not kept")
    return set(checked.data.frame["row_id"].to_list())


def changes(checked: Checked, compared: Compared) -> dict[str, Any]:
    """Give the `--json` object of a comparison: the share of rows with each finding, then and now."""
    shares = {}
    for name in {**compared.before.result["findings"], **checked.result["findings"]}:
        (found, of), (had, before) = _findings(checked, name), _findings(compared.before, name)
        then, now = had / before if before else 0.0, found / of if of else 0.0
        shares[name] = {"before": then, "now": now, "difference": now - then}
    return {
        "rows": compared.before.tally.rows,
        "valid": compared.before.tally.valid,
        "added": compared.added,
        "removed": compared.removed,
        "findings": shares,
    }


def hold(
    checked: Checked, gate: DataGate, *, folder: str | Path = ".", compared: Compared | None = None, progress: Progress = SILENT
) -> Gated:
    """Hold what was found against every bound.

    Args:
        checked: What was found; with rows, where the gate compares texts.
        gate: The bounds.
        folder: What the gate's own paths are relative to.
        compared: The earlier version, for bounds on an increase.
        progress: Told of the work.
    Raises:
        OptionError: If a bound is on an increase and there is nothing to compare with.
        InputError: If the items of an overlap cannot be read.
    """
    if gate.needs_before and compared is None:
        raise OptionError("the gate bounds an increase (max_increase): say --against VERSION, or leave it out")
    verdicts: list[Verdict] = []
    before = compared.before if compared else None
    if gate.rejected is not None:
        verdicts += _limits("rejected", gate.rejected, _rejected(checked), _rejected(before) if before else None)
    for name, limit in gate.findings.items():
        verdicts += _limits(f"findings.{name}", limit, _findings(checked, name), _findings(before, name) if before else None)
    if gate.near_duplicates is not None:
        count, threshold = _near_duplicates(checked, gate.near_duplicates.threshold, progress), gate.near_duplicates.threshold
        bounded = before if before and gate.near_duplicates.max_increase is not None else None
        verdicts += _limits(
            "near_duplicates", gate.near_duplicates, count, _near_duplicates(bounded, threshold, progress) if bounded else None
        )
    for each in gate.overlap:
        name = "overlap" if len(gate.overlap) == 1 else f"overlap.{each.with_}"
        verdicts.append(judge(name, *_overlap(checked, Path(folder) / each.with_, each.n, each.share, progress), each.max))
    answer, passed = conclude(verdicts, gate.inconclusive)
    return Gated(verdicts=verdicts, answer=answer, passed=passed)


def _limits(name: str, limit: Any, found: Count, before: Count | None) -> list[Verdict]:
    made = [judge(name, *found, limit.max)] if limit.max is not None else []
    if limit.max_increase is not None and before is not None:
        made.append(judge_increase(name, *found, before, limit.max_increase))
    return made


def _rejected(checked: Checked) -> Count:
    return checked.tally.rows - checked.tally.valid, checked.tally.rows


def _findings(checked: Checked, name: str) -> Count:
    counted: Mapping[str, int] = {**checked.tally.severities, **checked.tally.findings}
    return counted.get(name, 0), checked.tally.valid


def _near_duplicates(checked: Checked, threshold: float, progress: Progress) -> Count:
    """Count the rows whose prompt is a near duplicate of an earlier row's: those that dropping duplicates would drop."""
    texts = clusters.compared(_frame(checked))
    with progress.task("Comparing prompts", len(texts)) as done:
        roots = core.near_duplicates(texts, threshold=threshold, shingle=clusters.SHINGLE, unit="word", progress=done)
    return roots.filter(pl.col("root") != pl.col("row")).height, len(texts)


def _overlap(checked: Checked, file: Path, n: int, share: float, progress: Progress) -> Count:
    """Count the rows that hold an item: their prompt or their answer covers more than a share of the item's prompt."""
    try:
        items = fields.prompt(read(file).frame)
    except InputError as error:
        raise InputError(f"the gate's overlap: {error}") from error
    frame = _frame(checked)
    index = core.OverlapIndex(items.filter(items != ""), n=n)
    rows: set[int] = set()
    with progress.task("Comparing with items", 2 * frame.height) as done:
        for texts in (fields.prompt(frame), fields.response(frame)):
            found = index.find(texts, progress=done)
            rows |= set(found.filter((pl.col("share") > share) | (pl.col("share") == 1))["row"].to_list())
    return len(rows), frame.height


def _frame(checked: Checked) -> pl.DataFrame:
    if checked.data is None:
        raise ValueError("the gate compares texts, and rows were not kept")
    return checked.data.frame
