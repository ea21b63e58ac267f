"""Which files of a folder are read: as the hub and `datasets` lay folders out."""

import json

import pytest

from tunesmith.rows import read
from tunesmith.rows.folders import choose


def chosen(files, **texts):
    texts = {name.replace("__", "."): text for name, text in texts.items()}
    return choose("data", [*files, *texts], lambda name: texts[name])


def test_every_data_file_but_what_is_hidden_or_beside_data():
    found = chosen(["b.csv", "a.jsonl.gz", ".git/x.json", "_old/y.json", "notes.md", "sub/c.parquet", "dataset_infos.json"])
    assert found.names == ("a.jsonl.gz", "b.csv", "sub/c.parquet")
    assert found.notes == ()


def test_splits_are_told():
    found = chosen(["data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"])
    assert found.names == ("data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet")
    assert found.notes == ("data: all its splits are read, one after the other: train, test (name one to read it alone)",)


CONFIGS = """---
license: mit
configs:
- config_name: other
  data_files: other/*.jsonl
- config_name: mine
  default: true
  data_files:
  - split: train
    path: [data/train-*.parquet, more/**/*.jsonl]
  - {split: test, path: data/test-*.parquet}
---
# A card
"""


def test_a_card_says_what_is_read():
    files = ["data/train-1.parquet", "data/train-0.parquet", "data/test-0.parquet", "other/x.jsonl", "more/a/b/y.jsonl", "data/readme.txt"]
    found = chosen(files, README__md=CONFIGS)
    assert found.names == ("data/train-0.parquet", "data/train-1.parquet", "more/a/b/y.jsonl", "data/test-0.parquet")
    assert found.notes[0] == "data: read as its card's mine; its others are other (name their files)"
    assert "train, test" in found.notes[1]
    assert chosen(["other/x.jsonl"], README__md=CONFIGS.replace("default: true", "default: false")).names == ("other/x.jsonl",)


@pytest.mark.parametrize(
    "card", ["# None", "---\nconfigs: 3\n---\n", "---\n: [\n---\n", "---\nconfigs:\n- config_name: a\n  data_files: gone/*\n---\n"]
)
def test_a_card_that_says_nothing_hides_nothing(card):
    assert chosen(["a.json"], README__md=card).names == ("a.json",)


def test_what_save_to_disk_wrote(tmp_path):
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_list([{"instruction": f"a{k}", "output": "b"} for k in range(6)])
    datasets.DatasetDict(train=made, test=made.select([0])).save_to_disk(tmp_path / "both", num_shards={"train": 2, "test": 1})
    data = read(tmp_path / "both")
    assert data.frame["instruction"].to_list() == ["a0", "a1", "a2", "a3", "a4", "a5", "a0"]
    assert data.notes == ("both: all its splits are read, one after the other: train, test (name one to read it alone)",)
    made.save_to_disk(tmp_path / "one")
    (tmp_path / "one" / "cache-1f.arrow").write_bytes(b"no data")
    assert read(tmp_path / "one").frame.height == 6
    assert json.loads((tmp_path / "one" / "state.json").read_text())["_data_files"]
