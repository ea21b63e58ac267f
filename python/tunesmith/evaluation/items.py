"""What is asked: the items of an evaluation, made of rows with or without answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import polars as pl

from tunesmith import detection, slices
from tunesmith.errors import InputError, OptionError, did_you_mean
from tunesmith.evaluation.schema import ITEM
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import clusters, fields, schema

if TYPE_CHECKING:
    from tunesmith.rows import Data

REFERENCES = "references"
Part = Literal["dev", "gate", "confirm"]
PARTS: tuple[Part, ...] = get_args(Part)
"""To diagnose on, to decide each turn, to be spent once."""


@dataclass(frozen=True, kw_only=True)
class Items:
    """The items and the rows they are.

    Attributes:
        table: ``schema.ITEM``, then `references` where there are several, then the slice columns.
        rows: The rows (``rows.schema.ROW`` and the user's columns), in the same order.
        lines: Which of the source's valid rows, from 0, each item is.
        references: The answers of the whole source, ``String[]``, null where there is none.
        limits: Fitted on them, so that evaluations of some of its items judge as one of all of them does.
        read: Rows that the source holds, before `limit`, and rejected records.
        rejected: Records of the source that are no rows.
        made: Which of `cluster` and `part` were made here, not read.
    """

    table: pl.DataFrame
    rows: pl.DataFrame
    lines: pl.Series
    references: pl.Series
    limits: detection.Limits
    read: int
    rejected: int
    made: tuple[str, ...]


def make_items(
    data: Data,
    *,
    limit: int | None = None,
    parts: Collection[Part] = PARTS,
    by: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = SILENT,
) -> Items:
    """Make the items of a source.

    Args:
        data: Rows; an answer is the reference, a blank one is none. A column `references` (a list of texts a row)
            gives several.
        limit: Take the first so many rows.
        parts: Then take the items of these parts; which part an item is in does not depend on it.
        by: The user's columns to slice by, beside the room's own (verb, topic, length, language, turns).
        seed: Draws the parts.
        progress: Where to report.
    Raises:
        InputError: If there is no row, or none in the parts asked for.
        OptionError: If a slice column or a part is not there.
    """
    rows = data.frame if limit is None else data.frame.head(limit)
    if rows.is_empty():
        raise InputError("expected rows to evaluate on, found none")
    chosen = check_parts(parts)
    sliced = _slices(rows, by)
    cluster = _clusters(rows, progress)
    part = rows["part"].cast(pl.String) if "part" in rows.columns else clusters.parts(cluster, seed)
    several = _several(rows)
    references = _references(data.frame)
    table = rows.select(
        item=pl.int_range(pl.len(), dtype=pl.UInt32),
        position="position",
        row_id="row_id",
        instruction="instruction",
        input="input",
        reference=references.head(rows.height),
        cluster=cluster,
        part=part,
    ).cast(dict(ITEM.items()))
    if several is not None:
        table = table.with_columns(several)
    table = table.with_columns(sliced)
    if len(chosen) < len(PARTS):
        here = table["part"].is_in(chosen)
        if not here.any():
            raise InputError(_none_there(table["part"], chosen, drawn="part" not in rows.columns))
        table, rows = table.filter(here), rows.filter(here)
    lines = table["item"]
    made = tuple(name for name in ("cluster", "part") if name not in data.frame.columns)
    return Items(
        table=table.with_columns(item=pl.int_range(pl.len(), dtype=pl.UInt32)),
        rows=rows,
        lines=lines,
        references=references,
        limits=detection.fit(references, prompts=data.frame),
        read=data.rows,
        rejected=data.rows - data.frame.height,
        made=made,
    )


def check_parts(parts: Collection[str]) -> list[Part]:
    """Name the parts asked for, in their order.

    Raises:
        OptionError: If one is unknown, or none is asked for.

    >>> check_parts(("confirm", "gate"))
    ['gate', 'confirm']
    """
    if isinstance(parts, str):
        raise OptionError(f'parts: expected several of {", ".join(PARTS)}, found the text "{parts}"; write ("{parts}",)')
    for name in parts:
        if name not in PARTS:
            raise OptionError(f'unknown part "{name}"; {did_you_mean(str(name), PARTS)}')
    if not parts:
        raise OptionError(f"parts: expected some of {', '.join(PARTS)}, found none")
    return [name for name in PARTS if name in parts]


def _none_there(part: pl.Series, chosen: Sequence[str], *, drawn: bool) -> str:
    counts = ", ".join(f"{name or 'no part'} {count:,}" for name, count in part.value_counts(sort=True).iter_rows())
    why = f"; where a third would hold fewer than {clusters.SMALLEST_PART} items, all are dev: give more items" if drawn else ""
    return f"expected items of the part {' or '.join(chosen)}, found none among {part.len():,} items ({counts}){why}"


def _references(rows: pl.DataFrame) -> pl.Series:
    """Take each row's answer, else the first of its several references; null where there is none."""
    reference, several = _present(fields.response(rows)), _several(rows)
    if several is None:
        return reference
    return pl.select(pl.coalesce(reference, several.list.first())).to_series()


def _present(texts: pl.Series) -> pl.Series:
    """Turn blank texts into null: they are no references."""
    return pl.select(pl.when(texts.str.strip_chars() != "").then(texts)).to_series()


def _several(rows: pl.DataFrame) -> pl.Series | None:
    column: Any = rows.get_column(REFERENCES, default=None)
    if column is None or not isinstance(column.dtype, pl.List) or column.dtype.inner != pl.String:
        return None
    element = pl.element()
    return rows.select(pl.col(REFERENCES).list.eval(element.filter(element.str.strip_chars() != ""))).to_series()


def _clusters(rows: pl.DataFrame, progress: Progress) -> pl.Series:
    """Take the source's clusters, whatever they are named by, as the smallest position of each; else make them."""
    if "cluster" not in rows.columns:
        return clusters.prompt_clusters(rows, progress=progress)
    alone = pl.col("cluster").is_null()
    return rows.select(pl.when(alone).then("position").otherwise(pl.col("position").min().over("cluster"))).to_series()


def _slices(rows: pl.DataFrame, by: Sequence[str]) -> list[pl.Series]:
    """Make the room's slice columns; a column of the user's that is asked for by such a name stands instead."""
    own = slices.columns(rows).drop("position")
    theirs = [name for name in rows.columns if name not in schema.ROW and name not in ITEM]
    for name in by:
        if name not in own.columns and name not in theirs:
            raise OptionError(f"--slice {name}: there is no such column; {did_you_mean(name, [*own.columns, *theirs])}")
    named = [name for name in dict.fromkeys(by) if name in theirs]
    return [*own.drop(named, strict=False).get_columns(), *(rows[name].cast(pl.String) for name in named)]


def slice_columns(items: pl.DataFrame) -> list[str]:
    """Name the slice columns of an items table."""
    return [name for name in items.columns if name not in ITEM and name != REFERENCES]
