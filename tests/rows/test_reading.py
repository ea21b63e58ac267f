"""Every way to name a source gives the same rows; positions, ids and hashes are what the contracts say."""

import gzip
import io
import json

import polars as pl
import pytest

from tunesmith.rows import Version, ids, read, write_version
from tunesmith.rows.streaming import Stream

RECORDS = [{"instruction": f"Count to {k}.", "input": "" if k % 2 else "slowly", "output": "1 2", "topic": f"t{k}"} for k in range(5)]


def content(data):
    return data.frame.drop("origin")


@pytest.fixture(scope="module")
def expected():
    return content(read(RECORDS))


def write(path):
    text = "\n".join(json.dumps(record) for record in RECORDS)
    frame = pl.DataFrame(RECORDS)
    ending = path.name.split(".", 1)[1]
    if ending == "json":
        path.write_text(json.dumps(RECORDS, indent=2))
    elif ending == "jsonl":
        path.write_text(text)
    elif ending == "jsonl.gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif ending == "jsonl.zst":
        pl.LazyFrame({"line": text.split("\n")}).sink_csv(
            path, include_header=False, quote_style="never", compression="zstd", check_extension=False
        )
    elif ending == "parquet":
        frame.write_parquet(path)
    elif ending == "arrow":
        frame.write_ipc(path)
    else:
        frame.write_csv(path, separator="\t" if ending == "tsv" else ",")
    return path


@pytest.mark.parametrize("ending", ["json", "jsonl", "jsonl.gz", "jsonl.zst", "parquet", "arrow", "csv", "tsv"])
def test_files(tmp_path, ending, expected):
    data = read(write(tmp_path / f"rows.{ending}"))
    # CSV cannot tell "" from nothing; the row id does not either.
    assert content(data).select("position", "row_id", "topic").equals(expected.select("position", "row_id", "topic"))
    assert data.frame["origin"].struct.field("file").unique().to_list() == [f"rows.{ending}"]
    assert data.format == "alpaca"


def test_frames(expected):
    frame = pl.DataFrame(RECORDS)
    for source in (frame, frame.lazy(), frame.to_arrow() if hasattr(frame, "to_arrow") else frame):
        assert content(read(source)).equals(expected)


def test_datasets(expected):
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_list(RECORDS)
    assert content(read(made)).equals(expected)
    assert read(made.select([3, 1])).frame["topic"].to_list() == ["t3", "t1"]
    both = read(datasets.DatasetDict(a=made, b=made))
    assert both.frame["position"].to_list() == list(range(10))


def test_standard_input(monkeypatch, expected):
    class Pipe:
        buffer = io.BytesIO(json.dumps(RECORDS).encode())

    monkeypatch.setattr("sys.stdin", Pipe)
    assert content(read("-")).equals(expected)


def test_folder_glob_and_list_count_positions_over_all(tmp_path):
    for name in ("b.jsonl", "a.jsonl"):
        (tmp_path / name).write_text(json.dumps({"instruction": "x", "output": name}) + '\n{"instruction": ""}\n')
    (tmp_path / ".hidden.jsonl").write_text("{}")
    for source in (tmp_path, str(tmp_path / "*.jsonl"), [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]):
        data = read(source)
        assert data.frame["output"].to_list() == ["a.jsonl", "b.jsonl"]
        assert data.frame["position"].to_list() == [0, 2]
        assert data.rejected["position"].to_list() == [1, 3]
        assert list(data.inputs) == ["a.jsonl", "b.jsonl"]
        assert data.rows == 4


def test_files_of_different_formats_and_columns(tmp_path):
    (tmp_path / "a.json").write_text('[{"instruction": "x", "n": 1}]')
    (tmp_path / "b.json").write_text('[{"messages": [{"role": "user", "content": "y"}], "n": 2.5, "m": "z"}]')
    data = read(tmp_path)
    assert data.format == "alpaca, messages"
    assert data.frame.select("instruction", "n", "m").rows() == [("x", 1.0, None), ("y", 2.5, "z")]


def test_input_hash_is_of_content_not_of_name_or_layout(tmp_path):
    (tmp_path / "one").mkdir()
    first = read(write(tmp_path / "rows.json")).inputs["rows.json"]
    other = read(write(tmp_path / "one" / "renamed.jsonl")).inputs["renamed.jsonl"]
    assert first == other
    assert read([*RECORDS[:-1], {**RECORDS[-1], "topic": "else"}]).inputs["list"] != first
    assert read([*RECORDS, {"instruction": ""}]).inputs["list"] != first


def test_no_records_give_an_empty_frame():
    data = read(pl.DataFrame(RECORDS).clear())
    assert (data.frame.height, data.rows) == (0, 0)
    assert "topic" in data.frame.columns


