"""A version: a folder of rows with everything that happened to them; a split's parts are versions too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.artefact import Manifest, is_artefact, read_manifest, writing
from tunesmith.errors import ArtefactError
from tunesmith.rows import schema
from tunesmith.rows.card import card
from tunesmith.rows.rejects import read_rejects, write_rejects
from tunesmith.rows.sources import PARTS

ROWS, REMOVED, LEDGER, VALUES, EDGES, REJECTS = (
    "rows.parquet", "removed.parquet", "ledger.parquet", "values.parquet", "edges.parquet", "rejects.jsonl",
)  # fmt: skip


@dataclass(frozen=True)
class Version:
    """An opened version. Its tables are read when they are asked for.

    Attributes:
        folder: Where it lies.
        manifest: What it says of itself.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: str | Path) -> Version:
        """Open a version.

        Raises:
            ArtefactError: If the folder is none.
        """
        return cls(Path(folder), read_manifest(folder, "version"))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The kept rows, final text (``schema.ROW`` and the user's columns)."""
        return pl.read_parquet(self.folder / ROWS)

    @cached_property
    def removed(self) -> pl.DataFrame:
        """Dropped rows, and edited rows as they were (columns of ``frame``)."""
        return pl.read_parquet(self.folder / REMOVED)

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """The rules that fired (``schema.LEDGER``)."""
        return pl.read_parquet(self.folder / LEDGER)

    @cached_property
    def values(self) -> pl.DataFrame:
        """What the steps measured: ``position`` and a column per ``step.measure``, every valid row."""
        return pl.read_parquet(self.folder / VALUES)

    @cached_property
    def edges(self) -> pl.DataFrame:
        """Pairs that keyed steps found (``schema.EDGES``)."""
        return pl.read_parquet(self.folder / EDGES)

    @cached_property
    def rejected(self) -> pl.DataFrame:
        """Records that could not be rows (``schema.REJECT``)."""
        return read_rejects(self.folder / REJECTS)

    def verify(self) -> None:
        """Recompute the content hashes of every table.

        Raises:
            ArtefactError: If a table is not what the manifest states; names it.
        """
        stated = self.manifest.details.get("hashes", {})
        tables: dict[str, Callable[[], pl.DataFrame]] = {
            "rows": lambda: self.frame, "removed": lambda: self.removed, "ledger": lambda: self.ledger, "values": lambda: self.values,
            "edges": lambda: self.edges, "rejects": lambda: self.rejected,
        }  # fmt: skip
        for name, table in tables.items():
            try:
                found = core.content_hash(table())
            except (OSError, pl.exceptions.PolarsError, ValueError, KeyError) as error:
                cause = str(error).strip().splitlines()[0]
                raise ArtefactError(f"{self.folder}: {name} cannot be read ({cause}); {_CHANGED}") from error
            if found != stated.get(name):
                raise ArtefactError(
                    f"{self.folder}: the content of {name} is not what its manifest states "
                    f"(expected {stated.get(name)}, found {found}); {_CHANGED}"
                )
        if stated.get("rows") != self.manifest.hash:
            raise ArtefactError(f"{self.folder}: its manifest states two hashes of its rows; {_CHANGED}")


_CHANGED = "it was changed after it was made: make it again, or read rows.parquet as a file"


def verify(source: object) -> None:
    """Verify a source that is a version, or a split of versions, or a list of sources; anything else is no artefact, and passes.

    Raises:
        ArtefactError: As `Version.verify`.
    """
    if isinstance(source, list | tuple):
        for each in source:
            verify(each)
    if not isinstance(source, str | Path) or not Path(source).is_dir():
        return
    folder = Path(source)
    if is_artefact(folder, "version"):
        Version.open(folder).verify()
    elif is_artefact(folder, "split"):
        for part in PARTS:
            if (folder / part).is_dir():
                Version.open(folder / part).verify()


def write_version(
    out: str | Path,
    *,
    frame: pl.DataFrame,
    inputs: Mapping[str, str],
    options: Mapping[str, Any],
    removed: pl.DataFrame | None = None,
    ledger: pl.DataFrame | None = None,
    values: pl.DataFrame | None = None,
    edges: pl.DataFrame | None = None,
    rejected: pl.DataFrame | None = None,
    result: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write a version whole, or not at all. Ask `artefact.finished` first.

    Args:
        out: The folder to make; what lies there is replaced.
        frame: The kept rows.
        inputs: Source name to content hash.
        options: What decides the content.
        removed: Dropped rows, and edited rows as they were; columns of ``frame``.
        ledger: ``schema.LEDGER``.
        values: ``position`` and the measures of every valid row.
        edges: ``schema.EDGES``.
        rejected: ``schema.REJECT``.
        result: The command's ``--json`` fields.
        details: Anything else for the manifest.
    Returns:
        The manifest; its hash is that of ``frame``, ``details["hashes"]`` has one for each table.
    """
    tables = {
        "rows": frame,
        "removed": removed if removed is not None else frame.clear(),
        "ledger": ledger if ledger is not None else pl.DataFrame(schema=schema.LEDGER),
        "values": values if values is not None else frame.select("position"),
        "edges": edges if edges is not None else pl.DataFrame(schema=schema.EDGES),
    }
    rejected = rejected if rejected is not None else pl.DataFrame(schema=schema.REJECT)
    with writing(out) as work:
        for name, table in tables.items():
            table.write_parquet(work.folder / f"{name}.parquet", compression="zstd", compression_level=1)
        write_rejects(rejected, work.folder / REJECTS)
        hashes = {name: core.content_hash(table) for name, table in tables.items()}
        # Through the file and back: a rejects file says what it can, and that is what is verified.
        hashes["rejects"] = core.content_hash(read_rejects(work.folder / REJECTS))
        manifest = Manifest(
            kind="version",
            inputs=dict(inputs),
            options=json.loads(json.dumps(options)),
            hash=hashes["rows"],
            result=dict(result or {}),
            details={**(details or {}), "hashes": hashes},
        )
        (work.folder / "README.md").write_text(card(Path(out).name, frame, manifest, {"train": ROWS}), encoding="utf-8")
        return work.finish(manifest)
