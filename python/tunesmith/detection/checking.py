"""The verb `check`: is this file what it should be, row by row."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.detection.findings import find
from tunesmith.progress import SILENT, Progress
from tunesmith.rows.rejects import writing_rejects
from tunesmith.rows.streaming import Stream, Unforeseen
from tunesmith.rows.versions import verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunesmith.detection.gate import DataGate
    from tunesmith.detection.gating import Gated
    from tunesmith.rows import Data


@dataclass(kw_only=True)
class Tally:
    """What was counted, block by block.

    Attributes:
        rows: Valid and rejected rows.
        valid: Valid rows.
        reasons: Rejected rows by code; a row with several problems counts under each.
        rejects: The first problem of each code (a line of `rows.schema.REJECT`).
        findings: Rows that each detector names.
        severities: Rows that have a finding of each severity.
        places: The first position that each detector names.
    """

    rows: int = 0
    valid: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejects: dict[str, dict[str, Any]] = field(default_factory=dict)
    findings: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    places: dict[str, int] = field(default_factory=dict)

    def add(self, data: Data, findings: pl.DataFrame) -> None:
        """Count the rows of one block; no row stands in two."""
        self.rows += data.rows
        self.valid += data.frame.height
        self.reasons.update(reasons(data.rejected))
        for problem in data.rejected.unique("code", keep="first", maintain_order=True).iter_rows(named=True):
            self.rejects.setdefault(problem["code"], problem)
        self.findings.update(counts(findings))
        self.severities.update(dict(findings.group_by("severity").agg(pl.col("position").n_unique()).iter_rows()))
        for detector, position in findings.group_by("detector").agg(pl.col("position").min()).iter_rows():
            self.places[detector] = min(position, self.places.get(detector, position))


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found.

    Attributes:
        tally: The counts.
        format: The format that was read; several, when files differ.
        notes: Facts worth telling.
        data: The rows and the rejects, where they were to be kept.
        findings: Every finding (`rows.schema.FINDING`), where they were to be kept.
        gate: What the gate says, where one was given.
        against: What came, went and changed since an earlier version, where one was given.
    """

    tally: Tally
    format: str
    notes: tuple[str, ...]
    data: Data | None = None
    findings: pl.DataFrame | None = None
    gate: Gated | None = None
    against: Mapping[str, Any] | None = None

    @property
    def fine(self) -> bool:
        """As the gate says; without one, no row is rejected, and findings are told, not failed on."""
        return self.gate.passed if self.gate is not None else not self.tally.reasons

    @property
    def result(self) -> dict[str, Any]:
        """The `--json` fields; ``findings`` counts rows, ``reasons`` counts problems by code."""
        from tunesmith.detection.registry import DETECTORS

        tally = self.tally
        return {
            "format": self.format,
            "rows": tally.rows,
            "valid": tally.valid,
            "rejected": tally.rows - tally.valid,
            "reasons": dict(sorted(tally.reasons.items(), key=lambda each: (-each[1], each[0]))),
            "findings": {name: tally.findings[name] for name in DETECTORS if name in tally.findings},
            "notes": list(self.notes),
            **({"gate": self.gate.as_json} if self.gate is not None else {}),
            **({"against": dict(self.against)} if self.against is not None else {}),
        }


def check(
    source: Any,
    rejects: str | Path | None = None,
    *,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    keep: bool = True,
    gate: str | Path | DataGate | None = None,
    against: Any = None,
    progress: Progress = SILENT,
) -> Checked:
    """Read a source row by row and run every detector; of a version, or a split, recompute the hashes first.

    Args:
        source: Path, glob, folder, address, DataFrame, LazyFrame, ``datasets.Dataset``, list of dicts, version or Data.
        rejects: Where to write the rejected records, to be mended and read again.
        format: The format, where it is not to be inferred.
        mapping: Field of a row to the source's own name for it.
        keep: Keep the rows and the findings. Without, a block of rows is all that is held, however large the source.
        gate: A gate file, or its `data` section: bounds that decide whether the check passes.
        against: An earlier version to compare with.
        progress: Told of the work.
    Raises:
        ArtefactError: If a version is not what its manifest states; names the table.
        InputError: If the source, the gate or the earlier version cannot be read.
        OptionError: If a bound is wrong.

    >>> checked = check([{"instruction": "Say hi.", "output": "hi"}, {"instruction": "Say ho.", "output": ""}])
    >>> checked.result["valid"], checked.result["findings"]
    (2, {'output_empty': 1})
    """
    verify(source)
    if gate is None and against is None:
        return _checked(source, rejects, format=format, mapping=mapping, keep=keep, progress=progress)
    # The gate's file is read by pydantic, which a plain check need not wait for.
    from tunesmith.detection.gate import read_gate
    from tunesmith.detection.gating import changes, compare_with, hold

    bounds = read_gate(gate) if isinstance(gate, str | Path) else gate
    keep = keep or against is not None or (bounds is not None and bounds.needs_texts)
    checked = _checked(source, rejects, format=format, mapping=mapping, keep=keep, progress=progress)
    compared = compare_with(checked, against, progress=progress) if against is not None else None
    folder = Path(gate).parent if isinstance(gate, str | Path) else Path()
    held = hold(checked, bounds, folder=folder, compared=compared, progress=progress) if bounds is not None else None
    return replace(checked, gate=held, against=changes(checked, compared) if compared else None)


def _checked(
    source: Any,
    rejects: str | Path | None,
    *,
    format: str | None,  # noqa: A002
    mapping: Mapping[str, str] | None,
    keep: bool,
    progress: Progress,
) -> Checked:
    stream = partial(Stream, source=source, format=format, mapping=mapping, progress=progress)
    if not keep:
        with suppress(Unforeseen):
            return _by_blocks(stream(label="Checking", passing=True, ahead=False), rejects)
        return _by_blocks(stream(label="Checking", passing=True), rejects)
    data = stream().data()
    found = find(data.frame, progress=progress)
    tally = Tally()
    tally.add(data, found)
    if rejects is not None:
        with writing_rejects(rejects) as write:
            write(data.rejected)
    return Checked(tally=tally, format=data.format, notes=data.notes, data=data, findings=found)


def _by_blocks(stream: Stream, rejects: str | Path | None) -> Checked:
    tally = Tally()
    with writing_rejects(rejects) if rejects is not None else nullcontext(lambda _rejected: None) as write:
        for block in stream:
            tally.add(block, find(block.frame))
            write(block.rejected)
    return Checked(tally=tally, format=stream.formats, notes=stream.notes)


def counts(findings: pl.DataFrame) -> dict[str, int]:
    """Count the rows that each detector names, in the order of the registry's list.

    >>> from tunesmith.rows.schema import FINDING
    >>> counts(FINDING.to_frame())
    {}
    """
    from tunesmith.detection.registry import DETECTORS

    counted = dict(findings.group_by("detector").agg(pl.col("position").n_unique()).iter_rows())
    return {name: counted[name] for name in DETECTORS if name in counted}


def reasons(rejected: pl.DataFrame) -> dict[str, int]:
    """Count rejected rows by code, the most frequent first; a row with several problems counts under each."""
    counted = rejected.group_by("code").agg(pl.col("position").n_unique().alias("rows"))
    return dict(counted.sort("rows", "code", descending=[True, False]).iter_rows())
