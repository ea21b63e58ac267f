"""What uploads tell: the bytes that lie at the address, of all that will."""

from contextlib import contextmanager

import fsspec
import pytest

from tunesmith.curation import curate
from tunesmith.errors import InputError
from tunesmith.progress import Silent
from tunesmith.rows import convert
from tunesmith.stores import Store

RECORDS = [{"instruction": f"Say {k} of {k * 7}.", "output": str(k)} for k in range(9)]
STEPS = {"steps": []}
AT = "memory://bucket/told"


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    yield memory
    memory.rm("/bucket", recursive=True)


def breaking(whole, at):
    """Let the store break when it gets this file."""

    def put_file(self, lpath, rpath, **rest):
        if rpath.endswith(at):
            raise ConnectionError("gone")
        whole(self, lpath, rpath, **rest)

    return put_file


def test_how_much_was_sent_is_told(store, monkeypatch):
    told: dict[str, list] = {}

    class Told(Silent):
        @contextmanager
        def task(self, label, total=None):
            told[label] = [total]
            yield told[label].append

    with monkeypatch.context() as patched:
        patched.setattr(type(store), "put_file", breaking(type(store).put_file, "removed.parquet"))
        with pytest.raises(InputError):
            curate(RECORDS, STEPS, out=AT, progress=Told())
    total, *done = told.pop(f"Sending to {AT}, bytes")
    assert (done, done[-1] < total) == (sorted(done), True)
    curate(RECORDS, STEPS, out=AT, progress=Told())
    there = {name: info["size"] for name, info in Store(AT).files().items()}
    assert told[f"Sending to {AT}, bytes"][-1] == told[f"Sending to {AT}, bytes"][0] == sum(there.values()) - there["manifest.json"]
    convert(RECORDS, "memory://bucket/rows.jsonl", to="messages", progress=Told())
    total, *done = told["Sending to memory://bucket/rows.jsonl, bytes"]
    assert done[-1] == total == store.size("/bucket/rows.jsonl")
