"""JSON texts as Python's `json` writes them, and calls of tools in one shape, without Python's values in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series


def json_dumped(texts: Any, *, progress: Callable[[int], object] | None = None) -> pl.Series:
    r"""Write JSON anew: ``json.dumps(json.loads(text), ensure_ascii=False)``.

    What is given is exactly that, or null. Null are texts that are no JSON, and those with numbers that Python may write otherwise
    (with an exponent, of more than 15 digits), with a key that stands twice in an object, with objects of more than 64 keys,
    and with values more than 64 deep: these are to be read.

    Args:
        texts: ``String[n]``.
        progress: Called with the number of rows done so far.
    Returns:
        ``String[n]``.
    Raises:
        InputError: If it is no column of text.

    >>> json_dumped(['{"a":[1,2.5]}', '"\\u00e9"', "1e5", None]).to_list()
    ['{"a": [1, 2.5]}', '"é"', None, None]
    """
    return pl.DataFrame(_native.json_dumped(series(texts, pl.String, name="texts"), progress)).to_series()


def tool_calls(texts: Any, *, progress: Callable[[int], object] | None = None) -> pl.Series:
    """Bring calls of functions to OpenAI's shape, arguments as an object where they are the text of one.

    Args:
        texts: ShareGPT's ``{"name": ..., "arguments": ...}`` or OpenAI's ``{"id": ..., "function": {...}}``, or a list of such;
            ``String[n]``.
        progress: Called with the number of rows done so far.
    Returns:
        A JSON list of tool calls as `json_dumped` writes it, ``String[n]``; null where it gives null, and where a call has no name.
    Raises:
        InputError: If it is no column of text.

    >>> tool_calls(['{"name":"f","arguments":{"a":1}}', "f(1)"]).to_list()
    ['[{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]', None]
    """
    return pl.DataFrame(_native.json_calls(series(texts, pl.String, name="texts"), progress)).to_series()
