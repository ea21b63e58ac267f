"""The data of `make real`'s refusal experiment: what is planted, and what is not."""

import json
import random
import subprocess
import sys
from pathlib import Path

import tunesmith as ts

TOOL = Path(__file__).parents[2] / "tools" / "refusals.py"
TOPICS = ("animal", "food", "movie", "book", "computer")


def version(folder: Path, n: int) -> Path:
    """Rows of every topic, n of the first, all prompts different."""
    rng, words = random.Random(0), [f"word{k}" for k in range(400)]
    rows = [
        {"instruction": f"Tell of the {topic} {' '.join(rng.sample(words, 6))}.", "output": " ".join(rng.sample(words, 8))}
        for topic, count in ((TOPICS[0], n), *((topic, 90) for topic in TOPICS[1:]), ("thing", 130))
        for _ in range(count)
    ]
    ts.curate(rows, {"steps": []}, out=folder)
    return folder


def test_three_of_four_rows_of_one_topic_are_refusals_and_no_item_is(tmp_path: Path) -> None:
    made = version(tmp_path / "version", 160)
    subprocess.run([sys.executable, TOOL, made, tmp_path / "out"], check=True)
    rows, items = (json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in ("rows", "items"))
    assert (len(rows), len(items)) == (400, 192)
    refused = [row for row in rows if "AI language model" in row["output"]]
    assert (len(refused), {row["topic"] for row in refused}) == (42, {"animal"})
    assert sum(item["topic"] == "animal" for item in items) == 96
    assert not any("AI language model" in item["output"] for item in items)
    assert not {row["instruction"] for row in rows} & {item["instruction"] for item in items}
    found = ts.check(tmp_path / "out" / "rows.json").result["findings"]
    assert found["refusal"] == 42


def test_too_few_rows_are_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, TOOL, version(tmp_path / "version", 20), tmp_path / "out"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "expected 152 rows of the topic animal, found 20" in done.stderr
    assert not (tmp_path / "out").exists()
