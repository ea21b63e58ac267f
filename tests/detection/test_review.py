"""Detectors for review on planted rows: how much of what is broken in many wordings they find, and that clean rows are left alone."""

import polars as pl
import pytest

from detection.planting import clean
from detection.planting_review import LIMITED, MORE, REVIEW, reviewed
from tunesmith.detection import DETECTORS, Limits, find, fit

FOUND = {"hallucinated_input": 0.6, "spelling_instruction": 0.2, "misspelled": 0.35}
"""Least share that is found, where it is below the usual one: spelling promises precision alone."""
USUAL = 0.75


def limits(name: str) -> Limits | None:
    rows = pl.DataFrame(clean(300, seed=9))
    return fit(rows["output"], prompts=rows.select("instruction", "input")) if name in LIMITED else None


@pytest.mark.parametrize("name", [name for name in REVIEW if name != "missing_input"])  # these prompts never point at their input
def test_planted_rows_are_found(name: str) -> None:
    bad = reviewed(name, clean(400, seed=11), 200)
    found = set(find(pl.DataFrame(bad), only=[name], limits=limits(name))["position"])
    assert len(bad) >= 100
    assert len(found) / len(bad) >= FOUND.get(name, USUAL), [bad[k] for k in range(len(bad)) if k not in found][:3]


def test_every_detector_has_a_planted_set() -> None:
    from detection.planting import PLANTED
    from detection.planting_tasks import MADE

    assert set(DETECTORS) <= {*PLANTED, *MADE, *REVIEW}


def test_counts_and_addresses_are_planted_where_rows_allow() -> None:
    listed = {"instruction": "List three tools.", "input": "", "output": "1. Saw\n2. Axe\n3. Hammer"}
    read = {
        "instruction": "Summarize the text.",
        "input": "The old mill by the river has been grinding wheat for two hundred years.",
        "output": "Old.",
    }
    made = {name: reviewed(name, [listed, read, *clean(40, seed=3)]) for name in MORE}
    assert [row["output"].count("\n") for row in made["list_count"]] in ([1], [3])
    assert all(len(row["output"]) > 0 and row["output"][-1] != " " for row in made["truncated"])
    assert "example" in made["input_url_only"][0]["input"]
    for name in ("list_count", "input_url_only"):
        assert 0 in find(pl.DataFrame(made[name]), only=[name])["position"]


def test_prompts_in_a_script_without_frequent_words_are_judged() -> None:
    frame = pl.DataFrame(
        {
            "instruction": ["Мельница стоит у реки и мелет зерно крестьян из деревень: que fait le moulin?"],
            "output": ["Le moulin est au bord de la rivière, et il tourne tous les jours pour les paysans qui apportent leur blé."],
        }
    )
    assert find(frame, only=["language_mismatch"]).height <= 1
