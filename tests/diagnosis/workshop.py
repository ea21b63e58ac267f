"""The workshop's rows, and answers as a model gives them that learnt each slice's targets, defects and all."""

import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tunesmith.rows import read
from tunesmith.slices import columns

FOLDER = Path(__file__).parents[2] / "datasets" / "workshop"
MISSING = "reverse"


def records(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@cache
def _modules() -> tuple[ModuleType, ModuleType]:
    """Import the script's own modules, which lie beside it."""
    sys.path.insert(0, str(FOLDER))
    try:
        import defects
        import tasks
    finally:
        sys.path.remove(str(FOLDER))
    return defects, tasks


def truth() -> dict[int, str]:
    """Which record has which planted defect."""
    defects, _ = _modules()
    kinds = {name for name, *_ in defects.PLANTED}
    return {row["record"]: row["defect"] for row in records("truth.json") if row["record"] is not None and row["defect"] in kinds}


def shares(planted: dict[int, str]) -> dict[tuple[str, str], dict[str, float]]:
    """How often each defect stands in the targets of a verb and place."""
    frame = read(str(FOLDER / "rows.json")).frame
    cells: dict[tuple[str, str], list[str | None]] = defaultdict(list)
    for record, verb, place in zip(frame["position"], columns(frame)["verb"], frame["topic"], strict=True):
        cells[verb, place].append(planted.get(record))
    return {cell: {kind: found.count(kind) / len(found) for kind in {*found} if kind} for cell, found in cells.items()}


def answers(items: list[dict[str, Any]], planted: dict[int, str], *, seed: int = 0) -> list[dict[str, Any]]:
    """Answer every item: its reference, broken as often as the targets of its verb and place are; nonsense where there are none."""
    defects, tasks = _modules()
    breaks: dict[str, Callable[..., str]] = {name: how for name, _, _, how in defects.PLANTED}
    rng, known = random.Random(seed), shares(planted)
    verbs = columns(read(items).frame)["verb"].to_list()
    made = []
    for position, (item, verb) in enumerate(zip(items, verbs, strict=True)):
        output = item["output"]
        cell = known.get((verb, item["topic"]))
        if cell is None:
            output = f"It is the {rng.choice(('cook', 'smith', 'groom'))}."
        for kind, share in (cell or {}).items():
            if rng.random() < share:
                example = tasks.Example(verb=verb, place=item["topic"], **{k: item[k] for k in ("instruction", "input", "output")})
                output = breaks[kind](rng, example)
        made.append({"position": position, "output": output, "finish": "stop"})
    return made
