"""Exact duplicates, over one text or several, as they are or after a named normalization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import text_columns

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
    return pl.DataFrame(_native.exact_duplicates(text_columns(texts, name="texts"), normalize, progress))
