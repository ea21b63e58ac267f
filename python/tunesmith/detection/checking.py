"""The verb `check`: is this file what it should be, row by row."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.detection.findings import find
from tunesmith.progress import SILENT, Progress
from tunesmith.rows.rejects import writing_rejects
from tunesmith.rows.streaming import Stream
from tunesmith.rows.versions import verify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
    """

    tally: Tally
    format: str
    notes: tuple[str, ...]
    data: Data | None = None
    findings: pl.DataFrame | None = None

    @property
    def fine(self) -> bool:
        """No row is rejected. Findings are told, not failed on."""
        return not self.tally.reasons

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
        }


def check(
    source: Any,
    rejects: str | Path | None = None,
    *,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    keep: bool = True,
    progress: Progress = SILENT,
) -> Checked:
    """Read a source row by row and run every detector; of a version, or a split, recompute the hashes first.

    Args:
        source: Path, glob, folder, address, DataFrame, LazyFrame, ``datasets.Dataset``, list of dicts, version or Data.
        rejects: Where to write the rejected records, to be mended and read again.
        format: The format, where it is not to be inferred.
        mapping: Field of a row to the source's own name for it.
        keep: Keep the rows and the findings. Without, a block of rows is all that is held, however large the source.
        progress: Told of the work.
    Raises:
        ArtefactError: If a version is not what its manifest states; names the table.

    >>> checked = check([{"instruction": "Say hi.", "output": "hi"}, {"instruction": "Say ho.", "output": ""}])
    >>> checked.result["valid"], checked.result["findings"]
    (2, {'output_empty': 1})
    """
    verify(source)
    label = "Reading" if keep else "Checking"
    stream = Stream(source=source, format=format, mapping=mapping, progress=progress, label=label, whole=keep)
    tally = Tally()
    if keep:
        data = stream.data()
        found = find(data.frame, progress=progress)
        tally.add(data, found)
        if rejects is not None:
            with writing_rejects(rejects) as write:
                write(data.rejected)
        return Checked(tally=tally, format=data.format, notes=data.notes, data=data, findings=found)
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
