"""The workshop data: written again it is the same; what is planted in it is found, or at most flagged."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import tunesmith as ts
from tunesmith.cli.demo import DATA
from tunesmith.cli.demo.ring import RECIPE
from tunesmith.curation import Curated
from tunesmith.rows.clusters import prompt_clusters

WORKSHOP = Path(__file__).parents[2] / "datasets" / "workshop"
FILES = ("rows.json", "items.json", "documents.json", "truth.json")
MENDED = {"input_placeholder", "placeholder_token", "junk_chars", "html_entity"}
DROPPED = {"output_empty", "output_placeholder", "template_leak", "merged_rows", "exact_duplicate", "leaked_item"}
PLANTED = {"refusal", "repetitive", "too_long", "truncated", "misspelled", "wrong_format", "prompt_echo"}


def records(name: str) -> list[dict[str, str]]:
    loaded: list[dict[str, str]] = json.loads((WORKSHOP / name).read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    """Position and defect of every damaged row."""
    found = [one for one in records("truth.json") if one["record"] is not None]
    return pl.DataFrame(found, schema={"record": pl.UInt64, "defect": pl.String}).rename({"record": "position"})


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Curated:
    """The rows under the demo's recipe."""
    recipe = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    recipe.write_text(RECIPE.replace("items.json", str(WORKSHOP / "items.json")), encoding="utf-8")
    made: Curated = ts.curate(WORKSHOP / "rows.json", recipe)
    return made


def test_written_again_it_is_the_same(tmp_path: Path) -> None:
    subprocess.run([sys.executable, WORKSHOP / "write.py", tmp_path], check=True)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (WORKSHOP / name).read_bytes(), name


def test_the_package_holds_the_same_data() -> None:
    assert {path.name for path in DATA.iterdir()} == {"rows.json", "items.json", "documents.json"}  # and not the truth
    for path in DATA.iterdir():
        assert path.read_bytes() == (WORKSHOP / path.name).read_bytes()


def test_sizes_and_defects(truth: pl.DataFrame) -> None:
    rows, items = records("rows.json"), records("items.json")
    assert 2900 <= len(rows) <= 3100
    assert len(items) == 900
    verbs = Counter(item["instruction"].split()[0] for item in items)
    assert len(verbs) == 12
    assert set(verbs.values()) == {75}
    assert set(truth["defect"]) == MENDED | DROPPED | PLANTED


def test_no_prompt_of_an_item_is_among_the_rows_but_the_leak() -> None:
    prompts = {(row["instruction"], row["input"]) for row in records("rows.json")}
    assert sum((item["instruction"], item["input"]) in prompts for item in records("items.json")) == 1


def test_prompts_are_varied() -> None:
    frame = ts.read(WORKSHOP / "rows.json").frame
    groups = prompt_clusters(frame).value_counts()["count"]
    assert groups.max() <= 0.05 * frame.height


def test_items_are_clean() -> None:
    made = ts.check(WORKSHOP / "items.json").result
    assert made["rejected"] == 0
    assert made["findings"] == {}


def test_everyday_defects_are_dropped_or_mended(curated: Curated, truth: pl.DataFrame) -> None:
    kept = set(curated.frame["position"])
    edited = set(curated.ledger.filter(pl.col("action") == "edit")["position"])
    for defect, positions in truth.group_by("defect").agg("position").iter_rows():
        if defect in DROPPED:
            assert not kept & set(positions), defect
        elif defect in MENDED:
            assert set(positions) <= kept & edited, defect


def test_the_leak_is_named(curated: Curated, truth: pl.DataFrame) -> None:
    leak = truth.filter(pl.col("defect") == "leaked_item")["position"]
    dropped = curated.ledger.filter((pl.col("step") == "leaked") & (pl.col("action") == "drop"))
    assert dropped["position"].to_list() == leak.to_list()


def test_planted_rows_are_kept(curated: Curated, truth: pl.DataFrame) -> None:
    """What looks harmless row by row stays, at most flagged: the next turn finds it by what the model does."""
    planted = set(truth.filter(pl.col("defect").is_in(PLANTED))["position"])
    assert planted <= set(curated.frame["position"])
    assert curated.summary["rows_in"] == curated.summary["kept"] + curated.summary["dropped"] + curated.summary["rejected"]
    assert curated.summary["dropped"] == truth.filter(pl.col("defect").is_in(DROPPED)).height
