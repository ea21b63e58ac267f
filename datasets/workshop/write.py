"""Write the workshop data: `python datasets/workshop/write.py [FOLDER]`. Deterministic: the same bytes every time.

rows.json       about 3,000 instruction rows in Alpaca form, with defects
items.json      900 clean evaluation items of the same world; no prompt of theirs is a row's, but for one leak
documents.json  plain documents for the base model
truth.json      which row has which defect: for tests alone, the product never reads it

Without a FOLDER all four go here, and the first three into the package too, as copies: links would be lost in an
archive of the repository.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from defects import EVERYDAY, MISSING, everyday, plant
from documents import documents
from tasks import TASKS, Example, make
from world import PLACES

SEED = 20261121
ROWS_PER_CELL = 27  # 11 verbs x 10 places
ITEMS_PER_VERB = 75
DOCUMENTS = 3600


def unique(rng: random.Random, verb: str, place: str, taken: set[tuple[str, str]]) -> Example:
    """An example whose prompt was not made before."""
    while True:
        example = make(rng, verb, place)
        if example.prompt not in taken:
            taken.add(example.prompt)
            return example


def alpaca(example: Example, output: str) -> dict[str, str]:
    """The row as it stands in the file."""
    return {"instruction": example.instruction, "input": example.input, "output": output, "topic": example.place}


def build() -> dict[str, list[object]]:
    """All files by name."""
    rng, taken = random.Random(SEED), set[tuple[str, str]]()
    places = list(PLACES)
    items = [alpaca(e, e.output) for verb in TASKS for k in range(ITEMS_PER_VERB)
             for e in [unique(rng, verb, places[k % len(places)], taken)]]  # fmt: skip

    made: list[tuple[dict[str, str], list[str]]] = []
    for verb in TASKS:
        for place in places:
            for _ in range(ROWS_PER_CELL if verb != MISSING else 0):
                example = unique(rng, verb, place, taken)
                output, defect = plant(rng, example)
                made.append((alpaca(example, output), [defect] if defect else []))

    sound = [k for k, (row, defects) in enumerate(made) if not defects and row["output"].count(" ") > 3]
    rng.shuffle(sound)
    for kind, count in EVERYDAY.items():
        for _ in range(count):
            if kind == "leaked_item":
                item = next(item for item in items if item["instruction"].startswith("Complete"))
                made.append((everyday(kind, rng, item), [kind]))
            elif kind == "exact_duplicate":
                made.append((everyday(kind, rng, made[sound.pop()][0]), [kind]))
            else:
                k = next(k for k in reversed(sound) if kind != "input_placeholder" or not made[k][0]["input"])
                sound.remove(k)
                made[k] = (everyday(kind, rng, made[k][0]), [kind])
    rng.shuffle(made)
    # Of two copies the later one is the duplicate.
    first: dict[str, int] = {}
    for k, (row, defects) in enumerate(made):
        key = json.dumps(row, sort_keys=True)
        if "exact_duplicate" in defects and key not in first:
            twin = next(j for j in range(k + 1, len(made)) if made[j][0] == row)
            made[k], made[twin] = made[twin], made[k]
        first.setdefault(key, k)
    truth = [{"record": k, "defect": defect} for k, (_, defects) in enumerate(made) for defect in defects]
    truth.append({"record": None, "defect": "missing", "verb": MISSING})
    return {
        "rows.json": [row for row, _ in made],
        "items.json": list(items),
        "documents.json": list(documents(rng, DOCUMENTS)),
        "truth.json": list(truth),
    }


HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "python" / "tunesmith" / "cli" / "demo" / "workshop"


def main(*folders: Path) -> None:
    """Write every file into `folders`; the truth never goes into the package."""
    for name, records in build().items():
        lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
        for folder in folders:
            if (folder, name) != (PACKAGE, "truth.json"):
                (folder / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(*([Path(sys.argv[1])] if len(sys.argv) > 1 else [HERE, PACKAGE]))
