"""The verb `check`: is this file what it should be, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.detection.findings import find
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read, write_rejects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tunesmith.rows import Data


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found.

    Attributes:
        data: The rows and the rejects.
        findings: Every finding (`rows.schema.FINDING`).
    """

    data: Data
    findings: pl.DataFrame

    @property
    def fine(self) -> bool:
        """No row is rejected. Findings are told, not failed on."""
        return self.data.rejected.is_empty()

    @property
    def result(self) -> dict[str, Any]:
        """The `--json` fields; ``findings`` counts rows, ``reasons`` counts problems by code."""
        rows = self.data.rows
        valid = self.data.frame.height
        return {
            "format": self.data.format,
            "rows": rows,
            "valid": valid,
            "rejected": rows - valid,
            "reasons": reasons(self.data.rejected),
            "findings": counts(self.findings),
            "notes": list(self.data.notes),
        }


def check(
    source: Any,
    rejects: str | Path | None = None,
    *,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> Checked:
    """Read a source row by row and run every detector.

    Args:
        source: Path, glob, folder, DataFrame, LazyFrame, ``datasets.Dataset``, list of dicts, version or Data.
        rejects: Where to write the rejected records, to be mended and read again.
        format: The format, where it is not to be inferred.
        mapping: Field of a row to the source's own name for it.
        progress: Told of the work.

    >>> checked = check([{"instruction": "Say hi.", "output": "hi"}, {"instruction": "Say ho.", "output": ""}])
    >>> checked.result["valid"], checked.result["findings"]
    (2, {'output_empty': 1})
    """
    data = read(source, format=format, mapping=mapping, progress=progress)
    if rejects is not None:
        write_rejects(data.rejected, rejects)
    return Checked(data=data, findings=find(data.frame, progress=progress))


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
