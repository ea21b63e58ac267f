"""A version: a folder of rows with everything that happened to them; a split's parts are versions too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.artefact import Manifest, read_manifest, recognised, writing
from tunesmith.copies import local
from tunesmith.errors import ArtefactError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import schema
from tunesmith.rows.card import card
from tunesmith.rows.contents import ending
from tunesmith.rows.pieces import pieces
from tunesmith.rows.rejects import read_rejects, write_rejects
from tunesmith.rows.sources import parts_of
from tunesmith.rows.tables import CHANGED, files_of, hash_table, part_of, read_table, sliced, write_table
from tunesmith.rows.values import in_parquet
from tunesmith.stores import as_place, is_address

ROWS, REMOVED, LEDGER, VALUES, EDGES, REJECTS = (
    "rows.parquet", "removed.parquet", "ledger.parquet", "values.parquet", "edges.parquet", "rejects.jsonl",
)  # fmt: skip


@dataclass(frozen=True)
class Version:
    """An opened version. Its tables are read when they are asked for.

    Attributes:
        folder: Where it lies: a folder, or an address.
        manifest: What it says of itself.
    """

    folder: str | Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: str | Path) -> Version:
        """Open a version. Of one at an address the manifest is read now, and each table is copied when it is asked for.

        Raises:
            ArtefactError: If the folder is none.
            InputError: If the address cannot be read.
        """
        return cls(as_place(folder), read_manifest(folder, "version"))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The kept rows, final text (``schema.ROW`` and the user's columns)."""
        return read_table(self.folder, "rows")

    @cached_property
    def removed(self) -> pl.DataFrame:
        """Dropped rows, and edited rows as they were (columns of ``frame``)."""
        return read_table(self.folder, "removed")

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """The rules that fired (``schema.LEDGER``)."""
        return read_table(self.folder, "ledger")

    @cached_property
    def values(self) -> pl.DataFrame:
        """What the steps measured: ``position`` and a column per ``step.measure``, every valid row."""
        return read_table(self.folder, "values")

    @cached_property
    def edges(self) -> pl.DataFrame:
        """Pairs that keyed steps found (``schema.EDGES``)."""
        return read_table(self.folder, "edges")

    @cached_property
    def rejected(self) -> pl.DataFrame:
        """Records that could not be rows (``schema.REJECT``)."""
        return read_rejects(local(self.folder, REJECTS) / REJECTS)

    def verify(self) -> None:
        """Recompute the content hash of every table, block by block.

        Raises:
            ArtefactError: If a table is not what the manifest states; names it, and of several files the part.
        """
        stated = self.manifest.details.get("hashes", {})
        for name in (*_TABLES, "rejects"):
            found = core.content_hash(self._rejects()) if name == "rejects" else hash_table(self.folder, name)
            if found != stated.get(name):
                raise ArtefactError(
                    f"{self.folder}: the content of {self._culprit(name)} is not what its manifest states "
                    f"(expected {stated.get(name)}, found {found}); {CHANGED}"
                )
        if stated.get("rows") != self.manifest.hash:
            raise ArtefactError(f"{self.folder}: its manifest states two hashes of its rows; {CHANGED}")

    def _rejects(self) -> pl.DataFrame:
        try:
            return read_rejects(local(self.folder, REJECTS) / REJECTS)
        except (OSError, ValueError, KeyError) as error:
            raise ArtefactError(f"{self.folder}: rejects cannot be read ({str(error).strip().splitlines()[0]}); {CHANGED}") from error

    def _culprit(self, name: str) -> str:
        """Name the table whose content is another one, with the part to blame where there are several."""
        place, stated = local(self.folder, f"{name}.parquet") / f"{name}.parquet", self.manifest.details.get("parts", {}).get(name, ())
        names = [part_of(place, k).name for k in range(len(stated))]
        for part, given in zip(names, stated, strict=True):
            if not (place / part).is_file():
                return f"{name} ({part} is missing)"
            if core.content_hash(pl.scan_parquet(place / part, glob=False)) != given:
                return f"{name} ({part})"
        others = sorted(path.name for path in place.glob("*") if path.name not in names)
        return f"{name} ({others[0]} was not there)" if others and names else name


_AGAIN = "it was changed after it was made: split the rows again"
_TABLES = ("rows", "removed", "ledger", "values", "edges")


def verify(source: object) -> None:
    """Verify a source that is a version, or a split of versions, or a list of sources; anything else is no artefact, and passes.

    Raises:
        ArtefactError: As `Version.verify`.
    """
    if isinstance(source, list | tuple):
        for each in source:
            verify(each)
    if not isinstance(source, str | Path) or not _folder_like(source):
        return
    folder = as_place(source)
    if recognised(folder, "version"):
        Version.open(folder).verify()
    elif recognised(folder, "split"):
        _verify_split(folder)


