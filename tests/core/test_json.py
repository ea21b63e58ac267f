"""core.read_json: against Python's json, and what happens to damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.json_texts import RECORD, damaged_lines
from oracles import json as oracle
from tunesmith import core
from tunesmith.errors import InputError


def same(a: Any, b: Any) -> bool:
    """Equal, with NaN equal to itself and 1 told from 1.0."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def check_fields(records: core.JsonRecords, want: list[dict[str, Any]]) -> None:
    fields = sorted({key for record in want for key in record})
    assert sorted(set(records.keys["key"])) == fields
    types, texts, values = records.types(fields), records.texts(fields), records.values(fields)
    for field in fields:
        assert types[field].to_list() == [oracle.kind(record, field) for record in want]
        for text, value, record in zip(texts[field], values[field], want, strict=True):
            expected = record.get(field)
            if isinstance(expected, str) or expected is None:
                assert text == expected
                assert value == expected
            else:
                assert same(json.loads(text), expected)
                typed = value if values[field].dtype != pl.String else json.loads(value)
                assert same(typed, expected) or typed == expected, (typed, expected)
    counts = {(key, kind): count for key, kind, count in records.keys.rows()}
    for field in fields:
        for kind in core.JSON_TYPES:
            if kind != "missing":
                assert counts.get((field, kind), 0) == sum(oracle.kind(record, field) == kind for record in want)


@settings(deadline=None)
@given(st.lists(RECORD, max_size=5), st.sampled_from([None, 0, 2]), st.booleans(), st.booleans())
def test_arrays_equal_python(want: list[dict[str, Any]], indent: int | None, ascii_only: bool, bom: bool) -> None:
    text = json.dumps(want, indent=indent, ensure_ascii=ascii_only)
    records = core.read_json(text.encode("utf-8-sig" if bom else "utf-8"))
    assert records.rejects.height == 0
    assert [same(json.loads(raw), record) for raw, record in zip(records.raw(), want, strict=True)].count(False) == 0
    assert records.layout == "array"
    check_fields(records, want)


