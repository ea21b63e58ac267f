"""From any source to rows: open, choose a format, parse, number, name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.errors import InputError, OptionError, at, did_you_mean
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import schema
from tunesmith.rows.data import Data
from tunesmith.rows.formats import FORMATS, infer, named
from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.identity import ids
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import RAW
from tunesmith.rows.sources import Source, open_sources


def read(source: Any, *, format: str | None = None, mapping: Mapping[str, str] | None = None, progress: Progress = SILENT) -> Data:  # noqa: A002
    """Read rows from anything, checked one by one.

    A record that cannot be a row is rejected with every problem it has; it keeps its place, so positions
    count rejects too. A version, or a part of a split, keeps its positions and ids.

    Args:
        source: Path, glob, folder, ``"-"``, version, split, DataFrame, LazyFrame, ``datasets.Dataset`` or list of dicts.
        format: One of the formats by name; inferred from the fields unless given.
        mapping: Names of the source's fields to the names they are read under.
        progress: Where to tell how far it is.
    Returns:
        The valid rows, the rejects, the format and the inputs' content hashes.
    Raises:
        InputError: If there is nothing to read, or no format fits.
        OptionError: If there is no format of that name.

    >>> data = read([{"instruction": "Add 1 and 2.", "output": "3"}, {"instruction": "", "output": "4"}])
    >>> data.format, data.frame.height, data.rejected["code"].to_list()
    ('alpaca', 1, ['empty_prompt'])
    """
    if isinstance(source, Data):
        return source
    chosen = named(format) if format else None
    frames, rejects, formats, notes = [], [], [], []
    inputs: dict[str, str] = {}
    start = 0
    with progress.task("Reading") as done:
        for opened in open_sources(source):
            records = Records(file=opened.name, table=opened.table, mapping=_checked(mapping, opened))
            taken, told = _choose(records, chosen, opened)
            parsed = taken.parse(records)
            frame, rejected, end = _assemble(records, parsed, start=start, keep=opened.version)
            inputs[_unique(opened.name, inputs)] = opened.hash or _hash(frame, rejected)
            frames.append(frame)
            rejects.append(rejected)
            formats.append(taken.name if chosen or records.keys else "unknown")
            notes += [*told, *parsed.notes, *_nameless(records)]
            start = end
            done(end)
    if not frames:
        raise InputError("expected at least one source, found none")
    frame = _joined(frames)
    return Data(
        frame=frame,
        rejected=pl.concat(rejects),
        format=", ".join(dict.fromkeys(formats)),
        inputs=inputs,
        notes=tuple(notes),
    )


def _checked(mapping: Mapping[str, str] | None, source: Source) -> Mapping[str, str]:
    keys = source.table.keys
    for theirs, ours in (mapping or {}).items():
        if theirs not in keys:
            raise OptionError(f'{source.name}: map names a field "{theirs}" that is not there; {did_you_mean(theirs, keys)}')
        if ours in keys and ours not in (mapping or {}):
            raise OptionError(
                f'{source.name}: map renames "{theirs}" to "{ours}", but there is a field of that name; map that one to another name'
            )
    return mapping or {}


def _choose(records: Records, chosen: Format | None, source: Source) -> tuple[Format, list[str]]:
    if source.version:
        return FORMATS["tunesmith"], []
    if chosen is not None or not records.keys:
        return chosen or FORMATS["alpaca"], []
    try:
        taken, others = infer(records.keys, records.file)
    except InputError as error:
        raise _known_cause(records) or error from None
    return taken, [f"{records.file}: read as {taken.name}; {', '.join(others)} would fit too (--format {others[0]})"] if others else []


def _known_cause(records: Records) -> InputError | None:
    """Recognise a file of rejects as it was written, and one object with the records in a list in it."""
    if records.keys == [RAW]:
        place = at(records.file, record=records.table.record[0], field=RAW)
        return InputError(f"{place}: expected a record's text, mended, found one that is still no JSON object; mend it, and read again")
    lists = [key for key in records.keys if records.types(key)[0] == "array"] if records.height == 1 else []
    if not lists:
        return None
    key = lists[0]
    return InputError(
        f"{at(records.file, field=key)}: expected a list of records, or one record a line, found one object with a list in it; "
        f"write that list to a file of its own (jq '.[\"{key}\"]')"
    )


def _assemble(records: Records, parsed: Parsed, *, start: int, keep: bool) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Number rows and rejects in the order of the records; add origin, ids and the user's own columns."""
    rejected = _rejects(records, parsed)
    place = pl.DataFrame([records.table.record.alias("record"), *_line(records)]).with_row_index("row")
    bad = sorted({problem.row for problem in parsed.problems})
    content = parsed.content.filter(~pl.col("row").is_in(bad)) if bad else parsed.content
    content = content.join(place, on="row", how="left", maintain_order="left")
    order = pl.concat([content.select("record", reject=False), rejected.select("record", reject=True).unique()])
    order = order.with_row_index("unit").sort("record", "unit").with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt64) + start)
    end = start + order.height
    numbered = order.sort("unit")
    content = content.with_columns(numbered.filter(~pl.col("reject"))["place"])
    rejected = rejected.join(numbered.filter("reject").select("record", position="place"), on="record", how="left", maintain_order="left")
    rejected = rejected.with_columns(file=pl.lit(records.file)).select(schema.REJECT.names()).cast(schema.REJECT)
    frame = _rows(records, content)
    frame = frame.with_columns(_user_columns(records, parsed, content["row"]))
    if keep:
        return frame, rejected, end
    if not _numbered(frame):
        frame = frame.with_columns(position=content["place"])
    return ids(frame), rejected, end


