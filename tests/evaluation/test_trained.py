"""What an evaluation says of how its model was trained."""

import json
import shutil
from pathlib import Path

import pytest

import tiny
from tunesmith.artefact import read_manifest
from tunesmith.evaluation.generating import Subject, trained
from tunesmith.packing import pack
from tunesmith.templates import load_tokenizer


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder, as far as it is read here, beside its pack."""
    tiny.model_folder(tmp_path / "model")
    pack([{"instruction": "Say one.", "output": "one"}], tmp_path / "packed", tokenizer=str(tmp_path / "model"), context=64)
    shutil.copytree(tmp_path / "model", tmp_path / "run")
    manifest = {
        "format": 1, "kind": "run", "inputs": {"pack": read_manifest(tmp_path / "packed", "pack").hash}, "options": {}, "hash": "h",
        "details": {"pack": "elsewhere/packed", "template": {"name": "own", "hash": "t"}, "end_of_turn_id": 4},
    }  # fmt: skip
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path / "run"


def test_a_run_says_template_end_of_turn_pack_and_data(run: Path) -> None:
    found = trained(Subject(model=run), load_tokenizer(run))
    assert found is not None
    assert found["run"] == str(run)
    assert (found["template"], found["template_hash"], found["end_of_turn_id"]) == ("own", "t", 4)
    assert found["pack"] == str(run.parent / "packed")  # moved with its run
    assert found["same_tokenizer"] is True
    assert len(found["data"]) == 1
    assert trained(Subject(model=run.parent / "model", adapter=run), load_tokenizer(run)) == found


def test_another_tokenizer_and_another_pack_are_told(run: Path) -> None:
    pack_tokenizer = run.parent / "packed" / "tokenizer" / "tokenizer.json"
    pack_tokenizer.write_text(pack_tokenizer.read_text() + " ")
    found = trained(Subject(model=run), load_tokenizer(run))
    assert found is not None
    assert found["same_tokenizer"] is False
    shutil.rmtree(run.parent / "packed")
    gone = trained(Subject(model=run), load_tokenizer(run))
    assert gone is not None
    assert "data" not in gone
    assert gone["pack_hash"] == found["pack_hash"]


def test_a_model_that_is_no_run_says_nothing(run: Path) -> None:
    assert trained(Subject(model=run.parent / "model"), load_tokenizer(run)) is None
