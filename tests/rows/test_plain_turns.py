"""Conversations read column by column: the same rows, problems and losses as turn by turn."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tunesmith.rows import read
from tunesmith.rows.formats import conversations

TEXT = st.sampled_from(["a", "b c", "é", "", " ", "\x1c", "\u3000", "nul \0", "\n!"])
PART = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["text", "input_text", "image"])}, optional={"text": TEXT | st.none(), "value": TEXT}),
    TEXT,
)
ARGUMENTS = st.sampled_from(
    [{}, {"a": 1}, {"a": 1.5, "b": ["x\n", None]}, '{"a":1}', '{"a": 1e5}', "{a}", " {}", "[1]", "", None, 3, [], {"é": {"\0": True}}]
)
FUNCTION = st.fixed_dictionaries({}, optional={"name": st.sampled_from(["f", 'g"', 1]), "arguments": ARGUMENTS, "more": st.just(1)})
CALL = st.one_of(FUNCTION, st.fixed_dictionaries({"function": FUNCTION | st.just("f")}, optional={"id": st.sampled_from(["x", None, 7])}))
CALLS = st.lists(CALL, max_size=2) | CALL
CALLS = st.one_of(CALLS, CALLS.map(json.dumps), CALLS.map(lambda calls: json.dumps(calls, separators=(",", ":"))), st.just("f(1)"))
TURN = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "system", "tool", "developer", "wizard", "", None, 3]),
        "from": st.sampled_from(["human", "gpt", "function_call", "observation", None]),
        "content": st.one_of(TEXT, TEXT, st.none(), st.just(5), st.lists(PART, max_size=2)),
        "value": st.one_of(TEXT, st.none()),
        "reasoning_content": TEXT | st.none(),
        "name": st.sampled_from(["ann", None, 1]),
        "tool_calls": st.one_of(st.none(), st.just([]), st.just(""), CALLS),
        "weight": st.sampled_from([0, 1, 0.0, 1.0, 0.5, None, True, "1"]),
        "mood": st.sampled_from(["glad", None]),
    },
)


def plain(role: str, said: str) -> dict[str, Any]:
    return {"role": role, "content": said}


GOOD = st.lists(TEXT.filter(str.strip).filter(lambda text: "\0" not in text), min_size=1, max_size=3).map(
    lambda texts: [turn for text in texts for turn in (plain("user", text), plain("assistant", text))]
)


def calling(calls: Any, *, sharegpt: bool) -> list[dict[str, Any]]:
    if sharegpt:
        made = [
            ("human", "q"),
            ("function_call", calls if isinstance(calls, str) else json.dumps(calls)),
            ("observation", "r"),
            ("gpt", "a"),
        ]
        return [{"from": who, "value": said} for who, said in made]
    return [plain("user", "q"), {"role": "assistant", "tool_calls": calls}, plain("tool", "r"), plain("tool", "s"), plain("assistant", "a")]


CALLING = st.one_of(st.builds(calling, CALLS, sharegpt=st.just(value=True)), st.builds(calling, CALLS, sharegpt=st.just(value=False)))
CALLING = CALLING | st.lists(CALLING, min_size=2, max_size=2).map(lambda talks: talks[0] + talks[1])
WITH_SYSTEM = GOOD.map(lambda turns: [plain("system", "be brief"), *turns])
TALK = st.one_of(GOOD, CALLING, CALLING, WITH_SYSTEM, st.lists(TURN, max_size=4), st.just("[]"), st.none(), TURN)
TOOLS = ["[]", '[{"name": "f"}]', ' [{"name":"f"}]', "no", "", None, [], [{"name": "é", "n": 1.0}], {"a": 1}, 3, "[1e5]", [1e5]]
RECORD = st.fixed_dictionaries(
    {"messages": TALK},
    optional={
        "system": st.sampled_from(["be kind", "", None, 4]),
        "tools": st.sampled_from(TOOLS),
        "id": st.integers(0, 9),
    },
)


def both(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = read(source, format="messages")
    with monkeypatch.context() as patch:
        patch.setattr(conversations, "read_plain", lambda *_: None)
        slow = read(source, format="messages")
    assert_frame_equal(quick.frame, slow.frame)
    assert_frame_equal(quick.rejected, slow.rejected)
    assert (quick.notes, quick.inputs) == (slow.notes, slow.inputs)


@settings(deadline=None, max_examples=300)
@given(records=st.lists(RECORD, min_size=1, max_size=6))
def test_the_same_from_json(records: list[dict[str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        both(records, patch)


@settings(deadline=None, max_examples=50)
@given(records=st.lists(st.fixed_dictionaries({"messages": GOOD | st.none() | st.just([])}), min_size=1, max_size=6), part=st.booleans())
def test_the_same_from_a_frame(records: list[dict[str, Any]], part: bool) -> None:
    extra = {"content": pl.List(pl.Struct({"type": pl.String, "text": pl.String}))} if part else {"content": pl.String}
    if part:
        for record in records:
            for turn in record["messages"] or ():
                turn["content"] = [{"type": "text", "text": letter} for letter in turn["content"]]
    frame = pl.DataFrame(records, schema={"messages": pl.List(pl.Struct({"role": pl.String, **extra}))})
    with pytest.MonkeyPatch.context() as patch:
        both(frame, patch)
        both(frame[1:], patch) if frame.height > 1 else None


def test_plain_conversations_are_not_read_turn_by_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    talks = [
        {"conversations": [{"from": "human", "value": f"q {k}"}, {"from": "gpt", "value": "a"}], "system": "be brief"} for k in range(9)
    ]
    monkeypatch.setattr(conversations.Turns, "read", lambda *_: pytest.fail("turn by turn"))
    rows = read(json.loads(json.dumps(talks))).frame
    assert rows["messages"].list.len().unique().to_list() == [3]
    assert (rows["instruction"][8], rows["output"][8], rows["system"][8]) == ("q 8", "a", "be brief")


def test_calls_are_not_read_turn_by_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [{"id": f"call {k}", "type": "function", "function": {"name": "f", "arguments": f'{{"a":{k}}}'}} for k in range(2)]
    talks = [{"messages": calling(calls, sharegpt=False), "tools": [{"name": "f"}]}]
    shared = [{"conversations": calling({"name": "f", "arguments": {"a": 1}}, sharegpt=True), "tools": '[{"name": "f"}]'}]
    monkeypatch.setattr(conversations.Turns, "read", lambda *_: pytest.fail("turn by turn"))
    row = read(talks).frame.row(0, named=True)
    assert [message["role"] for message in row["messages"]] == ["user", "assistant", "tool", "tool", "assistant"]
    made = [{**call, "function": {"name": "f", "arguments": {"a": k}}} for k, call in enumerate(calls)]
    assert row["messages"][1]["tool_calls"] == json.dumps(made)
    row = read(shared).frame.row(0, named=True)
    assert row["messages"][1]["content"] == ""
    assert json.loads(row["messages"][1]["tool_calls"])[0]["function"] == {"name": "f", "arguments": {"a": 1}}
    assert row["tools"] == '[{"name": "f"}]'
