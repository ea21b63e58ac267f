"""Training, validation and test rows that do not know each other: whole groups of near-duplicate prompts move."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from tunesmith.artefact import Manifest, finished, read_manifest, writing
from tunesmith.copies import local
from tunesmith.core.memory import give_back
from tunesmith.errors import InputError, OptionError, did_you_mean
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import assignment, clusters
from tunesmith.rows.card import card
from tunesmith.rows.certificate import certify
from tunesmith.rows.data import Data
from tunesmith.rows.groups import ASIDE, grouped, open_previous, place
from tunesmith.rows.reading import read
from tunesmith.rows.rejects import write_rejects
from tunesmith.rows.sources import PARTS
from tunesmith.rows.strata import strata
from tunesmith.rows.tables import files_of, slices_of, write_table
from tunesmith.rows.values import in_parquet
from tunesmith.rows.versions import REJECTS, ROWS, parts_hash, text_hash, write_version
from tunesmith.stores import as_place

ADDED = ("cluster", "part")
CERTIFICATE = "certificate.json"


@dataclass(frozen=True, kw_only=True)
class Split:
    """A split on disk.

    Attributes:
        folder: Or the address; holds ``train``, ``validation`` and ``test``, each a version.
        manifest: What it says of itself; its ``result`` holds the sizes and ``leaks``.
        certificate: What was measured across the borders.
        reused: Whether it lay there already, made from the same inputs and options.
        notes: What reading had to tell.
    """

    folder: str | Path
    manifest: Manifest
    certificate: Mapping[str, Any]
    reused: bool = False
    notes: tuple[str, ...] = ()


def split(
    source: Any,
    out: str | Path,
    *,
    test: float | None = None,
    validation: float | None = None,
    group: str | None = None,
    stratify: str | None = None,
    previous: str | Path | None = None,
    seed: int = 0,
    format: str | None = None,  # noqa: A002
    mapping: Mapping[str, str] | None = None,
    force: bool = False,
    rows_per_file: int | None = None,
    progress: Progress = SILENT,
) -> Split:
    """Divide rows into training, validation and test parts that share no near-duplicate prompt.

    Args:
        source: Whatever `read` takes.
        out: The folder to make, or an address (s3://bucket/parts).
        test: Rows of the test part: a share below 1, else a count; unsaid, the smaller of 10% and 1,000.
        validation: The same for the validation part.
        group: A column whose equal values must stay together, too.
        stratify: A column whose values every part should have in the same shares, as nearly as whole groups allow; the
            certificate says how nearly.
        previous: An earlier split of these rows: old rows keep their part, new ones join their group's, and one
            whose group stands in two parts is set aside (``set_aside.parquet``).
        seed: Draws which groups go where, and which third of the test part is dev, gate and confirm.
        format: The source's format, inferred unless given.
        mapping: Names of the source's fields to the names they are read under.
        force: Replace what lies at ``out``.
        rows_per_file: Rows of a file; unsaid, tables of more than 1 GiB in memory are cut into parts.
        progress: Where to tell how far it is.
    Returns:
        The split, with its certificate.
    Raises:
        InputError: If there are no rows.
        OptionError: If the sizes leave nothing to train on, the column is unknown, or one group holds more than 5% of the rows.
        ArtefactError: If ``out`` holds something else.
    """
    out = as_place(out)
    data = read(source, format=format, mapping=mapping, progress=progress).some()
    inputs = {**data.inputs, **({"previous": read_manifest(previous, "split").hash} if previous else {})}
    options = {"test": test, "validation": validation, "group": group, "stratify": stratify, "seed": seed}
    made = finished(out, kind="split", inputs=inputs, options=options, sources=(source, previous), force=force, progress=progress)
    if made is not None:
        return Split(folder=out, manifest=made, certificate=_certificate(out), reused=True, notes=data.notes)
    frame, (group, stratify) = _own_columns(data, group, stratify)
    told = _Told(rejected=data.rejected, notes=data.notes)
    del data  # the rows are held once: as they were read, then as parts, each until it is written
    earlier = open_previous(previous) if previous else None
    cluster, known = grouped(frame, earlier, group, progress)
    give_back()
    assignment.refuse_giants(frame, cluster)
    sizes = _sizes(frame.height, test=test, validation=validation)
    shares = strata(frame[stratify]) if stratify else None
    side = place(cluster, frame["row_id"], known, sizes=sizes, seed=seed, strata=shares)
    del known, earlier
    give_back()
    parts = _divided(frame.with_columns(cluster.alias("cluster")), side, seed)
    del frame, cluster, side
    return _write(
        out, told, parts, group=group, stratify=stratify, seed=seed, inputs=inputs, options=options, cut=rows_per_file, progress=progress
    )


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What reading tells beside the rows."""

    rejected: pl.DataFrame
    notes: tuple[str, ...]


def _divided(frame: pl.DataFrame, side: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
    parts = {part: _part(frame.filter(side == part), part, seed) for part in PARTS}
    return {**parts, ASIDE: frame.filter(side == ASIDE)}


def _own_columns(data: Data, *named: str | None) -> tuple[pl.DataFrame, list[str | None]]:
    """Make room for `cluster` and `part`: an earlier split's go, a user's get the user's prefix."""
    frame = data.frame
    if not frame.height:
        raise InputError("expected rows to split, found none")
    for option, name in zip(("--group", "--stratify"), named, strict=True):
        if name is not None and name not in frame.columns:
            raise OptionError(f'{option}: there is no column "{name}"; {did_you_mean(name, frame.columns)}')
    taken = [name for name in ADDED if name in frame.columns]
    if data.format == "tunesmith" and not set(named) & set(taken):
        return frame.drop(taken), list(named)
    return frame.rename({name: f"user_{name}" for name in taken}), [f"user_{name}" if name in taken else name for name in named]


def _sizes(rows: int, *, test: float | None, validation: float | None) -> dict[str, int]:
    sizes = {"test": assignment.size(test, rows, name="test"), "validation": assignment.size(validation, rows, name="validation")}
    if sum(sizes.values()) >= rows:
        raise OptionError(f"test ({sizes['test']:,}) and validation ({sizes['validation']:,}) leave none of {rows:,} rows to train on")
    return sizes


def _write(
    out: str | Path,
    told: _Told,
    frames: dict[str, pl.DataFrame],
    *,
    group: str | None,
    stratify: str | None,
    seed: int,
    inputs: Mapping[str, str],
    options: Mapping[str, Any],
    cut: int | None,
    progress: Progress,
) -> Split:
    aside = frames.pop(ASIDE)
    heights = {part: frames[part].height for part in PARTS}
    filled = [part for part in PARTS if heights[part]]
    with writing(out, progress) as work:
        _clear(work.folder)
        hashes = {}
        for part in filled:
            own = {**options, "part": part}
            made = write_version(work.folder / part, frame=frames.pop(part), inputs=inputs, options=own, rows_per_file=cut)
            hashes[part] = made.hash
        give_back()
        certificate = certify(work.folder, filled, group=group, stratify=stratify, seed=seed)
        (work.folder / CERTIFICATE).write_text(json.dumps(certificate, indent=2) + "\n", encoding="utf-8")
        write_rejects(told.rejected, work.folder / REJECTS)
        if aside.height:
            write_table(in_parquet(aside), work.folder / "set_aside.parquet", rows_per_file=cut)
        result = {
            **heights,
            "rejected": told.rejected["position"].n_unique(),
            "set_aside": aside.height,
            "leaks": certificate["leaks"],
            "highest_similarity": certificate["highest_similarity"],
            **({"largest_deviation": certificate["strata"]["largest_deviation"]} if stratify else {}),
        }
        manifest = Manifest(
            kind="split",
            inputs=inputs,
            options=options,
            hash=parts_hash(hashes),
            result=result,
            details={"hashes": {name: text_hash(work.folder, name) for name in (CERTIFICATE, REJECTS)}},
        )
        files = {part: files_of(work.folder / part / ROWS, work.folder) for part in filled}
        give_back()
        rows = chain.from_iterable(slices_of(work.folder / part / ROWS) for part in filled)
        text = card(PurePosixPath(out).name, rows, manifest, files)
        (work.folder / "README.md").write_text(text, encoding="utf-8")
        work.finish(manifest)
    return Split(folder=out, manifest=manifest, certificate=certificate, notes=told.notes)


def _part(frame: pl.DataFrame, part: str, seed: int) -> pl.DataFrame:
    """Name the third of each test row; the other parts have the column too, since `datasets` wants equal columns."""
    if part == "test" and frame.height:
        return frame.with_columns(clusters.parts(frame["cluster"], seed).alias("part"))
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias("part"))


def _clear(folder: Path) -> None:
    """Begin anew: what an interrupted run left is not worth continuing."""
    for path in folder.iterdir():
        if path.name != ".lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _certificate(folder: str | Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((local(folder, CERTIFICATE) / CERTIFICATE).read_text(encoding="utf-8"))
    return loaded