def parts_hash(hashes: Mapping[str, str]) -> str:
    """Hash a split by the hashes of its parts' rows, in order."""
    return core.content_hash(pl.DataFrame({"part": list(hashes), "hash": list(hashes.values())}))


def text_hash(folder: str | Path, name: str) -> str:
    """Hash a text file of an artefact by its lines.

    Raises:
        ArtefactError: If it cannot be read.
    """
    try:
        text = (local(folder, name) / name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{folder}: {name} cannot be read ({str(error).strip().splitlines()[0]}); {_AGAIN}") from error
    return core.content_hash(pl.DataFrame({"line": text.split("\n")}))


def _verify_split(folder: str | Path) -> None:
    """Verify each part, that none is missing or another, and the files beside them."""
    manifest, hashes = read_manifest(folder, "split"), {}
    for part, place in parts_of(folder).items():
        version = Version.open(place)
        version.verify()
        hashes[part] = version.manifest.hash
    if parts_hash(hashes) != manifest.hash:
        found = ", ".join(hashes) or "none"
        raise ArtefactError(f"{folder}: its parts ({found}) are not those that its manifest states; split the rows again")
    for name, stated in manifest.details.get("hashes", {}).items():
        if text_hash(folder, name) != stated:
            raise ArtefactError(f"{folder}: {name} is not what its manifest states; {_AGAIN}")


def _folder_like(source: str | Path) -> bool:
    """Tell what may be an artefact; an address that ends like a file of data is not asked."""
    return not ending(source) if isinstance(source, str) and is_address(source) else Path(source).is_dir()


def write_version(
    out: str | Path,
    *,
    frame: pl.DataFrame,
    inputs: Mapping[str, str],
    options: Mapping[str, Any],
    removed: pl.DataFrame | None = None,
    ledger: pl.DataFrame | None = None,
    values: pl.DataFrame | pl.LazyFrame | None = None,
    edges: pl.DataFrame | None = None,
    rejected: pl.DataFrame | None = None,
    result: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    rows_per_file: int | None = None,
    progress: Progress = SILENT,
) -> Manifest:
    """Write a version whole, or not at all. Ask `artefact.finished` first.

    Args:
        out: The folder to make; what lies there is replaced.
        frame: The kept rows.
        inputs: Source name to content hash.
        options: What decides the content.
        removed: Dropped rows, and edited rows as they were; columns of ``frame``.
        ledger: ``schema.LEDGER``.
        values: ``position`` and the measures of every valid row; a LazyFrame where their final types are wider than what is held.
        edges: ``schema.EDGES``.
        rejected: ``schema.REJECT``.
        result: The command's ``--json`` fields.
        details: Anything else for the manifest.
        rows_per_file: Rows of a file, as in `tables.write_table`. How tables are cut is no part of the content.
        progress: Told what was sent to an address.
    Returns:
        The manifest; its hash is that of ``frame``, ``details["hashes"]`` has one for each table, ``details["parts"]`` one for
        each part of those that are cut.
    """
    frame, removed = in_parquet(frame), None if removed is None else in_parquet(removed)
    tables: dict[str, pl.DataFrame | pl.LazyFrame] = {
        "rows": frame,
        "removed": removed if removed is not None else frame.clear(),
        "ledger": ledger if ledger is not None else pl.DataFrame(schema=schema.LEDGER),
        "values": values if values is not None else frame.select("position"),
        "edges": edges if edges is not None else pl.DataFrame(schema=schema.EDGES),
    }
    rejected = rejected if rejected is not None else pl.DataFrame(schema=schema.REJECT)
    with writing(out, progress) as work:
        cuts = {name: write_table(table, work.folder / f"{name}.parquet", rows_per_file=rows_per_file) for name, table in tables.items()}
        write_rejects(rejected, work.folder / REJECTS)
        hashes = {name: core.content_hash(table) for name, table in tables.items()}
        parts = {name: [core.content_hash(sliced(tables[name], cut)) for cut in cut_at] for name, cut_at in cuts.items() if len(cut_at) > 1}
        # Through the file and back: a rejects file says what it can, and that is what is verified.
        hashes["rejects"] = core.content_hash(read_rejects(work.folder / REJECTS))
        manifest = Manifest(
            kind="version",
            inputs=dict(inputs),
            options=json.loads(json.dumps(options)),
            hash=hashes["rows"],
            result=dict(result or {}),
            details={**(details or {}), "hashes": hashes, **({"parts": parts} if parts else {})},
        )
        files = {"train": files_of(work.folder / ROWS, work.folder)}
        (work.folder / "README.md").write_text(card(PurePosixPath(out).name, pieces(frame), manifest, files), encoding="utf-8")
        return work.finish(manifest)
