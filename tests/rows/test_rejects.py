"""Hostile input: what is wrong is named record by record, and one damaged record never costs the file."""

import json

import pytest

from tunesmith.errors import InputError
from tunesmith.rows import read, schema, write_rejects
from tunesmith.rows.rejects import read_rejects

GOOD = '{"instruction": "a", "output": "b"}'


def problems(records, **options):
    rejected = read(records, **options).rejected
    assert rejected.schema == schema.REJECT
    return rejected.select("position", "field", "code").rows()


def test_every_problem_of_a_record_is_named():
    data = read([{"instruction": 3, "input": ["x"], "output": {"a": 1}, "system": True}])
    assert data.rejected.select("position", "field", "code", "found", "expected").rows() == [
        (0, "instruction", "wrong_type", "number 3", "text"),
        (0, "input", "wrong_type", 'array ["x"]', "text"),
        (0, "output", "wrong_type", 'object {"a": 1}', "text"),
        (0, "system", "wrong_type", "bool true", "text"),
    ]
    assert json.loads(data.rejected["raw"][0])["system"] is True


def test_prompts_and_unknown_records():
    found = problems(
        [{"instruction": " \n", "input": "", "output": "b"}, {"x": 1}, {}, {"instruction": "", "input": "ok"}, {"instruction": "a"}]
    )
    assert found == [(0, "instruction", "empty_prompt"), (1, None, "no_known_field"), (2, None, "no_known_field")]


def test_damage_in_the_middle_costs_itself_alone(tmp_path):
    lines = [GOOD, '{"instruction": "x", "output": }', GOOD, "[1]", '{"instruction": "\\ud800"}', '{"instruction": "n\\u0000l"}', GOOD]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    data = read(file)
    assert data.frame["position"].to_list() == [0, 2, 6]
    assert data.frame["origin"].struct.field("record").to_list() == [0, 2, 6]
    assert data.rejected.select("position", "record", "line", "code").rows() == [
        (1, 1, 2, "bad_json"), (3, 3, 4, "not_object"), (4, 4, 5, "lone_surrogate"), (5, 5, 6, "nul_character"),
    ]  # fmt: skip
    assert data.rejected["file"].unique().to_list() == ["rows.jsonl"]
    assert data.rows == 7


DEEP = "[" * 3000 + "]" * 3000
DIGITS = "9" * 5000


@pytest.mark.parametrize(("record", "code"), [
    (f'{{"messages": [{{"role": "user", "content": "a"}}], "x": {DEEP}}}', "bad_json"),
    (json.dumps({"messages": DEEP}), "wrong_type"),
    (json.dumps({"messages": [{"role": "user", "content": "a"}], "tools": DEEP}), "bad_tools"),
    (f'{{"messages": [{{"role": "user", "content": "a"}}], "tools": [{DIGITS}]}}', "bad_tools"),
    (json.dumps({"messages": [{"role": "user", "content": "a"}, {"from": "function_call", "value": DEEP}]}), "bad_tool_call"),
    (json.dumps({"_raw": '{"messages": ' + DEEP}), "no_known_field"),
    (f'{{"_reject": {{}}, "messages": "a", "n": {DIGITS}}}', "wrong_type"),
    (f'{{"messages": [{{"role": "user", "content": "a"}}], "x": {{"n": {DIGITS}}}}}', None),
])  # fmt: skip
def test_json_that_python_cannot_hold_costs_its_record_alone(tmp_path, record, code):
    """Nesting beyond the recursion limit, numbers of too many digits."""
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{record}\n{{"messages": [{{"role": "user", "content": "b"}}]}}\n')
    data = read(file)
    assert (data.frame.height, data.rejected["code"].to_list()) == ((1, [code]) if code else (2, []))
    assert write_rejects(data.rejected, tmp_path / "rejects.jsonl") == len(data.rejected)


