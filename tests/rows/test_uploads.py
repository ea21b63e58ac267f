"""Artefacts at addresses, over fsspec's file system in memory: manifest last, resumed, never over what is not ours."""

import json
from pathlib import Path

import fsspec
import polars as pl
import pytest
from click.testing import CliRunner

from tunesmith import copies, uploads
from tunesmith.artefact import is_artefact
from tunesmith.cli import main
from tunesmith.curation import curate, diff, edits, explain, restore, what_if
from tunesmith.diagnosis import patch_apply, patch_undo
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.packing import export
from tunesmith.rows import Version, convert, read, split, write_version
from tunesmith.stores import Store, cache_folder

RECORDS = [{"instruction": f"Say {k} of {k * 7}.", "output": str(k)} for k in range(9)]
STEPS = {"steps": [{"filter": {"name": "short", "words": {"min": 1, "of": "prompt"}}}]}
AT = "memory://bucket/v1"


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    yield memory
    if memory.exists("/bucket"):
        memory.rm("/bucket", recursive=True)


def names(store, below="/bucket/v1"):
    return sorted(path.removeprefix(f"{below}/") for path in store.find(below))


def written(address=AT, frame=None, **options):
    frame = read(RECORDS).frame if frame is None else frame
    return write_version(address, frame=frame, inputs={"a": "b"}, options={}, **options)


GONE = ConnectionError("gone")


def broken(monkeypatch, after, error=GONE):
    """Let the store break when so many files were sent."""
    sent = []
    whole = Store.send

    def send(self, file, name, *told):
        if len(sent) == after:
            raise error
        sent.append(name)
        return whole(self, file, name, *told)

    monkeypatch.setattr(Store, "send", send)
    return sent


def test_a_version_there_is_the_version_here(store, tmp_path):
    made = curate(RECORDS, STEPS, out=f"{AT}/")
    assert (made.out, made.reused) == (AT, False)
    here = curate(RECORDS, STEPS, out=tmp_path / "v1")
    there = Version.open(AT)
    assert there.manifest.hash == Version.open(here.out).manifest.hash
    there.verify()
    for name in ("frame", "removed", "ledger", "values", "edges", "rejected"):
        assert getattr(there, name).equals(getattr(Version.open(here.out), name))
    assert names(store) == sorted(path.name for path in (tmp_path / "v1").iterdir())
    assert list(cache_folder().glob("*.work")) == []
    data = read(AT)
    assert (data.frame.equals(here.frame), data.format) == (True, "tunesmith")
    assert data.inputs == {"v1": there.manifest.hash}


def test_the_same_work_is_found_there(store):
    first = curate(RECORDS, STEPS, out=AT)
    again = curate(RECORDS, STEPS, out=AT)
    assert (again.reused, again.summary) == (True, first.summary)
    assert again.frame.equals(first.frame)
    with pytest.raises(ArtefactError, match=r"memory://bucket/v1 exists and was not made from the same inputs and options; .*--force"):
        curate(RECORDS[:4], STEPS, out=AT)
    assert curate(RECORDS[:4], STEPS, out=AT, force=True).kept == 4
    assert Version.open(AT).frame.height == 4


def test_the_manifest_comes_last_and_an_older_one_goes_first(store, monkeypatch):
    written(rows_per_file=2)
    order = []
    whole, gone = Store.send, Store.remove
    monkeypatch.setattr(Store, "send", lambda self, file, name, *told: (order.append(name), whole(self, file, name, *told))[1])
    monkeypatch.setattr(Store, "remove", lambda self, names: gone(self, [order.append(f"-{name}") or name for name in names]))
    written()
    assert order[0] == "-manifest.json"
    assert order[-2:] == ["manifest.json", "-manifest.json.part"]
    assert order.count("manifest.json") == 1
    gone = {f"-{name}.parquet/part-0000{k}.parquet" for name in ("rows", "values") for k in range(5)}
    assert {name for name in order if "part-" in name} == gone
    Version.open(AT).verify()


def test_of_a_split_the_manifest_of_the_whole_is_the_last(store, monkeypatch):
    order = []
    whole = Store.send
    monkeypatch.setattr(Store, "send", lambda self, file, name, *told: (order.append(name), whole(self, file, name, *told))[1])
    split(RECORDS, "memory://bucket/s", test=2, validation=2)
    assert order[-4:] == ["test/manifest.json", "train/manifest.json", "validation/manifest.json", "manifest.json"]
    done = split(RECORDS, "memory://bucket/s", test=2, validation=2)
    assert (done.reused, done.certificate["leaks"], done.folder) == (True, 0, "memory://bucket/s")
    assert read("memory://bucket/s").frame.height == 9
    assert read("memory://bucket/s/test").frame.height == 2


