"""Near duplicates of whole Alpaca rows (word 5-shingles, Jaccard .7): python benchmarks/duplicates.py [--threads N]

The truth by brute force on Alpaca 52k is 8 pairs, 7 rows to drop. Peers: rensa and datasketch as their own pages show
them (white-space 5-shingles, 128 hash functions, LSH at .7, no verification).
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from harness import Side, main


def load(data: Path) -> list[str]:
    """Instruction, input and output of every row, joined by line feeds."""
    file = data / "alpaca" / "alpaca_data.json"
    if file.is_file():
        return ["\n".join((row["instruction"], row["input"], row["output"])) for row in json.loads(file.read_text())]
    draw = random.Random(0)
    words = [f"word{i}" for i in range(5000)]
    return [" ".join(draw.choices(words, k=draw.randint(10, 120))) for _ in range(50_000)]


def shingled(texts: list[str]) -> list[list[str]]:
    """White-space 5-shingles, lower-cased."""
    tokens = [text.lower().split() for text in texts]
    return [[" ".join(row[i : i + 5]) for i in range(max(1, len(row) - 4))] for row in tokens]


def as_series(texts: list[str]) -> Any:
    """Put the texts into a Polars Series."""
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.Series(texts)


def tunesmith(texts: Any) -> str:
    """Exact Jaccard, verified."""
    from tunesmith import core

    found = core.near_duplicates(texts, threshold=0.7, shingle=5)
    return f"{(found['row'] != found['root']).sum()} rows to drop, verified"


def tunesmith_spaces(texts: Any) -> str:
    """Compare with the peers' unit."""
    from tunesmith import core

    found = core.near_duplicates(texts, threshold=0.7, shingle=5, unit="space")
    return f"{(found['row'] != found['root']).sum()} rows to drop, verified"


def rensa(texts: list[str]) -> str:
    """R-MinHash and its LSH."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=0.7, num_perm=128, num_bands=32)
    drops = 0
    for row, shingles in enumerate(shingled(texts)):
        signature = RMinHash(num_perm=128, seed=42)
        signature.update(shingles)
        near = [other for other in index.query(signature) if signature.jaccard(RMINHASHES[other]) >= 0.7]
        drops += bool(near)
        RMINHASHES[row] = signature
        index.insert(row, signature)
    return f"{drops} rows to drop, by estimate"


RMINHASHES: dict[int, Any] = {}


def datasketch(texts: list[str]) -> str:
    """MinHash and MinHashLSH."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.7, num_perm=128)
    drops = 0
    for row, shingles in enumerate(shingled(texts)):
        signature = MinHash(num_perm=128, seed=42)
        signature.update_batch([shingle.encode() for shingle in shingles])
        drops += bool(index.query(signature))
        index.insert(row, signature)
    return f"{drops} rows to drop, candidates"


if __name__ == "__main__":
    main(
        "Near duplicates, Alpaca 52k: instruction, input and output",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=[
            Side(name="tunesmith", run=tunesmith, prepare=as_series),
            Side(name="tunesmith, unit=space", run=tunesmith_spaces, prepare=as_series),
            Side(name="rensa", run=rensa, package="rensa"),
            Side(name="datasketch", run=datasketch, package="datasketch"),
        ],
    )
