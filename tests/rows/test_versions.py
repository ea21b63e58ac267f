"""A version on disk: whole, verified, and open to plain Polars and datasets."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from tunesmith.artefact import finished
from tunesmith.cli import main
from tunesmith.errors import ArtefactError
from tunesmith.rows import Version, read, schema, split, write_version

RECORDS = [{"instruction": f"Say {k}.", "output": str(k), "topic": "t|<b>"} for k in range(4)] + [{"instruction": 5}]


@pytest.fixture
def version(tmp_path):
    data = read(RECORDS)
    ledger = pl.DataFrame({"position": [3], "step": ["s"], "action": ["drop"]}, schema_overrides={"position": pl.UInt64})
    ledger = pl.concat([pl.DataFrame(schema=schema.LEDGER), ledger], how="diagonal")
    write_version(
        tmp_path / "v",
        frame=data.frame.head(3),
        removed=data.frame.tail(1),
        ledger=ledger,
        rejected=data.rejected,
        inputs=data.inputs,
        options={"a": (1, 2)},
        result={"kept": 3},
        details={"recipe": {"steps": []}},
    )
    return data, tmp_path / "v"


def test_opens_as_it_was_written(version):
    data, folder = version
    opened = Version.open(folder)
    assert opened.frame.equals(data.frame.head(3))
    assert opened.removed.equals(data.frame.tail(1))
    assert opened.rejected.equals(data.rejected)
    assert opened.ledger.schema == schema.LEDGER
    assert opened.values["position"].to_list() == [0, 1, 2]
    assert opened.edges.schema == schema.EDGES
    assert (opened.manifest.result, opened.manifest.details["recipe"]) == ({"kept": 3}, {"steps": []})
    opened.verify()
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "edges.parquet", "ledger.parquet", "manifest.json",
        "rejects.jsonl", "removed.parquet", "rows.parquet", "values.parquet",
    ]  # fmt: skip


def test_same_work_is_found_finished(version):
    data, folder = version
    assert finished(folder, kind="version", inputs=data.inputs, options={"a": [1, 2]}).result == {"kept": 3}
    with pytest.raises(ArtefactError, match="--force"):
        finished(folder, kind="version", inputs=data.inputs, options={"a": [1]})


@pytest.mark.parametrize(("name", "column"), [("rows", "output"), ("removed", "output"), ("ledger", "step")])
def test_a_changed_table_is_noticed(version, name, column):
    _, folder = version
    file = folder / f"{name}.parquet"
    pl.read_parquet(file).with_columns(pl.lit("changed").alias(column)).write_parquet(file)
    with pytest.raises(ArtefactError, match=f"the content of {name} is not what its manifest states"):
        Version.open(folder).verify()


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_check_verifies_what_it_opens(version, tmp_path):
    _, folder = version
    done = run("check", folder, "--json")
    assert (done.exit_code, json.loads(done.stdout)["valid"]) == (0, 3)
    split(read([{"instruction": f"Say {k} of {k * 7}.", "output": "x"} for k in range(9)]), tmp_path / "s", test=3, validation=2)
    assert run("check", tmp_path / "s", "--json").exit_code == 0
    (tmp_path / "s" / "test" / "values.parquet").unlink()
    (folder / "rejects.jsonl").write_text("not as it was\n")
    for changed, name in ((folder, "rejects"), (tmp_path / "s", "values")):
        done = run("check", changed, "--json")
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"{name} cannot be read" in done.stderr
        assert "it was changed after it was made" in done.stderr


def test_a_damaged_manifest_makes_no_other_folder_of_it(version, tmp_path):
    _, folder = version
    file, whole = folder / "manifest.json", (folder / "manifest.json").read_bytes()
    for damaged, message in (
        (whole.replace(b"{", b"z", 1), "expected JSON"), (whole.replace(b'"format": 1', b'"format": 2'), "a newer tunesmith"),
        (whole.replace(b'"inputs"', b'"inp\xff'), "expected JSON"), (whole.replace(b'"hash"', b'"hush"', 1), "found no hash"),
    ):  # fmt: skip
        file.write_bytes(damaged)
        done = run("check", folder, "--json")
        assert (done.exit_code, done.stdout, message in done.stderr) == (2, "", True), done.stderr
    file.write_text('{"name": "of another tool"}')
    assert run("check", folder, "--json").exit_code == 0, "a folder of files"


def test_a_changed_row_fails_the_check(version):
    _, folder = version
    file = folder / "rows.parquet"
    pl.read_parquet(file).with_columns(output=pl.lit("changed")).write_parquet(file)
    done = run("check", folder)
    assert done.exit_code == 2
    assert "the content of rows is not what its manifest states" in done.stderr


def test_file_bytes_do_not_count(version):
    _, folder = version
    file = folder / "rows.parquet"
    pl.read_parquet(file).write_parquet(file, compression="snappy", row_group_size=1)
    Version.open(folder).verify()


def test_other_folders_are_no_versions(tmp_path):
    with pytest.raises(ArtefactError, match=r"expected a version, found a folder without manifest\.json"):
        Version.open(tmp_path)


def test_opens_with_datasets_and_never_from_a_stale_cache(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    for count in (3, 2):
        frame = read([{"instruction": f"{k}", "output": "x", "history": [["a", "b"]]} for k in range(count)]).frame
        write_version(tmp_path / "same-name", frame=frame, inputs={}, options={})
        loaded = datasets.load_dataset(str(tmp_path / "same-name"), split="train", cache_dir=str(tmp_path / "cache"))
        assert loaded["instruction"][:] == [f"{k}" for k in range(count)]


def test_opens_with_duckdb(version):
    duckdb = pytest.importorskip("duckdb")
    data, folder = version
    asked = "select position, row_id, origin.record, instruction, messages, weight, topic from read_parquet($1) order by position"
    rows = duckdb.execute(asked, [str(folder / "rows.parquet")]).fetchall()
    assert rows == [(k, data.frame["row_id"][k], k, f"Say {k}.", None, 1.0, "t|<b>") for k in range(3)]
    counted = duckdb.execute("select action, count(*) from read_parquet($1) group by all", [str(folder / "ledger.parquet")]).fetchall()
    assert counted == [("drop", 1)]


def test_the_head_of_the_card_is_the_hubs(version):
    hub = pytest.importorskip("huggingface_hub")
    _, folder = version
    head = hub.DatasetCard.load(folder / "README.md").data.to_dict()
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "rows.parquet"}]
    assert (head["pretty_name"], head["task_categories"], head["size_categories"]) == ("v", ["text-generation"], ["n<1K"])


def test_card_is_made_of_figures_and_safe_cells(version):
    _, folder = version
    text = (folder / "README.md").read_text()
    assert "3 rows" in text
    assert "| instruct rows | 3 |" in text
    assert "| characters of the prompt (median, 99th percentile) | 6, 6 |" in text
    assert "| columns of its own | topic |" in text
    assert Version.open(folder).manifest.hash in text


def test_rejects_of_a_version_are_lines_to_mend(version):
    _, folder = version
    (line,) = (folder / "rejects.jsonl").read_text().splitlines()
    assert json.loads(line)["instruction"] == 5