@pytest.mark.parametrize("error", [GONE, KeyboardInterrupt()])
def test_an_interrupted_upload_goes_on(store, monkeypatch, error):
    with monkeypatch.context() as patched:
        sent = broken(patched, 4, error)
        with pytest.raises((InputError, ConnectionError, KeyboardInterrupt), match=r"gone|the same command sends the rest"):
            curate(RECORDS, STEPS, out=AT)
    assert len(sent) == 4
    assert not is_artefact(AT)
    assert "manifest.json.part" in names(store)
    with pytest.raises(InputError, match="expected rows, found an upload that has not ended"):
        read(AT)
    with pytest.raises(ArtefactError, match="expected a version, found an upload that has not ended"):
        Version.open(AT)
    with monkeypatch.context() as patched:
        rest = broken(patched, 99)
        assert curate(RECORDS, STEPS, out=AT).kept == 9
    assert not set(sent) & set(rest)
    assert rest[-1] == "manifest.json"
    Version.open(AT).verify()
    assert "manifest.json.part" not in names(store)


def test_the_command_says_how_an_interrupted_upload_goes_on(store, tmp_path, monkeypatch):
    (tmp_path / "rows.json").write_text(json.dumps(RECORDS), encoding="utf-8")
    broken(monkeypatch, 4, KeyboardInterrupt())
    done = CliRunner().invoke(main, ["curate", str(tmp_path / "rows.json"), "-o", AT])
    assert done.exit_code == 130
    assert "interrupted; what was made lies in" in done.stderr
    assert "starts over" not in done.stderr


def test_an_interrupted_upload_begins_anew_where_the_work_is_another(store, monkeypatch):
    with monkeypatch.context() as patched:
        broken(patched, 5)
        with pytest.raises(ConnectionError):
            curate(RECORDS, STEPS, out=AT)
    assert curate(RECORDS[:3], STEPS, out=AT).kept == 3
    Version.open(AT).verify()
    assert Version.open(AT).frame.height == 3


