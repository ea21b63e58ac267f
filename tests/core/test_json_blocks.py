"""core.json_blocks, and files that are mapped: the same as what is read whole."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.json_texts import damaged_lines
from tunesmith import core
from tunesmith.errors import InputError


@settings(deadline=None)
@given(damaged_lines(), st.booleans(), st.integers(1, 30))
def test_blocks_are_the_whole(tmp_path_factory: pytest.TempPathFactory, data: bytes, array: bool, size: int) -> None:
    if array:
        data = b"[\n" + data.replace(b"\n", b",\n") + b"\n]"
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = b"{}\n" + data
    whole = core.read_json(data)
    file = tmp_path_factory.mktemp("blocks") / "rows.json"
    file.write_bytes(data)
    for source in (lambda: (data[at : at + size] for at in range(0, len(data), size)), lambda: file):
        if not data and source() is file:
            continue  # nothing can be mapped
        blocks = list(core.json_blocks(source(), size=size))
        for made, parts in ((whole.frame, [block.frame for block in blocks]), (whole.rejects, [block.rejects for block in blocks])):
            assert pl.concat([made.clear(), *parts]).equals(made)
        assert [raw for block in blocks for raw in block.raw()] == whole.raw().to_list()
        assert {key for block in blocks for key in block.keys["key"]} == set(whole.keys["key"])
        assert {block.layout for block in blocks} <= {whole.layout}


def test_a_mapped_file_is_as_a_read_one(tmp_path: Path) -> None:
    rows = [{"a": f"é{k}" * (k % 9), "n": k, "list": [{"b": "x" * k}]} for k in range(3000)]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=k % 2 == 0) for k, row in enumerate(rows)) + "\n{oops")
    read, mapped = core.read_json(file), core.read_json(file, mapped=True)
    assert mapped.frame.equals(read.frame)
    assert mapped.rejects.equals(read.rejects)
    assert mapped.values(["a", "n", "list"]).equals(read.values(["a", "n", "list"]))
    assert mapped.items("list").texts(["b"]).equals(read.items("list").texts(["b"]))
    columns = mapped.texts(["a"], share=True)
    del mapped
    file.write_bytes(b"")
    assert columns["a"].to_list() == [row["a"] for row in rows]


@pytest.mark.parametrize("text", ["short é", "one that is longer than a view: é"])
def test_a_mapped_file_that_was_written_into_is_no_text_by_chance(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{{"a": "{text}"}}\n' * 10_000)
    (blocks,) = core.json_blocks(file)
    mapped = core.read_json(file, mapped=True)
    for records in (mapped, blocks):
        assert records.texts(["a"]).height == 10_000
    with file.open("r+b") as open_file:
        open_file.seek(file.read_bytes().rindex("é".encode()) + 1)
        open_file.write(b"x")
    for records in (mapped, blocks):
        with pytest.raises(InputError, match="has changed since"):
            records.texts(["a"])
        with pytest.raises(InputError, match="has changed since"):
            records.raw()


def test_blocks_of_a_long_damage_are_looked_at_seldom() -> None:
    data = b'[{"a": "' + b"x" * 400_000 + b'\n"}, ' + b'{"a": 1}]'
    blocks = list(core.json_blocks(data[at : at + 1000] for at in range(0, len(data), 1000)))
    assert [len(block) for block in blocks] == [1]
    assert [block.rejects["code"].to_list() for block in blocks] == [["bad_json"]]