@settings(deadline=None)
@given(st.lists(RECORD, max_size=5), st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_lines_equal_python(want: list[dict[str, Any]], ascii_only: bool, end: str) -> None:
    records = core.read_json(end.join(json.dumps(record, ensure_ascii=ascii_only) for record in want).encode())
    assert records.rejects.height == 0
    check_fields(records, want)


@settings(deadline=None)
@given(damaged_lines())
def test_a_damaged_line_costs_itself_alone(data: bytes) -> None:
    data = b"{}\n" + data  # a file that starts with "[" is an array, one that starts with ff fe UTF-16
    good, bad = oracle.lines(data)
    records = core.read_json(data)
    assert records.frame["line"].to_list() == [line for line, _ in good]
    for text, (_, record) in zip(records.raw(), good, strict=True):
        assert same(json.loads(text), record)
    rejected = "\n".join(records.rejects["raw"])
    for line in bad:
        assert data.split(b"\n")[line - 1].decode(errors="replace").strip(" \t,") in rejected
    order = [*records.frame["record"], *records.rejects["record"]]
    assert sorted(order) == list(range(len(order)))


@pytest.mark.parametrize(
    ("text", "code", "found", "expected"),
    [
        ('{"a": tru}', "bad_json", "tru at byte 6", "a JSON value"),
        ('{"a": 1,}', "bad_json", "} at byte 8", "a key in double quotes"),
        ("{'a': 1}", "bad_json", "' at byte 1", "a key in double quotes"),
        ('{"a" 1}', "bad_json", "1 at byte 5", "':' after a key"),
        ('{"a": 01}', "bad_json", "1 at byte 7", "',' or '}' after a value"),
        ('{"a": "\\x"}', "bad_json", "\\x at byte 7", "one of the escapes"),
        ('{"a": "\\u12g4"}', "bad_json", "\\u12g4 at byte 7", "four hexadecimal digits"),
        ('{"a": "b\tc"}', "bad_json", "byte 0x09 at byte 8", "an escaped control character"),
        ('{"a": "b\nc"}', "bad_json", "a line end at byte 8", "an escaped control character"),
        ('{"a": -}', "bad_json", "} at byte 7", "a digit"),
        ('{"a": [1 2]}', "bad_json", "2 at byte 9", "',' or ']' after an element"),
        ('{"a": 1', "truncated", "the end at byte 7", "',' or '}' after a value"),
        ("[1]", "not_object", "array", "an object"),
        ('"text"', "not_object", "string", "an object"),
        ('{"a": ' + "[" * 600 + "]" * 600 + "}", "bad_json", "[ at byte 506", "nesting of at most 500 levels"),
    ],
)
def test_what_is_said_of_damage(text: str, code: str, found: str, expected: str) -> None:
    rejects = core.read_json(("{}\n" + text).encode()).rejects
    first = rejects.row(0, named=True)
    offset = int(first["found"].rsplit(" ", 1)[1]) - 3 if " byte " in first["found"] else None
    shown = first["found"] if offset is None else f"{first['found'].rsplit(' ', 1)[0]} {offset}"
    assert (first["code"], shown) == (code, found)
    assert first["expected"].startswith(expected)
    assert (first["record"], first["line"], first["byte"]) == (1, 2, 3)


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ('{"a": "x", "b": ', "b", "a JSON value"),
        ('{"a": "x"', None, "',' or '}' after a value"),
        ('{"a": "x", ', None, "a key in double quotes"),
        ("{", None, "a key in double quotes"),
        ('{"a": [{"c": 1}', "a", "',' or ']' after an element"),
        ('{"a": {"c": 1', "a", "',' or '}' after a value"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_ends_early_is_told_by_itself(line: str, field: str | None, expected: str, end: str) -> None:
    whole = [json.dumps({"a": f"row {k}"}) for k in range(4)]
    records = core.read_json(end.join([*whole[:2], line, *whole[2:], ""]).encode())
    assert records.texts(["a"])["a"].to_list() == [f"row {k}" for k in range(4)]
    told = records.rejects.row(0, named=True)
    byte = 2 * len(whole[0] + end) + len(line)
    assert (told["record"], told["line"], told["field"], told["code"]) == (2, 3, field, "truncated")
    assert (told["found"], told["expected"], told["raw"]) == (f"a line end at byte {byte + len(end) - 1}", expected, line.rstrip(", "))


def test_the_field_of_the_damage_is_named() -> None:
    rejects = core.read_json(b'[{"a": 1, "out\\u0070ut": "x \\ud83d y"}, {"a": {"b": "\\udc00"}}, {"a": "caf\xe9"}]').rejects
    assert rejects.select("field", "code").rows() == [("output", "lone_surrogate"), ("a", "lone_surrogate"), ("a", "bad_utf8")]
    assert rejects["raw"][2] == '{"a": "caf\ufffd"}'
    assert "0xE9" in rejects["found"][2]


@pytest.mark.parametrize(
    "damage",
    [
        '{"a": "x"',  # no closing brace
        '{"a": "x" "b": 1}',
        '{"a": "he said "no, to me"}',
        '{"a": "unclosed}',
        '{"a": [1, 2}',
        "{a: 1}",
        "oops",
        '{"a": "\\ud800"}',
        '{"a": {"a": "x"}',
    ],
)
@pytest.mark.parametrize("indent", [None, 4])
def test_a_damaged_element_of_an_array_is_stepped_over(damage: str, indent: int | None) -> None:
    whole = [json.dumps({"a": f"row {i}", "b": [{"a": i}, "}, {"]}, indent=indent) for i in range(6)]
    parts = [*whole[:3], damage, *whole[3:]]
    text = "[" + ",".join("\n" + part for part in parts) + "\n]" if indent else f"[{', '.join(parts)}]"
    records = core.read_json(text.encode())
    assert records.texts(["a"])["a"].to_list() == [f"row {i}" for i in range(6)]
    assert "".join(records.rejects["raw"]).replace(" ", "").startswith(damage[:5].replace(" ", ""))


def test_a_file_that_ends_early_says_so() -> None:
    records = core.read_json(b'[{"a": 1}, {"a": 2}, {"a": ')
    assert len(records) == 2
    assert records.rejects.select("code", "raw").rows() == [("truncated", '{"a":')]
    records = core.read_json(b'[{"a": 1}, {"a": 2}')
    assert len(records) == 2
    assert records.rejects.select("code", "expected").rows() == [("truncated", "']' at the end of the array")]
    records = core.read_json(b'[{"a": 1}] tail')
    assert records.rejects["raw"].to_list() == ["tail"]


def test_layouts() -> None:
    assert len(core.read_json(b'{"a": 1}{"a": 2} {"a": 3}')) == 3
    assert len(core.read_json(b'{\n  "a": 1\n}\n{\n  "a": 2\n}\n')) == 2
    assert len(core.read_json(b'[{"a": 1}]\n[{"a": 2}]')) == 2
    assert len(core.read_json(b'{"a": 1},\n{"a": 2},\n')) == 2
    for nothing in (b"", b" \r\n", b"\xef\xbb\xbf"):
        empty = core.read_json(nothing)
        assert (len(empty), empty.rejects.height, empty.layout) == (0, 0, "empty")
        assert empty.values(["a"]).shape == (0, 1)
        assert empty.frame.columns == ["record", "line", "byte"]
    assert len(core.read_json(b"[]")) == 0


def test_a_key_twice_has_its_last_value_and_its_first_place() -> None:
    records = core.read_json(b'{"a": 1, "b": 2, "\\u0061": "last"}\n{"b": 3}')
    assert records.values(["a", "b"]).rows() == [("last", 2), (None, 3)]
    assert records.keys.rows() == [("a", "string", 1), ("b", "number", 2)]


def test_columns_have_the_type_of_their_values() -> None:
    rows = [
        {
            "int": 1,
            "float": 1.5,
            "both": 1,
            "big": 2**63,
            "exact": 2**60,
            "bool": True,
            "text": "x",
            "mixed": "x",
            "null": None,
            "list": [1, "a"],
        },
        {"int": None, "float": 2e3, "both": 0.5, "big": 1, "exact": 0.5, "bool": False, "text": "", "mixed": 1, "list": []},
    ]
    fields = list(rows[0])
    values = core.read_json(json.dumps(rows).encode()).values(fields)
    assert values.schema == {
        "int": pl.Int64, "float": pl.Float64, "both": pl.Float64, "big": pl.String, "exact": pl.String, "bool": pl.Boolean,
        "text": pl.String, "mixed": pl.String, "null": pl.Null, "list": pl.String,
    }  # fmt: skip
    assert values.row(0) == (1, 1.5, 1.0, "9223372036854775808", "1152921504606846976", True, "x", "x", None, '[1, "a"]')
    assert values.row(1) == (None, 2000.0, 0.5, "1", "0.5", False, "", "1", None, "[]")


@settings(deadline=None)
@given(st.lists(st.permutations(["a", "b", "c", "d"]).flatmap(lambda keys: st.integers(0, 4).map(lambda n: keys[:n])), max_size=12))
def test_keys_in_any_order_and_some_missing(orders: list[list[str]]) -> None:
    want: list[dict[str, Any]] = [{key: f"{key} of {row}" for key in keys} for row, keys in enumerate(orders)]
    for text in (json.dumps(want), json.dumps(want, indent=1), "\n".join(map(json.dumps, want))):
        records = core.read_json(text.encode())
        assert records.rejects.height == 0
        check_fields(records, want)


def test_what_stood_before_a_value_counts_only_where_it_may_stand() -> None:
    whole = ['{"a": 1, "b": 2}', '{"b": 3, "a": 4}', '{"a": 5, "b": 6}']
    damaged = ['{"b": 1{"a": 2}', '{"a": 1 "b": 2}', '{, "b": 2}', '{"a": 1, "b": 2, "b": 3', '"a": 1, "b": 2}']
    for damage in damaged:
        records = core.read_json("\n".join([*whole, damage, *whole]).encode())
        assert records.values(["a", "b"]).rows() == [(1, 2), (4, 3), (5, 6)] * 2, damage
        assert records.rejects["raw"].to_list() == [damage]


@pytest.mark.parametrize("words", [1, 40])
def test_columns_outlive_what_they_were_read_from(words: int) -> None:
    """Long plain texts are shared with the source, a few words are copied; both stay."""
    rows = [{"a": f"row {k} " + "text " * words, "b": f"row {k}\n" + "text " * words, "c": "é" * (k % 30)} for k in range(5000)]
    data = "\n".join(json.dumps({**row, "rest": [["x"] * 40]}, ensure_ascii=False) for row in rows).encode()
    records = core.read_json(data)
    frame = records.texts(["a", "b", "c"])
    alone = records.texts(["c"])
    del records, data
    assert frame.rows(named=True) == rows
    assert alone["c"].to_list() == [row["c"] for row in rows]
    assert frame.slice(4000, 10).rows(named=True) == rows[4000:4010]


def test_items_know_their_parent() -> None:
    chats = core.read_json(
        b'{"messages": [{"role": "user", "n": 1},\n {"role": "assistant", "calls": [{"id": "x"}]}]}\n'
        b'{"messages": "no"}\n{"messages": {"role": "system"}}\n{}\n{"messages": [1, {"role": "user"}]}'
    )
    messages = chats.items("messages")
    assert messages.frame.select("record", "item", "line").rows() == [(0, 0, 1), (0, 1, 2), (2, 0, 4), (4, 1, 6)]
    assert messages.texts(["role"])["role"].to_list() == ["user", "assistant", "system", "user"]
    assert messages.rejects.select("record", "item", "code", "found").rows() == [(4, 0, "not_object", "number")]
    assert messages.items("calls").frame.select("record", "item").rows() == [(1, 0)]
    assert len(messages.items("nowhere")) == 0


def test_texts_of_a_column() -> None:
    texts = pl.Series([' {"a": 1}\n', None, "[]", '{"a": 2} x', '{"a": "é"}', '\n{"a": }', ""])
    records = core.parse_json(texts)
    assert records.frame.rows() == [(0, 1, 1), (4, 1, 0)]
    assert records.rejects.select("record", "line", "found").rows() == [
        (2, 1, "array"),
        (3, 1, "x at byte 9"),
        (5, 2, "} at byte 7"),
        (6, 1, "the end at byte 0"),
    ]
    assert core.parse_json(texts[4:5]).texts(["a"])["a"].to_list() == ["é"]


def test_more_rows_than_one_worker_takes() -> None:
    rows = [{"id": i, "text": f"row {i} " + "é" * (i % 50), "tags": [{"k": i}]} for i in range(30_000)]
    for data in (json.dumps(rows, indent=1).encode(), "\n".join(map(json.dumps, rows)).encode()):
        records = core.read_json(data)
        assert len(records) == len(rows)
        assert records.values(["id", "text"]).rows() == [(row["id"], row["text"]) for row in rows]
        assert records.frame["record"].to_list() == list(range(len(rows)))
        offsets = records.frame["byte"]
        assert all(
            data[offsets[i]] == ord("{") and data[: offsets[i]].count(b"\n") + 1 == records.frame["line"][i] for i in range(0, 30_000, 1999)
        )
        assert records.items("tags").values(["k"])["k"].to_list() == list(range(30_000))


def test_files_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        core.read_json(tmp_path / "absent.json")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        core.read_json(tmp_path)
    (tmp_path / "utf16.json").write_bytes('[{"a": 1}]'.encode("utf-16"))
    with pytest.raises(InputError, match=r"utf16\.json: expected UTF-8, found UTF-16"):
        core.read_json(str(tmp_path / "utf16.json"))
    (tmp_path / "fine.json").write_text('[{"a": 1}]')
    assert core.read_json(tmp_path / "fine.json").values("a")["a"].to_list() == [1]


def test_progress_ends_at_all_bytes(tmp_path: Path) -> None:
    for data in (b"", b' [{"a": 1}, x]', b'{"a": "' + b"x" * 3_000_000 + b'"}\n' * 2, b'{"a": 1}\n' * 300_000):
        (tmp_path / "some.json").write_bytes(data)
        for source in (data, tmp_path / "some.json"):
            seen: list[int] = []
            core.read_json(source, progress=seen.append)
            assert seen == sorted(seen)
            assert seen[-1] == len(data)

    def fail(done: int) -> None:
        raise LookupError(f"at {done}")

    with pytest.raises(LookupError, match="at "):
        core.read_json(b"{}", progress=fail)


def test_longer_records_are_named() -> None:
    records = core.read_json(b'[{"a": 1}, 7, {"a": "xxxxxxxx"}, {}]')
    assert (records.longer(7), records.longer(8), records.longer(0)) == ([0, 1], [1], [0, 1, 2])
