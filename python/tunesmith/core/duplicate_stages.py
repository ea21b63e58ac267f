"""The stages that `near_duplicates` is composed of, for engines that work by block: keys, verification, components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from tunesmith.core import _native, near_options
from tunesmith.core.columns import series, text_columns
from tunesmith.core.near_options import Bands, PresetName, Unit
from tunesmith.errors import InputError


def band_keys(
    texts: Any,
    *,
    threshold: float | None = None,
    shingle: int | None = None,
    unit: Unit | None = None,
    preset: PresetName = "tunesmith",
    fold_numbers: bool | None = None,
    fold_marks: bool | None = None,
    bands: Bands | None = None,
    permutations: int | None = None,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Give every text the keys under which it meets its likely twins: the first stage of `near_duplicates`.

    Rows that share a key are candidates for `verify_pairs`; the pairs that pass are the edges of `components`.
    Keys depend on the text and the options alone, so that parts can be keyed apart and met anywhere. Of rows with
    several fields, key one (the one that differs most) and verify all.

    Args:
        texts: ``String[n]``.
        threshold: The similarity from which pairs should meet: sets the number of keys.
        shingle: Tokens in a shingle.
        unit: As for `near_duplicates`.
        preset: As for `near_duplicates`, like the others.
        fold_numbers: Whether every number becomes 0 first.
        fold_marks: Whether punctuation becomes white space, and accents are dropped, first.
        bands: Bands and hash functions in each, or the rule that finds them.
        permutations: Hash functions at most.
        seed: Draws the hash functions.
        progress: Called with the number of texts read so far.
    Returns:
        ``row: UInt32``, ``key: UInt64``: for each text the same number of keys, in order; none for null.
    Raises:
        OptionError: If an option is out of range.

    >>> band_keys(["one text", None, "One text!"]).group_by("key").len()["len"].unique().to_list()
    [2]
    """
    options = near_options.search(
        preset=preset,
        threshold=threshold,
        shingle=shingle,
        unit=unit,
        fold_numbers=fold_numbers,
        fold_marks=fold_marks,
        bands=bands,
        permutations=permutations,
        seed=seed,
    )
    return pl.DataFrame(_native.band_keys([series(texts, pl.String, name="texts")], options, progress))


def verify_pairs(
    a: Any,
    b: Any,
    *,
    shingle: int = 5,
    unit: Unit = "word",
    fold_numbers: bool = False,
    fold_marks: bool = False,
    progress: Callable[[int], object] | None = None,
) -> pl.Series:
    """Measure pairs of texts: the exact Jaccard similarity of their shingles, as `near_duplicates` defines it.

    Args:
        a: ``String[n]``; or several columns (a DataFrame, or a list of Series): the smallest similarity counts.
        b: ``String[n]``, or as many columns.
        shingle: Tokens in a shingle.
        unit: As for `near_duplicates`.
        fold_numbers: As for `near_duplicates`.
        fold_marks: As for `near_duplicates`.
        progress: Called with the number of pairs done so far.
    Returns:
        ``Float64[n]`` in [0, 1]; null where a row has no text. Two null fields are alike, a null and a text are not.
    Raises:
        InputError: If the columns differ in length or number.
        OptionError: If an option is out of range.

    >>> verify_pairs(["a b c d", "x"], ["a b c", None], shingle=1).to_list()
    [0.75, None]
    """
    left, right = text_columns(a, name="a"), text_columns(b, name="b")
    if len(left[0]) != len(right[0]):
        raise InputError(f"a, b: expected columns of equal length, found {len(left[0])} and {len(right[0])} rows")
    if len(left) != len(right):
        raise InputError(f"a, b: expected as many columns of text on both sides, found {len(left)} and {len(right)}")
    cut = near_options.cut(shingle, unit, fold_numbers, fold_marks)
    return pl.DataFrame(_native.verify_pairs(left, right, cut, progress)).to_series()


def components(edges: pl.DataFrame, *, progress: Callable[[int], object] | None = None) -> pl.DataFrame:
    """Group rows by edges: the last stage of `near_duplicates`.

    Args:
        edges: The first two columns are the rows that an edge links (any unsigned or non-negative integers); others are ignored.
        progress: Called with the number of edges done so far.
    Returns:
        ``row``, ``root``: every row that an edge names, ascending, and the smallest row connected with it, in the
        type of the first column. A row without an edge is its own root and not listed.
    Raises:
        InputError: If there are no two columns of non-negative integers without nulls.

    >>> components(pl.DataFrame({"a": [9, 5, 1], "b": [7, 9, 2]})).rows()
    [(1, 1), (2, 1), (5, 5), (7, 5), (9, 5)]
    """
    if edges.width < 2:
        raise InputError(f"edges: expected two columns of rows, found {edges.width}")
    a, b = edges.to_series(0), edges.to_series(1)
    if a.null_count() or b.null_count():
        raise InputError(f"edges: expected rows without nulls, found {a.null_count() + b.null_count()} nulls")
    one, other = (series(side, pl.UInt64, name=f'edges, column "{side.name}"') for side in (a, b))
    dtype = a.dtype if a.dtype != pl.Null else pl.UInt64()
    return pl.DataFrame([column.cast(dtype) for column in pl.DataFrame(_native.components(one, other, progress)).get_columns()])