def test_lists_that_cannot_be_json_are_told():
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InputError, match=r"list, record 1: expected a dict of JSON values: .*recursion"):
        read([{"instruction": "a"}, {"instruction": "a", "x": deep}])


def test_rejects_that_nobody_mended_are_told(tmp_path):
    (tmp_path / "rows.jsonl").write_text(f'{GOOD}\n{{"instruction": "x", "output": \n{GOOD}\n')
    assert write_rejects(read(tmp_path / "rows.jsonl").rejected, tmp_path / "rejects.jsonl") == 1
    with pytest.raises(InputError, match=r'rejects.jsonl, record 0, field "_raw": .*mend it, and read again'):
        read(tmp_path / "rejects.jsonl")


def test_rejects_can_be_mended_and_read_again(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(
        "\n".join([GOOD, '{"instruction": "x", "output": }', '{"instruction": 7, "output": "c"}', '{"instruction": "\\ud800"}'])
    )
    data = read(file)
    assert write_rejects(data.rejected, tmp_path / "rejects.jsonl") == 3
    assert read_rejects(tmp_path / "rejects.jsonl").drop("raw").equals(data.rejected.drop("raw"))
    assert read(tmp_path / "rejects.jsonl").frame.is_empty()
    broken, seven, lone = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert seven["_reject"]["problems"] == [{"field": "instruction", "code": "wrong_type", "found": "number 7", "expected": "text"}]
    broken["_raw"] = '{"instruction": "mended", "output": "y"}'
    seven["instruction"] = "seven"
    (tmp_path / "rejects.jsonl").write_text("\n".join(json.dumps(record) for record in (broken, seven, lone)))
    again = read(tmp_path / "rejects.jsonl")
    assert again.frame["instruction"].to_list() == ["mended", "seven"]
    assert again.rejected["raw"].str.contains("ud800", literal=True).to_list() == [True]
    assert again.frame.columns == schema.ROW.names()


@pytest.mark.parametrize(("turns", "field", "code"), [
    ("no list", "messages", "wrong_type"),
    (None, "messages", "no_known_field"),
    ([], "messages", "empty_prompt"),
    (["hi"], "messages[0]", "wrong_type"),
    ([{"role": "wizard", "content": "a"}], "messages[0].role", "unknown_role"),
    ([{"content": "a"}], "messages[0].role", "unknown_role"),
    ([{"role": "user", "content": 3}], "messages[0].content", "wrong_type"),
    ([{"role": "user", "content": " "}], "messages[0].content", "empty_prompt"),
    ([{"role": "user"}], "messages[0].content", "empty_turn"),
    ([{"role": "user", "content": "a\0"}], "messages[0].content", "nul_character"),
    ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}], "messages[0].content[0]", "unsupported_part"),
    ([{"role": "user", "content": [{"type": "input_audio"}]}], "messages[0].content[0]", "unsupported_part"),
    ([{"role": "assistant", "content": "a"}], "messages[0].role", "role_order"),
    ([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], "messages[1].role", "role_order"),
    ([{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}], "messages[1].role", "role_order"),
    ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "system", "content": "c"}],
     "messages[2].role", "role_order"),
    ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0.5}], "messages[1].weight", "wrong_type"),
    ([{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"id": "x"}]}], "messages[1].tool_calls", "bad_tool_call"),
    ([{"from": "human", "value": "a"}, {"from": "function_call", "value": "{"}], "messages[1].value", "bad_tool_call"),
])  # fmt: skip
def test_wrong_turns(turns, field, code):
    good = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    assert problems([good, {"messages": turns}, good]) == [(1, field, code)]


def test_answers_may_be_empty_or_absent():
    records = [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]},
        {"messages": [{"role": "user", "content": "a"}]},
    ]
    assert problems(records) == []
    assert problems([{"instruction": "a", "output": ""}, {"instruction": "a", "output": None}, {"instruction": "a"}]) == []