def _numbered(frame: pl.DataFrame) -> bool:
    """Tell whether rows have positions already: frames of tunesmith's own rows do."""
    return frame["position"].null_count() == 0 and not frame["position"].is_duplicated().any()


def _line(records: Records) -> list[pl.Series]:
    return [] if records.table.line is None else [records.table.line.alias("line")]


def _rejects(records: Records, parsed: Parsed) -> pl.DataFrame:
    """Put damaged records and problems of readable ones into one table, in the order of the records."""
    damaged = records.table.damaged
    if not parsed.problems:
        return damaged
    problems = parsed.problems
    rows = [problem.row for problem in problems]
    line = records.table.line
    found = pl.DataFrame({
        "record": records.table.record.gather(rows),
        "line": line.gather(rows) if line is not None else pl.Series([None] * len(rows), dtype=pl.UInt64),
        "field": [problem.field for problem in problems],
        "code": [problem.code for problem in problems],
        "found": [problem.found for problem in problems],
        "expected": [problem.expected for problem in problems],
        "raw": _raws(records, rows),
    }, schema=damaged.schema)  # fmt: skip
    return pl.concat([damaged, found]).sort("record", maintain_order=True)


def _raws(records: Records, rows: list[int]) -> list[str]:
    texts = {row: records.raw(row) for row in set(rows)}
    return [texts[row] for row in rows]


def _rows(records: Records, content: pl.DataFrame) -> pl.DataFrame:
    """Bring content to the columns of the row."""
    have = set(content.columns)
    origin = pl.struct(
        file=pl.lit(records.file),
        record=pl.col("record"),
        part=pl.col("part") if "part" in have else pl.lit(None, dtype=pl.String),
    )
    fill = {"origin": origin, "weight": pl.lit(1.0)}
    columns = [
        (pl.col(name) if name in have else fill.get(name, pl.lit(None))).cast(dtype).alias(name) for name, dtype in schema.ROW.items()
    ]
    return content.select(columns)


def _user_columns(records: Records, parsed: Parsed, rows: pl.Series) -> list[pl.Series]:
    """Take every field that is not the row's own, as it came; a name that the row uses is prefixed."""
    names = [key for key in records.keys if key not in parsed.used and key != RAW and "\0" not in key]
    whole = rows.len() == records.height and bool((rows == pl.int_range(records.height, eager=True)).all())
    columns: dict[str, pl.Series] = {}
    for name in names:
        column = records.values(name)
        ours = user_name(name, {*names, *columns})
        columns[ours] = (column if whole else column.gather(rows)).alias(ours)
    return list(columns.values())


def _nameless(records: Records) -> list[str]:
    return [
        f"{records.file}: the field {key!r} cannot be a column (NUL in its name) and is left out" for key in records.keys if "\0" in key
    ]


def user_name(name: str, taken: Collection[str] = ()) -> str:
    """Give the name under which a user's column is kept.

    >>> user_name("topic"), user_name("weight"), user_name("weight", ["user_weight"])
    ('topic', 'user_weight', 'user_user_weight')
    """
    if name not in schema.ROW:
        return name
    name = f"user_{name}"
    while name in taken:
        name = f"user_{name}"
    return name


def _hash(frame: pl.DataFrame, rejected: pl.DataFrame) -> str:
    """Hash what a source holds, wherever it lies and whatever it is called."""
    said = [column for column in frame.drop("position", "origin", "row_id") if column.null_count() < len(column)]
    rows = core.content_hash(pl.DataFrame(said))
    return core.content_hash(pl.DataFrame({"rows": [rows], "rejected": [core.content_hash(rejected.select("record", "raw"))]}))


def _unique(name: str, taken: Mapping[str, str]) -> str:
    count = Counter(key.partition("#")[0] for key in taken)[name]
    return f"{name}#{count + 1}" if count else name


def _joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Join several sources; where positions of versions meet, all are numbered anew, in order."""
    if len(frames) == 1:
        return frames[0]
    frame = pl.concat(frames, how="diagonal_relaxed")
    if frame["position"].is_duplicated().any():
        frame = frame.with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt64))
    return frame
