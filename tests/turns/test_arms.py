"""The verb `arms`: three versions, the placebo's ledger, how to train, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import tunesmith as ts
from tunesmith.artefact import Manifest, read_manifest, writing
from tunesmith.curation.edits import read_patch
from tunesmith.errors import InputError, OptionError
from tunesmith.rows import Version
from turns import worlds


def positions(folder: Path) -> set[int]:
    return set(pl.read_parquet(folder / "rows.parquet")["position"].to_list())


def test_three_versions_and_what_was_done_to_each(tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    file = worlds.patch(tmp_path / "patch.jsonl", data)
    made = ts.arms(file, data, tmp_path / "experiment", steps=50, bins=2)
    folder = made.folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "current",
        "experiment.json",
        "manifest.json",
        "patch",
        "patch.jsonl",
        "placebo",
        "placebo.jsonl",
    ]
    said = json.loads((folder / "experiment.json").read_text())
    assert said == made.result
    assert said["rows"] == {"current": 60, "patch": 50, "placebo": 50}
    assert (said["steps"], said["bins"], said["steps_from"], said["seeds"]) == (50, 2, "given", [0])
    assert (said["edits"], said["categories"], said["accepted"], said["proposed"]) == ({"drop": 10}, ["refusal"], 10, 0)
    assert read_manifest(folder / "current").hash == read_manifest(data).hash
    assert positions(data) - positions(folder / "patch") == set(range(0, 20, 2))
    dropped = positions(data) - positions(folder / "placebo")
    assert dropped == {edit.position for edit in read_patch(folder / "placebo.jsonl")}
    ledger = Version.open(folder / "placebo").ledger
    assert ledger.filter(action="drop").select("step", "rule").unique().rows() == [("placebo", "placebo")]
    for arm in ("patch", "placebo"):
        (step,) = read_manifest(folder / arm).details["recipe"]["steps"]
        assert Path(step["patch"]["file"]).is_relative_to(folder.resolve())
        assert Path(step["patch"]["file"]).is_file()
        Version.open(folder / arm).verify()


@pytest.mark.parametrize(
    ("action", "more"), [("edit", {"fields": {"output": "It is a thing."}}), ("weight", {"weight": 0.3}), ("mask", {}), ("drop", {})]
)
def test_patch_and_placebo_change_equally_many_rows(tmp_path: Path, action: str, more: dict[str, object]) -> None:
    data = worlds.version(tmp_path / "data")
    made = ts.arms(worlds.patch(tmp_path / "p.jsonl", data, action=action, **more), data, tmp_path / "e", steps=5)
    frames = {name: pl.read_parquet(made.folder / name / "rows.parquet") for name in ("current", "patch", "placebo")}
    key = ["position", "row_id", "weight"]
    changed = {name: frames["current"].join(frames[name], on=key, how="anti").height for name in ("patch", "placebo")}
    assert changed == {"patch": 10, "placebo": 10}
    assert made.result["rows"] == ({"current": 60, "patch": 50, "placebo": 50} if action == "drop" else dict.fromkeys(frames, 60))
    if action == "edit":  # every row of the placebo still answers its own prompt
        pairs = set(frames["current"].select("instruction", "output").iter_rows())
        assert set(frames["placebo"].select("instruction", "output").iter_rows()) <= pairs


def test_added_rows_are_matched_by_copies(tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    lines = [
        {"action": "add", "fields": {"instruction": f"Name new thing {k}.", "output": "A thing.", "topic": "mill"}, "category": "refusal"}
        for k in range(4)
    ]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = ts.arms(tmp_path / "p.jsonl", data, tmp_path / "e", all=True, steps=5)
    assert made.result["rows"] == {"current": 60, "patch": 64, "placebo": 64}
    placebo = pl.read_parquet(made.folder / "placebo" / "rows.parquet")
    assert placebo.tail(4)["topic"].to_list() == ["mill"] * 4
    assert set(placebo.tail(4)["row_id"]) <= set(placebo.head(60)["row_id"])


def test_edits_that_change_nothing_are_not_matched(tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    worlds.patch(tmp_path / "p.jsonl", data, [1, 3], action="weight", weight=1.0)
    with pytest.raises(InputError, match="the patch changes nothing: all 2 edits"):
        ts.arms(tmp_path / "p.jsonl", data, tmp_path / "e", steps=5)
    text = (tmp_path / "p.jsonl").read_text()
    worlds.patch(tmp_path / "p.jsonl", data, [5], action="drop")
    (tmp_path / "p.jsonl").write_text(text + (tmp_path / "p.jsonl").read_text())
    assert ts.arms(tmp_path / "p.jsonl", data, tmp_path / "e", steps=5).result["edits"] == {"drop": 1}


def test_steps_come_from_the_run_else_are_an_estimate_that_says_so(tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    file = worlds.patch(tmp_path / "p.jsonl", data)
    with writing(tmp_path / "run") as work:
        work.finish(Manifest(kind="run", inputs={}, options={}, hash="0" * 32, result={"steps": 321}, details={"resolved": {"bins": 4}}))
    said = ts.arms(file, data, tmp_path / "a", run=tmp_path / "run").result
    assert (said["steps"], said["bins"], said["steps_from"], said["estimated"]) == (321, 4, "the run run: 321 steps of 4 bins", False)
    said = ts.arms(file, data, tmp_path / "b").result
    assert said["estimated"]
    assert said["steps_from"].startswith("an estimate: 3 epochs of about")
    assert said["steps"] == 3


def test_only_accepted_edits_unless_all(tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    file = worlds.patch(tmp_path / "p.jsonl", data, status="proposed")
    with pytest.raises(InputError, match=r"found 10 proposed; accept some \(`status` in the file\), or take the proposed ones with --all"):
        ts.arms(file, data, tmp_path / "e", steps=5)
    said = ts.arms(file, data, tmp_path / "e", all=True, steps=5).result
    assert (said["accepted"], said["proposed"]) == (0, 10)


def test_what_is_refused(tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    file = worlds.patch(tmp_path / "p.jsonl", data)
    with pytest.raises(InputError, match="a patch for another version"):
        ts.arms(file, worlds.version(tmp_path / "other", 61, refuse=range(1, 21, 2)), tmp_path / "e", steps=5)
    worlds.patch(tmp_path / "q.jsonl", data, category="rude")
    with pytest.raises(OptionError, match=r'the category "rude" is no detector of answers.*--outcome'):
        ts.arms(tmp_path / "q.jsonl", data, tmp_path / "e", steps=5)
    assert ts.arms(tmp_path / "q.jsonl", data, tmp_path / "o", steps=5, outcome=["refusal"]).categories == ["refusal"]
    with pytest.raises(OptionError, match='called "refusel"; did you mean "refusal"'):
        ts.arms(file, data, tmp_path / "e", steps=5, outcome=["refusel"])
    worlds.patch(tmp_path / "r.jsonl", data, category=None)
    with pytest.raises(OptionError, match="no edit names a category"):
        ts.arms(tmp_path / "r.jsonl", data, tmp_path / "e", steps=5)
    with pytest.raises(OptionError, match="steps: expected at least 1"):
        ts.arms(file, data, tmp_path / "e", steps=0)
    assert not (tmp_path / "e").exists()


def test_reused_refused_replaced(tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    file = worlds.patch(tmp_path / "p.jsonl", data)
    first = ts.arms(file, data, tmp_path / "e", steps=5)
    assert ts.arms(file, data, tmp_path / "e", steps=5).reused
    (tmp_path / "e" / "confirm.jsonl").write_text('{"time": "t", "items": "i", "candidate": "c"}\n')
    with pytest.raises(ts.TunesmithError, match="--force"):
        ts.arms(file, data, tmp_path / "e", steps=6)
    again = ts.arms(file, data, tmp_path / "e", steps=6, force=True)
    assert again.manifest.hash != first.manifest.hash
    assert (tmp_path / "e" / "confirm.jsonl").is_file(), "what was spent stays spent"