def test_an_upload_goes_on_from_another_machine(store, monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        broken(patched, 5)
        with pytest.raises(ConnectionError):
            curate(RECORDS, STEPS, out=AT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert curate(RECORDS, STEPS, out=AT).kept == 9
    Version.open(AT).verify()


def test_what_was_changed_there_meanwhile_is_sent_again(store, monkeypatch):
    with monkeypatch.context() as patched:
        sent = broken(patched, 6)
        with pytest.raises(ConnectionError):
            curate(RECORDS, STEPS, out=AT)
    changed = next(name for name in sent if name.endswith(".parquet"))
    store.pipe_file(f"/bucket/v1/{changed}", b"no Parquet")
    store.pipe_file("/bucket/v1/of-another.parquet", b"")
    curate(RECORDS, STEPS, out=AT)
    Version.open(AT).verify()
    assert "of-another.parquet" in names(store)


def test_a_file_that_arrives_cut_off_is_noticed(store, monkeypatch):
    whole = type(store).put_file

    def cut(self, lpath, rpath, **rest):
        whole(self, lpath, rpath, **rest)
        if rpath.endswith("ledger.parquet"):
            store.pipe_file(rpath, b"PAR1")

    monkeypatch.setattr(type(store), "put_file", cut)
    with pytest.raises(
        InputError,
        match=r"ledger\.parquet was sent with .* bytes and lies there with 4; what was made lies in .*, and the same command sends",
    ):
        written()
    assert not is_artefact(AT)


def test_files_of_others_are_never_touched(store):
    store.pipe_file("/bucket/v1/holiday.jpg", b"x")
    for force in (False, True):
        with pytest.raises(ArtefactError, match=r"memory://bucket/v1 holds files that tunesmith did not write \(holiday\.jpg\)"):
            curate(RECORDS, STEPS, out=AT, force=force)
    assert names(store) == ["holiday.jpg"]
    store.pipe_file("/bucket/v1/manifest.json", b'{"name": "A web site", "icons": []}')
    with pytest.raises(ArtefactError, match="--force to replace it"):
        curate(RECORDS, STEPS, out=AT)
    with pytest.raises(ArtefactError, match="holds files that tunesmith did not write"):
        curate(RECORDS, STEPS, out=AT, force=True)
    with pytest.raises(ArtefactError, match="holds files that tunesmith did not write"):
        written()
    assert names(store) == ["holiday.jpg", "manifest.json"]


def test_what_lies_below_stays(store):
    """Other artefacts, and whatever else was put there since."""
    written(rows_per_file=2)
    written("memory://bucket/v1/below", rows_per_file=3)
    store.pipe_file("/bucket/v1/notes.txt", b"mine")
    frame = read(RECORDS).frame
    written(frame=frame.head(4))
    assert Version.open(AT).frame.height == 4
    Version.open("memory://bucket/v1/below").verify()
    assert store.cat_file("/bucket/v1/notes.txt") == b"mine"
    assert not any(name.startswith("rows.parquet/") for name in names(store))


def test_files_of_an_upload_that_never_ended_go(store, monkeypatch):
    frame = read(RECORDS).frame
    for rows, after in ((1, 9), (2, 4)):
        with monkeypatch.context() as patched:
            broken(patched, after)
            with pytest.raises(ConnectionError):
                written(frame=frame, rows_per_file=rows)
    assert any("part-" in name for name in names(store))
    written(frame=frame)
    assert not any("part-" in name for name in names(store))
    Version.open(AT).verify()


def test_a_source_is_not_replaced(store):
    curate(RECORDS, STEPS, out=AT)
    with pytest.raises(ArtefactError, match="cannot be replaced: memory://bucket/v1, which it would be made from"):
        curate(AT, STEPS, out=AT, force=True)
    split(RECORDS, "memory://bucket/s", test=2, validation=2)
    with pytest.raises(ArtefactError, match="cannot be replaced"):
        curate("memory://bucket/s/train", STEPS, out="memory://bucket/s", force=True)


def test_two_runs_do_not_work_on_one_address(store):
    from tunesmith.artefact import alone

    with alone(uploads.work_folder(AT), AT), pytest.raises(ArtefactError, match="is in use by another run"):
        written()


def test_only_what_is_needed_is_copied_and_only_once(store, monkeypatch):
    written(rows_per_file=4)
    fetched = []
    whole = Store.fetch
    monkeypatch.setattr(Store, "fetch", lambda self, name, file: (fetched.append(name), whole(self, name, file))[1])
    assert read(AT).frame.height == 9
    assert fetched == [f"rows.parquet/part-0000{k}.parquet" for k in range(3)]
    assert Version.open(AT).frame.height == 9
    assert len(fetched) == 3
    assert Version.open(AT).ledger.is_empty()
    assert fetched[3:] == ["ledger.parquet"]


def test_a_copy_follows_what_lies_there(store):
    frame = read(RECORDS).frame
    for rows, height in ((2, 9), (None, 9), (3, 5), (4, 9)):
        written(frame=frame.head(height), rows_per_file=rows)
        assert Version.open(AT).frame.equals(frame.head(height))
        Version.open(AT).verify()
    part = copies.place_of(AT) / "rows.parquet" / "part-00001.parquet"
    part.unlink()
    assert Version.open(AT).frame.equals(frame)
    frame.with_columns(output=pl.lit("touched")).write_parquet(part)
    assert Version.open(AT).frame.equals(frame)


def test_a_copy_stays_in_its_folder(store, monkeypatch):
    written()
    found = {**store.find("/bucket/v1", detail=True), "/bucket/v1/../../x": {"size": 1}}
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "find", lambda *_, **__: found)
        with pytest.raises(InputError, match=r"expected names of files below it, found '\.\./\.\./x'"):
            _ = Version.open(AT).frame


def test_check_looks_at_what_lies_there(store):
    written(rows_per_file=4)
    assert CliRunner().invoke(main, ["check", AT]).exit_code == 0
    with store.open("/bucket/v1/rows.parquet/part-00001.parquet", "wb") as file:
        read(RECORDS).frame[4:8].with_columns(output=pl.lit("changed")).write_parquet(file)
    done = CliRunner().invoke(main, ["check", AT])
    assert done.exit_code == 2
    assert "memory://bucket/v1: the content of rows (part-00001.parquet) is not what its manifest states" in done.stderr
    store.rm_file("/bucket/v1/ledger.parquet")
    store.rm_file("/bucket/v1/rows.parquet/part-00001.parquet")
    with pytest.raises(ArtefactError, match=r"rows \(part-00001\.parquet is missing\)"):
        Version.open(AT).verify()
    with pytest.raises(ArtefactError, match="memory://bucket/v1: ledger cannot be read"):
        _ = Version.open(AT).ledger


def test_a_copy_that_comes_cut_off_is_noticed(store, monkeypatch):
    written()

    def cut(self, rpath, lpath, **_):
        Path(lpath).write_bytes(self.cat_file(rpath)[:-7])

    monkeypatch.setattr(type(store), "get_file", cut)
    with pytest.raises(InputError, match=r"memory://bucket/v1: of rows\.parquet .* bytes came; give the command again"):
        read(AT)


def test_verbs_take_versions_from_addresses(store, tmp_path):
    curate(RECORDS, STEPS, out=AT)
    curate([*RECORDS[:8], {"instruction": "Hum.", "output": "Hm"}], STEPS, out="memory://bucket/v2")
    assert explain(AT, 3).rows[0].fate == "kept"
    assert what_if(AT, "short.words.min=9").kept == 0
    told = diff(AT, "memory://bucket/v2")
    assert (told.edited, told.same) == (1, 8)
    assert split(AT, tmp_path / "s", test=2, validation=2).manifest.result["train"] == 5
    done = split("memory://bucket/v2", "memory://bucket/s", previous=tmp_path / "s", test=2, validation=2)
    again = split("memory://bucket/v2", tmp_path / "t", previous="memory://bucket/s", test=2, validation=2)
    assert done.manifest.result == again.manifest.result
    made = export("memory://bucket/s", "memory://bucket/trl", trainer="trl")
    assert made.result["datasets"].keys() == {f"data/{part}.jsonl" for part in ("train", "validation", "test")}
    assert export("memory://bucket/s", "memory://bucket/trl", trainer="trl").reused
    done = CliRunner().invoke(main, ["report", AT, "-o", str(tmp_path / "r.html")])
    assert done.exit_code == 0, done.output
    assert "expected -o REPORT.html" in CliRunner().invoke(main, ["report", AT]).stderr


def test_patches_from_address_to_address(store, tmp_path):
    frame = read(RECORDS).frame
    written()
    drop = {"position": 3, "row_id": frame["row_id"][3], "action": "drop"}
    edits.write_patch(tmp_path / "patch.jsonl", [edits.Edit(edit_id=edits.edit_id(**drop), status="accepted", **drop)])
    assert patch_apply(tmp_path / "patch.jsonl", AT, "memory://bucket/v2").curated.kept == 8
    assert patch_undo(tmp_path / "patch.jsonl", "memory://bucket/v2", "memory://bucket/v3").equal
    assert Version.open("memory://bucket/v3").manifest.hash == Version.open(AT).manifest.hash


def test_rows_brought_back_from_address_to_address(store):
    curate([*RECORDS, RECORDS[0]], {"steps": ["exact_duplicates"]}, out=AT)
    made = restore(AT, "memory://bucket/v2", rule="exact_duplicate")
    assert (made.restored, made.kept, made.reused) == (1, 10, False)
    Version.open("memory://bucket/v2").verify()
    assert restore(AT, "memory://bucket/v2", rule="exact_duplicate").reused


def test_convert_to_an_address(store):
    file = "memory://bucket/rows.jsonl.gz"
    told = convert(RECORDS, file, to="alpaca")
    assert (told.rows_out, names(store, "/bucket")) == (9, ["rows.jsonl.gz"])
    assert read(file).frame["output"].to_list() == [str(k) for k in range(9)]
    with pytest.raises(ArtefactError, match=r"memory://bucket/rows\.jsonl\.gz exists; choose another name, or --force to replace it"):
        convert(RECORDS, file, to="alpaca")
    assert convert(RECORDS[:2], file, to="alpaca", force=True).rows_out == 2
    assert read(file).frame.height == 2
    with pytest.raises(OptionError, match=r"memory://bucket/rows\.txt: expected a name that ends in"):
        convert(RECORDS, "memory://bucket/rows.txt", to="alpaca")
    assert list(cache_folder().glob("sending-*")) == []


def test_what_is_no_place_to_write_to(store):
    for address in ("hf://datasets/o/n", "https://host/v1"):
        with pytest.raises(OptionError, match=r"expected a place to write to \(a folder, s3://, gs://, az://\)"):
            curate(RECORDS, STEPS, out=address)
    with pytest.raises(InputError, match="nowhere://bucket/v: expected an address that begins with"):
        curate(RECORDS, STEPS, out="nowhere://bucket/v")


@pytest.mark.parametrize("command", [
    ["detect", "rows.json", "-o", "s3://b/f.parquet"], ["profile", "rows.json", "-o", "s3://b/p.html"],
    ["check", "rows.json", "--rejects", "s3://b/r.jsonl"], ["convert", "rows.json", "x.jsonl", "--to", "alpaca", "--rejects", "gs://b/r.jsonl"],
    ["curate", "rows.json", "-o", "v", "--recipe", "az://c/recipe.yaml"],
])  # fmt: skip
def test_where_an_address_cannot_be_it_is_refused(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.json").write_text(json.dumps(RECORDS))
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert "expected a path of this machine, found" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["rows.json"]


def test_a_path_that_was_an_address_is_refused(tmp_path):
    from tunesmith.evaluation import evaluate

    with pytest.raises(ArtefactError, match="expected a folder of this machine, found an address"):
        evaluate(RECORDS, "s3://bucket/e", predictions=[{"output": "x"}] * len(RECORDS))
