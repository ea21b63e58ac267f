"""The promise of class A: recall and precision of at least 95% on planted sets of at least 100 and clean look-alikes."""

import polars as pl
import pytest

from detection.planting import LOOK_ALIKES, PLANTED, clean, planted
from tunesmith.detection import DETECTORS, find, fix

PROMISE = 0.95


def found(rows: list[dict[str, str]], name: str) -> set[int]:
    return set(find(pl.DataFrame(rows), only=[name])["position"])


@pytest.mark.parametrize("name", PLANTED)
def test_recall_and_precision_on_planted_rows(name: str) -> None:
    bad = planted(name)
    hits = len(found(bad, name))
    false = len(found(clean(len(bad), seed=99), name))
    missed = sorted(set(range(len(bad))) - found(bad, name))[:3]
    assert len(bad) >= 100
    assert hits / len(bad) >= PROMISE, [bad[k] for k in missed]
    assert hits / (hits + false) >= PROMISE


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_look_alikes_are_left_alone(name: str) -> None:
    alike = LOOK_ALIKES[name]
    assert [alike[k] for k in sorted(found(alike, name))] == []


def test_every_class_a_detector_has_a_planted_set() -> None:
    assert {name for name, detector in DETECTORS.items() if detector.grade == "A"} == set(PLANTED) == set(LOOK_ALIKES)


def test_clean_rows_stay_clean() -> None:
    assert find(pl.DataFrame(clean(300, seed=5))).rows() == []


@pytest.mark.parametrize("name", ["html_entity", "mojibake", "placeholder_token", "input_placeholder"])
def test_a_fix_clears_its_finding(name: str) -> None:
    bad = planted(name)
    edits = fix(pl.DataFrame(bad), only=[name])
    for position, field, text in edits.select("position", "field", "text").iter_rows():
        bad[position]["output" if field == "response" else field] = text
    assert found(bad, name) == set()


@pytest.mark.parametrize("name", ["html_entity", "mojibake"])
def test_a_fix_gives_the_text_back(name: str) -> None:
    import html
    import random

    rows = clean(100, seed=3)
    wrong = [html.escape(row["output"]) if name == "html_entity" else row["output"].encode().decode("latin-1") for row in rows]
    frame = pl.DataFrame([{**row, "output": text} for row, text in zip(rows, wrong, strict=True)])
    texts = dict(fix(frame, only=[name]).select("position", "text").iter_rows())
    assert len(texts) > 20
    for position in random.Random(0).sample(sorted(texts), 20):
        assert texts[position] == rows[position]["output"]
