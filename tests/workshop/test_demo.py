"""The demo, whole: the base goes on and on, the finetuned model answers and stops, its errors lead back to the planted rows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.artefact import read_manifest
from tunesmith.cli.demo import demo
from tunesmith.cli.demo.base import Pretraining, base_model
from tunesmith.cli.demo.ring import RECIPE
from tunesmith.curation import curate
from tunesmith.errors import MissingExtraError
from tunesmith.models.loading import load_model

TRUTH = Path(__file__).parents[2] / "datasets" / "workshop" / "truth.json"
PARTS = {
    "clean": "version",
    "split": "split",
    "model": "model",
    "turns/turn-1": "turn",
    "turns/turn-1/base": "evaluation",
    "turns/turn-1/evaluations/current-0": "evaluation",
    "turns/turn-1/diagnosis": "diagnosis",
    "turns/turn-1/arms": "experiment",
    "turns/turn-1/runs/placebo-0": "run",
}
PLANTED = {"refusal", "repetitive", "too_long", "truncated", "misspelled", "wrong_format", "prompt_echo"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The demo's folder and its `--json` object."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    command = [sys.executable, "-m", "tunesmith", "demo", "-o", folder.name, "--json"]  # a relative name, as people type it
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=True)
    return folder, json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_it_tells_the_story(made: tuple[Path, dict[str, Any]]) -> None:
    folder, result = made
    assert {name: read_manifest(folder / name).kind for name in PARTS} == PARTS
    assert result["metrics"]["rougeL"]["base"] < 0.3
    assert result["metrics"]["rougeL"]["finetuned"] > 0.6
    assert result["metrics"]["rougeL"]["low"] > 0.4
    answers = {"base": "base", "finetuned": "evaluations/current-0"}
    finish = {name: pl.read_parquet(folder / "turns/turn-1" / path / "predictions.parquet")["finish"] for name, path in answers.items()}
    assert (finish["base"] == "length").mean() > 0.95  # type: ignore[operator]
    assert (finish["finetuned"] == "stop").mean() > 0.9  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_planted_causes_are_named_and_nothing_else_is_proposed(made: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = made
    truth: dict[int, set[str]] = {}
    for each in json.loads(TRUTH.read_text(encoding="utf-8")):
        if each["record"] is not None and each["defect"] in PLANTED:
            truth.setdefault(each["record"], set()).add(each["defect"])
    rows = pl.read_parquet(folder / "split/train/rows.parquet").select("position", record=pl.col("origin").struct.field("record"))
    record = dict(rows.iter_rows())
    planted = {kind: {r for r in record.values() if kind in truth.get(r, ())} for kind in PLANTED}
    edits = [json.loads(line) for line in (folder / "turns/turn-1/diagnosis/patch.jsonl").read_text(encoding="utf-8").splitlines()]
    proposed = {record[edit["position"]] for edit in edits}
    named = {edit["category"] for edit in edits}
    # What a model learns in a minute differs a little from processor to processor: a kind that it hardly learnt is not claimed.
    # With answers that show every kind, tests/diagnosis demands every kind.
    assert named <= PLANTED
    assert len(named) >= 5
    assert len(proposed & truth.keys()) >= 0.98 * len(proposed)
    for kind in named:
        assert len(planted[kind] & proposed) >= 0.9 * len(planted[kind]), kind
    summary = json.loads((folder / "turns/turn-1/diagnosis/summary.json").read_text(encoding="utf-8"))
    missing = {part["slice"] for row in summary["categories"] for part in row["slices"] if part["cause"] == "missing"}
    assert missing == {"verb=reverse"}


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_patch_is_proven_against_the_placebo(made: tuple[Path, dict[str, Any]]) -> None:
    folder, result = made
    verdict = json.loads((folder / "turns/turn-1/arms/verdict.json").read_text(encoding="utf-8"))
    assert result["accepted"]
    assert verdict["sentence"] == result["verdict"]
    assert {"repetitive", "prompt_echo"} <= set(result["categories"]) <= PLANTED
    rate = {arm: verdict["gate"]["arms"][arm]["rate"] for arm in ("current", "patch", "placebo")}
    assert rate["patch"] < 0.1
    assert min(rate["current"], rate["placebo"]) > 0.2
    assert verdict["difference"] == pytest.approx(rate["patch"] - rate["placebo"])
    assert verdict["confirm"]["high"] < 0
    assert len(set(verdict["equal"]["steps"].values())) == 1
    arms = {arm: pl.read_parquet(folder / "turns/turn-1/arms" / arm / "rows.parquet").height for arm in ("current", "patch", "placebo")}
    assert arms["patch"] == arms["placebo"] < arms["current"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_again_it_is_reused(made: tuple[Path, dict[str, Any]]) -> None:
    folder, first = made
    again = subprocess.run([sys.executable, "-m", "tunesmith", "demo", "-o", folder, "--json"], capture_output=True, text=True, check=True)
    second = json.loads(again.stdout)
    assert {key: second[key] for key in ("verdict", "metrics", "categories")} == {
        key: first[key] for key in ("verdict", "metrics", "categories")
    }
    assert sum(spent for name, spent in second["seconds"].items() if "." not in name) < 60


def test_its_recipe_finds_the_items_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("out/recipe.yaml").write_text(RECIPE)
    Path("out/items.json").write_text(json.dumps([{"instruction": "Name the cook of the mill by the river.", "output": "Ada"}]))
    leaked = {"instruction": "Name the cook of the mill by the river!", "output": "Bob"}
    made = curate([leaked, {"instruction": "Sing of the sea, please.", "output": "La"}], Path("out/recipe.yaml"))
    assert made.ledger.filter(pl.col("action") == "drop").select("position", "step").rows() == [(0, "leaked")]


def test_a_missing_extra_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.cli.demo.ring.find_spec", lambda name: None if name == "altair" else object())
    with pytest.raises(MissingExtraError, match=r"altair.*tunesmith\[train,evaluate,report\]"):
        demo(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_base_model_is_made_once_and_loads(tmp_path: Path) -> None:
    documents = ["The cook needs a kettle because it boils water.", "Where is the rake?\nWhere is the hose?"] * 40
    options = Pretraining(steps=3, batch=2, context=16, hidden=32, layers=1, heads=2, vocabulary=300)
    manifest = base_model(documents, tmp_path / "model", options=options)
    assert manifest.result["tokens"] == 3 * 2 * 16
    assert base_model(documents, tmp_path / "model", options=options) == manifest
    model = load_model(tmp_path / "model")
    assert sum(p.numel() for p in model.parameters()) == manifest.result["parameters"]
