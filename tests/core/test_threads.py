"""The same results at any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import random
import polars as pl
from tunesmith import core
draw = random.Random(0)
texts = pl.Series([" ".join(draw.choice("abcd") * draw.randint(1, 2) for _ in range(draw.randint(0, 30))) for _ in range(3000)])
frames = [
    core.near_pairs(texts, threshold=0.3, shingle=2), core.near_duplicates(texts, threshold=0.3, shingle=2),
    core.near_duplicates(texts[:2000], threshold=0.3, shingle=2, against=texts[2000:]), core.band_keys(texts),
    core.closest(texts[:500], texts[500:], shingle=2),
    core.exact_duplicates(texts, normalize="space"), core.signals(texts), core.quality_rules(texts, rules="gopher:dolma"),
    core.verify_pairs(texts, texts.reverse(), shingle=1).to_frame(), core.pack(texts.str.len_bytes(), capacity=200).to_frame(),
    core.overlap(texts[:2000], texts[2000:], n=3), core.substring_duplicates(texts, min_length=12),
]
print(frames[0].height > 1000, *[core.content_hash(frame) for frame in frames])
"""


def test_one_thread_equals_many() -> None:
    def run(threads: int) -> str:
        settings = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        return subprocess.run([sys.executable, "-c", SCRIPT], env=settings, capture_output=True, text=True, check=True).stdout

    one = run(1)
    assert one.startswith("True ")
    assert run(5) == one
