"""Two evaluations of the same items, paired."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tunesmith as ts
from tunesmith.errors import ArtefactError, InputError
from tunesmith.evaluation import markdown, statistics

from .test_evaluate import ECHO, LOOP, ROWS


def some_right(count: int, *, wrong: str = "nothing of the kind") -> list[dict[str, Any]]:
    return [{**each, "output": each["output"] if each["position"] < count else wrong} for each in ECHO]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evaluations of the same 40 items: 8 right, 30 right, all in circles."""
    folder = tmp_path_factory.mktemp("evaluations")
    for name, predictions in (("low", some_right(8)), ("high", some_right(30)), ("loop", LOOP)):
        ts.evaluate(ROWS, folder / name, predictions=predictions, slices=["verb"])
    return folder


def test_differences_are_paired(folders: Path) -> None:
    compared = ts.compare(folders / "low", folders / "high")
    row = compared["metrics"]["exact_match"]
    assert (row["base"], row["other"], row["difference"], row["items"]) == (0.2, 0.75, pytest.approx(0.55), 40)
    assert 0.3 < row["low"] < 0.55 < row["high"] < 0.8
    assert row["p"] < 0.001
    back = ts.compare(folders / "high", folders / "low")["metrics"]["exact_match"]
    assert back["difference"] == -row["difference"]
    assert ts.compare(folders / "low", folders / "low")["metrics"]["rougeL"] == pytest.approx(
        {"base": 0.2, "other": 0.2, "difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "items": 40}
    )


def test_findings_count_the_fixed_and_the_broken(folders: Path) -> None:
    found = ts.compare(folders / "loop", folders / "high")["findings"]
    assert (found["repetitive"]["base"], found["repetitive"]["other"]) == (1.0, 0.0)
    assert (found["repetitive"]["fixed"], found["repetitive"]["broken"]) == (40, 0)
    changed = {name: statistics.mcnemar(row["fixed"], row["broken"]) for name, row in found.items()}
    assert {name: row["p"] for name, row in found.items()} == statistics.holm(changed)
    back = ts.compare(folders / "high", folders / "loop")["findings"]["repetitive"]
    assert (back["fixed"], back["broken"]) == (0, 40)
    assert "html_entity" not in found


def test_slices_add_up(folders: Path) -> None:
    compared = ts.compare(folders / "low", folders / "high")
    for column in ("verb", "length", "turns"):
        rows = [row for row in compared["slices"] if row["slice"] == column and row["metric"] == "rouge1"]
        assert sum(row["items"] for row in rows) == 40
        total = sum(row["items"] * row["difference"] for row in rows) / 40
        assert total == pytest.approx(compared["metrics"]["rouge1"]["difference"])


def test_order_does_not_matter_and_copies_pair_up(folders: Path, tmp_path: Path) -> None:
    predictions = {row["output"]: each["output"] for row, each in zip(ROWS, some_right(30), strict=True)}
    turned = ROWS[::-1]
    ts.evaluate(turned, tmp_path / "turned", predictions=[{"output": predictions[row["output"]]} for row in turned])
    compared = ts.compare(folders / "low", tmp_path / "turned")
    assert compared["metrics"]["exact_match"]["difference"] == pytest.approx(0.55)
    twice = [ROWS[0], ROWS[0], ROWS[1]]
    ts.evaluate(twice, tmp_path / "a", predictions=[{"output": text} for text in ("x", ROWS[0]["output"], "x")])
    ts.evaluate(twice, tmp_path / "b", predictions=[{"output": text} for text in ("x", "x", ROWS[1]["output"])])
    pairs = ts.compare(tmp_path / "a", tmp_path / "b")
    assert pairs["items"] == 3
    assert pairs["metrics"]["exact_match"]["difference"] == 0.0


def test_other_items_are_refused(folders: Path, tmp_path: Path) -> None:
    ts.evaluate(ROWS[:30], tmp_path / "fewer", predictions=ECHO[:30])
    with pytest.raises(InputError, match=r"found 40 in .*low and 30 in .*fewer, 30 of them the same .*evaluate both on the same SOURCE"):
        ts.compare(folders / "low", tmp_path / "fewer")
    with pytest.raises(ArtefactError):
        ts.compare(folders / "low", tmp_path / "none")


def test_items_without_an_output_are_left_out_and_told(folders: Path, tmp_path: Path) -> None:
    ts.evaluate(ROWS, tmp_path / "part", predictions=ECHO[:20], allow_partial=True)
    compared = ts.compare(folders / "high", tmp_path / "part")
    assert compared["items"] == compared["metrics"]["rougeL"]["items"] == 20
    assert compared["notes"] == ["20 of 40 items lack an output on one side; compared are the others"]


def test_clusters_count_once(tmp_path: Path) -> None:
    rows = [{**row, "cluster": k % 5} for k, row in enumerate(ROWS)]
    for name, right in (("a", 10), ("b", 30)):
        ts.evaluate(rows, tmp_path / name, predictions=some_right(right))
        ts.evaluate([{**row, "cluster": k} for k, row in enumerate(ROWS)], tmp_path / f"{name}1", predictions=some_right(right))
    joint, apart = ts.compare(tmp_path / "a", tmp_path / "b"), ts.compare(tmp_path / "a1", tmp_path / "b1")
    assert joint["interval"]["clusters"] == 5
    assert joint["metrics"]["exact_match"]["p"] == pytest.approx(2 / 2**5)
    assert apart["metrics"]["exact_match"]["p"] < 0.001


def test_markdown_is_a_table_and_names_cannot_break_it(folders: Path) -> None:
    compared = ts.compare(folders / "loop", folders / "high")
    text = markdown({**compared, "base": "a|b<script>"})
    assert "a\\|b\\<script\\>" in text
    assert "| rougeL |" in text
    assert "| repetitive | 100.0% | 0.0% | 40 | 0 |" in text
    assert isinstance(pl.DataFrame(compared["slices"]), pl.DataFrame)
