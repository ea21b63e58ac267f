"""`report`: which sections, in which order, what the first sentence says, and what lies in the way."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tunesmith.artefact import Manifest, read_manifest, writing
from tunesmith.cli import main
from tunesmith.errors import ArtefactError, MissingExtraError
from tunesmith.reports import page, report

from .conftest import SAYABLE, evaluate, items
from .hostile import HOSTILE, Page, assert_harmless, shown


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def a_run(folder: Path, *, model: str, name: str, points: int = 3) -> Path:
    """A run's files without its weights: what a report reads of one."""
    import polars as pl

    steps = [k for k in range(1, points + 1) for _ in range(2)]
    losses = pl.DataFrame({
        "position": [k % 2 for k in range(2 * points)], "row_id": ["0" * 32] * 2 * points, "epoch": [1] * 2 * points, "step": steps,
        "phase": ["train"] * 2 * points, "loss": [4.0 / step for step in steps], "tokens": [3, 1] * points,
    }, schema_overrides={"step": pl.UInt32, "tokens": pl.UInt32})  # fmt: skip
    with writing(folder) as work:
        losses.write_parquet(work.folder / "losses.parquet")
        result = {"steps": points, "epochs": 1.0, "tokens": 100, "supervised_tokens": 4 * points, "loss": 1.25, "tokens_per_second": 50.0}
        details = {
            "validation": [{"step": 1, "epoch": 1, "loss": 3.0, "tokens": 9}, {"step": points, "epoch": 1, "loss": 2.0, "tokens": 9}]
        }
        options = {"method": "lora", "lr": 2e-4, "weird": HOSTILE[1]}
        work.finish(
            Manifest(kind="run", inputs={"model": model, "pack": "1" * 32}, options=options, hash=name, result=result, details=details)
        )
    return folder


@pytest.fixture(scope="module")
def drawn(work: Path) -> tuple[dict[str, Any], Page]:
    made = report(work, title="Work")
    return made, assert_harmless(Path(made["report"]).read_text(encoding="utf-8"))


def test_story_first_then_origin_then_tables(drawn: tuple[dict[str, Any], Page], work: Path) -> None:
    made, found = drawn
    assert made["sections"] == ["comparison", "data", "split", "pack", "reproduce", "answers", "rows"]
    assert made["report"] == str(work / "report.html")
    headings = [
        found.text.rindex(text) for text in ("Metrics", "Defects of the outputs", "Three answers in full", "The funnel", "All answers")
    ]
    assert headings == sorted(headings)
    assert found.text.index(made["verdict"]) < found.text.index("Before and after")
    assert f"# {shown(HOSTILE[0])}" in found.text, "the commands are shown as they are typed"


def test_hostile_rows_are_shown_and_searchable(drawn: tuple[dict[str, Any], Page]) -> None:
    _, found = drawn
    answers = json.dumps(found.tables["data-answers-table"], ensure_ascii=False)
    for text in SAYABLE:
        assert json.dumps(shown(text), ensure_ascii=False)[1:-1] in answers, text


def test_a_report_is_small_and_says_how_large(drawn: tuple[dict[str, Any], Page]) -> None:
    made, _ = drawn
    size = Path(made["report"]).stat().st_size
    assert made["bytes"] == size < page.BUDGET / 10


def test_equal_inputs_give_equal_bytes(drawn: tuple[dict[str, Any], Page], work: Path, tmp_path: Path) -> None:
    made, _ = drawn
    report(work, tmp_path / "again.html", title="Work")
    assert (tmp_path / "again.html").read_bytes() == Path(made["report"]).read_bytes()


def test_the_first_sentence_says_finetuning_only_of_a_run_that_led_there(work: Path, tmp_path: Path) -> None:
    for name in ("base", "finetuned"):
        shutil.copytree(work / name, tmp_path / name)
    apart = report(tmp_path)["verdict"]
    assert apart.startswith("rougeL rose from ")
    assert "(base)" in apart
    for name, model in (("base", "a" * 32), ("finetuned", "b" * 32)):
        path = tmp_path / name / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**manifest, "inputs": {**manifest["inputs"], "--model": model}}), encoding="utf-8")
    a_run(tmp_path / "run", model="a" * 32, name="b" * 32)
    led = report(tmp_path)
    assert led["verdict"].startswith("Finetuning raised rougeL from ")
    assert "run" in led["sections"]


