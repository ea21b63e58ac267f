"""Packing sequences into bins of fixed capacity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.errors import InputError, OptionError, did_you_mean

Method = Literal["best-fit", "first-fit", "wrapped"]


def pack(lengths: Any, *, capacity: int, method: Method = "best-fit", progress: Callable[[int], object] | None = None) -> pl.Series:
    """Assign sequences to bins.

    Bins are numbered as they are opened; the answer depends on the lengths alone.

    - ``best-fit``: longest first (equal ones in input order), each goes into the fullest open bin that still holds
      it, of equally full ones the one filled last, else into a new bin. At most 11/9 of the fewest possible bins and
      4 more (Johnson 1973); in practice of token counts nearly all are full.
    - ``first-fit``: longest first, each goes into the first open bin that still holds it, else into a new one. The
      same bound; as full, and slower. What other packers call first-fit decreasing.
    - ``wrapped``: one after another in input order, and what does not fit goes on in the next bin: all but the last are
      full, and a sequence may lie in several. The answer names the bin of its first token (an empty one lies where the
      token before it does); `pack_wrapped` lists all pieces.

    Args:
        lengths: Token counts, ``UInt32[n]``, no nulls.
        capacity: Tokens per bin, 1 to 2^28.
        method: One of the above.
        progress: Called with the number of sequences done so far.
    Returns:
        Bin per row, ``UInt32[n]``, in input order.
    Raises:
        InputError: If a row is null or, unless wrapped, exceeds ``capacity``; names the first row.
        OptionError: If ``capacity`` is out of range or ``method`` unknown.

    >>> pack([6, 4, 3], capacity=8).to_list()
    [0, 1, 1]
    >>> pack([6, 4, 3], capacity=8, method="wrapped").to_list()
    [0, 0, 1]
    """
    if method not in get_args(Method):
        raise OptionError(f'method: unknown "{method}"; {did_you_mean(str(method), get_args(Method))}')
    return pl.DataFrame(_native.pack(_counts(lengths), _capacity(capacity), method, progress)).to_series()


def pack_wrapped(lengths: Any, *, capacity: int, progress: Callable[[int], object] | None = None) -> pl.DataFrame:
    """Lay sequences one after another into bins, cut where a bin is full.

    Args:
        lengths: Token counts, ``UInt32[n]``, no nulls; longer ones than ``capacity`` are cut more than once.
        capacity: Tokens per bin, 1 to 2^28.
        progress: Called with the number of sequences done so far.
    Returns:
        ``row, bin, start, length``, each ``UInt32``: a row a piece, in order. ``start`` is where in its bin the piece
        begins; a sequence's pieces follow each other. An empty sequence has one piece of no tokens.
    Raises:
        InputError: If a row is null; names the first row.
        OptionError: If ``capacity`` is out of range.

    >>> pack_wrapped([6, 4, 3], capacity=8).rows()
    [(0, 0, 0, 6), (1, 0, 6, 2), (1, 1, 0, 2), (2, 1, 2, 3)]
    """
    return pl.DataFrame(_native.pack_wrapped(_counts(lengths), _capacity(capacity), progress))


def _counts(lengths: Any) -> pl.Series:
    counts = series(lengths, pl.UInt32, name="lengths")
    if counts.null_count():
        raise InputError(f"lengths: row {counts.to_list().index(None)} is null, expected a token count in every row")
    return counts


def _capacity(capacity: int) -> int:
    if isinstance(capacity, bool) or not isinstance(capacity, int) or not 1 <= capacity <= 2**28:
        raise OptionError(f"capacity: found {capacity!r}, expected a whole number from 1 to {2**28}")
    return capacity
