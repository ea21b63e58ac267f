"""Every format on records of its own: what becomes of the row, and which format is taken."""

import json

import polars as pl
import pytest

from tunesmith.errors import InputError, OptionError
from tunesmith.rows import read, schema
from tunesmith.rows.formats import FIELDS, FORMATS
from tunesmith.rows.records import FrameTable, Records
from tunesmith.rows.streaming import Stream


def only(record, **options):
    data = read([record], **options)
    assert data.rejected.is_empty(), data.rejected.rows(named=True)
    return data.frame.row(0, named=True)


def roles(row):
    return [message["role"] for message in row["messages"]]


def test_alpaca_with_everything():
    row = only({"instruction": "Add.", "input": "1, 2", "output": "3", "system": "Be brief.", "topic": "math", "n": 3})
    assert (row["kind"], row["instruction"], row["input"], row["output"], row["system"]) == ("instruct", "Add.", "1, 2", "3", "Be brief.")
    assert (row["topic"], row["n"], row["weight"], row["messages"]) == ("math", 3, 1.0, None)


def test_dolly_names():
    data = read([{"instruction": "Who?", "context": "Ann ran.", "response": "Ann", "category": "qa"}])
    assert data.format == "dolly"
    assert data.frame.select("input", "output", "category").row(0) == ("Ann ran.", "Ann", "qa")


def test_alpaca_history_becomes_a_conversation_only_where_there_is_one():
    data = read(
        [
            {"instruction": "And 2?", "input": "x", "output": "4", "system": "S", "history": [["1?", "2"]]},
            {"instruction": "Hi", "input": "", "output": "Ho", "history": []},
            {"instruction": "No answer yet", "input": "", "output": None, "history": [["a", "b"]]},
        ]
    )
    assert data.frame["kind"].to_list() == ["chat", "instruct", "chat"]
    first, _, last = data.frame.iter_rows(named=True)
    assert roles(first) == ["system", "user", "assistant", "user", "assistant"]
    assert (first["instruction"], first["input"], first["output"]) == ("And 2?\nx", None, "4")
    assert roles(last) == ["user", "assistant", "user"]
    assert (last["instruction"], last["output"]) == ("No answer yet", None)


def test_sharegpt_with_tools():
    call = {"name": "find", "arguments": {"q": "é"}}
    row = only({
        "conversations": [
            {"from": "human", "value": "Find é"},
            {"from": "gpt", "value": "Looking."},
            {"from": "function_call", "value": json.dumps(call)},
            {"from": "observation", "value": "[]"},
            {"from": "gpt", "value": "None."},
        ],
        "system": "S",
        "tools": '[{"name": "find"}]',
    })  # fmt: skip
    assert roles(row) == ["system", "user", "assistant", "tool", "assistant"]
    assert json.loads(row["messages"][2]["tool_calls"]) == [{"type": "function", "function": call}]
    assert row["messages"][2]["content"] == "Looking."
    assert (row["kind"], row["instruction"], row["output"], row["system"], row["tools"]) == (
        "chat",
        "Find é",
        "None.",
        "S",
        '[{"name": "find"}]',
    )


def test_messages_of_openai():
    row = only({
        "messages": [
            {"role": "developer", "content": "S"},
            {"role": "user", "content": [{"type": "text", "text": "Hi "}, {"type": "text", "value": "there"}], "loss_weight": 0.0},
            {"role": "assistant", "content": None, "weight": 0,
             "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
            {"role": "tool", "content": "1", "tool_call_id": "c1", "name": "f"},
            {"role": "assistant", "content": "One", "reasoning_content": "easy", "train": True},
        ],
    })  # fmt: skip
    system, user, call, tool, answer = row["messages"]
    assert (system["role"], user["content"], user["train"]) == ("system", "Hi there", False)
    assert json.loads(call["tool_calls"]) == [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]
    assert (call["train"], tool["tool_call_id"], tool["name"]) == (False, "c1", "f")
    assert (answer["reasoning"], answer["train"], row["output"]) == ("easy", True, "One")


def test_conversation_without_an_answer_is_an_item():
    row = only({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]})
    assert (row["instruction"], row["output"]) == ("c", None)