def test_bad_tools_and_history():
    assert problems([{"conversations": [{"from": "human", "value": "a"}], "tools": "{not json"}]) == [(0, "tools", "bad_tools")]
    found = problems([{"instruction": "a", "history": [["x"]]}, {"instruction": "a", "history": "x"}])
    assert found == [(0, "history[0]", "wrong_type"), (1, "history", "wrong_type")]


@pytest.mark.parametrize(("name", "content", "message"), [
    ("empty.json", b"", "expected records, found an empty file"),
    ("blank.jsonl", b" \n\n", "expected records, found an empty file"),
    ("wide.txt", b"\xff\xfea\x00\x00\xd8", "bytes 00 d8 at byte 4"),
    ("rows.parquet", b"not parquet", "expected parquet"),
    ("rows.json.gz", b"not gzip", "cannot be read"),
    ("rows.json.zst", b"\x28\xb5\x2f\xfdnot zstd", "rows.json.zst"),
    ("latin.txt", "caf\xe9".encode("latin-1"), "found byte 0xe9 at byte 3"),
    ("other.json", b'[{"foo": 1}]', "no known format fits"),
])  # fmt: skip
def test_files_that_cannot_be_used_say_so(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path / name)
    assert name in str(error.value)


def test_a_file_of_nothing_but_damage_is_all_rejects(tmp_path):
    (tmp_path / "bad.jsonl").write_text("{\n[1]\n")
    data = read(tmp_path / "bad.jsonl")
    assert data.frame.is_empty()
    assert data.rows == data.rejected["record"].n_unique() > 0


def test_places_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match=r"no such file or folder \(its folder holds nothing\)"):
        read(tmp_path / "absent.json")
    with pytest.raises(InputError, match="there is no folder"):
        read(tmp_path / "nowhere" / "absent.json")
    (tmp_path / "readme.md").write_text("x")
    with pytest.raises(InputError, match=r"expected data files .* found readme\.md"):
        read(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read(str(tmp_path / "*.json"))
    with pytest.raises(InputError, match="found int"):
        read(3)
    with pytest.raises(InputError, match="record 0: expected a dict of JSON values"):
        read([{"instruction": object()}])


def test_depth_names_and_numbers_that_break_tools(tmp_path):
    deep = "[" * 100_000 + "]" * 100_000
    lines = [GOOD, '{"messages": %s}' % deep, '{"instruction": "a", "\\u0000k": 1, "": 2, "n": 1e400}']  # noqa: UP031
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    data = read(tmp_path / "rows.jsonl", format="alpaca")
    assert data.frame["position"].to_list() == [0, 2]
    assert data.rejected["code"].to_list() == ["bad_json"]
    assert data.frame.columns[-2:] == ["", "n"]
    assert any("NUL in its name" in note for note in data.notes)


@pytest.mark.parametrize("record", [
    {"chosen": 5, "rejected": None, "prompt": 7},
    {"chosen": [], "rejected": [3], "prompt": []},
    {"chosen": "a", "rejected": "b"},
    {"chosen": [{"role": "user", "content": "q"}], "rejected": [{"role": "user", "content": "other"}]},
])  # fmt: skip
def test_wrong_pairs(record):
    data = read([record])
    assert (data.format, data.frame.height, data.rows) == ("preference", 0, 1)


def test_a_turn_of_no_known_role_is_looked_at_all_the_same():
    turns = [("user", "a"), ("nobody", 3), ("user", "b"), ("user", "")]
    assert problems([{"messages": [{"role": role, "content": content} for role, content in turns]}]) == [
        (0, "messages[1].role", "unknown_role"),
        (0, "messages[1].content", "wrong_type"),
        (0, "messages[3].content", "empty_prompt"),
        (0, "messages[3].role", "role_order"),
    ]


def test_an_empty_prompt_is_told_beside_a_wrong_answer():
    assert problems([{"instruction": "", "output": 3}]) == [(0, "output", "wrong_type"), (0, "instruction", "empty_prompt")]
