"""Every container and encoding gives the same rows, whole and block by block; what is damaged says where."""

import gzip
import io
import json
import subprocess
import sys

import polars as pl
import pytest

from tunesmith import core
from tunesmith.errors import InputError
from tunesmith.rows import contents, read, readers
from tunesmith.rows.streaming import Stream

RECORDS = [
    {"instruction": f"Zähle bis {k} 中.", "input": "" if k % 2 else "langsam", "output": "1 — 2 𝄞", "topic": f"t{k}"} for k in range(7)
]
FRAME = pl.DataFrame(RECORDS)
TEXTS = {
    "array.json": json.dumps(RECORDS, ensure_ascii=False, indent=2),
    "line.json": json.dumps(RECORDS),
    "rows.jsonl": "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS),
    "rows.ndjson": "\n".join(json.dumps(record) for record in RECORDS),
    "together.json": "".join(json.dumps(record) for record in RECORDS),
    "pretty.json": "\n".join(json.dumps(record, indent=1) for record in RECORDS),
    "columns.json": json.dumps({key: [record[key] for record in RECORDS] for key in RECORDS[0]}, ensure_ascii=False, indent=1),
    "pandas.json": json.dumps({key: {str(k): record[key] for k, record in enumerate(RECORDS)} for key in RECORDS[0]}),
    "split.json": json.dumps({"columns": list(RECORDS[0]), "index": [0], "data": [list(record.values()) for record in RECORDS]}),
    "named.json": json.dumps({f"row{k}": record for k, record in enumerate(RECORDS)}),
    "wrapped.json": json.dumps({"version": "1", "data": RECORDS, "source": {"url": "x"}}, indent=1),
    "rows.csv": FRAME.write_csv(),
    "semicolons.csv": FRAME.write_csv(separator=";"),
    "rows.tsv": FRAME.write_csv(separator="\t"),
}
ENCODINGS = {
    "plain": lambda text: text.encode(),
    "bom": lambda text: text.encode("utf-8-sig"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: "\ufeff".encode("utf-16-be") + text.encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32"),
}


def zstd(data):
    """Pack as zstd does: a frame of raw blocks, in three frames, the second of nothing but a note that readers skip."""
    frames = b""
    for part in (data[: len(data) // 2], None, data[len(data) // 2 :]):
        if part is None:
            frames += b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
            continue
        frames += b"\x28\xb5\x2f\xfd\x00\x58"
        pieces = [part[k : k + 60_000] for k in range(0, len(part), 60_000)] or [b""]
        for k, piece in enumerate(pieces):
            frames += (len(piece) << 3 | (k == len(pieces) - 1)).to_bytes(3, "little") + piece
    return frames


def rows(frame):
    return frame.select("position", "row_id", "instruction", pl.col("input").fill_null(""), "output", "topic")


EXPECTED = rows(read(RECORDS).frame)


def check(path, file=None):
    data = read(path)
    assert rows(data.frame).equals(EXPECTED)
    assert data.rejected.is_empty()
    assert data.format == "alpaca"
    assert data.frame["origin"].struct.field("record").to_list() == list(range(7))
    stream = Stream(source=path)
    assert rows(pl.concat([block.frame for block in stream])).equals(EXPECTED)
    assert (stream.formats, stream.notes) == (data.format, data.notes)
    return data


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", TEXTS)
def test_texts(tmp_path, name, encoding):
    path = tmp_path / name
    path.write_bytes(ENCODINGS[encoding](TEXTS[name]))
    check(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("name", [*TEXTS, "rows.parquet", "rows.arrow", "stream.arrow", "rows.feather"])
def test_packed(tmp_path, name, pack):
    if name in TEXTS:
        data = TEXTS[name].encode("utf-16" if name == "rows.csv" else "utf-8")
    else:
        file = io.BytesIO()
        {"rows.parquet": FRAME.write_parquet, "stream.arrow": FRAME.write_ipc_stream}.get(name, FRAME.write_ipc)(file)
        data = file.getvalue()
        (tmp_path / name).write_bytes(data)
        check(tmp_path / name)
    path = tmp_path / f"{name}.{'gz' if pack is gzip.compress else 'zst'}"
    path.write_bytes(pack(data))
    check(path)


@pytest.mark.parametrize("name", ["rows.jsonl", "array.json", "rows.csv", "rows.tsv"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
def test_standard_input_and_files_without_an_ending(tmp_path, monkeypatch, name, pack):
    data = pack(TEXTS[name].encode())
    (tmp_path / "rows").write_bytes(data)
    check(tmp_path / "rows")

    class Pipe:
        buffer = io.BytesIO(data)

    monkeypatch.setattr("sys.stdin", Pipe)
    assert rows(read("-").frame).equals(EXPECTED)


def test_a_pipe_in_place_of_a_file(tmp_path):
    (tmp_path / "rows.jsonl").write_text(TEXTS["rows.jsonl"])
    command = f"{sys.executable} -m tunesmith check <(cat {tmp_path / 'rows.jsonl'}) --json"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["valid"] == 7


def test_what_one_object_holds_is_told(tmp_path):
    (tmp_path / "a.json").write_text(TEXTS["columns.json"])
    (tmp_path / "b.json").write_text(TEXTS["wrapped.json"])
    assert read(tmp_path).notes == (
        "a.json: one object, read as columns",
        'b.json: one object, read as the list of records under "data"; "version", "source" beside it stays unread',
    )
    damaged = json.loads(TEXTS["wrapped.json"])
    damaged["data"][2] = 7
    (tmp_path / "b.json").write_text(json.dumps(damaged))
    data = read(tmp_path / "b.json")
    assert (data.frame.height, data.rejected.select("record", "code").rows()) == (6, [(2, "not_object")])


@pytest.mark.parametrize("columns", [
    {"messages": [[{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]]},
    {"conversations": [[{"from": "human", "value": "a"}], [{"from": "human", "value": "b"}]],
     "chosen": [{"from": "gpt", "value": "c"}, {"from": "gpt", "value": "d"}],
     "rejected": [{"from": "gpt", "value": "e"}, {"from": "gpt", "value": "f"}]},
    {"message_tree_id": ["m", "n"],
     "prompt": [{"text": text, "role": "prompter", "replies": [{"text": "c", "role": "assistant", "replies": []}]} for text in "ab"]},
])  # fmt: skip
def test_columns_of_conversations_by_field(tmp_path, columns):
    records = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    (tmp_path / "a.json").write_text(json.dumps(columns))
    data = read(tmp_path / "a.json")
    assert data.frame["row_id"].to_list() == read(records).frame["row_id"].to_list()
    assert (data.frame.height, data.notes[0]) == (2, "a.json: one object, read as columns")


@pytest.mark.parametrize("record", [
    {"messages": [{"role": "user", "content": "a"}]},
    {"chosen": [{"role": "assistant", "content": "a"}], "rejected": [{"role": "assistant", "content": "b"}],
     "prompt": [{"role": "user", "content": "q"}]},
    {"instruction": "a", "history": [["b", "c"]]},
])  # fmt: skip
def test_one_row_is_no_table(tmp_path, record):
    (tmp_path / "one.jsonl").write_text(json.dumps(record))
    data = read(tmp_path / "one.jsonl")
    assert (data.frame.height, data.notes) == (1, ())


def test_columns_of_conversations(tmp_path):
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    (tmp_path / "talks.json").write_text(json.dumps({"messages": [talk, talk], "n": [1, 2]}))
    data = read(tmp_path / "talks.json")
    assert (data.format, data.frame["n"].to_list()) == ("messages", [1, 2])


def test_wrong_encodings_name_the_byte(tmp_path):
    latin = TEXTS["rows.jsonl"].replace("中", "").replace("—", "").replace("𝄞", "").encode("latin-1")
    (tmp_path / "rows.jsonl").write_bytes(latin)
    data = read(tmp_path / "rows.jsonl")
    first = data.rejected.row(0, named=True)
    assert (data.rows, first["code"], first["line"]) == (7, "bad_utf8", 1)
    assert first["found"] == f"byte 0xE4 at byte {latin.index(0xE4)}"
    (tmp_path / "half.jsonl").write_bytes(TEXTS["rows.jsonl"].encode("utf-16")[:-1])
    with pytest.raises(InputError, match=r"half\.jsonl: expected UTF-16-LE.* found bytes 0a at byte \d+"):
        read(tmp_path / "half.jsonl")
    (tmp_path / "bare.jsonl").write_bytes(TEXTS["rows.jsonl"].encode("utf-16-be"))
    check(tmp_path / "bare.jsonl")


@pytest.mark.parametrize("pack", ["gz", "zst"])
def test_damaged_archives_say_so(tmp_path, pack):
    data = TEXTS["rows.jsonl"].encode() * 100
    whole = gzip.compress(data) if pack == "gz" else zstd(data)
    (tmp_path / f"rows.jsonl.{pack}").write_bytes(whole[:-20])
    with pytest.raises(InputError, match=rf"rows\.jsonl\.{pack}: "):
        read(tmp_path / f"rows.jsonl.{pack}")


def test_zstd_is_read_in_any_steps():
    data = bytes(range(256)) * 1000
    stream = core.unzstd(io.BytesIO(zstd(data)))
    parts = []
    while part := stream.read(777):
        parts.append(part)
    assert b"".join(parts) == data

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        core.unzstd(Broken()).read()


def test_blocks_are_what_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "CHUNK", 200)
    monkeypatch.setattr(readers, "BLOCK", 5)
    monkeypatch.setattr("tunesmith.rows.delimited.ROWS", 5)
    records = [{"instruction": f"a{k}", "output": "b"} if k % 7 else {"instruction": k, "output": None} for k in range(60)]
    records[50] = {"instruction": "late", "history": [["c", "d"]], "extra": 1}
    lines = [json.dumps(record) for record in records]
    lines[20:20] = ["{broken", "", '"text"']
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    (tmp_path / "rows.json").write_text("[\n" + ",\n".join(lines[:20] + lines[23:]) + "\n]")
    frame = pl.DataFrame({"instruction": [f"a{k}" if k % 7 else "" for k in range(23)]})
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_csv(tmp_path / "rows.csv")
    for source in (tmp_path / "rows.jsonl", tmp_path / "rows.json", tmp_path / "rows.parquet", tmp_path / "rows.csv", tmp_path, frame):
        stream = Stream(source=source)
        blocks = list(stream)
        whole = read(source)
        assert len(blocks) > 3
        common = pl.concat([block.frame.select(whole.frame.columns[:12]) for block in blocks])
        assert common.equals(whole.frame.select(common.columns))
        assert pl.concat([block.rejected for block in blocks]).equals(whole.rejected)
        assert sum(block.rows for block in blocks) == whole.rows
        assert (stream.formats, stream.notes) == (whole.format, whole.notes)


def row(k, **more):
    return {"instruction": f"Ask {k}", "output": f"Say {k}", **more}


WHOLE = {
    "texts": [row(k, topic="a") for k in range(40)],
    "whole numbers, then fractions": [row(k, score=k if k < 30 else k / 2) for k in range(40)],
    "large numbers late": [row(k, score=k if k < 30 else 2**63 + k) for k in range(40)],
    "numbers, then text": [row(k, score=k if k < 30 else str(k)) for k in range(40)],
    "nothing for long": [row(k, score=None if k < 30 else k) for k in range(40)],
    "absent at first": [row(k) if k < 30 else row(k, score=k) for k in range(40)],
    "a field of another format late": [row(k) if k < 30 else {"messages": [{"role": "user", "content": "a"}]} for k in range(40)],
    "history late": [row(k) if k < 30 else row(k, history=[["a", "b"]]) for k in range(40)],
    "lists": [row(k, tags=[k] if k % 2 else []) for k in range(40)],
    "objects with a new field": [row(k, about={"a": k} if k < 30 else {"b": k}) for k in range(40)],
    "rejects": [row(k) if k % 9 else {"instruction": k} for k in range(40)],
    "conversations": [{"messages": [{"role": "user", "content": f"{k}"}, {"role": "assistant", "content": "b"}]} for k in range(40)],
    "own positions that meet": [{"position": k % 30, "row_id": None, "kind": "instruct", **row(k)} for k in range(40)],
    "own positions": [{"position": 3 * k, "row_id": None, "kind": "instruct", **row(k)} for k in range(40)],
    "turns with fields that no row holds": [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "mood": k}], "score": k if k < 30 else "x"}
        for k in range(40)
    ],
}


@pytest.mark.parametrize("records", WHOLE.values(), ids=WHOLE)
def test_a_large_file_is_read_whole_as_a_small_one(records, tmp_path, monkeypatch):
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, records)))
    small = read(tmp_path / "rows.jsonl")
    monkeypatch.setattr(contents, "CHUNK", 300)
    large = read(tmp_path / "rows.jsonl")
    assert large.frame.equals(small.frame)
    assert large.frame.schema == small.frame.schema
    assert large.rejected.equals(small.rejected)
    assert (large.format, large.inputs, large.notes) == (small.format, small.inputs, small.notes)
