"""Exact and near duplicates: whole, and in the stages that an engine calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.errors import InputError, OptionError

Unit = Literal["word", "space", "character"]
Normalize = Literal["none", "space", "unicode"]


def exact_duplicates(texts: Any, *, normalize: Normalize = "none", progress: Callable[[int], object] | None = None) -> pl.DataFrame:
    """Find rows that hold the same text as an earlier one.

    Args:
        texts: ``String[n]``; or several columns (a DataFrame, or a list of Series) that are compared together.
            A row is null when all its fields are: it equals nothing. Beside others, a null field equals "".
        normalize: What is folded first. ``none``: nothing. ``space``: case, and runs of white space.
            ``unicode``: NFKC, sentence and quotation marks that do not stand between two letters or digits,
            case and white space. Digits, operators and brackets always count.
        progress: Called with the number of rows done so far.
    Returns:
        ``row: UInt32[n]``, ``root: UInt32[n]``: the first row with the same text, itself when unique or null.
        Texts are known by xxh3-128.
    Raises:
        InputError: If the columns are not text or differ in length.
        OptionError: If ``normalize`` is unknown.

    >>> exact_duplicates(["Say hi.", None, "say  HI!", None], normalize="unicode")["root"].to_list()
    [0, 1, 0, 3]
    """
    several = isinstance(texts, pl.DataFrame) or (isinstance(texts, list | tuple) and len(texts) > 0 and isinstance(texts[0], pl.Series))
    fields = [series(field, pl.String, name=f"texts[{i}]" if several else "texts") for i, field in enumerate(texts if several else [texts])]
    if len({len(field) for field in fields}) > 1:
        raise InputError(f"texts: expected columns of equal length, found {', '.join(str(len(field)) for field in fields)} rows")
    return pl.DataFrame(_native.exact_duplicates(fields, normalize, progress))


def near_duplicates(
    texts: Any,
    *,
    threshold: float = 0.7,
    shingle: int = 5,
    unit: Unit = "word",
    against: Any = None,
    permutations: int = 128,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Find groups of nearly equal texts: MinHash candidates, each verified by exact Jaccard similarity.

    The similarity of two texts is the Jaccard index of their sets of shingles (``shingle`` neighbouring tokens,
    known by a 64-bit hash). A text of fewer tokens is one shingle, so that short texts are compared whole; a text
    without any token is compared as the raw text it is. Nulls are never duplicates. A pair of similarity
    ``threshold`` becomes a candidate with a probability of 0.999, a more similar one more surely; what is
    reported is exact. MinHash after Broder (1997), banded after Leskovec, Rajaraman and Ullman, chapter 3.

    Args:
        texts: ``String[n]``.
        threshold: The smallest similarity that counts, above 0, at most 1.
        shingle: Tokens in a shingle.
        unit: ``word``: Unicode word segments that hold a letter or digit, lower-cased, and every Han, Kana,
            Thai, Lao or Khmer character; ``space``: lower-cased pieces between white space; ``character``:
            code points as they are. Numbers are never folded.
        against: ``String[m]``: find the texts' twins there instead of among themselves.
        permutations: Hash functions at most, where the threshold allows; more mean fewer false candidates to verify.
        seed: Draws the hash functions.
        progress: Called with the number of texts read so far (those of ``against`` included).
    Returns:
        One row per text: ``row: UInt32``; ``root: UInt32``, the smallest row of its group (the connected
        component of similar pairs), itself when alone; ``twin: UInt32``, the most similar other row (the
        smallest where several are), null when none; ``similarity: Float64``, the twin's. With ``against``, ``twin``
        and ``root`` are rows of ``against``, the most similar and the smallest similar one, null when none.
    Raises:
        OptionError: If an option is out of range.

    >>> frame = near_duplicates(["a b c d", "z", "A b c d!", None], shingle=1)
    >>> frame.rows()
    [(0, 0, 2, 1.0), (1, 1, None, None), (2, 0, 0, 1.0), (3, 3, None, None)]
    """
    options = _options(threshold, shingle, unit, permutations, seed)
    return pl.DataFrame(_native.near_duplicates(_texts(texts), _against(against), options, progress))


