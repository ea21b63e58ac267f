"""Memory between two pieces of work: what the first one freed goes back to the system before the second one asks for more."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Give memory that is free, but kept for later, back to the system; takes milliseconds, and changes nothing else.

    The C library keeps what was freed between blocks still in use, and Polars asks the system for its own: after a large table has
    gone, its room is held until it is given back. Verbs do so between their parts. Only glibc can; elsewhere nothing happens.

    >>> give_back()
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # macOS, musl
        return None
    return found
