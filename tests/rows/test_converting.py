"""Round trips: what a target can hold comes back, and what it cannot hold is counted by field."""

import json

import polars as pl
import pytest

from tunesmith.curation import curate
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.rows import convert, read

ENDINGS = ["json", "jsonl", "jsonl.gz", "jsonl.zst", "json.gz", "parquet", "csv", "csv.gz", "csv.zst"]
CALL = {"name": "find", "arguments": {"q": "é", "n": [1, None], "deep": {"a": 1.5}}}
TALKS = [
    {
        "conversations": [
            {"from": "human", "value": 'Find "é"\nnow'},
            {"from": "function_call", "value": json.dumps(CALL, ensure_ascii=False)},
            {"from": "observation", "value": "[1]"},
            {"from": "gpt", "value": "One."},
        ],
        "tools": json.dumps([{"name": "find", "parameters": {"type": "object", "properties": {}}}]),
        "source": "a",
    },
    {
        "conversations": [{"from": "system", "value": "S"}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": ""}],
        "tools": "[]",
        "source": "b",
    },
    {
        "conversations": [{"from": "human", "value": "?", "train": False}, {"from": "gpt", "value": "!", "train": True}],
        "tools": "[]",
        "source": "c",
    },
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_sharegpt_through_messages_and_back(tmp_path, ending):
    there = convert(TALKS, tmp_path / f"m.{ending}", to="messages")
    assert (there.rows_in, there.rows_out, there.rejected, there.lost) == (3, 3, 0, {})
    back = convert(tmp_path / f"m.{ending}", tmp_path / "s.json", to="sharegpt")
    assert back.lost == {}
    assert json.loads((tmp_path / "s.json").read_text()) == TALKS


@pytest.mark.parametrize("to", ["alpaca", "sharegpt", "messages", "openai", "prompt-completion"])
@pytest.mark.parametrize("ending", ["json", "parquet", "csv"])
def test_every_target_reads_back_with_the_same_texts(tmp_path, to, ending):
    rows = [{"instruction": "a", "input": "", "output": "b\r\n"}, {"instruction": "c", "input": "", "output": "d", "system": "s"}]
    done = convert(rows, tmp_path / f"f.{ending}", to=to)
    again = read(tmp_path / f"f.{ending}")
    assert again.frame["instruction"].to_list() == ["a", "c"]
    assert again.frame["output"].to_list() == ["b\r\n", "d"]
    assert done.lost == ({"system": 1} if to == "prompt-completion" else {})
    assert again.frame["system"].to_list() == ([None, None] if to == "prompt-completion" else [None, "s"])


def test_alpaca_file_comes_back_equal(tmp_path):
    rows = [
        {"instruction": "a", "input": "i", "output": "b", "topic": {"k": [1]}},
        {"instruction": "c", "input": "", "output": "", "topic": None},
    ]
    convert(rows, tmp_path / "a.json", to="alpaca")
    assert json.loads((tmp_path / "a.json").read_text()) == [rows[0], {k: v for k, v in rows[1].items() if v is not None}]


def test_what_a_target_cannot_hold_is_counted_once_a_row(tmp_path):
    assert convert(TALKS, tmp_path / "a.json", to="alpaca").lost == {"messages": 1, "tool_calls": 1, "tools": 1, "train": 1}
    assert convert(TALKS, tmp_path / "p.json", to="prompt-completion").lost == {
        "messages": 1, "system": 1, "tool_calls": 1, "tools": 1, "train": 1,
    }  # fmt: skip
    assert convert(TALKS, tmp_path / "o.json", to="openai").lost == {"source": 3}
    rows = read([{"instruction": "a", "input": "b", "output": "c"}, {"instruction": "d", "output": "e"}]).frame
    weighted = rows.with_columns(weight=pl.Series([2, 1], dtype=pl.Float32))
    assert convert(weighted, tmp_path / "m.json", to="messages").lost == {"input": 1, "weight": 1}


def test_preference_pairs_and_rows_that_are_none(tmp_path):
    pair = {"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "y"}],
            "rejected": [{"role": "assistant", "content": "n"}]}  # fmt: skip
    done = convert([pair], tmp_path / "p.json", to="preference")
    assert (done.rows_out, done.lost) == (1, {})
    assert json.loads((tmp_path / "p.json").read_text()) == [pair]
    assert convert([pair], tmp_path / "m.json", to="messages").lost == {"rejected": 1}
    done = convert(TALKS, tmp_path / "none.json", to="preference")
    assert (done.rows_in, done.rows_out, done.lost) == (3, 0, {"row": 3})


def test_openai_is_strict(tmp_path):
    unanswered = {"conversations": [{"from": "human", "value": "?"}]}
    done = convert([*TALKS, unanswered], tmp_path / "o.jsonl", to="openai")
    assert (done.rows_in, done.rows_out, done.lost) == (4, 3, {"row": 1, "source": 3})
    first, _, last = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    _, call, tool, _ = first["messages"]
    assert call["tool_calls"][0]["id"] == tool["tool_call_id"]
    assert json.loads(call["tool_calls"][0]["function"]["arguments"]) == CALL["arguments"]
    assert first["tools"][0]["type"] == "function"
    assert [message.get("weight") for message in last["messages"]] == [None, 1]


def test_a_users_names_come_back(tmp_path):
    convert(
        [{"messages": [{"role": "user", "content": "a"}], "weight": 3, "kind": "k", "rejected": "r"}], tmp_path / "m.json", to="messages"
    )
    (record,) = json.loads((tmp_path / "m.json").read_text())
    assert (record["weight"], record["kind"], record["rejected"]) == (3, "k", "r")


def test_names_that_look_like_ours_come_back_too(tmp_path):
    own = {"weight": 3, "user_weight": 4, "user_user_weight": 5, "user_input": "u", "user_topic": "t"}
    curate([{"instruction": "a", "output": "b", **own}], {"steps": []}, out=tmp_path / "v")
    curate(tmp_path / "v", {"steps": []}, out=tmp_path / "w")
    for source in ("v", "w"):
        convert(tmp_path / source, tmp_path / f"{source}.jsonl", to="prompt-completion")
        assert json.loads((tmp_path / f"{source}.jsonl").read_text()) == {"prompt": "a", "completion": "b", **own}
    done = convert(read([{"instruction": "a", "messages": "m"}], format="alpaca"), tmp_path / "m.jsonl", to="messages")
    assert json.loads((tmp_path / "m.jsonl").read_text())["user_messages"] == "m"
    assert done.notes == ('your column "messages" is written as "user_messages": messages has a field of that name',)


def test_rejects_are_counted_and_kept(tmp_path):
    done = convert([{"instruction": "a"}, {"instruction": 3}], tmp_path / "a.jsonl", to="alpaca", rejects=tmp_path / "r.jsonl")
    assert (done.rows_in, done.rows_out, done.rejected) == (2, 1, 1)
    assert json.loads((tmp_path / "r.jsonl").read_text())["instruction"] == 3


def test_history_survives(tmp_path):
    rows = [{"instruction": "c", "input": "", "output": "d", "history": [["a", "b"]]}]
    for ending in ("json", "parquet", "csv"):
        convert(rows, tmp_path / f"h.{ending}", to="alpaca")
        convert(tmp_path / f"h.{ending}", tmp_path / f"h-{ending}.json", to="alpaca")
        assert json.loads((tmp_path / f"h-{ending}.json").read_text()) == rows


def test_refusals(tmp_path):
    (tmp_path / "there.json").write_text("mine")
    with pytest.raises(ArtefactError, match="--force"):
        convert(TALKS, tmp_path / "there.json", to="messages")
    with pytest.raises(OptionError, match="expected a name that ends in"):
        convert(TALKS, tmp_path / "file.xlsx", to="messages")
    with pytest.raises(OptionError, match='did you mean "alpaca"'):
        convert(TALKS, tmp_path / "a.json", to="alpacas")
    with pytest.raises(ArtefactError, match="there is no folder"):
        convert(TALKS, tmp_path / "no" / "a.json", to="alpaca")
    with pytest.raises(InputError, match="no such file"):
        convert(tmp_path / "absent.json", tmp_path / "a.json", to="alpaca")
    assert (tmp_path / "there.json").read_text() == "mine"
    convert(TALKS, tmp_path / "there.json", to="messages", force=True)
    assert len(read(tmp_path / "there.json").frame) == 3


def test_a_users_column_never_takes_the_place_of_a_record(tmp_path):
    row = {"instruction": "a", "output": "b", "conversations": "mine", "user_tools": 1, "tools": 2}
    done = convert([row], tmp_path / "s.json", to="sharegpt", format="alpaca")
    (record,) = json.loads((tmp_path / "s.json").read_text())
    assert record["conversations"] == [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    assert {value for key, value in record.items() if key.startswith("user_")} == {"mine", 1, 2}
    assert 'your column "conversations" is written as "user_conversations"' in done.notes[-1]


def test_numbers_that_json_has_no_form_for_are_counted(tmp_path):
    rows = read([{"instruction": "a", "output": "b"}, {"instruction": "c", "output": "d"}]).frame
    done = convert(rows.with_columns(score=pl.Series([float("nan"), 0.5])), tmp_path / "a.jsonl", to="alpaca")
    assert done.lost == {"score": 1}
    assert [json.loads(line).get("score") for line in (tmp_path / "a.jsonl").read_text().splitlines()] == [None, 0.5]


def test_a_plain_text_has_no_form_in_any_target(tmp_path):
    for to in ("alpaca", "messages", "prompt-completion"):
        done = convert([{"text": "A story."}], tmp_path / f"{to}.json", to=to)
        assert (done.rows_in, done.rows_out, done.lost) == (1, 0, {"row": 1})


def test_parallel_calls_are_one_turn_of_sharegpt(tmp_path):
    calls = [{"id": "c1", "type": "function", "function": {"name": name, "arguments": {"q": None}}} for name in ("a", "b")]
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": None, "tool_calls": calls},
             *({"role": "tool", "content": "1", "tool_call_id": "c1"} for _ in "ab"), {"role": "assistant", "content": "!"}]  # fmt: skip
    assert convert([{"messages": turns}], tmp_path / "s.json", to="sharegpt").lost == {"tool_call_id": 1}
    (record,) = json.loads((tmp_path / "s.json").read_text())
    assert [turn["from"] for turn in record["conversations"]] == ["human", "function_call", "observation", "observation", "gpt"]
    assert json.loads(record["conversations"][1]["value"]) == [call["function"] for call in calls]
