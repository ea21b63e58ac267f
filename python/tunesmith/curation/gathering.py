"""Sources to rows: read each with its own options, number them over all, add what steps add, reject what the recipe's schema refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tunesmith.curation.recipe import Recipe, Rules, Source
from tunesmith.curation.steps import Step
from tunesmith.curation.steps.texts import check
from tunesmith.errors import InputError, OptionError, did_you_mean
from tunesmith.progress import Progress
from tunesmith.rows import Data, read
from tunesmith.rows.lengths import MAX_CHARACTERS
from tunesmith.rows.schema import MESSAGES, REJECT
from tunesmith.rows.values import together


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What a recipe begins with.

    Attributes:
        data: The rows, those that steps add behind all others, and the rejects.
        added: The positions that a step added, by its name.
    """

    data: Data
    added: Mapping[str, pl.Series]

    def met(self, recipe: Recipe) -> Recipe:
        """Let every step look at the rows before the first one runs."""
        steps: list[Step] = []
        for step in recipe.steps:
            settled = not any(before.rewrites for before in steps)
            steps.append(step.met(self.data.frame, self.added.get(step.label, _NOTHING), settled=settled))
        return recipe.model_copy(update={"steps": tuple(steps)})


_NOTHING = pl.Series("position", [], dtype=pl.UInt64)


def gather(
    sources: Sequence[Any],
    recipe: Recipe,
    progress: Progress,
    *,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
) -> Gathered:
    """Read all sources.

    Args:
        sources: `recipe.Source`, or anything that `rows.read` takes.
        recipe: Its schema says what every row must hold; its steps may add rows.
        progress: Told about reading.
        format: The format of sources that are no `recipe.Source`, inferred unless given.
        mapping: Names of their fields to the names they are read under.
    Returns:
        The rows of all sources in order. One source keeps its positions; those of several are numbered on, added rows behind all.
    """
    if not sources:
        raise OptionError("expected a source of rows (a file, folder, version or frame, or `sources` in the recipe), found none")
    longest = max(recipe.rules.max_characters or 0, MAX_CHARACTERS)
    parts = [
        _read(source, longest, progress)
        if isinstance(source, Source)
        else read(source, format=format, mapping=mapping, max_characters=longest, progress=progress)
        for source in sources
    ]
    data = parts[0] if len(parts) == 1 else _numbered_on(parts)
    data = data.some()
    ordered = data.frame if data.frame["position"].is_sorted() else data.frame.sort("position")
    data, added = _with_additions(replace(data, frame=ordered), recipe.steps)
    return Gathered(data=_ruled(data, recipe.rules), added=added)


def _with_additions(data: Data, steps: Sequence[Step]) -> tuple[Data, dict[str, pl.Series]]:
    frame, added = data.frame, {}
    for step in steps:
        rows = step.additions(frame.schema)
        if rows.height:
            positions = pl.int_range(rows.height, eager=True, dtype=pl.UInt64) + _next(frame["position"], data.rejected["position"])
            added[step.label] = positions.alias("position")
            frame = pl.concat([frame, rows.with_columns(added[step.label])])
    return replace(data, frame=frame), added


def _next(*positions: pl.Series) -> int:
    """Find the first position that is above all of these."""
    highest = [series.max() for series in positions]
    return max((int(value) + 1 for value in highest if isinstance(value, int)), default=0)


def _read(source: Source, longest: int, progress: Progress) -> Data:
    data = read(source.path, format=source.format, mapping=source.map, max_characters=longest, progress=progress)
    weighted = data.frame.with_columns((pl.col("weight") * source.weight).cast(pl.Float32))
    names = {f"{source.name}: {name}" if source.name else name: given for name, given in data.inputs.items()}
    return replace(data, frame=weighted, inputs=names)


