"""From any format to any other: one file, and an account of what it cannot hold."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import polars as pl

from tunesmith.errors import ArtefactError, OptionError, did_you_mean
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import schema
from tunesmith.rows.assembling import own_name
from tunesmith.rows.contents import PACKED, ending
from tunesmith.rows.formats.writing import TARGETS, Record, Target, Writer, tabular
from tunesmith.rows.reading import read
from tunesmith.rows.rejects import write_rejects
from tunesmith.rows.values import as_text, dense, dumps, finite, in_json, in_parquet
from tunesmith.stores import is_address
from tunesmith.uploads import sending

To = Literal["alpaca", "sharegpt", "messages", "openai", "prompt-completion", "preference"]
ENDINGS = (".json", ".jsonl", ".ndjson", ".parquet", ".csv")


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What a conversion did.

    Attributes:
        rows_in: Valid rows read and rejected records.
        rows_out: Records written.
        rejected: Records that could not be rows.
        lost: Field to the number of rows in which the target cannot hold it; ``row`` counts rows that have no
            form there at all (a preference pair without a rejected answer).
        notes: What reading had to tell.
    """

    rows_in: int
    rows_out: int
    rejected: int
    lost: Mapping[str, int]
    notes: tuple[str, ...] = ()


def convert(
    source: Any,
    file: str | Path,
    *,
    to: To,
    format: str | None = None,  # noqa: A002
    mapping: Mapping[str, str] | None = None,
    rejects: str | Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Converted:
    """Write rows in another format.

    Args:
        source: Whatever `read` takes.
        file: Ends in .json, .jsonl, .parquet or .csv; JSON and CSV also with .gz or .zst. An address (s3://bucket/rows.jsonl) as well.
        to: The format to write.
        format: The source's format, inferred unless given.
        mapping: The source's names to the names they are read under.
        rejects: A file for records that could not be rows.
        force: Replace what lies at ``file`` and ``rejects``.
        progress: Where to tell how far it is.
    Returns:
        Counts, and what the target could not hold, by field.
    Raises:
        InputError: If the source cannot be read.
        OptionError: If the target or the ending is unknown.
        ArtefactError: If ``file`` or ``rejects`` exists, or its folder does not.
    """
    if isinstance(file, str) and is_address(file):
        _check_ending(file)
        with sending(file, force=force, progress=progress) as here:
            return convert(source, here, to=to, format=format, mapping=mapping, rejects=rejects, force=force, progress=progress)
    file = Path(file)
    if to not in TARGETS:
        raise OptionError(f'unknown target "{to}"; {did_you_mean(to, TARGETS)}')
    _check(file, force=force)
    if rejects is not None:
        _vacant(Path(rejects), force=force)
    data = read(source, format=format, mapping=mapping, progress=progress).some()
    target, writer = TARGETS[to], Writer()
    made = [writer.write(target, row) for row in data.frame.select(schema.ROW.names()).iter_rows(named=True)]
    kept = [k for k, record in enumerate(made) if record is not None]
    records = [{key: value for key, value in record.items() if value is not None} for record in made if record is not None]
    writer.lost["weight"] = int((data.frame["weight"] != 1).sum())
    extra, told = _extra(data.frame[kept] if len(kept) < len(made) else data.frame, target, writer)
    with progress.task("Writing", len(records)) as done:
        _write(file, records, extra, target, writer)
        done(len(records))
    if rejects is not None:
        write_rejects(data.rejected, rejects)
    lost = {name: count for name, count in sorted(writer.lost.items()) if count}
    return Converted(
        rows_in=data.rows, rows_out=len(records), rejected=data.rows - data.frame.height, lost=lost, notes=(*data.notes, *told)
    )


def _check(file: Path, *, force: bool) -> None:
    _check_ending(file)
    _vacant(file, force=force)


def _check_ending(file: str | Path) -> None:
    if ending(file) not in ENDINGS or (PurePosixPath(file).suffix in PACKED and ending(file) == ".parquet"):
        raise OptionError(f"{file}: expected a name that ends in {', '.join(ENDINGS)}; JSON and CSV also with {' or '.join(PACKED)}")


def _vacant(file: Path, *, force: bool) -> None:
    if file.is_dir():
        raise ArtefactError(f"{file}: expected a file to write, found a folder")
    if file.exists() and not force:
        raise ArtefactError(f"{file} exists; choose another name, or --force to replace it")
    if not file.absolute().parent.is_dir():
        raise ArtefactError(f"{file}: there is no folder {file.parent} to write into; make it first")


def _extra(frame: pl.DataFrame, target: Target, writer: Writer) -> tuple[pl.DataFrame, list[str]]:
    """Give the user's columns their names back, and tell which cannot have theirs; a strict target holds none of them."""
    users = frame.drop(schema.ROW.names())
    if target.strict:
        writer.lost.update({name: users.height - users[name].null_count() for name in users.columns})
        return users.select(), []
    plain = {name for name in users.columns if own_name(name) == name}
    taken, names, told = {*target.schema, *plain}, {}, []
    for name in sorted(set(users.columns) - plain, key=len):
        given = own_name(name) if own_name(name) not in taken else name
        taken.add(given)
        names[name] = given
        if given == name:
            told.append(f'your column "{own_name(name)}" is written as "{name}": {target.name} has a field of that name')
    for name in sorted(set(target.schema) & plain):
        names[name] = f"user_{name}"
        while names[name] in taken:
            names[name] = f"user_{names[name]}"
        told.append(f'your column "{name}" is written as "{names[name]}": {target.name} has a field of that name')
    return users.rename(names), told


def _write(file: Path, records: list[Record], extra: pl.DataFrame, target: Target, writer: Writer) -> None:
    """Write beside, then rename: a file is whole or not there."""
    beside = file.with_name(f".{file.name}.work")
    try:
        _fill(beside, file, records, extra, target, writer)
        beside.rename(file)
    finally:
        beside.unlink(missing_ok=True)


def _fill(beside: Path, file: Path, records: list[Record], extra: pl.DataFrame, target: Target, writer: Writer) -> None:
    if ending(file) == ".parquet":
        _table(records, in_parquet(extra), target).write_parquet(beside, compression="zstd", compression_level=1)
        return
    extra, lost = in_json(extra)
    writer.lost.update(lost)
    if ending(file) == ".csv":
        table = _table(records, extra, target)
        nested = [column.name for column in table if column.dtype.is_nested()]
        _pour(beside, as_text(table, nested).write_csv(), file.suffix)
    else:
        whole = ({**record, **given} for record, given in zip(records, _dicts(extra, len(records)), strict=True))
        lines = (_line(record, writer) for record in whole)
        text = "[\n" + ",\n".join(lines) + "\n]\n" if ending(file) == ".json" else "".join(line + "\n" for line in lines)
        _pour(beside, text, file.suffix)


def _line(record: Record, writer: Writer) -> str:
    """Write a record; numbers in tool schemas and calls that JSON has no form for are left out, and counted."""
    try:
        return dumps(record)
    except ValueError:
        held = finite(record)
        writer.lost.update(key for key in record if held[key] != record[key])
        return dumps(held)


def _dicts(extra: pl.DataFrame, height: int) -> list[Record]:
    return [dense(row) for row in extra.iter_rows(named=True)] if extra.width else [{}] * height


def _table(records: list[Record], extra: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Make columns; optional ones that no row fills are left out."""
    table = pl.DataFrame([tabular(record) for record in records], schema=dict(target.schema), orient="row")
    needed = list(target.schema)[:1]
    return table.select(s for s in table if s.name in needed or s.null_count() < len(s)).hstack(extra.get_columns())


def _pour(path: Path, text: str, packed: str) -> None:
    if packed == ".gz":
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    elif packed == ".zst":
        lines = pl.LazyFrame({"line": text.removesuffix("\n").split("\n")})
        lines.sink_csv(path, include_header=False, quote_style="never", compression="zstd", check_extension=False)
    else:
        path.write_text(text, encoding="utf-8", newline="")
