"""Tables in several files: the same table, to Tunesmith and to whoever opens it; a damaged part is named."""

import shutil

import duckdb
import polars as pl
import pytest
from pyarrow import parquet

from tunesmith import core
from tunesmith.errors import ArtefactError, OptionError
from tunesmith.rows import Version, read, split, tables, write_version
from tunesmith.rows.streaming import Stream
from tunesmith.rows.tables import files_of, read_table, write_table

FRAME = pl.DataFrame({
    "position": pl.Series(range(10), dtype=pl.UInt64), "text": [f"é{k}" if k % 3 else None for k in range(10)],
    "turns": [[{"role": "user", "content": str(k)}] if k > 6 else None for k in range(10)], "nothing": [None] * 10,
})  # fmt: skip


@pytest.mark.parametrize(("rows", "files"), [(None, 1), (10, 1), (11, 1), (9, 2), (3, 4), (1, 10)])
def test_a_table_is_the_same_however_it_is_cut(tmp_path, rows, files):
    place = tmp_path / "t.parquet"
    assert len(write_table(FRAME, place, rows_per_file=rows)) == files
    assert (len(list(place.glob("*"))) if place.is_dir() else 1) == files
    assert read_table(tmp_path, "t").equals(FRAME)
    assert core.content_hash(read_table(tmp_path, "t")) == core.content_hash(FRAME)
    assert pl.read_parquet(place).equals(FRAME)
    assert pl.scan_parquet(tmp_path / files_of(place, tmp_path)).collect().equals(FRAME)
    assert duckdb.execute("select position from read_parquet($1)", [str(tmp_path / files_of(place, tmp_path))]).fetchall() == [
        (k,) for k in range(10)
    ]
    assert parquet.read_table(place)["position"].to_pylist() == list(range(10))


def test_without_rows_it_is_one_file_with_its_columns(tmp_path):
    write_table(FRAME.clear(), tmp_path / "t.parquet", rows_per_file=1)
    assert (tmp_path / "t.parquet").is_file()
    assert read_table(tmp_path, "t").schema == FRAME.schema


def test_a_large_table_is_cut_into_equal_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "FILE_BYTES", FRAME.estimated_size() // 3)
    sizes = [cut.stop - cut.start for cut in write_table(FRAME, tmp_path / "t.parquet")]
    assert sizes == [4, 4, 2]


def test_what_lay_there_goes(tmp_path):
    place = tmp_path / "t.parquet"
    for rows in (1, 4, None, 2):
        write_table(FRAME, place, rows_per_file=rows)
        assert read_table(tmp_path, "t").equals(FRAME)
    with pytest.raises(OptionError, match="rows per file: expected at least 1, found 0"):
        write_table(FRAME, place, rows_per_file=0)


RECORDS = [{"instruction": f"Say {k}.", "output": str(k)} for k in range(7)]


@pytest.fixture
def cut(tmp_path):
    data = read(RECORDS)
    for name, rows in (("cut", 3), ("whole", None)):
        write_version(tmp_path / name, frame=data.frame, inputs=data.inputs, options={}, rows_per_file=rows)
    return tmp_path / "cut"


def test_a_version_is_the_same_however_it_is_cut(cut):
    one, other = Version.open(cut.parent / "whole"), Version.open(cut)
    assert sorted(path.name for path in (cut / "rows.parquet").iterdir()) == [f"part-0000{k}.parquet" for k in range(3)]
    assert (cut / "ledger.parquet").is_file()
    assert (one.manifest.hash, one.manifest.details["hashes"]) == (other.manifest.hash, other.manifest.details["hashes"])
    assert one.manifest.same_work("version", other.manifest.inputs, other.manifest.options)
    other.verify()
    a, b = read(one.folder), read(cut)
    assert a.frame.equals(b.frame)
    assert list(a.inputs.values()) == list(b.inputs.values())


def test_it_is_read_block_by_block(cut, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", 2)
    blocks = [block.frame for block in Stream(source=cut)]
    assert max(block.height for block in blocks) == 2
    assert pl.concat(blocks).equals(Version.open(cut).frame)


def _lost(part):
    part.unlink()


def _broken(part):
    part.write_bytes(part.read_bytes()[:60])


def _other(part):
    pl.read_parquet(part).with_columns(output=pl.lit("x")).write_parquet(part)


def _swapped(part):
    shutil.copyfile(part.with_name("part-00000.parquet"), part)


@pytest.mark.parametrize(("damage", "said"), [
    (_lost, r"the content of rows \(part-00001.parquet is missing\) is not what its manifest states"),
    (_broken, r"part-00001.parquet of rows cannot be read"),
    (_other, r"the content of rows \(part-00001.parquet\) is not"),
    (_swapped, r"the content of rows \(part-00001.parquet\) is not"),
])  # fmt: skip
def test_the_damaged_part_is_named(cut, damage, said):
    damage(cut / "rows.parquet" / "part-00001.parquet")
    with pytest.raises(ArtefactError, match=said):
        Version.open(cut).verify()


def test_a_part_too_many_is_named(cut):
    shutil.copyfile(cut / "rows.parquet" / "part-00001.parquet", cut / "rows.parquet" / "part-00009.parquet")
    with pytest.raises(ArtefactError, match=r"the content of rows \(part-00009.parquet was not there\)"):
        Version.open(cut).verify()


def test_reading_a_broken_part_names_it(cut):
    _broken(cut / "rows.parquet" / "part-00002.parquet")
    with pytest.raises(ArtefactError, match=r"cut: part-00002\.parquet of rows cannot be read"):
        read(cut)
    with pytest.raises(ArtefactError, match=r"cut: part-00002\.parquet of rows cannot be read"):
        list(Stream(source=cut))


def test_cut_again_by_another_tool_it_is_still_itself(cut):
    frame = pl.read_parquet(cut / "rows.parquet")
    for k in range(3):
        (cut / "rows.parquet" / f"part-0000{k}.parquet").unlink()
    for k in range(7):
        frame[k : k + 1].write_parquet(cut / "rows.parquet" / f"of-another-tool-{k}.parquet")
    Version.open(cut).verify()


def test_versions_and_splits_open_with_datasets(cut, tmp_path):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(cut), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded["instruction"][:] == [f"Say {k}." for k in range(7)]
    parts = {}
    for name, rows in (("s", 2), ("t", None)):
        done = split(cut, tmp_path / name, test=2, validation=1, rows_per_file=rows)
        parts[name] = {part: read(done.folder / part).frame["instruction"].to_list() for part in ("train", "validation", "test")}
    assert parts["s"] == parts["t"]
    assert (tmp_path / "s" / "train" / "rows.parquet").is_dir()
    loaded = datasets.load_dataset(str(tmp_path / "s"), cache_dir=str(tmp_path / "cache"))
    assert {name: part["instruction"][:] for name, part in loaded.items()} == parts["s"]
    # Copied without its manifest, it is a folder of the hub: the card says which files are its rows.
    (cut / "manifest.json").unlink()
    assert read(cut).frame["instruction"].to_list() == [f"Say {k}." for k in range(7)]
