"""Passages that occur again, word for word."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import column, series
from tunesmith.errors import InputError, OptionError

Border = Literal["word", "sentence"]
LengthUnit = Literal["character", "word", "token"]

_SHARE = 0.8
"""Of the memory that is free: what a search may take unless told."""


def substring_duplicates(
    texts: Any,
    *,
    min_length: int,
    unit: LengthUnit | None = None,
    border: Border = "word",
    memory_limit: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Find passages that occurred before, in an earlier row or earlier in the same one.

    A passage is a run of words and marks (Unicode word segments; each Han, Kana, Thai, Lao or Khmer character is one),
    with the white space between them, that stands word for word between such borders earlier; so no span begins or
    ends inside a word, and no match is one with a part of a word. Every passage of at least ``min_length`` is found; texts are
    never joined. The first copy stays: a passage that repeats within a row must not overlap with its first copy. What a suffix
    array with its LCP gives for one least length (Lee et al., arXiv 2107.06499), by hashes of the shortest windows that
    are long enough, each compared with its text: in linear time, and in a few bytes a word where an array takes 9 a byte.

    Args:
        texts: ``String[n]``, or token ids, ``List[UInt32][n]``.
        min_length: The least length of a passage, in ``unit``.
        unit: ``character`` (code points; for texts unless said), ``word`` (that hold a letter or digit), ``token`` (ids).
        border: ``word``, or ``sentence``: whole sentences (Unicode) and lines alone are compared.
        memory_limit: Bytes that the search may take besides the texts; 80% of what is free where absent. What it
            needs is known before it is taken (`substring_memory`).
        progress: Called with the number of texts done so far.
    Returns:
        ``row, start, end, root, root_start``, all ``UInt32``, sorted by row and start, without overlap: the span
        ``texts[row][start:end]`` (code points, or ids), and the row and start of an earlier copy of it. It is the
        first copy of the passage that the span belongs to; where this copy is a span in part, it leads on. A
        span begins and ends with something other than white space. It is shorter than ``min_length`` where it goes on
        behind another span whose copy ends. Nulls have none.
    Raises:
        OptionError: If an option is out of range, or the search would need more memory than it may take.
        InputError: If the texts are of another type.

    >>> frame = substring_duplicates(["He said: the sea is blue.", "the sea is blue, today"], min_length=10)
    >>> frame.rows()
    [(1, 0, 15, 0, 9)]
    """
    values, counted = _column(texts, unit)
    limit = _count(memory_limit, "memory_limit") if memory_limit is not None else int(_free_memory() * _SHARE)
    length = _count(min_length, "min_length", 2**31)
    return pl.DataFrame(_native.substring_duplicates(values, length, counted, border, limit, progress))


def substring_memory(
    texts: Any,
    *,
    min_length: int,
    unit: LengthUnit | None = None,
    border: Border = "word",
    progress: Callable[[int], object] | None = None,
) -> int:
    """Tell how many bytes `substring_duplicates` takes besides the texts, at most: by its first reading.

    It is 1 to 2.5 bytes a byte of text (4 to 8 an id), and 48 a window that occurs again.

    Args:
        texts: As for `substring_duplicates`, and so are the options.
        min_length: The least length of a passage.
        unit: What it counts.
        border: Where passages may begin and end.
        progress: Called with half the number of texts read so far.
    Raises:
        OptionError: If an option is out of range.

    >>> substring_memory(["a b c", "a b c"], min_length=3) < 10_000
    True
    """
    values, counted = _column(texts, unit)
    hashes, windows = _native.substring_memory(values, _count(min_length, "min_length", 2**31), counted, border, progress)
    return hashes + windows


def _column(texts: Any, unit: str | None) -> tuple[pl.Series, str]:
    if unit not in (None, "character", "word", "token"):
        raise OptionError(f'unit: found "{unit}", expected character, word or token')
    made = column(texts, name="texts", expected="a column of texts or of lists of ids")
    if unit == "token" or (unit is None and made.dtype == pl.List):
        inner = made.dtype.inner if isinstance(made.dtype, pl.List) else None
        if inner is not None and inner != pl.UInt32 and (inner.is_integer() or inner == pl.Null):
            try:
                made = made.cast(pl.List(pl.UInt32))
            except pl.exceptions.PolarsError as error:
                raise InputError(f"texts: expected lists of ids from 0 to 2^32 - 1: {str(error).splitlines()[0]}") from error
        return series(made, pl.List(pl.UInt32), name="texts"), "token"
    return series(made, pl.String, name="texts"), unit or "character"


def _count(value: int, name: str, below: int = 2**63) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < below:
        raise OptionError(f"{name}: found {value!r}, expected a whole number from 1 on")
    return value


def _free_memory() -> int:
    """Bytes that this process could still take: of the machine, and of its control group."""
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo, group = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        free = int(lines.get("MemAvailable", str(free // 1024)).split()[0]) * 1024
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            free = min(free, int(limit) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        pass  # no such group
    return max(free, 0)