def near_pairs(
    texts: Any,
    *,
    threshold: float = 0.7,
    shingle: int = 5,
    unit: Unit = "word",
    against: Any = None,
    every: bool = False,
    permutations: int = 128,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """List the pairs of nearly equal texts with their exact similarity.

    Texts with the same tokens form a class, and all members of a class have the same similar texts. Unless
    ``every`` is set, a class is listed as links of similarity 1 from its first row to each other member, and its
    relation to other classes between first rows alone: the whole relation, in linear space. With ``against``, of
    equal texts there only the first is listed.

    Args:
        texts: ``String[n]``.
        threshold: The smallest similarity that is listed.
        shingle: Tokens in a shingle.
        unit: As for `near_duplicates`.
        against: ``String[m]``: pair the texts with those instead of among themselves.
        every: List each pair of rows by itself; k copies of one text are k (k - 1) / 2 pairs.
        permutations: As for `near_duplicates`.
        seed: Draws the hash functions.
        progress: Called with the number of texts read so far.
    Returns:
        ``a: UInt32``, ``b: UInt32`` (a < b; with ``against`` a row of it), ``similarity: Float64``, sorted by a and b.
    Raises:
        OptionError: If an option is out of range.

    >>> near_pairs(["a b c d", "a b c", "a b c d!", "z"], shingle=1, every=True).rows()
    [(0, 1, 0.75), (0, 2, 1.0), (1, 2, 0.75)]
    """
    options = _options(threshold, shingle, unit, permutations, seed)
    return pl.DataFrame(_native.near_pairs(_texts(texts), _against(against), every, options, progress))


def band_keys(
    texts: Any,
    *,
    threshold: float = 0.7,
    shingle: int = 5,
    unit: Unit = "word",
    permutations: int = 128,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Give every text the keys under which it meets its likely twins: the first stage of `near_duplicates`.

    Rows that share a key are candidates for `verify_pairs`; the pairs that pass are the edges of `components`.
    Keys depend on the text and the options alone, so that parts can be keyed apart and met anywhere.

    Args:
        texts: ``String[n]``.
        threshold: The similarity from which pairs should meet: sets the number of keys.
        shingle: Tokens in a shingle.
        unit: As for `near_duplicates`.
        permutations: As for `near_duplicates`.
        seed: Draws the hash functions.
        progress: Called with the number of texts read so far.
    Returns:
        ``row: UInt32``, ``key: UInt64``: for each text the same number of keys, in order; none for null.
    Raises:
        OptionError: If an option is out of range.

    >>> band_keys(["one text", None, "One text!"]).group_by("key").len()["len"].unique().to_list()
    [2]
    """
    return pl.DataFrame(_native.band_keys(_texts(texts), _options(threshold, shingle, unit, permutations, seed), progress))


def verify_pairs(a: Any, b: Any, *, shingle: int = 5, unit: Unit = "word", progress: Callable[[int], object] | None = None) -> pl.Series:
    """Measure pairs of texts: the exact Jaccard similarity of their shingles, as `near_duplicates` defines it.

    Args:
        a: ``String[n]``.
        b: ``String[n]``.
        shingle: Tokens in a shingle.
        unit: As for `near_duplicates`.
        progress: Called with the number of pairs done so far.
    Returns:
        ``Float64[n]`` in [0, 1]; null where a text is.
    Raises:
        InputError: If the columns differ in length.
        OptionError: If an option is out of range.

    >>> verify_pairs(["a b c d", "x"], ["a b c", None], shingle=1).to_list()
    [0.75, None]
    """
    a, b = series(a, pl.String, name="a"), series(b, pl.String, name="b")
    if len(a) != len(b):
        raise InputError(f"a, b: expected columns of equal length, found {len(a)} and {len(b)} rows")
    return pl.DataFrame(_native.verify_pairs(a, b, _count(shingle, "shingle"), unit, progress)).to_series()


def components(edges: pl.DataFrame) -> pl.DataFrame:
    """Group rows by edges: the last stage of `near_duplicates`.

    Args:
        edges: The first two columns are the rows that an edge links (any unsigned or non-negative integers); others are ignored.
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
    pair = [series(side, pl.UInt64, name=f'edges, column "{side.name}"') for side in (a, b)]
    dtype = a.dtype if a.dtype != pl.Null else pl.UInt64()
    return pl.DataFrame([column.cast(dtype) for column in pl.DataFrame(_native.components(*pair)).get_columns()])


def _texts(texts: Any) -> pl.Series:
    return series(texts, pl.String, name="texts")


def _against(against: Any) -> pl.Series | None:
    return None if against is None else series(against, pl.String, name="against")


def _count(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_536:
        raise OptionError(f"{name}: found {value!r}, expected a whole number from 1 to 65536")
    return value


def _options(threshold: float, shingle: int, unit: str, permutations: int, seed: int) -> dict[str, Any]:
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise OptionError(f"threshold: found {threshold!r}, expected a number above 0 and at most 1")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        raise OptionError(f"seed: found {seed!r}, expected a whole number from 0 to 2^64 - 1")
    return {
        "threshold": float(threshold),
        "shingle": _count(shingle, "shingle"),
        "unit": unit,
        "permutations": _count(permutations, "permutations"),
        "seed": seed,
    }