def _numbered_on(parts: Sequence[Data]) -> Data:
    frames, rejects, inputs, start = [], [], {}, 0
    for part in parts:
        shift = (pl.col("position") + start).cast(pl.UInt64)
        frames.append(part.frame.with_columns(shift))
        rejects.append(part.rejected.with_columns(shift))
        start = max(start, _next(frames[-1]["position"], rejects[-1]["position"]))
        for name, given in part.inputs.items():
            k = 2
            unique = name
            while unique in inputs:
                unique, k = f"{name}#{k}", k + 1
            inputs[unique] = given
    try:
        frame = pl.concat(together(frames), how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"the sources have columns of one name and of types that do not go together: {error}; convert one of them"
        ) from error
    return Data(
        frame=frame,
        rejected=pl.concat(rejects),
        format=", ".join(dict.fromkeys(part.format for part in parts)),
        inputs=inputs,
        notes=tuple(note for part in parts for note in part.notes),
    )


def _ruled(data: Data, rules: Rules) -> Data:
    frame = data.frame
    problems: list[pl.DataFrame] = []
    for name in rules.required:
        _known(name, frame, "required")
        empty = frame[name].is_null() | (frame[name] == "") if frame.schema[name] == pl.String else frame[name].is_null()
        problems.append(_problems(frame.filter(empty), name, "missing_field", pl.lit("nothing"), "a value (the recipe requires it)"))
    for name, values in rules.allowed.items():
        _known(name, frame, "allowed")
        problems.append(_not_allowed(frame, name, values))
    if rules.max_characters is not None:
        for name, dtype in frame.schema.items():
            if dtype == pl.String and name not in ("row_id", "kind"):
                check(frame.schema, [name])
                problems.append(_too_long(frame, name, pl.col(name).str.len_chars(), rules.max_characters))
            elif dtype == MESSAGES:
                turns = pl.col(name).list.eval(pl.element().struct.field("content").str.len_chars()).list.max()
                problems.append(_too_long(frame, name, turns, rules.max_characters))
    rejected = pl.concat([data.rejected, *problems])
    gone = frame["position"].is_in(rejected["position"].unique().implode())
    return replace(data, frame=frame.filter(~gone) if gone.any() else frame, rejected=rejected.sort("position", maintain_order=True))


def _known(name: str, frame: pl.DataFrame, option: str) -> None:
    if name not in frame.columns:
        raise OptionError(f'schema, {option}: no source has a column "{name}"; {did_you_mean(name, frame.columns)}')


def _not_allowed(frame: pl.DataFrame, name: str, values: Sequence[str | float | bool]) -> pl.DataFrame:
    if frame.schema[name].is_nested():
        raise OptionError(f'schema, allowed: expected a column of texts, numbers or truth values, found "{name}" of {frame.schema[name]}')
    said = [json.dumps(value) if isinstance(value, bool) else str(value) for value in values]
    number = frame.schema[name].is_numeric()
    wanted = [float(value) for value in values if isinstance(value, int | float)] if number else said
    value = pl.col(name).cast(pl.Float64 if number else pl.String)
    expected = f"one of {', '.join(said[:20])}{f' and {len(said) - 20} more' if len(said) > 20 else ''}"
    other = frame.filter(value.is_not_null() & ~value.is_in(wanted))
    return _problems(other, name, "not_allowed", pl.col(name).cast(pl.String).str.head(80), expected)


def _too_long(frame: pl.DataFrame, name: str, length: pl.Expr, limit: int) -> pl.DataFrame:
    return _problems(frame.filter(length > limit), name, "too_long", pl.format("{} characters", length), f"at most {limit} characters")


def _problems(rows: pl.DataFrame, field: str, code: str, found: pl.Expr, expected: str) -> pl.DataFrame:
    content = rows.select(pl.exclude("position", "row_id", "origin", "kind"))
    raw = pl.Series("raw", [_json(content[k]) for k in range(content.height)], dtype=pl.String)
    made = rows.with_columns(
        raw, file=pl.col("origin").struct.field("file"), record=pl.col("origin").struct.field("record"), line=pl.lit(None),
        field=pl.lit(field), code=pl.lit(code), found=found, expected=pl.lit(expected),
    )  # fmt: skip
    return made.select(pl.col(name).cast(dtype) for name, dtype in REJECT.items())


def _json(row: pl.DataFrame) -> str:
    """Write one row as JSON, without what it does not have."""
    kept = row.select(name for name in row.columns if row[name].null_count() == 0)
    return kept.write_json()[1:-1]
