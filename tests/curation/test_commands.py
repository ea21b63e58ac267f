"""The commands: one JSON object, exit codes, reuse and refusal, tables that data cannot break."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner, Result

from tunesmith.cli import main

DATA = [
    {"instruction": "Sing [/b] it", "input": "n/a", "output": "La [red]la"},
    {"instruction": "Say hi [/b]", "output": ""},
    {"instruction": "Name a tree", "output": "oak"},
    {"instruction": "Name a tree", "output": "oak"},
    {"instruction": "", "output": "x"},
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.json").write_text(json.dumps(DATA))
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def asked(*args: str, code: int = 0) -> dict:
    result = run(*args, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def refused(*args: str) -> str:
    result = run(*args)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    return result.stderr


def test_curate():
    told = asked("curate", "rows.json", "-o", "v")
    assert {k: told[k] for k in ("rows_in", "added", "kept", "dropped", "edited", "flagged", "rejected", "reused")} == {
        "rows_in": 5, "added": 0, "kept": 2, "dropped": 2, "edited": 1, "flagged": 0, "rejected": 1, "reused": False,
    }  # fmt: skip
    assert set(told["steps"][0]) >= {"step", "rows_in", "dropped", "edited", "seconds"}
    again = asked("curate", "rows.json", "-o", "v")
    assert again["reused"] is True
    assert again["steps"] == told["steps"]


def test_curate_shows_a_funnel_and_examples():
    shown = run("curate", "rows.json", "-o", "v").stdout
    assert "5 in = 2 kept + 2 dropped + 1 rejected" in shown
    assert "detect.output_empty" in shown
    assert "Say hi [/b]" in " ".join(shown.split())


def test_curate_refuses_what_it_would_overwrite(folder):
    run("curate", "rows.json", "-o", "v")
    (folder / "r.yaml").write_text("steps: [exact_duplicates]\n")
    assert "--force" in refused("curate", "rows.json", "-o", "v", "--recipe", "r.yaml")
    assert asked("curate", "rows.json", "-o", "v", "--recipe", "r.yaml", "--force")["kept"] == 3


def test_dry_run_writes_nothing(folder):
    assert asked("curate", "rows.json", "--dry-run")["dry_run"] is True
    assert "nothing was written" in run("curate", "rows.json", "--dry-run").stdout
    assert [path.name for path in folder.iterdir()] == ["rows.json"]


def test_curate_without_an_output_or_a_source(folder):
    assert "--dry-run" in refused("curate", "rows.json")
    assert "expected a SOURCE" in refused("curate", "-o", "v")
    assert "no such file" in refused("curate", "nope.json", "-o", "v")
    assert [path.name for path in folder.iterdir()] == ["rows.json"]


def test_curate_names_the_mistake_in_a_recipe(folder):
    (folder / "r.yaml").write_text("steps:\n  - detect: {drp: fatal}\n")
    assert 'r.yaml, step 1 (detect): unknown option "drp"; did you mean "drop"?' in refused(
        "curate", "rows.json", "-o", "v", "--recipe", "r.yaml"
    )


def test_curate_takes_a_config(folder):
    (folder / "r.yaml").write_text("steps: [exact_duplicates]\n")
    (folder / "t.yaml").write_text("curate: {recipe: r.yaml}\n")
    assert asked("curate", "rows.json", "-o", "v", "--config", "t.yaml")["kept"] == 3


def test_explain_what_if_and_diff(folder):
    run("curate", "rows.json", "-o", "v")
    entries = asked("explain", "v", "3")["entries"]
    assert [(entry["rule"], entry["twin_position"]) for entry in entries] == [("exact_duplicate", 2)]
    assert "Name a tree" in run("explain", "v", "3").stdout
    assert "no row has the position 77" in refused("explain", "v", "77")

    told = asked("what-if", "v", "exact_duplicates.action=flag")
    assert (told["kept"], told["newly_kept"], told["newly_dropped"]) == (3, 1, 0)
    assert "3 kept (1 newly)" in run("what-if", "v", "exact_duplicates.action=flag").stdout
    assert "needs a run" in refused("what-if", "v", "exact_duplicates.of=prompt")

    (folder / "r.yaml").write_text("steps: [fix]\n")
    run("curate", "rows.json", "-o", "w", "--recipe", "r.yaml")
    told = asked("diff", "v", "w")
    assert (told["added"], told["removed"], told["edited"]) == (2, 0, 0)
    assert "was dropped: detect.output_empty" in run("diff", "v", "w").stdout
    assert "expected a version" in refused("diff", "v", "nope")


def test_recipe(folder):
    assert set(asked("recipe", "show")["presets"]) == {"default", "strict", "look"}
    assert yaml.safe_load(run("recipe", "show", "strict").stdout)["steps"][0] == {"fix": {}}
    assert 'did you mean "strict"' in refused("recipe", "show", "strct")
    assert asked("recipe", "new", "mine.yaml")["files"] == ["mine.yaml"]
    assert "mine.yaml exists" in refused("recipe", "new", "mine.yaml")
    assert asked("curate", "rows.json", "-o", "v", "--recipe", "mine.yaml")["kept"] == 2
    assert json.loads(run("recipe", "schema").stdout) == asked("recipe", "schema")


@pytest.mark.parametrize("verb", ["curate", "recipe", "explain", "what-if", "restore", "diff"])
def test_help_has_an_example(verb):
    assert f"tunesmith {verb}" in run(verb, "--help").output.partition("Example:")[2]
