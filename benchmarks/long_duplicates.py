"""Near duplicates of 50,000 long texts (80 MB, one in ten an edited copy): python benchmarks/long_duplicates.py [--repeat 1]

From text to clusters, 5-shingles, Jaccard .7. text-dedup runs its own MinHash entry point with its own defaults, from a data set
on disk to one on disk, in one process; rensa and datasketch as in `duplicates.py`. The texts are documents made of two to seven
Alpaca rows each; made-up words where the public data is absent.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from duplicates import as_series, datasketch, rensa
from harness import Side, main

ROWS = 50_000


def load(data: Path) -> list[str]:
    """Make the documents, the same ones every time."""
    draw = random.Random(0)
    file = data / "alpaca" / "alpaca_data.json"
    if file.is_file():
        pieces = ["\n".join((row["instruction"], row["input"], row["output"])) for row in json.loads(file.read_text())]
    else:
        words = [f"word{i}" for i in range(20_000)]
        pieces = [" ".join(draw.choices(words, k=draw.randint(10, 110))) for _ in range(20_000)]
    texts: list[str] = []
    while len(texts) < ROWS:
        if texts and draw.random() < 0.1:
            copy = draw.choice(texts[-2000:]).split(" ")
            for _ in range(draw.randrange(1, 40)):
                copy[draw.randrange(len(copy))] = draw.choice(copy)
            texts.append(" ".join(copy))
        else:
            texts.append("\n\n".join(draw.choice(pieces) for _ in range(draw.randint(2, 7))))
    return texts


def tunesmith(texts: Any) -> str:
    """Use the defaults: words, bands for a recall of .999, every candidate verified."""
    from tunesmith import core

    found = core.near_duplicates(texts)
    return f"{(found['row'] != found['root']).sum()} rows to drop, verified"


def tunesmith_as_text_dedup(texts: Any) -> str:
    """Use the parameters of text-dedup, every candidate verified."""
    from tunesmith import core

    found = core.near_duplicates(texts, preset="text-dedup")
    return f"{(found['row'] != found['root']).sum()} rows to drop, verified"


def as_data_set(texts: list[str]) -> Path:
    """Write what text-dedup reads."""
    from datasets import Dataset

    folder = Path(tempfile.mkdtemp(prefix="text-dedup-"))
    Dataset.from_dict({"text": texts}).save_to_disk(str(folder / "in"))
    return folder


def text_dedup(folder: Path) -> str:
    """`python -m text_dedup.minhash` with its defaults: 250 permutations, 25 x 10, \\W-split 5-shingles."""
    from datasets import load_from_disk
    from text_dedup import minhash

    logging.disable(logging.INFO)
    path, output = str(folder / "in"), str(folder / "out")
    minhash.main(["--path", path, "--local", "--output", output, "--column", "text", "--num_proc", "1"], standalone_mode=False)
    kept = len(load_from_disk(output))
    shutil.rmtree(folder)
    return f"{ROWS - kept} rows to drop, candidates"


if __name__ == "__main__":
    main(
        "Near duplicates, 50,000 long texts",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=[
            Side(name="tunesmith", run=tunesmith, prepare=as_series),
            Side(name="tunesmith, preset=text-dedup", run=tunesmith_as_text_dedup, prepare=as_series),
            Side(name="text-dedup", run=text_dedup, prepare=as_data_set, package="text_dedup"),
            Side(name="rensa", run=rensa, package="rensa"),
            Side(name="datasketch", run=lambda texts: datasketch(texts[::5]), package="datasketch", part=5),
        ],
    )