@pytest.mark.parametrize(("record", "name"), [
    ({"prompt": "p", "completion": "c"}, "prompt-completion"),
    ({"prompt": "p"}, "prompt-completion"),
    ({"question": "p", "answer": "c"}, "question-answer"),
])  # fmt: skip
def test_pairs_of_texts(record, name):
    data = read([record])
    assert (data.format, data.frame["instruction"][0]) == (name, "p")
    assert data.frame["output"][0] == ("c" if len(record) == 2 else None)


def test_plain_text_has_no_prompt():
    row = only({"text": "Once upon a time."})
    assert (row["kind"], row["instruction"], row["output"]) == ("text", None, "Once upon a time.")


@pytest.mark.parametrize("record", [
    {"conversations": [{"from": "human", "value": "q"}],
     "chosen": {"from": "gpt", "value": "y"}, "rejected": {"from": "gpt", "value": "n"}},
    {"prompt": "q", "chosen": "y", "rejected": "n"},
    {"instruction": "q", "input": "", "chosen": "y", "rejected": "n"},
    {"prompt": [{"role": "user", "content": "q"}],
     "chosen": [{"role": "assistant", "content": "y"}], "rejected": [{"role": "assistant", "content": "n"}]},
    {"prompt": "q", "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "y"}],
     "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "n"}]},
    {"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "y"}],
     "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "n"}]},
])  # fmt: skip
def test_preference_in_all_its_shapes(record):
    data = read([record])
    assert data.rejected.is_empty(), data.rejected.rows(named=True)
    row = data.frame.row(0, named=True)
    assert (data.format, row["kind"], row["instruction"], row["output"]) == ("preference", "preference", "q", "y")
    assert roles(row) == ["user", "assistant"]
    assert [(turn["role"], turn["content"]) for turn in row["rejected"]] == [("assistant", "n")]


def node(name, role, *replies):
    return {"message_id": name, "text": name.upper(), "role": role, "replies": list(replies)}


def test_oasst_tree_gives_every_path_to_a_last_answer():
    tree = node("p", "prompter",
                node("a", "assistant", node("q", "prompter", node("b", "assistant"), node("c", "assistant")), node("r", "prompter")),
                node("d", "assistant", node("s", "prompter")))  # fmt: skip
    data = read([{"message_tree_id": "t", "prompt": tree}, {"message_tree_id": "u", "prompt": node("alone", "prompter")}])
    assert data.format == "oasst"
    assert data.frame["origin"].struct.field("part").to_list() == ["b", "c", "d", "alone"]
    assert data.frame["origin"].struct.field("record").to_list() == [0, 0, 0, 1]
    assert data.frame["position"].to_list() == [0, 1, 2, 3]
    assert data.frame["output"].to_list() == ["B", "C", "D", None]
    assert data.frame["message_tree_id"].to_list() == ["t", "t", "t", "u"]


def test_damaged_tree_is_rejected_whole_with_every_problem():
    tree = node("p", "prompter", {"message_id": "a", "role": "assistant"}, "no node", node("b", "assistant"))
    data = read([{"message_tree_id": "t", "prompt": tree}])
    assert (data.frame.height, data.rows) == (0, 1)
    assert data.rejected["field"].to_list() == ["prompt.replies[0].text", "prompt.replies[1]"]


def test_two_formats_that_fit_are_told():
    data = read([{"messages": [{"role": "user", "content": "a"}], "instruction": "b"}])
    assert data.format == "messages"
    assert data.notes == ("list: read as messages; alpaca would fit too (--format alpaca)",)
    assert read([{"messages": [{"role": "user", "content": "a"}], "instruction": "b"}], format="alpaca").frame["instruction"][0] == "b"


def test_own_rows_come_back_as_they_were():
    frame = read([{"instruction": "a", "output": "b", "x": [1]}, {"instruction": "c", "history": [["d", "e"]]}]).frame
    again = read(frame.filter(pl.col("position") == 1))
    assert again.format == "tunesmith"
    assert again.frame.equals(frame.filter(pl.col("position") == 1))
    edited = read(frame.with_columns(output=pl.lit("other"))).frame
    assert (edited["row_id"] != frame["row_id"]).all()
    assert edited["position"].equals(frame["position"])


def test_columns_and_types_of_the_row():
    data = read(
        [
            {"instruction": "a", "weight": 3, "user_weight": 4, "origin": "web", "meta": {"k": [1, None]}, "odd": 1},
            {"instruction": "b", "odd": "x"},
        ]
    )
    assert list(data.frame.schema.items())[: len(schema.ROW)] == list(schema.ROW.items())
    own = data.frame.drop(schema.ROW.names()).row(0, named=True)
    assert own == {"user_weight": 3, "user_user_weight": 4, "user_origin": "web", "meta": {"k": [1, None]}, "odd": "1"}


def test_fields_of_turns_that_are_not_kept_are_told():
    data = read(
        [{"messages": [{"role": "user", "content": "a", "timestamp": 5}, {"role": "assistant", "content": "b", "timestamp": None}]}]
    )
    assert data.notes == ('list: fields of turns that a row does not hold: "timestamp" (1 turns)',)


def test_map_renames_first():
    record = {"q": "ask", "a": "answer"}
    assert read([record], mapping={"q": "instruction", "a": "output"}).frame.select("instruction", "output").row(0) == ("ask", "answer")
    chats = [{"messages": [{"from": "human", "value": "x"}]}]
    assert read(chats, mapping={"messages": "conversations"}).format == "sharegpt"
    with pytest.raises(OptionError, match=r'map gives the name "x" to "q" and to "a"'):
        read([record], mapping={"q": "x", "a": "x"})
    with pytest.raises(OptionError, match=r'map names a field "p" that is not there \(q, a'):
        read([record], mapping={"p": "instruction"})
    with pytest.raises(OptionError, match="there is a field of that name"):
        read([record], mapping={"q": "a"})


def test_unknown_names_say_what_is_known():
    with pytest.raises(OptionError, match='did you mean "alpaca"'):
        read([{"instruction": "a"}], format="alpacca")
    with pytest.raises(InputError, match=r"list: no known format fits the fields found \(foo\).*question-answer \(question, answer\)"):
        read([{"foo": 1}])


def test_seed_tasks_give_a_row_for_each_instance():
    data = read(
        [
            {"id": "s0", "instruction": "Add.", "instances": [{"input": "1, 2", "output": "3"}, {"input": "2, 2", "output": "4"}]},
            {"id": "s1", "instruction": "Sing.", "instances": [{"input": "", "output": "La"}]},
        ]
    )
    assert data.format == "self-instruct"
    assert data.frame.select("position", "instruction", "input", "output", "id").rows() == [
        (0, "Add.", "1, 2", "3", "s0"),
        (1, "Add.", "2, 2", "4", "s0"),
        (2, "Sing.", "", "La", "s1"),
    ]
    assert data.frame["origin"].struct.field("part").to_list() == ["0", "1", "0"]
    assert data.frame["origin"].struct.field("record").to_list() == [0, 0, 1]


def test_all_that_is_wrong_with_a_seed_task():
    data = read(
        [
            {"instruction": "a", "instances": [{"input": 1, "output": ["x"]}, "y", {"input": "", "output": "fine", "score": 2}]},
            {"instruction": "", "instances": [{"input": "", "output": "b"}, {"input": "x\0"}]},
            {"instruction": "a", "instances": []},
            {"instruction": "a", "instances": "x"},
            {"instruction": "a", "instances": [{"input": "", "output": "kept"}]},
        ]
    )
    assert data.rejected.select("record", "field", "code").rows() == [
        (0, "instances[0].input", "wrong_type"),
        (0, "instances[0].output", "wrong_type"),
        (0, "instances[1]", "wrong_type"),
        (1, "instances[0].input", "empty_prompt"),
        (1, "instances[1].input", "nul_character"),
        (2, "instances", "no_known_field"),
        (3, "instances", "wrong_type"),
    ]
    assert data.frame.select("position", "output").rows() == [(4, "kept")]
    assert data.notes == ('list: fields of turns that a row does not hold: "instances.score" (1 turns)',)


def test_the_best_path_of_a_tree():
    def ranked(name, role, rank, *replies):
        return {**node(name, role, *replies), "rank": rank}

    tree = node("p", "prompter",
                ranked("a", "assistant", 1, ranked("q", "prompter", 0, node("b", "assistant"))),
                ranked("c", "assistant", 0,
                       ranked("r", "prompter", 0), ranked("s", "prompter", 1, node("d", "assistant"), ranked("e", "assistant", 2))),
                node("f", "assistant"))  # fmt: skip
    trees = [{"message_tree_id": "t", "prompt": tree}, {"message_tree_id": "u", "prompt": node("alone", "prompter")}]
    data = read(trees, format="oasst-best")
    assert data.frame["output"].to_list() == ["E", None]
    assert data.frame["origin"].struct.field("part").to_list() == ["e", "alone"]
    assert [turn["content"] for turn in data.frame["messages"][0].to_list()] == ["P", "C", "S", "E"]
    assert read(trees).format == "oasst"


def test_fields_of_absurd_length():
    long = "a" * 30
    records = [
        {"instruction": long, "output": "b", "note": long},
        {"instruction": "é" * 20, "output": "b"},
        {"instruction": "a", "history": [[long, long]]},
    ]
    data = read(records, max_characters=20)
    assert data.rejected.select("record", "field", "code", "found").rows() == [
        (0, "instruction", "too_long", "30 characters"),
        (0, "note", "too_long", "30 characters"),
        (2, "history", "too_long", "70 characters"),
    ]
    frame = pl.DataFrame({"instruction": ["a", long], "history": [[[long, "x"]], None], "output": ["b", "c"]})
    assert read(frame, max_characters=20).rejected.select("record", "field").rows() == [(0, "history"), (1, "instruction")]
    assert read(records).rejected.is_empty()


def flat(name, role, parent=None, **more):
    return {"message_id": name, "parent_id": parent, "text": name.upper(), "role": role, "message_tree_id": "t", **more}


def test_messages_of_trees_one_by_one(tmp_path, monkeypatch):
    records = [
        flat("b", "assistant", "a", rank=1),
        flat("a", "prompter", lang="en"),
        flat("c", "assistant", "a", rank=0, lang="de"),
        flat("d", "prompter", "b"),
        flat("e", "assistant", "d"),
        flat("alone", "prompter"),
    ]
    data = read(records)
    assert (data.format, data.notes, data.rejected.height) == ("oasst-messages", (), 0)
    assert data.frame["messages"].list.eval(pl.element().struct.field("content")).to_list() == [["A", "C"], ["A", "B", "D", "E"], ["ALONE"]]
    assert data.frame["origin"].struct.field("record").to_list() == [2, 4, 5]
    assert data.frame["lang"].to_list() == ["de", None, None]
    assert read(records, format="oasst-messages-best").frame["output"].to_list() == ["C", None]
    monkeypatch.setattr("tunesmith.rows.contents.CHUNK", 100)
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, records)))
    (block,) = Stream(source=tmp_path / "rows.jsonl")
    assert block.frame.drop("origin").equals(data.frame.drop("origin"))


