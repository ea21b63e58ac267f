"""Versions in several files: every verb says of them what it says of the same version in one."""

import json
import random
import shutil

import polars as pl
import pytest
from click.testing import CliRunner

import chats
from tunesmith.cli import main
from tunesmith.curation import edits
from tunesmith.rows import Version

WORDS = ["red", "old", "tall", "small", "green", "house", "tree", "ship", "river", "stone"]
WHOLE, CUT = "whole/v", "cut/v"


def records():
    rng = random.Random(0)
    made = [
        {"instruction": f"Say {k} {' '.join(rng.choices(WORDS, k=7))}.", "output": f"answer {k}", "topic": WORDS[k % 3]} for k in range(40)
    ]
    made += [{**made[0]}, {**made[3], "instruction": made[3]["instruction"] + " please"}]
    return [*made, {"instruction": "Hum", "input": "n/a", "output": "Hm."}, {"instruction": "Say", "output": ""}, {"instruction": ""}]


def asked(*arguments, code=0):
    done = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    (folder / "rows.json").write_text(json.dumps(records()))
    told = [asked("curate", folder / "rows.json", "-o", folder / WHOLE)]
    told.append(asked("curate", folder / "rows.json", "-o", folder / CUT, "--rows-per-file", 3))
    for each in told:
        each.pop("out")
        for step in each["steps"]:
            step.pop("seconds")
    assert told[0] == told[1]
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (WHOLE, CUT):
        shutil.copytree(made / name, name)
    shutil.copyfile(made / "rows.json", "rows.json")
    return tmp_path


def alike(*arguments, code=0):
    """Ask the same of both; paths are said in place of `V`, outputs in place of `OUT`."""
    told = []
    for name in (WHOLE, CUT):
        given = [name if each == "V" else str(each).replace("OUT", f"{name}-out") for each in arguments]
        said = json.loads(json.dumps(asked(*given, code=code)).replace("whole/", "").replace("cut/", ""))
        told.append({key: value for key, value in said.items() if key != "bytes"})  # a report writes out seconds, of any length
    assert told[0] == told[1]
    return told[0]


def test_all_tables_are_cut(folder):
    cut = {path.name for path in (folder / CUT).iterdir() if path.is_dir()}
    assert cut == {"rows.parquet", "ledger.parquet", "values.parquet"}
    assert len(list((folder / CUT / "rows.parquet").iterdir())) == 14
    assert Version.open(folder / CUT).manifest.hash == Version.open(folder / WHOLE).manifest.hash


def test_the_cut_is_no_part_of_the_work(folder):
    assert asked("curate", "rows.json", "-o", CUT)["reused"] is True
    assert asked("curate", "rows.json", "-o", WHOLE, "--rows-per-file", 5)["reused"] is True
    assert (folder / WHOLE / "rows.parquet").is_file()
    assert asked("curate", "rows.json", "-o", WHOLE, "--rows-per-file", 5, "--force")["reused"] is False
    assert (folder / WHOLE / "rows.parquet").is_dir()


def test_the_configuration_can_say_it(folder):
    (folder / "tunesmith.yaml").write_text("curate: {rows-per-file: 20}\n")
    asked("curate", "rows.json", "-o", "v", "--config", "tunesmith.yaml")
    assert len(list((folder / "v" / "rows.parquet").iterdir())) == 3


def test_reading_verbs(folder):
    alike("check", "V")
    alike("profile", "V")
    alike("detect", "V")
    assert alike("explain", "V", 40)["entries"]
    assert alike("what-if", "V", "near_duplicates.threshold=0.9", "near_duplicates.action=drop")
    for one, other in ((WHOLE, CUT), (CUT, WHOLE)):
        assert [asked("diff", one, other)[name] for name in ("added", "removed", "edited")] == [0, 0, 0]


def test_writing_verbs(folder):
    alike("convert", "V", "OUT.jsonl", "--to", "messages")
    told = alike("split", "V", "-o", "OUT", "--test", 5, "--validation", 5)
    assert told["leaks"] == 0
    for trainer in ("trl", "hub"):
        alike("export", "V", "-o", f"OUT-{trainer}", "--for", trainer)
    alike("report", "V", "-o", "OUT.html")
    tokenizer = chats.tokenizer_folder(folder / "tokenizer", template=chats.CHATML, eos="<|im_end|>")
    alike("pack", "V", "-o", "OUT-pack", "--tokenizer", str(tokenizer))
    asked("split", CUT, "-o", "parts", "--test", 5, "--validation", 5, "--rows-per-file", 2)
    assert asked("check", "parts")["valid"] == told["train"] + told["test"] + told["validation"]
    alike("split", "V", "-o", "OUT-again", "--previous", "parts", "--test", 5, "--validation", 5)
    assert sorted(path.name for path in (folder / "parts" / "test" / "rows.parquet").iterdir()) == [
        f"part-0000{k}.parquet" for k in range(3)
    ]
    assert asked("export", "parts", "-o", "for-hub", "--for", "hub")["rows"] == told["train"] + told["test"] + told["validation"]


def test_rows_brought_back(folder):
    told = alike("restore", "V", "-o", "OUT-more", "--step", "exact_duplicates")
    assert told["restored"] == 1
    asked("restore", CUT, "-o", "more", "--step", "exact_duplicates", "--rows-per-file", 9)
    assert len(list((folder / "more" / "rows.parquet").iterdir())) == 5
    assert Version.open("more").manifest.hash == Version.open(f"{WHOLE}-out-more").manifest.hash


def test_patches(folder):
    frame = pl.read_parquet(folder / CUT / "rows.parquet")
    drop = {"position": frame["position"][30], "row_id": frame["row_id"][30], "action": "drop", "category": "repetitive"}
    edits.write_patch(folder / "patch.jsonl", [edits.Edit(edit_id=edits.edit_id(**drop), status="accepted", **drop)])
    asked("patch", "apply", "patch.jsonl", CUT, "-o", "patched", "--rows-per-file", 9)
    assert len(list((folder / "patched" / "rows.parquet").iterdir())) == 5
    assert asked("patch", "undo", "patch.jsonl", "patched", "-o", "undone", "--rows-per-file", 11)["equal"] is True
    assert Version.open("undone").manifest.hash == Version.open(WHOLE).manifest.hash
    assert (folder / "undone" / "rows.parquet").is_dir()
