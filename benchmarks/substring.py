"""Repeated passages of at least 50 characters in Alpaca: python benchmarks/substring.py [--threads N]

Peers: pydivsufsort (libdivsufsort and Kasai's LCP), which gives the array from which repeats would still have to be read,
and the same with numpy reading them off: every byte that lies in a run of 50 bytes that occurs twice.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from duplicates import as_series
from harness import Side, main

LEAST = 50


def load(data: Path) -> list[str]:
    """Instruction, input and output of every row, joined by line feeds."""
    file = data / "alpaca" / "alpaca_data.json"
    if file.is_file():
        return ["\n".join((row["instruction"], row["input"], row["output"])) for row in json.loads(file.read_text())]
    draw = random.Random(0)
    words = [f"word{i}" for i in range(5000)]
    parts = [" ".join(draw.choices(words, k=12)) for _ in range(1000)]
    return [" ".join((*draw.choices(words, k=draw.randint(10, 100)), draw.choice(parts))) for _ in range(50_000)]


def tunesmith(texts: Any) -> str:
    """Spans that begin and end at words."""
    from tunesmith import core

    found = core.substring_duplicates(texts, min_length=LEAST)
    total = (found["end"] - found["start"]).sum()
    return f"{found.height:,} spans, {total:,} characters to cut, first copies kept"


def as_bytes(texts: list[str]) -> Any:
    """Join the texts: a byte that UTF-8 lacks stands between them."""
    import numpy as np

    return np.frombuffer(b"\xff".join(text.encode() for text in texts), dtype=np.uint8).copy()


def array(text: Any) -> str:
    """Suffix array and LCP."""
    import pydivsufsort

    order = pydivsufsort.divsufsort(text)
    common = pydivsufsort.kasai(text, order)
    return f"an array of {len(common):,} and nothing read from it"


def read_off(text: Any) -> str:
    """Suffix array, LCP, and the bytes that lie in a long common prefix which starts later than another."""
    import numpy as np
    import pydivsufsort

    order = pydivsufsort.divsufsort(text).astype(np.int64)
    common = pydivsufsort.kasai(text, order.astype(np.int32)).astype(np.int64)[: len(order) - 1]
    # A common prefix ends where a text does.
    ends = np.append(np.flatnonzero(text == 0xFF), len(text))
    room = ends[np.searchsorted(ends, order)] - order
    common = np.minimum(common, np.minimum(room[:-1], room[1:]))
    group = np.concatenate(([0], np.cumsum(common < LEAST)))
    first = np.full(group[-1] + 1, len(text))
    np.minimum.at(first, group, order)
    later = (room >= LEAST) & (order > first[group])
    steps = np.zeros(len(text) + 1, dtype=np.int64)
    np.add.at(steps, order[later], 1)
    np.add.at(steps, order[later] + LEAST, -1)
    return f"{int((np.cumsum(steps)[:-1] > 0).sum()):,} bytes in repeats, words cut anywhere"


if __name__ == "__main__":
    main(
        f"Repeated passages of {LEAST} characters, Alpaca 52k: instruction, input and output",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=[
            Side(name="tunesmith", run=tunesmith, prepare=as_series),
            Side(name="pydivsufsort, array alone", run=array, prepare=as_bytes, package="pydivsufsort"),
            Side(name="pydivsufsort, read off with numpy", run=read_off, prepare=as_bytes, package="pydivsufsort"),
        ],
    )
