"""Memory between two pieces of work: what the first one freed goes back to the system before the second one asks for more."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

import polars as pl

T = TypeVar("T")
_FREED = 16
"""Parts after which what they freed is given back."""


def give_back() -> None:
    """Give memory that is free, but kept for later, back to the system; takes milliseconds, and changes nothing else.

    The C library keeps what was freed between blocks still in use, and Polars asks the system for its own: after a large table has
    gone, its room is held until it is given back. Verbs do so between their parts. Only glibc can; elsewhere nothing happens.

    >>> give_back()
    """
    trim = _trim()
    if trim is not None:
        trim(0)


def freeing(parts: Iterable[T]) -> Iterator[T]:
    """Give one part after another, and what they freed back to the system after some.

    >>> list(freeing("abc"))
    ['a', 'b', 'c']
    """
    for nth, part in enumerate(parts, 1):
        yield part
        if nth % _FREED == 0:
            give_back()


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """Copy a few rows of many, so that they do not hold the texts of all: rows that are taken out of a column share its memory.

    >>> compact(pl.DataFrame({"a": ["x", None]}).head(1)).rows()
    [('x',)]
    """
    copied = io.BytesIO()
    frame.write_ipc_stream(copied, compat_level=pl.CompatLevel.oldest())
    copied.seek(0)
    return pl.read_ipc_stream(copied)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # macOS, musl
        return None
    return found
