"""`tunesmith evaluate` and `tunesmith compare` as they are typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tunesmith.cli import main

from .test_evaluate import ECHO, LOOP, ROWS


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def data(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cli")
    for name, records in (("items", ROWS), ("good", ECHO), ("bad", LOOP)):
        (made / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    for name in ("good", "bad"):
        data(run("evaluate", made / "items.jsonl", "-o", made / name, "--predictions", made / f"{name}.jsonl", "--json"))
    return made


def test_evaluate_answers_in_json_and_again(folder: Path) -> None:
    again = data(run("evaluate", folder / "items.jsonl", "-o", folder / "good", "--predictions", folder / "good.jsonl", "--json"))
    assert again["reused"] is True
    assert again["items"] == 40
    assert set(again["metrics"]["rougeL"]) >= {"value", "low", "high"}
    assert set(again["findings"]["repetitive"]) >= {"rate", "low", "high"}


def test_evaluate_refuses_other_work(folder: Path) -> None:
    arguments = ("evaluate", folder / "items.jsonl", "-o", folder / "good", "--predictions", folder / "bad.jsonl")
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert refused.stdout == ""


def test_tables(folder: Path) -> None:
    shown = run(
        "evaluate", folder / "items.jsonl", "-o", folder / "bad", "--predictions", folder / "bad.jsonl", "--slice", "verb", "--force"
    )
    assert shown.exit_code == 0, shown.output
    for text in ("rougeL", "repetitive", "100.0%", "By verb", "already" if "already" in shown.stdout else "written to"):
        assert text in shown.stdout
    compared = run("compare", folder / "bad", folder / "good")
    assert compared.exit_code == 0
    for text in ("40 items, paired", "rougeL", "McNemar", "repetitive"):
        assert text in compared.stdout


def test_compare_in_json_and_markdown(folder: Path, tmp_path: Path) -> None:
    summary = tmp_path / "s.md"
    compared = data(run("compare", folder / "bad", folder / "good", "--summary", summary, "--json"))
    assert set(compared["metrics"]["rougeL"]) >= {"difference", "low", "high", "p"}
    assert set(compared["findings"]["repetitive"]) >= {"base", "other", "fixed", "broken", "p"}
    assert "| rougeL |" in summary.read_text()
    assert run("compare", folder / "bad", folder / "good", "--summary", summary).exit_code == 2
    assert run("compare", folder / "bad", folder / "good", "--summary", summary, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "items.jsonl", "--predictions", "good.jsonl"], "-o EVALUATION"),
        (["evaluate", "items.jsonl", "-o", "x"], "found neither"),
        (["evaluate", "none.jsonl", "-o", "x", "--predictions", "good.jsonl"], "no such file"),
        (["evaluate", "items.jsonl", "-o", "x", "--predictions", "none.jsonl"], "No such file"),
        (["evaluate", "items.jsonl", "-o", "x", "--model", "nowhere"], "nowhere"),
        (["evaluate", "items.jsonl", "-o", "x", "--predictions", "items.jsonl", "--metric", "blue"], "unknown metric"),
        (["compare", "items.jsonl", "good"], "expected a"),
        (["compare", "good", "nothing"], "no such folder"),
    ],
)
def test_misuse_is_exit_code_2_and_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    monkeypatch.chdir(folder)
    refused = run(*arguments, "--json")
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.output
    assert refused.stdout == ""
    assert not (folder / "x").exists()


def test_options_from_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tunesmith.yaml").write_text(f"evaluate:\n  predictions: {folder / 'good.jsonl'}\n  metric: [rouge1]\n  limit: 3\n")
    found = data(run("evaluate", folder / "items.jsonl", "-o", tmp_path / "e", "--config", tmp_path / "tunesmith.yaml", "--json"))
    assert list(found["metrics"]) == ["rouge1"]
    assert found["items"] == 3
