"""Verbs on large sources: python benchmarks/verbs_memory.py [--threads 1]

What a verb holds at most, for rows of two sizes: the difference of the two peaks is what the rows add, the rest is the program
itself and what it holds of any source. `check` reads in blocks and holds one; the others hold the rows, and what they find.
The rows are JSON lines of some 200 bytes, made of the beginnings of Alpaca's and of words drawn from them, so that none is a
duplicate. No other package does these jobs, so there are no peers here, and x compares the verbs alone.
"""

from __future__ import annotations

import atexit
import json
import random
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from harness import Side, main

ROWS, PART = 300_000, 3


def load(data: Path) -> Path:
    """The file that holds Alpaca."""
    file = data / "alpaca/alpaca_data.json"
    if not file.is_file():
        sys.exit(f"{data} does not hold the public data: name its folder with --data")
    return file


def begun(text: str, words: int) -> str:
    """The first words of a text."""
    return " ".join(text.split()[:words])


def write(rows: int, file: str, place: str) -> None:
    """Write that many rows."""
    known = json.loads(Path(file).read_bytes())
    words = [word for row in known[:5_000] for word in row["instruction"].split()]
    drawn = random.Random(0)
    with Path(place).open("w", encoding="utf-8") as lines:
        for k in range(rows):
            row, other = known[k % len(known)], known[k * 7 % len(known)]
            more = drawn.choices(words, k=5)
            asked = f"{begun(row['instruction'], 5)} {' '.join(more[:3])} {k}"
            given = begun(row["input"], 6) if k % 3 == 0 else ""
            line = {"instruction": asked, "input": given, "output": f"{begun(other['output'], 14)} {' '.join(more[3:])} {k}."}
            lines.write(json.dumps(line) + "\n")


def folder_of(rows: int, file: Path) -> Path:
    """A folder with that many rows; another process writes them, so that this one holds nothing of them."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    call = f"import verbs_memory; verbs_memory.write({rows}, {str(file)!r}, {str(folder / 'rows.jsonl')!r})"
    subprocess.run([sys.executable, "-c", call], cwd=Path(__file__).parent, check=True)
    return folder


def check(folder: Path) -> Any:
    """Format, schema and detectors, block by block."""
    import tunesmith as ts

    return ts.check(folder / "rows.jsonl", keep=False).result["valid"]


def curate(folder: Path) -> Any:
    """The default recipe, written."""
    import tunesmith as ts

    return ts.curate(folder / "rows.jsonl", out=folder / "version", force=True).kept


def split(folder: Path) -> Any:
    """Groups of near duplicates, three parts, and the certificate."""
    import tunesmith as ts

    return ts.split(folder / "rows.jsonl", folder / "split", force=True).manifest.result["train"]


def profile(folder: Path) -> Any:
    """All counts."""
    import tunesmith as ts

    return ts.profile(folder / "rows.jsonl").result["valid"]


SIDES = [
    Side(name=f"{name}, {ROWS // part:,} rows", run=run, say="{:,} rows".format, prepare=partial(folder_of, ROWS // part), part=part)
    for name, run in (("check", check), ("curate", curate), ("split", split), ("profile", profile))
    for part in (1, PART)
]


def amount(_file: Path) -> tuple[float, str]:
    """The rows."""
    return ROWS, "rows"


if __name__ == "__main__":
    main("Verbs on large sources", load=load, amount=amount, sides=SIDES)
