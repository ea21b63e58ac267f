"""Evaluations of some parts of the items: the same items, judged alike, as in an evaluation of all."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tiny
import tunesmith as ts
from tunesmith.errors import InputError, OptionError

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
# Lengths differ between the items, so that limits fitted on a part would not be those of all.
ROWS: list[dict[str, Any]] = [
    {"instruction": f"Say {NUMBERS[k % 10]} {NUMBERS[k // 10]}, {k} times", "output": " ".join([NUMBERS[k % 10]] * (1 + k))}
    for k in range(99)
]
ANSWERS = [{"position": k, "output": row["output"] * 2} for k, row in enumerate(ROWS)]


def test_a_part_is_judged_as_in_the_whole(tmp_path: Path) -> None:
    whole = ts.evaluate(ROWS, tmp_path / "all", predictions=ANSWERS)
    part = ts.evaluate(ROWS, tmp_path / "part", predictions=ANSWERS, parts=("gate", "confirm"))
    assert part.manifest.details["limits"] == whole.manifest.details["limits"]
    assert part.manifest.options["parts"] == ["gate", "confirm"]
    assert part.items["part"].value_counts().sort("part").rows() == [("confirm", 33), ("gate", 33)]
    assert part.items["item"].to_list() == list(range(66))
    kept = whole.items.filter(pl.col("part") != "dev")
    assert part.items.drop("item").equals(kept.drop("item"))
    for name in ("scores", "findings", "predictions"):
        numbered = [getattr(each, name).join(each.items.select("item", "position"), on="item", how="left") for each in (part, whole)]
        mine, theirs = (table.drop("item") for table in numbered)
        assert mine.equals(theirs.filter(pl.col("position").is_in(kept["position"].implode())))
    assert part.findings.filter(pl.col("detector") == "too_long").height > 0


def test_lines_are_those_of_the_source_or_of_the_part(tmp_path: Path) -> None:
    answers = [{"output": row["output"]} for row in ROWS]
    made = ts.evaluate(ROWS, tmp_path / "e", predictions=answers, parts=["gate"])
    assert made.summary["metrics"]["exact_match"]["value"] == 1.0
    own = [answers[position] for position in made.items["position"]]
    again = ts.evaluate(ROWS, tmp_path / "f", predictions=own, parts=["gate"])
    assert again.summary["metrics"]["exact_match"]["value"] == 1.0


def test_what_parts_refuse(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match='unknown part "gates"; did you mean "gate"'):
        ts.evaluate(ROWS, tmp_path / "e", predictions=ANSWERS, parts=["gates"])  # type: ignore[list-item]
    with pytest.raises(OptionError, match="found none"):
        ts.evaluate(ROWS, tmp_path / "e", predictions=ANSWERS, parts=[])
    with pytest.raises(OptionError, match="found the text"):
        ts.evaluate(ROWS, tmp_path / "e", predictions=ANSWERS, parts="gate")
    with pytest.raises(InputError, match=r"part gate, found none among 80 items \(dev 80\); where a third would hold fewer than 30"):
        ts.evaluate(ROWS[:80], tmp_path / "e", predictions=ANSWERS[:80], parts=["gate"])


def test_a_model_is_asked_alike(tmp_path: Path, one_thread: None) -> None:
    model = tiny.model_folder(tmp_path / "model", context=512)
    both = [
        ts.evaluate(ROWS, tmp_path / name, model=model, metrics=["exact_match"], parts=parts)
        for name, parts in (("gate", ["gate"]), ("two", ["dev", "gate"]))
    ]
    outputs = [made.items.join(made.predictions, on="item").select("position", "output", "part") for made in both]
    assert outputs[0].equals(outputs[1].filter(pl.col("part") == "gate"))
    assert both[0].summary["max_new_tokens"] == both[1].summary["max_new_tokens"] > 90
