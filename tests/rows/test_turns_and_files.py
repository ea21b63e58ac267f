"""Prompts and completions that are turns, and rows that are about a file beside their text."""

import json

import polars as pl
import pytest

from tunesmith.rows import read
from tunesmith.rows import schema as rows

SYSTEM, ASKED, SAID = ({"role": role, "content": text} for role, text in (("system", "s"), ("user", "hi"), ("assistant", "yo")))


def test_a_prompt_of_turns_is_a_conversation():
    data = read([
        {"prompt": [SYSTEM, ASKED], "completion": [SAID], "tools": [{"name": "f"}], "topic": "t"},
        {"prompt": "as text", "completion": "an answer"},
        {"prompt": [ASKED], "completion": None},
        {"prompt": [ASKED, SAID, ASKED], "completion": "text"},
        {"prompt": [], "completion": [SAID]},
        {"prompt": [ASKED], "completion": [ASKED]},
        {"prompt": 5, "completion": "x"},
    ])  # fmt: skip
    assert data.format == "prompt-completion"
    assert data.frame.select("position", "instruction", "output", "system", "topic").rows() == [
        (0, "hi", "yo", "s", "t"), (1, "as text", "an answer", None, None), (2, "hi", None, None, None), (3, "hi", "text", None, None),
    ]  # fmt: skip
    assert data.frame["messages"].list.len().to_list() == [3, None, 1, 4]
    assert data.frame["kind"].to_list() == ["chat", "instruct", "chat", "chat"]
    assert data.rejected.select("position", "field", "code").rows() == [
        (4, "prompt", "empty_prompt"), (5, "completion[0].role", "role_order"), (6, "prompt", "wrong_type"),
    ]  # fmt: skip
    same = read([{"messages": [SYSTEM, ASKED, SAID], "tools": [{"name": "f"}], "topic": "t"}])
    assert same.frame["row_id"][0] == data.frame["row_id"][0]


@pytest.mark.parametrize("make", [
    lambda text: {"messages": [{"role": "user", "content": text}, SAID]},
    lambda text: {"conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": "x"}]},
    lambda text: {"instruction": "Look.", "input": text, "output": "x"},
])  # fmt: skip
def test_rows_about_files_are_rejected_as_such(make):
    marked, plain = make("What is <image> here?"), make("What is here?")
    data = read([marked | {"images": ["a.png"]}, marked | {"images": []}, marked | {"images": None}, marked, plain | {"images": ["b.png"]}])
    assert data.frame["position"].to_list() == [1, 2, 3, 4]
    (problem,) = data.rejected.select("position", "field", "code", "found", "expected").rows()
    assert problem == (0, "images", "unsupported_part", 'array ["a.png"]', "text alone (images and audio are not read)")
    sound = read([make("<audio>Say it.") | {"audio": "a.wav"}])
    assert sound.rejected.select("field", "found").rows() == [("audio", "text a.wav")]


def test_the_older_names_of_calls_and_tools():
    call, schema = {"name": "f", "arguments": '{"a": 1}'}, [{"name": "f", "parameters": {}}]
    older = [ASKED, {"role": "assistant", "content": None, "function_call": call}, {"role": "function", "name": "f", "content": "r"}, SAID]
    newer = [
        ASKED,
        {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": call}]},
        older[2] | {"role": "tool"},
        SAID,
    ]
    records = [{"messages": older, "functions": schema}, {"messages": [ASKED, SAID]}, {"messages": newer, "functions": schema}]
    data = read(records)
    assert (
        data.frame["messages"][0].to_list()
        == data.frame["messages"][2].to_list()
        == read([{"messages": newer}]).frame["messages"][0].to_list()
    )
    assert data.frame["tools"].to_list() == [json.dumps(schema), None, json.dumps(schema)]
    assert (data.frame.columns, data.notes, data.rejected.height) == (rows.ROW.names(), (), 0)
    table = read(pl.DataFrame([{"messages": older}, {"messages": [ASKED, SAID]}]))
    assert table.frame["messages"][0].to_list() == data.frame["messages"][0].to_list()
    kept = read([{"messages": [ASKED, SAID], "functions": "sine, cosine"}])
    assert kept.frame["functions"].to_list() == ["sine, cosine"]


def test_pairs_of_conversations_that_are_written_out():
    asked = "\n\nHuman: What is it?\n\nAssistant: A boat.\n\nHuman: Whose: yours?"
    pair = {"chosen": f"{asked}\n\nAssistant: Hers.\n\nShe said:\n\nit is.", "rejected": f"{asked}\n\nAssistant:"}
    data = read([pair, {"chosen": "\n\nHuman: a\n\nHuman: b", "rejected": "\n\nHuman: a\n\nHuman: c"}])
    row = data.frame.row(0, named=True)
    assert [(message["role"], message["content"]) for message in row["messages"]] == [
        ("user", "What is it?"), ("assistant", "A boat."), ("user", "Whose: yours?"), ("assistant", "Hers.\n\nShe said:\n\nit is."),
    ]  # fmt: skip
    assert [message["content"] for message in row["rejected"]] == [""]
    assert (data.frame.height, data.rejected["code"].unique().to_list()) == (1, ["role_order"])
    with_prompt = read([{"prompt": "Quote it.", "chosen": "Human: Hi", "rejected": "Human: Ho"}]).frame
    assert with_prompt["output"].to_list() == ["Human: Hi"]