def test_messages_that_hang_in_the_air():
    records = [
        flat("a", "prompter"), flat("b", "assistant", "a"), flat("b", "assistant", "a"), flat("c", "assistant", "gone"),
        flat("x", "prompter", "y"), flat("y", "assistant", "x"), {**flat("d", "assistant", "a"), "text": 3}, flat("e", "assistant", "d"),
    ]  # fmt: skip
    data = read(records)
    assert data.frame["output"].to_list() == ["B"]
    assert data.rejected.select("record", "field", "code").rows() == [
        (2, "message_id", "used_twice"),
        (3, "parent_id", "no_parent"),
        (4, "parent_id", "no_parent"),
        (5, "parent_id", "no_parent"),
        (6, "text", "wrong_type"),
        (7, "parent_id", "no_parent"),
    ]


def test_every_field_that_a_format_looks_at_is_known():
    asked: set[str] = set()

    class Watched(FrameTable):
        def texts(self, name):
            asked.add(name)
            return super().texts(name)

        def types(self, name):
            asked.add(name)
            return super().types(name)

        def kinds(self, name):
            asked.add(name)
            return super().kinds(name)

        def values(self, name):
            asked.add(name)
            return super().values(name)

        def objects(self, name, rows=None):
            asked.add(name)
            return super().objects(name, rows)

        def turns(self, name):
            asked.add(name)
            return super().turns(name)

    columns = {name: pl.Series([None], dtype=schema.ROW.get(name, pl.String)) for name in FIELDS}
    for chosen in FORMATS.values():
        for left_out in (None, *FIELDS):
            table = Watched(pl.DataFrame({name: column for name, column in columns.items() if name != left_out}))
            chosen.parse(Records(file="rows", table=table))
    assert asked <= FIELDS
    assert asked > {"instruction", "context", "response", "history", "conversation", "rank", "tools", "weight"}
