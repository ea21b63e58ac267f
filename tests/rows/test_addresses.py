"""Addresses, over fsspec's file system in memory: files, patterns, folders, and what goes wrong."""

import gzip
import json

import fsspec
import polars as pl
import pytest
from click.testing import CliRunner

from tunesmith.cli import main
from tunesmith.errors import InputError, MissingExtraError
from tunesmith.rows import contents, read
from tunesmith.rows.streaming import Stream

RECORDS = [{"instruction": f"a{k}", "output": "b"} for k in range(9)]


@pytest.fixture
def store():
    memory = fsspec.filesystem("memory")
    with memory.open("/bucket/data/train-0.jsonl.gz", "wb") as file:
        file.write(gzip.compress("\n".join(map(json.dumps, RECORDS[:4])).encode()))
    with memory.open("/bucket/data/train-1.parquet", "wb") as file:
        pl.DataFrame(RECORDS[4:]).write_parquet(file)
    with memory.open("/bucket/README.md", "wb") as file:
        file.write(b"# No data here")
    yield memory
    memory.rm("/bucket", recursive=True)


def test_a_folder_a_file_and_a_pattern(store):
    data = read("memory://bucket")
    assert data.frame["instruction"].to_list() == [record["instruction"] for record in RECORDS]
    assert list(data.inputs) == ["data/train-0.jsonl.gz", "data/train-1.parquet"]
    assert read("memory://bucket/data/train-1.parquet").frame.height == 5
    assert read("memory://bucket/data/*.gz").frame["origin"].struct.field("file").unique().to_list() == ["train-0.jsonl.gz"]
    local = read(RECORDS[:4])
    assert read("memory://bucket/data/train-0.jsonl.gz").frame.drop("origin").equals(local.frame.drop("origin"))


def test_blocks_of_what_lies_elsewhere(store, monkeypatch):
    monkeypatch.setattr(contents, "CHUNK", 60)
    stream = Stream(source="memory://bucket/data/train-0.jsonl.gz")
    assert [record for block in stream for record in block.frame["instruction"]] == ["a0", "a1", "a2", "a3"]


def test_what_is_not_there(store):
    for address in ("memory://bucket/nothing", "memory://bucket/*.csv"):
        with pytest.raises(InputError, match=r"no such file or folder"):
            read(address)
    store.rm("/bucket/data", recursive=True)
    with pytest.raises(InputError, match=r"memory://bucket: expected data files \(\.json, .* found README\.md"):
        read("memory://bucket")
    with pytest.raises(InputError, match="nowhere://bucket: expected an address that begins with s3://, gs://"):
        read("nowhere://bucket")


def test_what_a_file_system_raises_is_told_in_one_line(store, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("Forbidden\nwith a page of HTML")

    monkeypatch.setattr(type(store), "find", refuse)
    done = CliRunner().invoke(main, ["check", "memory://bucket"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "memory://bucket: cannot be read: PermissionError: Forbidden; check the address" in done.stderr


@pytest.mark.parametrize(("address", "package", "extra"), [
    ("s3://b/k.jsonl", "s3fs", "s3"), ("gs://b", "gcsfs", "gcs"), ("az://b/k", "adlfs", "azure"),
    ("hf://datasets/o/n", "huggingface_hub", "hub"), ("https://h/k.json", "aiohttp", "http"),
])  # fmt: skip
def test_a_missing_package_is_one_line(monkeypatch, address, package, extra):
    def missing(*_, **__):
        raise ImportError("no such thing")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingExtraError) as error:
        read(address)
    assert str(error.value) == f"{address}: reading it needs {package}, which is not installed: pip install 'tunesmith[{extra}]'"
