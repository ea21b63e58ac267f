"""The verbs check, detect and detectors: results, files, exit codes."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from tunesmith.cli import main
from tunesmith.detection import DETECTORS, check, detect, detectors
from tunesmith.errors import ArtefactError, InputError, OptionError

ROWS = [
    {"instruction": "Name a colour.", "input": "", "output": "Blue."},
    {"instruction": "Name a river.", "input": "noinput", "output": ""},
    {"instruction": "Quote him.", "input": "", "output": "&quot;Land!&quot; [/b] \x1b[31m"},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def data(result: Result) -> dict[str, Any]:
    return json.loads(result.stdout)


def test_check_counts_rows(file: Path) -> None:
    result = run("check", file, "--json")
    assert result.exit_code == 0
    made = data(result)
    assert {key: made[key] for key in ("format", "rows", "valid", "rejected", "reasons")} == {
        "format": "alpaca", "rows": 3, "valid": 3, "rejected": 0, "reasons": {},
    }  # fmt: skip
    assert made["findings"] == {"html_entity": 1, "junk_chars": 1, "input_placeholder": 1, "output_empty": 1}


def test_check_fails_on_a_reject_and_writes_it(tmp_path: Path) -> None:
    path, rejects = tmp_path / "bad.jsonl", tmp_path / "rejects.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n" + json.dumps({"instruction": "", "output": "x"}) + "\n{broken\n")
    result = run("check", path, "--rejects", rejects, "--json")
    assert result.exit_code == 1
    made = data(result)
    assert (made["rows"], made["valid"], made["rejected"]) == (3, 1, 2)
    assert sum(made["reasons"].values()) >= 2
    assert len(rejects.read_text().splitlines()) == 2
    again = run("check", path, "--rejects", rejects)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    shown = run("check", path, "--rejects", rejects, "--force")
    assert shown.exit_code == 1
    assert "line 3" in " ".join(shown.stdout.split())


def test_check_of_a_missing_file_is_misuse(tmp_path: Path) -> None:
    result = run("check", tmp_path / "absent.json", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "absent.json" in result.stderr


def test_check_shows_what_to_run_next(file: Path) -> None:
    shown = run("check", file).stdout
    assert f"tunesmith curate {file} -o clean" in shown
    assert "fatal" in shown


def test_detect_gives_counts_rates_and_spans(file: Path) -> None:
    made = data(run("detect", file, "--json"))
    assert list(made) == list(DETECTORS)
    assert (made["html_entity"]["count"], made["html_entity"]["rate"]) == (1, 1 / 3)
    example = made["html_entity"]["examples"][0]
    assert (example["position"], example["field"], example["span"], example["before"]) == (2, "response", "&quot;", "")
    assert made["merged_rows"] == {"count": 0, "rate": 0.0, "examples": []}


def test_detect_only_and_show(file: Path) -> None:
    made = data(run("detect", file, "--only", "output_empty", "--only", "html_entity", "--show", 0, "--json"))
    assert set(made) == {"output_empty", "html_entity"}
    assert made["output_empty"] == {"count": 1, "rate": 1 / 3, "examples": []}
    wrong = run("detect", file, "--only", "output_emty")
    assert wrong.exit_code == 2
    assert 'did you mean "output_empty"' in wrong.stderr


def test_hostile_text_is_shown_not_obeyed(file: Path) -> None:
    shown = run("detect", file).stdout
    assert "\x1b[31m" not in shown
    assert "\\u001b[31m" in shown
    assert "[/b]" in shown


@pytest.mark.parametrize(("ending", "read"), [(".parquet", pl.read_parquet), (".jsonl", pl.read_ndjson), (".csv", pl.read_csv)])
def test_findings_go_to_a_file(file: Path, tmp_path: Path, ending: str, read: Any) -> None:
    out = tmp_path / f"findings{ending}"
    found = detect(file, out)
    assert read(out)["detector"].to_list() == found.findings["detector"].to_list()
    with pytest.raises(ArtefactError, match="--force"):
        detect(file, out)
    detect(file, out, force=True)


def test_other_endings_are_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.parquet"):
        detect(file, tmp_path / "findings.xlsx")
    with pytest.raises(InputError, match="not there"):
        detect(file, tmp_path / "no" / "findings.csv")


def test_check_and_detect_agree(file: Path) -> None:
    counts = {name: each["count"] for name, each in detect(file).result.items() if each["count"]}
    assert counts == check(file).result["findings"]


def test_the_list_and_a_page() -> None:
    pages = data(run("detectors", "--json"))["detectors"]
    assert [page["name"] for page in pages] == [*DETECTORS, "off_topic"]
    assert all(page[key] for page in pages for key in ("finds", "harm", "bad", "good", "false_alarms", "measured", "severity", "promise"))
    assert run("detectors").exit_code == 0
    page = run("detectors", "mojibake").stdout
    assert all(title in page for title in ("What it finds", "Known false alarms", "Safe fix", "Measured", "planted"))
    assert len(detectors("mojibake")) == 1
    with pytest.raises(OptionError):
        detectors("mojibaké")
