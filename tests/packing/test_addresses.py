"""Packs at addresses: made, found again, read and exported as those of a folder."""

import fsspec
import pytest

import chats
from tunesmith.errors import InputError
from tunesmith.packing import export, pack
from tunesmith.packing.reader import read_pack
from tunesmith.rows import read

ROWS = [{"instruction": f"Say {k}.", "output": f"{k} it is."} for k in range(12)]


@pytest.fixture
def tokenizer(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield chats.tokenizer_folder(tmp_path / "tokenizer", template=chats.CHATML, eos="<|im_end|>")
    memory = fsspec.filesystem("memory")
    if memory.exists("/bucket"):
        memory.rm("/bucket", recursive=True)


def test_a_pack_there_is_the_pack_here(tokenizer, tmp_path):
    there = pack(ROWS, "memory://bucket/packed", tokenizer=tokenizer)
    here = pack(ROWS, tmp_path / "packed", tokenizer=tokenizer)
    assert (there.folder, there.result) == ("memory://bucket/packed", here.result)
    assert pack(ROWS, "memory://bucket/packed", tokenizer=tokenizer).reused
    one, other = read_pack("memory://bucket/packed"), read_pack(tmp_path / "packed")
    assert one.manifest.hash == other.manifest.hash
    assert one.segments.equals(other.segments)
    assert (one.tokenizer_folder / "tokenizer.json").read_bytes() == (other.tokenizer_folder / "tokenizer.json").read_bytes()
    tokens = [export(source, tmp_path / name, trainer="trl").result for name, source in (("a", there.folder), ("b", here.folder))]
    assert tokens[0] == tokens[1]
    with pytest.raises(InputError, match=r"memory://bucket/packed: expected rows .* found an artefact of kind pack"):
        read("memory://bucket/packed")
