"""An evaluation of predictions: its files, its numbers, what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tunesmith as ts
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.evaluation import Evaluation, metrics, schema

WORDS = ["river", "stone", "cloud", "amber", "violet", "copper", "meadow", "harbour", "lantern", "willow"]
ROWS: list[dict[str, Any]] = [
    {"instruction": f"Say {WORDS[k % 10]} and {WORDS[k // 10]} number {k} please", "output": f"{WORDS[k % 10]} {WORDS[k // 10]} {k}"}
    for k in range(40)
]
ECHO = [{"position": k, "output": row["output"]} for k, row in enumerate(ROWS)]
LOOP = [{"position": k, "output": "again and again and " * 40, "finish": "length"} for k in range(40)]


def test_the_files_are_those_of_the_surface(tmp_path: Path) -> None:
    made = ts.evaluate(ROWS, tmp_path / "e", predictions=ECHO)
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "findings.parquet", "items.parquet", "manifest.json", "predictions.parquet", "scores.parquet", "summary.json",
    ]  # fmt: skip
    items = pl.read_parquet(made.folder / "items.parquet")
    assert items.columns[:8] == ["item", "position", "row_id", "instruction", "input", "reference", "cluster", "part"]
    assert items.columns[8:] == ["verb", "length", "language", "turns"]
    assert dict(list(items.schema.items())[:8]) == dict(schema.ITEM)
    assert made.predictions.schema == schema.PREDICTION
    assert made.scores.schema == schema.SCORE
    assert made.findings.schema == schema.FINDING
    assert not (tmp_path / "e.work").exists()


def test_right_answers_are_right(tmp_path: Path) -> None:
    summary = ts.evaluate(ROWS, tmp_path / "e", predictions=ECHO).summary
    assert summary["items"] == summary["predicted"] == 40
    assert list(summary["metrics"]) == ["rouge1", "rouge2", "rougeL", "rougeLsum", "exact_match"]
    for row in summary["metrics"].values():
        assert row["value"] == row["high"] == 1.0 > row["low"] > 0.85
        assert row["items"] == 40
    json.dumps(summary, allow_nan=False)


def test_scores_are_those_of_the_kernel(tmp_path: Path) -> None:
    predictions = [{"position": k, "output": f"the {row['output']}" + " rivers" * (k % 3)} for k, row in enumerate(ROWS)]
    made = ts.evaluate(ROWS, tmp_path / "e", predictions=predictions)
    want = ts.core.rouge([p["output"] for p in predictions], [row["output"] for row in ROWS], stemmer=True)
    for name in want.columns:
        got = made.scores.filter(pl.col("metric") == name).sort("item")["value"]
        assert got.to_list() == want[name].struct.field("f1").to_list()
        assert made.summary["metrics"][name]["value"] == pytest.approx(got.mean())
        assert made.summary["metrics"][name]["low"] < got.mean() < made.summary["metrics"][name]["high"]


def test_one_detector_both_sides(tmp_path: Path) -> None:
    made = ts.evaluate(ROWS, tmp_path / "e", predictions=LOOP)
    assert made.summary["findings"]["repetitive"]["rate"] == 1.0
    assert made.summary["findings"]["too_long"]["rate"] == 1.0
    assert made.summary["reference_findings"]["repetitive"]["rate"] == 0.0
    assert made.summary["finish"] == {"length": 40}
    assert made.findings.filter(pl.col("detector") == "repetitive")["side"].unique().to_list() == ["output"]
    spoilt = [{**row, "output": LOOP[0]["output"]} for row in ROWS]
    swapped = ts.evaluate(spoilt, tmp_path / "s", predictions=ECHO)
    found = swapped.findings.filter(pl.col("detector") == "repetitive")
    assert found["side"].unique().to_list() == ["reference"]
    assert found["model"].null_count() == found.height == 40
    assert swapped.summary["reference_findings"]["repetitive"]["rate"] == 1.0


def test_rows_without_an_answer_are_judged_alone(tmp_path: Path) -> None:
    rows = [{"instruction": row["instruction"], **({"output": row["output"]} if k < 10 else {})} for k, row in enumerate(ROWS)]
    summary = ts.evaluate(rows, tmp_path / "e", predictions=ECHO).summary
    assert summary["items"] == 40
    assert summary["metrics"]["rougeL"]["items"] == 10
    assert summary["findings"]["output_empty"] == pytest.approx({"rate": 0.0, "low": 0.0, "high": 0.0876, "items": 40}, abs=1e-3)
    assert summary["reference_findings"]["output_empty"]["items"] == 10
    assert any("30 items have no reference" in note for note in summary["notes"])
    bare = ts.evaluate([{"instruction": row["instruction"]} for row in ROWS], tmp_path / "b", predictions=ECHO).summary
    assert bare["metrics"] == {}
    assert bare["findings"]["repetitive"]["items"] == 40


def test_an_empty_output_scores_nothing_and_is_found(tmp_path: Path) -> None:
    summary = ts.evaluate(ROWS, tmp_path / "e", predictions=[{**ECHO[0], "output": " "}, *ECHO[1:]]).summary
    assert summary["metrics"]["exact_match"]["value"] == 39 / 40
    assert summary["findings"]["output_empty"]["rate"] == 1 / 40


def test_several_references(tmp_path: Path) -> None:
    rows = [{"instruction": f"{row['instruction']}!", "output": "none of it", "references": ["none of it", row["output"]]} for row in ROWS]
    made = ts.evaluate(rows, tmp_path / "e", predictions=ECHO)
    assert made.summary["metrics"]["rougeL"]["value"] == made.summary["metrics"]["exact_match"]["value"] == 1.0
    assert made.items["references"].list.len().unique().to_list() == [2]


def test_copies_make_clusters_and_wider_intervals(tmp_path: Path) -> None:
    """Ten near-equal prompts tell as little as one."""
    half = [{**each, "output": each["output"] if each["position"] % 2 else "wrong"} for each in ECHO]
    apart = ts.evaluate([{**row, "cluster": k} for k, row in enumerate(ROWS)], tmp_path / "a", predictions=half)
    joint = ts.evaluate([{**row, "cluster": k % 4} for k, row in enumerate(ROWS)], tmp_path / "j", predictions=half)
    widths = [made.summary["metrics"]["rouge1"]["high"] - made.summary["metrics"]["rouge1"]["low"] for made in (apart, joint)]
    assert widths[1] > 1.5 * widths[0]
    assert joint.items["cluster"].n_unique() == joint.summary["interval"]["clusters"] == 4
    assert joint.manifest.details["made"] == ["part"]


def test_clusters_and_parts_are_those_of_a_split(tmp_path: Path) -> None:
    rows = [{**row, "output": f"{row['output']} {k}"} for k, row in enumerate(ROWS * 3)]
    ts.split(rows, tmp_path / "s", test=60, validation=0)
    test = pl.read_parquet(tmp_path / "s" / "test" / "rows.parquet")
    made = ts.evaluate(tmp_path / "s" / "test", tmp_path / "e", predictions=[{"output": text} for text in test["output"]])
    assert made.items["cluster"].to_list() == test["cluster"].to_list()
    assert made.items["part"].to_list() == test["part"].to_list()
    assert made.items["position"].to_list() == test["position"].to_list()
    assert made.manifest.details["made"] == []
    again = ts.evaluate(test.drop("cluster", "part"), tmp_path / "x", predictions=[{"output": text} for text in test["output"]])
    assert again.items["part"].to_list() == made.items["part"].to_list()


def test_slices(tmp_path: Path) -> None:
    rows = [{**row, "topic": "sea" if k % 2 else "land", "level": k % 4} for k, row in enumerate(ROWS)]
    half = [{**each, "output": each["output"] if each["position"] % 2 else "wrong"} for each in ECHO]
    made = ts.evaluate(rows, tmp_path / "e", predictions=half, slices=["topic", "level"])
    assert {"topic", "level"} <= set(made.items.columns)
    by = made.summary["slices"]["topic"]
    assert by["sea"]["metrics"]["exact_match"]["value"] == 1.0
    assert by["land"]["metrics"]["exact_match"]["value"] == 0.0
    assert [row["items"] for row in made.summary["slices"]["level"].values()] == [10] * 4
    with pytest.raises(OptionError, match='did you mean "topic"'):
        ts.evaluate(rows, tmp_path / "x", predictions=half, slices=["topics"])


def test_several_seeds_are_averaged_per_item(tmp_path: Path) -> None:
    both = [{**each, "seed": 1} for each in ECHO] + [{**each, "seed": 2, "output": " "} for each in ECHO]
    summary = ts.evaluate(ROWS, tmp_path / "e", predictions=both).summary
    assert summary["metrics"]["exact_match"]["value"] == 0.5
    assert summary["metrics"]["exact_match"]["items"] == 40
    assert summary["findings"]["output_empty"]["rate"] == 0.5


def test_partial_predictions_need_leave(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"30 of 40 items have no prediction .*position 10; --allow-partial"):
        ts.evaluate(ROWS, tmp_path / "e", predictions=ECHO[:10])
    assert not (tmp_path / "e").exists()
    summary = ts.evaluate(ROWS, tmp_path / "e", predictions=[*ECHO[:10], {"position": 99, "output": "x"}], allow_partial=True).summary
    assert (summary["items"], summary["predicted"], summary["unmatched"], summary["foreign"]) == (40, 10, 30, 1)
    assert summary["metrics"]["rougeL"]["items"] == 10
    with pytest.raises(InputError, match="none of 1 predictions names an item by its position"):
        ts.evaluate(ROWS, tmp_path / "x", predictions=[{"position": 99, "output": "x"}], allow_partial=True)


def test_the_same_work_is_reused_and_other_work_refused(tmp_path: Path) -> None:
    first = ts.evaluate(ROWS, tmp_path / "e", predictions=ECHO)
    again = ts.evaluate(ROWS, tmp_path / "e", predictions=ECHO)
    assert (first.reused, again.reused) == (False, True)
    assert again.summary == first.summary == dict(first.manifest.result)
    with pytest.raises(ArtefactError, match="--force"):
        ts.evaluate(ROWS, tmp_path / "e", predictions=LOOP)
    assert ts.evaluate(ROWS, tmp_path / "e", predictions=LOOP, force=True).summary["findings"]["repetitive"]["rate"] == 1.0
    other = ts.evaluate(ROWS, tmp_path / "o", predictions=ECHO)
    assert other.manifest.hash == first.manifest.hash


def test_rejected_rows_and_limits(tmp_path: Path) -> None:
    rows = [{"instruction": "", "output": "x"}, *ROWS]
    made = ts.evaluate(rows, tmp_path / "e", predictions=[{"output": "x"}, *({"output": row["output"]} for row in ROWS)], limit=5)
    assert (made.summary["rejected"], made.summary["items"]) == (1, 5)
    assert made.summary["metrics"]["exact_match"]["value"] == 1.0
    with pytest.raises(InputError, match="1 rejected"):
        ts.evaluate(rows[:1], tmp_path / "x", predictions=ECHO)


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    for options, message in (
        ({}, "found neither"),
        ({"model": "m", "predictions": ECHO}, "found both"),
        ({"predictions": ECHO, "adapter": "a"}, "needs --model"),
        ({"model": "m", "base_output": "b"}, "needs --adapter"),
        ({"predictions": ECHO, "metrics": ["rouge"]}, "unknown metric"),
        ({"predictions": ECHO, "metrics": ["similarity"]}, "needs --embedder"),
        ({"predictions": ECHO, "metrics": ["rouge1"], "embedder": "m"}, "no metric needs it"),
    ):
        with pytest.raises(OptionError, match=message):
            ts.evaluate(ROWS, tmp_path / "e", **options)


class Letters:
    """An embedder that counts letters."""

    def embed(self, texts: list[str], *, progress: object) -> Any:
        counts = np.array([[text.count(letter) + 1e-9 for letter in "abc"] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_similarity_is_the_cosine_of_the_best_reference() -> None:
    pairs = metrics.Pairs(outputs=pl.Series(["ab", "a", "", "c"]), references=pl.Series([["a"], ["b", "aa"], ["a"], ["b"]]))
    values = metrics.score(pairs, ["similarity"], embedder=Letters())["similarity"].to_list()  # type: ignore[arg-type]
    assert values == pytest.approx([0.5**0.5, 1.0, 0.0, 0.0], abs=1e-6)


def test_opening_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"expected an? evaluation"):
        Evaluation.open(tmp_path)
