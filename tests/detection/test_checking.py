"""`check` counts block by block what it finds in all rows at once."""

import json

import pytest

from tunesmith.detection import check
from tunesmith.errors import InputError, OptionError
from tunesmith.rows import contents, read, readers
from tunesmith.rows.rejects import read_rejects

RECORDS = [
    {"instruction": f"Say {k}.", "input": "" if k % 5 else "n/a", "output": f"It is {k} &quot;really&quot;." if k % 7 else "", "n": k}
    for k in range(60)
]


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "CHUNK", 500)
    monkeypatch.setattr(readers, "BLOCK", 11)
    lines = [json.dumps(record) for record in RECORDS]
    lines[9], lines[41] = '{"instruction": "", "output": 3}', "{broken"
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    return tmp_path / "rows.jsonl"


def test_blocks_count_what_all_rows_give(source, tmp_path):
    whole = check(source, tmp_path / "whole.jsonl")
    blocks = check(source, tmp_path / "blocks.jsonl", keep=False)
    assert blocks.result == whole.result
    assert blocks.tally == whole.tally
    assert (blocks.data, blocks.findings) == (None, None)
    assert (whole.result["rows"], whole.result["reasons"]) == (60, {"bad_json": 1, "empty_prompt": 1, "wrong_type": 1})
    assert whole.tally.severities["fatal"] > 0
    assert (tmp_path / "whole.jsonl").read_text() == (tmp_path / "blocks.jsonl").read_text()
    assert read_rejects(tmp_path / "blocks.jsonl").equals(whole.data.rejected)
    frame = read(source).frame
    assert check(frame, keep=False).result == check(frame).result


def test_rejects_that_were_not_written_leave_nothing(source, tmp_path):
    with pytest.raises(InputError, match="rejected records cannot be written there"):
        check(source, tmp_path / "gone" / "mend.jsonl", keep=False)
    source.write_bytes(source.read_bytes().decode().encode("utf-16")[:-1])
    with pytest.raises(InputError, match="expected UTF-16"):
        check(source, tmp_path / "mend.jsonl", keep=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl"]


@pytest.mark.parametrize(
    ("late", "read_again"),
    [
        ({"instruction": "Late.", "note": "x"}, False),  # a field of the user's: nothing depends on it
        ({"instruction": "Late.", "history": [["a", "b"]], "output": "c"}, True),
        ({"messages": [{"role": "user", "content": "a"}]}, True),  # another format, by all fields
    ],
)
def test_a_field_that_comes_late(tmp_path, monkeypatch, late, read_again):
    monkeypatch.setattr(contents, "CHUNK", 500)
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in [*RECORDS, late, *RECORDS[:20]]))
    given, ahead = [], readers.FileReader.blocks

    def counted(self, *, ahead_=ahead, **options):
        given.append(options["ahead"])
        return ahead_(self, **options)

    monkeypatch.setattr(readers.FileReader, "blocks", counted)
    blocks = check(source, tmp_path / "blocks.jsonl", keep=False)
    assert given == ([False, True] if read_again else [False])
    whole = check(source, tmp_path / "whole.jsonl")
    assert blocks.result == whole.result
    assert blocks.tally == whole.tally
    assert (tmp_path / "whole.jsonl").read_text() == (tmp_path / "blocks.jsonl").read_text()


def test_what_the_first_block_lacks_may_come_later(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "CHUNK", 500)
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps({"odd": f"{k}"}) + "\n" for k in range(60)) + '{"instruction": "Late.", "mine": "x"}\n')
    assert check(source, keep=False).result == check(source).result
    mapping = {"mine": "output"}
    assert check(source, keep=False, mapping=mapping).result == check(source, mapping=mapping).result
    with pytest.raises(OptionError, match='a field "absent" that is not there'):
        check(source, keep=False, mapping={"absent": "output"})
