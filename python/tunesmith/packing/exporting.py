"""Export: the data and the configuration that a trainer needs, of rows or of a pack, every row accounted for."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tunesmith.artefact import Kind, Manifest, finished, is_artefact, read_manifest, writing
from tunesmith.copies import local
from tunesmith.core import content_hash
from tunesmith.errors import InputError, OptionError, TunesmithWarning, did_you_mean
from tunesmith.packing.reader import SEGMENTS, TOKENIZER
from tunesmith.progress import SILENT, Progress
from tunesmith.rows.contents import ending
from tunesmith.rows.exports import TRAINERS, hub, trl
from tunesmith.rows.exports.base import File, Setting, Trainer
from tunesmith.rows.exports.records import Written, last_alone, write_rows
from tunesmith.rows.reading import read
from tunesmith.rows.sources import parts_of
from tunesmith.stores import as_place, is_address

For = Literal["axolotl", "llama-factory", "trl", "openai", "torchtune", "hub"]
PLACES, LEFT_OUT = "row_ids.parquet", "left_out.parquet"
_OF_PACKS = ("axolotl", "trl")


@dataclass(frozen=True, kw_only=True)
class Export:
    """What `export` made.

    Attributes:
        folder: The artefact, or its address.
        result: `files` (all that were written), `rows` (records in them), `datasets` (file of records to its rows), `left_out`
            (reason to the rows that are in none), `lost` (field to the rows that are there without it), `rejected` records,
            `warnings`.
        reused: Whether it was there already, made from the same inputs and options.
        notes: What reading had to tell.
    """

    folder: str | Path
    result: Mapping[str, Any]
    reused: bool = False
    notes: tuple[str, ...] = ()


def export(
    source: Any,
    out: str | Path,
    *,
    trainer: For,
    model: str | None = None,
    format: str | None = None,  # noqa: A002  (the option's name on the surface)
    mapping: Mapping[str, str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Export:
    """Write rows as another trainer reads them, with the configuration that goes with them.

    A split gives a file for each of its parts; the configuration names train and validation, never test. Every record
    has its row's id and position where the trainer allows it, and ``row_ids.parquet`` says which line of which file
    every row is. What a trainer would skip without a word is left out here, under a reason (``left_out.parquet``).

    Args:
        source: Rows: whatever `read` takes; or a pack, for axolotl and TRL: its sequences as ``input_ids``,
            ``attention_mask`` and ``labels``, one a line, for the trainer's own packing.
        out: Folder to write, or an address (s3://bucket/for-trl).
        trainer: Whose formats.
        model: The model that the configuration names; left to be filled in unless said.
        format: The source's format where it should not be inferred.
        mapping: Names of the source's fields to the names they are read under.
        force: Replace an output made from something else.
        progress: Told what is going on.
    Raises:
        OptionError: If the trainer is unknown, or takes no pack.
        InputError: If no row has a form that the trainer knows.
    """
    if trainer not in TRAINERS:
        raise OptionError(f'unknown trainer "{trainer}"; {did_you_mean(trainer, TRAINERS)}')
    chosen = TRAINERS[trainer]
    if _is(source, "pack"):
        return _pack(source, as_place(out), chosen, model=model, force=force, progress=progress)
    parts, inputs, rejected, notes = _parts(source, format, mapping, progress)
    options = {"for": trainer, "model": model}
    done = finished(out, kind="export", inputs=inputs, options=options, sources=(source,), force=force, progress=progress)
    if done is not None:
        return Export(folder=as_place(out), result=done.result, reused=True, notes=notes)
    setting = Setting(model=model, last_alone=last_alone(parts))
    with progress.task("Writing", len(parts)) as told, writing(out, progress) as work:
        _clear(work.folder)
        written = write_rows(work.folder, parts, chosen, setting)
        told(len(parts))
        if not any(file.part == next(iter(parts)) for file in written.files):
            reasons = "; ".join(f"{reason} ({count:,})" for reason, count in written.reasons().items())
            raise InputError(f"no row of {next(iter(parts))} has a form that {trainer} knows: {reasons or 'there are no rows'}")
        result = _finish(work.folder, chosen, replace(setting, digest=written.hash), written, rejected)
        work.finish(Manifest(kind="export", inputs=inputs, options=options, hash=written.hash, result=result))
    return Export(folder=as_place(out), result=result, notes=notes)


def _parts(
    source: Any,
    format: str | None,  # noqa: A002
    mapping: Mapping[str, str] | None,
    progress: Progress,
) -> tuple[dict[str, pl.DataFrame], dict[str, str], int, tuple[str, ...]]:
    """Read the rows, part by part where there are parts."""
    if _is(source, "split"):
        read_in = {part: read(place, mapping=mapping, progress=progress) for part, place in parts_of(as_place(source)).items()}
        inputs = {part: next(iter(data.inputs.values())) for part, data in read_in.items()}
        return {part: data.frame.drop("cluster", "part", strict=False) for part, data in read_in.items()}, inputs, 0, ()
    data = read(source, format=format, mapping=mapping, progress=progress).some()
    return {"train": data.frame}, dict(data.inputs), data.rows - data.frame.height, data.notes


def _is(source: Any, kind: Kind) -> bool:
    """Tell whether it is an artefact of a kind; an address that ends like a file of data is not asked."""
    return isinstance(source, str | Path) and not (is_address(source) and ending(source)) and is_artefact(source, kind)


def _finish(folder: Path, trainer: Trainer, setting: Setting, written: Written, rejected: int) -> dict[str, Any]:
    """Write what stands beside the records: the configuration, the rows' places, the card; and say what was made."""
    for name, text in trainer.configs(written.files, setting).items():
        (folder / name).write_text(text, encoding="utf-8")
    places = {"file": pl.String, "line": pl.UInt64, "position": pl.UInt64, "row_id": pl.String}
    pl.DataFrame(written.rows, schema=places, orient="row").write_parquet(folder / PLACES)
    if written.left_out:
        out = {"part": pl.String, "position": pl.UInt64, "row_id": pl.String, "reason": pl.String}
        pl.DataFrame(written.left_out, schema=out, orient="row").write_parquet(folder / LEFT_OUT)
    warned = _warnings(trainer, written.files)
    result: dict[str, Any] = {
        "rows": sum(file.rows for file in written.files if file.kind != "weighted"),
        "datasets": {file.name: file.rows for file in written.files},
        "rejected": rejected,
        "left_out": written.reasons(),
        "lost": {name: count for name, count in sorted(written.lost.items()) if count},
        "warnings": warned,
    }
    (folder / "README.md").write_text(_readme(trainer, setting, written.files, result), encoding="utf-8")
    if trainer.name == "trl":
        (folder / trl.FOLDER / "README.md").write_text(trl.card(written.files, setting), encoding="utf-8")
    listed = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    for message in warned:
        warnings.warn(message, TunesmithWarning, stacklevel=3)
    return {"files": [*listed, "manifest.json"], **result}


def _warnings(trainer: Trainer, files: list[File]) -> list[str]:
    few = [file for file in files if file.part == "train" and file.rows < trainer.least]
    return [f"{file.name} has {file.rows:,} records; {trainer.name} starts no job with fewer than {trainer.least}" for file in few]


def _readme(trainer: Trainer, setting: Setting, files: list[File], result: Mapping[str, Any]) -> str:
    head = hub.card(files, setting) if trainer.name == "hub" else ""
    lines = [
        f"# Rows for {trainer.name}",
        "",
        f"Written by tunesmith. Content hash `{setting.digest}`. Formats: <{trainer.url}>.",
        "",
        f"    {trainer.how}",
        "",
        "| file | rows |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in result["datasets"].items()),
        *(f"| left out: {reason} | {count:,} |" for reason, count in result["left_out"].items()),
        *(f"| without their {name} | {count:,} |" for name, count in result["lost"].items()),
        "",
        f"`{PLACES}` says which line of which file each row is.",
    ]
    return head + "\n".join(lines) + "\n"


def _pack(source: str | Path, out: str | Path, trainer: Trainer, *, model: str | None, force: bool, progress: Progress) -> Export:
    """Write a pack's sequences: each a line of its own, since a bin without its borders would teach across them."""
    if trainer.name not in _OF_PACKS:
        raise OptionError(f"{source} is a pack: tokens are for {' and '.join(_OF_PACKS)}; name the rows to export for {trainer.name}")
    manifest, here = read_manifest(source, "pack"), local(source)
    inputs, options = {"pack": manifest.hash}, {"for": trainer.name, "model": model}
    done = finished(out, kind="export", inputs=inputs, options=options, sources=(source,), force=force, progress=progress)
    if done is not None:
        return Export(folder=out, result=done.result, reused=True)
    segments = pl.scan_ipc(here / SEGMENTS, glob=False).collect()
    if segments["pair"].null_count() < segments.height:
        raise OptionError(f"{source} is a pack of preference pairs: rejected answers would be learnt; export the rows instead")
    table = segments.select(
        pl.col("input_ids").cast(pl.List(pl.Int32)),
        attention_mask=pl.lit(1, pl.Int8).repeat_by(pl.col("input_ids").list.len()),
        labels=pl.col("labels").cast(pl.List(pl.Int32)),
    )
    name = f"{trainer.folder}/train.parquet".lstrip("/")
    places = segments.select("position", "row_id").with_row_index("line").iter_rows(named=True)
    written = Written(
        files=[File(name=name, part="train", kind="tokens", rows=table.height)],
        rows=[{"file": name, **place} for place in places],
        hash=content_hash(table),
    )
    written.lost["weight"] = segments.filter(pl.col("weight") != 1)["position"].n_unique()
    setting = Setting(model=model, last_alone=True, digest=written.hash, context=manifest.details["context"])
    with writing(out, progress) as work:
        _clear(work.folder)
        (work.folder / name).parent.mkdir(exist_ok=True)
        table.write_parquet(work.folder / name, compression="zstd")
        shutil.copytree(here / TOKENIZER, work.folder / TOKENIZER)
        result = _finish(work.folder, trainer, setting, written, 0)
        work.finish(Manifest(kind="export", inputs=inputs, options=options, hash=written.hash, result=result))
    return Export(folder=out, result=result)


def _clear(folder: Path) -> None:
    """Begin anew: what an interrupted run left is not worth continuing."""
    for path in folder.iterdir():
        if path.name != ".lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