def test_one_evaluation_and_three(work: Path, tmp_path: Path) -> None:
    one = report(work / "base", tmp_path / "one.html")
    assert one["sections"] == ["evaluation", "reproduce", "answers"]
    for name in ("a", "b", "ünï code"):
        shutil.copytree(work / "base", tmp_path / "three" / name)
    three = report(tmp_path / "three")
    assert three["sections"] == ["evaluation-1", "evaluation-2", "evaluation-3", "reproduce", "answers-1", "answers-2", "answers-3"]
    found = assert_harmless((tmp_path / "three" / "report.html").read_text(encoding="utf-8"))
    assert set(found.tables) == {f"data-answers-table-{k}" for k in (1, 2, 3)}


def test_evaluations_of_other_items_are_drawn_apart(work: Path, tmp_path: Path) -> None:
    shutil.copytree(work / "base", tmp_path / "base")
    evaluate(tmp_path, "other", ["A chair."] * 25, items(25)[:25])
    made = report(tmp_path)
    assert made["sections"][:2] == ["evaluation-1", "evaluation-2"]
    assert "not compared: expected evaluations of the same items" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_an_earlier_report_is_replaced_and_nothing_else(version: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "r.html"
    assert report(version, out)["bytes"] == report(version, out)["bytes"]
    mine = tmp_path / "mine.html"
    mine.write_text("<!doctype html><p>my thesis</p>", encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"exists and is no report.*--force"):
        report(version, mine)
    assert "thesis" in mine.read_text(encoding="utf-8")
    report(version, mine, force=True)
    assert "thesis" not in mine.read_text(encoding="utf-8")
    with pytest.raises(ArtefactError, match="found a folder"):
        report(version, tmp_path)
    assert not list(tmp_path.rglob("*.work"))


@pytest.mark.parametrize("name", HOSTILE[1:4])
def test_titles_and_folders_of_any_name(work: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name.replace("/", "_")
    shutil.copytree(work / "base", folder)
    made = report(folder, tmp_path / "r.html")
    found = assert_harmless((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert name.replace("/", "_") in found.text
    assert made["sections"]
    titled = report(work / "base", tmp_path / "r.html", title="bad \udcff bytes")
    assert "bad [U+DCFF] bytes" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert titled["bytes"] == (tmp_path / "r.html").stat().st_size


def test_command(version: Path, tmp_path: Path) -> None:
    shown_ = run("report", version, "-o", tmp_path / "r.html")
    assert shown_.exit_code == 0
    assert "r.html" in shown_.stdout
    assert " MB)" in shown_.stdout, "the size is printed"
    as_json = run("report", version, "-o", tmp_path / "r.html", "--json")
    assert set(json.loads(as_json.stdout)) == {"report", "bytes", "verdict", "sections"}
    assert as_json.stderr == ""
    (tmp_path / "other.txt").write_text("text", encoding="utf-8")
    for folder, out, says in (
        (tmp_path / "nowhere", "r.html", "found nothing"),
        (tmp_path, "r.html", "found none"),
        (version, "other.txt", "--force"),
    ):
        refused = run("report", folder, "-o", tmp_path / out)
        assert refused.exit_code == 2
        assert says in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1


def test_without_altair_one_line_says_what_to_install(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("altair", "vl_convert"):
        with monkeypatch.context() as blocked:
            blocked.setitem(sys.modules, package, None)
            with pytest.raises(MissingExtraError, match=r"pip install 'tunesmith\[report\]'"):
                report(work, tmp_path / "r.html")
            told = run("report", work, "-o", tmp_path / "r.html")
    assert told.exit_code == 2
    lines = [line for line in told.stderr.splitlines() if line.startswith("error: ")]
    assert lines == [
        "error: a report with plots needs altair with vl-convert-python, which is not installed: pip install 'tunesmith[report]'"
    ]
    assert "Traceback" not in told.stderr
    assert not (tmp_path / "r.html").exists()


def test_origin_names_every_artefact(drawn: tuple[dict[str, Any], Page], work: Path) -> None:
    _, found = drawn
    for name in ("clean", "split", "packed-train", "packed-validation", "base", "finetuned"):
        assert read_manifest(work / name).hash[:32] in found.text
