"""A diagnosis: which categories of error, where, traced to which causes; what was excluded first; and the rows with the proposed patch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.curation.edits import Edit
from tunesmith.detection import DETECTORS
from tunesmith.diagnosis.diagnosis import Diagnosis
from tunesmith.evaluation import Evaluation
from tunesmith.reports import nearby
from tunesmith.reports.blocks import Block, Cell, Figure, Grid, Section, Shown, Words
from tunesmith.reports.definitions import CAUSE, CAUSES, CHECKS, STATUSES, rule
from tunesmith.reports.membership import ALL, Membership, membership
from tunesmith.reports.sections import named
from tunesmith.reports.texts import address, counted, listed, share

GRID = "causes-grid"
LIMIT = 200
"""Slices that a report shows."""
STATES = {"fine": "✓ excluded", "at_fault": "✗ at fault", "unknown": "○ not known"}
NO_CAUSE = frozenset({None, "", "unknown"})


@dataclass(frozen=True)
class Diagnosed:
    """A diagnosis on disk, and the rows that it speaks of where they lie near.

    Attributes:
        opened: The diagnosis.
        data: The version that holds its rows.
        evaluation: The evaluation that was diagnosed.
    """

    opened: Diagnosis
    data: Path | None
    evaluation: Path | None

    @classmethod
    def open(cls, folder: Path, *, data: Sequence[str | Path | None] = (), near: Path | None = None) -> Diagnosed:
        """Open a diagnosis; its rows are looked for by content.

        Args:
            folder: The diagnosis.
            data: Paths that may be its data.
            near: Where to look besides; the folder itself unless said.
        """
        opened = Diagnosis.open(folder)
        hashes, said = opened.manifest.inputs.values(), opened.manifest.details
        return cls(
            opened,
            nearby.find("version", hashes, near=near or folder, named=[*data, said.get("data")]),
            nearby.find("evaluation", hashes, near=near or folder, named=[said.get("evaluation")]),
        )

    @property
    def summary(self) -> Mapping[str, Any]:
        """Its `--json` object."""
        return self.opened.summary

    @cached_property
    def categories(self) -> list[Mapping[str, Any]]:
        """Its categories that were found at all, the most frequent first."""
        found = [row for row in self.summary["categories"] if row.get("items") or row["rate"] or row.get("rows")]
        return sorted(found, key=lambda row: -float(row["rate"] or 0))

    @property
    def detectors(self) -> list[str]:
        """Its categories that are detectors, whose findings an evaluation holds."""
        return [str(row["detector"]) for row in self.summary["categories"] if row["detector"] in DETECTORS]

    @property
    def slices(self) -> list[str]:
        """All slices that it speaks of."""
        own = [str(part["slice"]) for row in self.summary["categories"] for part in row.get("slices", ())]
        return [name for name in dict.fromkeys([*own, *self.opened.causes["slice"].drop_nulls()]) if name != ALL]

    @cached_property
    def rows(self) -> pl.DataFrame | None:
        """The training rows."""
        return pl.read_parquet(self.data / "rows.parquet", glob=False) if self.data is not None else None

    @cached_property
    def items(self) -> pl.DataFrame | None:
        """The items of the evaluation."""
        return Evaluation.open(self.evaluation).items if self.evaluation is not None else None

    @cached_property
    def membership(self) -> Membership:
        """Which of its slices hold which items and rows."""
        return membership(self.items, self.rows, self.slices, part=str(self.summary.get("part", ALL)))


def sections(made: Diagnosed, *, answers: Collection[str] = (), edits: Sequence[Edit] | None = None) -> list[Section]:
    """Draw a diagnosis.

    Args:
        made: The diagnosis.
        answers: Categories of the answers that the page holds, so that numbers can lead to them.
        edits: The patch, where it is another than the one proposed.
    """
    patch = made.opened.patch if edits is None else edits
    return [_causes(made, patch, answers=answers), *named.sections(made, patch)]


def sentence(made: Diagnosed) -> str:
    """Say in one sentence what was found."""
    summary = made.summary
    found = [row for row in made.categories if row["rate"]]
    if not found:
        return f"No category of error was found in {counted(summary['items'], 'item')}."
    of = [f"{row['detector']} ({share(row['rate'])}, {CAUSE_WORDS.get(row['cause'] or 'unknown', row['cause'])})" for row in found[:3]]
    more = f" and {counted(len(found) - 3, 'category', 'categories')} more" if len(found) > 3 else ""
    said = listed(of) if not more else ", ".join(of) + more
    edits = sum(summary["patch"].values())
    proposes = f"The patch proposes {counted(edits, 'edit')}." if edits else "No edit is proposed."
    return f"Errors of {counted(summary['items'], 'item')}: {said}. {proposes}"


CAUSE_WORDS = {"bad_rows": "bad rows", "missing": "rows are missing", "unknown": "cause not shown", "unlearnt": "not learnt yet"}


def _causes(made: Diagnosed, patch: Sequence[Edit], *, answers: Collection[str]) -> Section:
    summary = made.summary
    blocks: list[Block] = [_overview(made, answers=answers)] if made.categories else []
    lines = _slices(made)
    if lines:
        blocks.append(_by_slice(made, lines, answers=answers))
    blocks += [_checks(summary.get("checks", {})), *_patch(patch)]
    blocks += [Words(text=f"Note: {note}") for note in summary.get("notes", ())]
    traced = [row["detector"] for row in made.categories if row["cause"] not in NO_CAUSE]
    part = {"dev": "dev items", "all": "items"}.get(str(summary.get("part")), "items")
    said = f"A cause is named for {listed(traced)}" if traced else "No cause could be named"
    lead = (
        f"Diagnosed on {counted(summary['items'], part.removesuffix('s'))} and {counted(summary['rows'], 'training row')}, "
        f"one detector for both sides. {said}. Only retraining confirms one."
    )
    top = []
    if summary["patch"]:
        top = [
            Figure(label=f"rows to {action}", value=f"{n:,}", definition=f"Edits of the proposed patch that {action} a row.")
            for action, n in summary["patch"].items()
        ]
    return Section(id="causes", title="The causes", lead=lead, blocks=blocks, headline=top[:2])


def _overview(made: Diagnosed, *, answers: Collection[str]) -> Grid:
    rows: list[list[Cell]] = []
    for row in made.categories:
        to = _answers(made, row["detector"]) if row["detector"] in answers else ""
        rate = Shown(text=share(row["rate"]), under=f"{share(row['low'])} to {share(row['high'])}", share=row["rate"], to=to)
        named_rows = Shown(text=f"{row['rows']:,}", to=address(named.TABLE, category=row["detector"]) if row["rows"] else "")
        rows.append([
            Shown(text=row["detector"], under=rule(row["detector"])), rate, _share(row.get("reference_rate")), _share(row.get("base_rate")),
            row.get("status"), _cause(row.get("cause")), named_rows,
        ])  # fmt: skip
    definitions = {
        "outputs": CAUSE["outputs"].replace("of the slice ", ""),
        "references": CAUSE["references"],
        "base": CAUSE["base"],
        "rows": CAUSE["rows"].replace("of the slice ", ""),
        **_said("status", STATUSES, {row.get("status") for row in made.categories}),
        **_said("cause", CAUSES, {row.get("cause") for row in made.categories}),
    }
    columns = ("category", "outputs", "references", "base", "status", "cause", "rows")
    numbers = ("outputs", "references", "base", "rows")
    return Grid(title="Categories of error", columns=columns, rows=rows, numbers=numbers, definitions=definitions)


def _slices(made: Diagnosed) -> list[tuple[str, Mapping[str, Any]]]:
    """List category and slice, of each category those with a named cause first, then by rate."""
    lines = []
    for row in made.categories:
        parts = [part for part in row.get("slices", ()) if part.get("shown", True)]
        lines += [
            (str(row["detector"]), part) for part in sorted(parts, key=lambda part: (part["cause"] in NO_CAUSE, -float(part["rate"] or 0)))
        ]
    return lines


def _by_slice(made: Diagnosed, lines: Sequence[tuple[str, Mapping[str, Any]]], *, answers: Collection[str]) -> Grid:
    rows: list[list[Cell]] = []
    for name, part in lines[:LIMIT]:
        where = str(part["slice"])
        to = _answers(made, name, where) if name in answers else ""
        under = f"{share(part['low'])} to {share(part['high'])}, {counted(part['n'], 'item')}"
        outputs = Shown(text=share(part["rate"]), under=under, share=part["rate"], to=to)
        ratio = part.get("ratio")
        interval = f"{part['ratio_low']:.2g} to {part['ratio_high']:.2g}" if ratio is not None and part.get("ratio_low") is not None else ""
        target_n = part.get("target_n")
        targets = Shown(
            text=_share(part.get("target_rate")) or "–",
            under=f"of {counted(target_n, 'row')}" if target_n is not None else "",
            share=part.get("target_rate"),
        )
        named_rows = Shown(text=f"{part['rows']:,}", to=address(named.TABLE, category=name, slice=where) if part["rows"] else "")
        rows.append([
            name, where, outputs, targets, Shown(text=f"{ratio:.2g}", under=interval) if ratio is not None else None,
            part.get("status"), Shown(text=_cause(part.get("cause")), under=str(part.get("because") or "")), named_rows,
        ])  # fmt: skip
    more = f" (the first {LIMIT} of {len(lines):,})" if len(lines) > LIMIT else ""
    definitions = {name: CAUSE[name] for name in ("outputs", "targets", "ratio", "rows")}
    definitions |= _said("cause", CAUSES, {part.get("cause") for _, part in lines[:LIMIT]})
    columns = ("category", "slice", "outputs", "targets", "ratio", "status", "cause", "rows")
    return Grid(
        id=GRID,
        title=f"Where, and from which rows: outputs against training targets{more}",
        columns=columns,
        rows=rows,
        numbers=("outputs", "targets", "ratio", "rows"),
        definitions=definitions,
        tags=[{"category": [name], "slice": [str(part["slice"])]} for name, part in lines[:LIMIT]],
    )


def _answers(made: Diagnosed, category: str, where: str = "") -> str:
    """Lead to the answers that a rate counts."""
    part = str(made.summary.get("part", ""))
    return address("answers-table", part="" if part == ALL else part, category=category, slice="" if where == ALL else where)


def _checks(checks: Mapping[str, Mapping[str, Any]]) -> Block:
    """Say what was looked at before rows were suspected."""
    if not checks:
        return Words(text="Decoding, template and truncation were not checked.")
    rows: list[list[Cell]] = [
        [
            Shown(text=name, under=CHECKS.get(name, "")),
            STATES.get(str(found.get("state")), str(found.get("state"))),
            str(found.get("says", "")),
        ]
        for name, found in checks.items()
    ]
    return Grid(title="Looked at first, before any row is blamed", columns=("check", "result", "what was seen"), rows=rows)


def _patch(patch: Sequence[Edit]) -> list[Block]:
    """Count the edits by action and category."""
    if not patch:
        return [Words(text="The patch is empty: no row was found that would explain an error.")]
    statuses = [status for status in ("proposed", "accepted", "rejected") if any(edit.status == status for edit in patch)]
    groups = Counter((edit.action, edit.category or "–") for edit in patch)
    by_status: Counter[tuple[str, str, str]] = Counter((edit.action, edit.category or "–", edit.status) for edit in patch)
    rows: list[list[Cell]] = []
    for (action, category), n in sorted(groups.items(), key=lambda pair: -pair[1]):
        to = address(named.TABLE, category=category)
        rows.append([Shown(text=category, to=to), action, n, *(by_status[action, category, status] for status in statuses)])
    definitions = {
        "action": "drop: the row goes; edit: its text changes; weight, mask: it counts less, or not at all; add: a new row.",
        "proposed": "Nobody has looked at it.",
    }
    return [Grid(title="The patch", columns=("category", "action", "edits", *statuses), rows=rows, definitions=definitions)]


def _share(value: float | None) -> str | None:
    return None if value is None else share(value)


def _cause(cause: str | None) -> str:
    return (cause or "–").replace("_", " ")


def _said(word: str, meanings: Mapping[str, str], used: set[Any]) -> dict[str, str]:
    """Define the values of a column that occur in it."""
    return {f"{word}: {name.replace('_', ' ')}": text for name, text in meanings.items() if name in used}
