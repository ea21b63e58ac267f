"""`arms` and `verdict` as a shell sees them: exit codes, one JSON object, reuse, misuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tunesmith.cli import main
from turns import worlds


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    data = worlds.version(folder / "data")
    worlds.patch(folder / "p.jsonl", data)
    worlds.patch(folder / "proposed.jsonl", data, status="proposed")
    for arm, rate in (("patch", 0.02), ("placebo", 0.4)):
        worlds.evaluation(folder / arm, refused=rate)
    return folder


def test_arms_then_verdict(world: Path, tmp_path: Path) -> None:
    done = run("arms", world / "p.jsonl", world / "data", "-o", tmp_path / "x", "--steps", 9, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert (said["arms"], said["reused"]) == ({"current": 60, "patch": 50, "placebo": 50}, False)
    again = run("arms", world / "p.jsonl", world / "data", "-o", tmp_path / "x", "--steps", 9)
    assert (again.exit_code, "already made" in again.stdout) == (0, True)
    assert "Train each: 9 steps, seeds 0 (given)" in again.stdout
    refused = run("arms", world / "p.jsonl", world / "data", "-o", tmp_path / "x", "--steps", 8)
    assert (refused.exit_code, "--force" in refused.stderr) == (2, True)
    sides = ("--evaluation", f"patch={world / 'patch'}", "--evaluation", f"placebo={world / 'placebo'}")
    done = run("verdict", tmp_path / "x", *sides, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert {"verdict", "difference", "low", "high", "detectable"} <= set(json.loads(done.stdout))
    shown = run("verdict", tmp_path / "x", *sides)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Dropping 10 rows cut `refusal` from ")
    assert "gate: 60 items" in shown.stdout
    same = run("verdict", tmp_path / "x", *sides[:2], "--evaluation", f"placebo={world / 'patch'}")
    assert (same.exit_code, "not shown, because the patch is not better than the placebo" in same.stdout) == (1, True)


def test_misuse(world: Path, tmp_path: Path) -> None:
    proposed = run("arms", world / "proposed.jsonl", world / "data", "-o", tmp_path / "x", "--steps", 9)
    assert (proposed.exit_code, "take the proposed ones with --all" in proposed.stderr) == (2, True)
    assert run("arms", world / "proposed.jsonl", world / "data", "-o", tmp_path / "x", "--steps", 9, "--all").exit_code == 0
    for arguments, message in (
        (("arms", world / "p.jsonl", world / "data"), "expected -o DIR"),
        (("arms", tmp_path / "none.jsonl", world / "data", "-o", tmp_path / "y"), "found no such file"),
        (("verdict", tmp_path / "x"), "Missing option '--evaluation'"),
        (("verdict", tmp_path / "x", "--evaluation", "patch"), "expected ARM=FOLDER or ARM:SEED=FOLDER"),
        (("verdict", tmp_path / "x", "--evaluation", "patch=a", "--evaluation", "patch=b"), "patch is given twice"),
        (("verdict", world / "data", "--evaluation", f"patch={world / 'patch'}"), "expected an experiment, found a version"),
    ):
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert message in done.stderr


def test_the_loop_s_exit_code_for_misuse(tmp_path: Path) -> None:
    done = run("loop", tmp_path / "none.yaml")
    assert (done.exit_code, "found no such file" in done.stderr) == (2, True)
