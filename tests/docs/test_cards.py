"""The card of the workshop data says what is in its files."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "datasets" / "workshop"
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")


def read(name: str) -> Any:
    """One of the files."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["rows.json", "items.json"])
def test_counts(name: str) -> None:
    line = next(line for line in CARD.splitlines() if line.startswith(f"| `{name}` |"))
    assert f"| {len(read(name)):,} " in line


def test_every_file_is_named() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(re.findall(r"`(\w+\.json)`", CARD))


def test_defects() -> None:
    found = Counter(entry["defect"] for entry in read("truth.json"))
    everyday = {name: int(count) for name, count in re.findall(r"^\| `(\w+)`.*\| (\d+) \|$", CARD, re.MULTILINE)}
    planted = set(re.findall(r"^\| `(\w+)`", CARD.partition("## Planted defects")[2], re.MULTILINE))
    assert everyday == {name: found[name] for name in everyday}
    assert set(everyday) | planted == set(found)