def test_ids_are_equal_for_equal_content_alone():
    frame = read(
        [
            {"instruction": "a", "input": "", "output": "b", "topic": "x"},
            {"instruction": "a", "output": "b", "topic": "y"},
            {"instruction": "a", "input": "b", "output": ""},
        ]
    ).frame
    same, also, other = frame["row_id"]
    assert same == also != other
    assert len(same) == 32
    chats = [[{"role": "user", "content": "a", "name": name}] for name in (None, "", "n")]
    same, also, other = read([{"messages": messages} for messages in chats]).frame["row_id"]
    assert same == also != other


def test_ids_do_not_depend_on_the_format_of_a_conversation():
    frame = pl.DataFrame({"messages": [[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]]})
    share = [{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}]
    assert read(frame).frame["row_id"].equals(read(share).frame["row_id"])


def test_versions_keep_positions_and_ids(tmp_path):
    data = read(RECORDS)
    kept = data.frame.filter(pl.col("position") != 1)
    write_version(tmp_path / "v", frame=kept, inputs=data.inputs, options={})
    again = read(tmp_path / "v")
    assert again.frame.equals(kept)
    assert again.inputs == {"v": Version.open(tmp_path / "v").manifest.hash}
    # Two sources whose positions meet are numbered anew.
    assert read([tmp_path / "v", tmp_path / "v"]).frame["position"].to_list() == list(range(8))


def test_ids_of_an_edited_frame():
    frame = read(RECORDS).frame
    edited = ids(frame.with_columns(output=pl.when(pl.col("position") == 2).then(pl.lit("new")).otherwise("output")))
    assert (edited["row_id"] != frame["row_id"]).to_list() == [False, False, True, False, False]


def test_columns_of_any_type_stay_as_they_came():
    own = pl.DataFrame(
        {
            "when": pl.Series([0]).cast(pl.Datetime("us")),
            "raw": [b"\xff"],
            "price": pl.Series([1.5]).cast(pl.Decimal(10, 2)),
            "kind_of": pl.Series(["x"], dtype=pl.Categorical),
            "pair": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)),
            "deep": [[{"a": [1, None]}]],
        }
    )
    data = read(own.with_columns(instruction=pl.lit("a")))
    assert data.frame.select(own.columns).equals(own.with_columns(pl.col("kind_of").cast(pl.String)))
    assert len(data.inputs["DataFrame"]) == 32


def test_rows_that_pass_are_the_same_without_ids(tmp_path):
    write(tmp_path / "rows.jsonl")
    (block,) = Stream(source=tmp_path / "rows.jsonl", passing=True)
    assert block.frame["row_id"].null_count() == len(RECORDS)
    assert content(block).equals(content(read(tmp_path / "rows.jsonl")).with_columns(row_id=pl.lit(None, dtype=pl.String)))


def test_what_verbs_give_is_a_source(tmp_path):
    from tunesmith import curate, restore, split

    records = [{"instruction": f"Name {k} of {k * 7}", "output": "x"} for k in range(9)] + [{"instruction": "Name 0 of 0", "output": "x"}]
    written, held = curate(records, out=tmp_path / "v"), curate(records)
    again = restore(tmp_path / "v", rule="exact_duplicate")
    parts = split(Version.open(tmp_path / "v"), tmp_path / "s", test=2, validation=2)
    for source, rows, name in (
        (written, 9, "v"), (held, 9, "Curated"), (again, 10, "Restored"), (Version.open(tmp_path / "v"), 9, "v"),
        (read(records), 10, "list"),
    ):  # fmt: skip
        data = read(source)
        assert (data.frame.height, list(data.inputs)) == (rows, [name])
    assert read(held).frame["row_id"].equals(written.frame["row_id"])
    assert list(read(parts).inputs) == ["train", "validation", "test"]


@pytest.mark.parametrize("name", ["a[b]", "a*", "a?b", "a{b}", "ä b"])
def test_names_that_look_like_patterns(tmp_path, name):
    from tunesmith import check, curate, split

    home = tmp_path / name
    home.mkdir()
    frame = pl.DataFrame({"instruction": [f"Name {k} of {k * 7}" for k in range(9)], "output": ["x"] * 9})
    frame.write_parquet(home / f"{name}.parquet")
    frame.write_ipc(home / f"{name}.arrow")
    assert read(home / f"{name}.arrow").frame.height == 9
    curate(home / f"{name}.parquet", out=home / f"v{name}", rows_per_file=4)
    split(home / f"v{name}", home / f"s{name}", test=2, validation=2)
    assert [check(home / each).result["rows"] for each in (f"v{name}", f"s{name}")] == [9, 9]
