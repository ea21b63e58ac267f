"""core.json_dumped and core.tool_calls: against Python's json."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.json_texts import VALUE
from tunesmith import core


@settings(deadline=None)
@given(VALUE, st.sampled_from([None, (",", ":"), (" , ", " :")]), st.booleans())
def test_json_is_written_as_python_writes_it(value: Any, separators: tuple[str, str] | None, ascii_only: bool) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
    (made,) = core.json_dumped([text])
    assert made in (None, json.dumps(json.loads(text), ensure_ascii=False))
    if text.isascii() and not any(sign in text for sign in ".eNI\\0123456789"):
        assert made is not None


@settings(deadline=None)
@given(st.text(alphabet='{}[]":,\\ntu0123456789.-eE ax\n', max_size=30) | st.floats().map(repr) | st.decimals(allow_nan=False).map(str))
def test_json_that_is_none_is_not_written(text: str) -> None:
    try:
        expected = json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        expected = None
    assert core.json_dumped([text])[0] in (None, expected)


def test_most_json_is_written() -> None:
    value = {"name": "search", "arguments": {"query": "café\n", "limit": 10, "price": 12.5, "tags": ["a", None, True, {}], "deep": [[0]]}}
    for text in (json.dumps(value), json.dumps(value, separators=(",", ":")), json.dumps(value, indent=2)):
        assert core.json_dumped([text, None]).to_list() == [json.dumps(value, ensure_ascii=False), None]
        assert json.loads(core.tool_calls([text])[0]) == [{"type": "function", "function": value}]
