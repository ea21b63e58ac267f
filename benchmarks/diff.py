"""Word differences of answers and their edited copies: python benchmarks/diff.py [--threads N]

What `explain`, reports and `review` show: a shortest list of deleted and inserted words. Peers, on the same words: rapidfuzz's
insertions and deletions (a shortest list, too) and difflib's matcher (which need not find one) on a twentieth. *Changed* counts
deleted and inserted words together.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

from harness import Side, main

PART = 20
WORD = re.compile(r"\w+|\s+|[^\w\s]")
Pairs = list[tuple[str, str]]


def load(data: Path) -> Pairs:
    """Answers of at least twenty words, each beside a copy with some words dropped, doubled or replaced."""
    draw = random.Random(0)
    file = data / "alpaca" / "alpaca_data.json"
    if file.is_file():
        texts = [row["output"] for row in json.loads(file.read_text())]
    else:
        words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)]
        texts = [" ".join(draw.choices(words, k=draw.randint(10, 120))) for _ in range(50_000)]
    pairs = []
    for text in texts:
        words = text.split(" ")
        if len(words) < 20:
            continue
        for _ in range(draw.randint(1, len(words) // 4)):
            place = draw.randrange(len(words))
            words[place] = draw.choice(["", words[place] + " " + words[place], draw.choice(words)])
        pairs.append((text, " ".join(words)))
    return pairs


def as_columns(pairs: Pairs) -> Any:
    """Two columns."""
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.Series([a for a, _ in pairs]), pl.Series([b for _, b in pairs])


def tunesmith(columns: Any) -> Any:
    """Spans in characters."""
    from tunesmith import core

    return core.word_diff(*columns)


def changed(columns: Any, spans: Any) -> int:
    """Count the words of deleted and inserted spans."""
    total = 0
    for a, b, found in zip(*(column.to_list() for column in columns), spans.to_list(), strict=True):
        for span in found:
            if span["op"] != "equal":
                total += len(WORD.findall(a[span["a_start"] : span["a_end"]])) + len(WORD.findall(b[span["b_start"] : span["b_end"]]))
    return total


def rapidfuzz(pairs: Pairs) -> int:
    """Insertions and deletions of words, their spans made."""
    from rapidfuzz.distance import Indel

    total = 0
    for a, b in pairs:
        for edit in Indel.opcodes(WORD.findall(a), WORD.findall(b)):
            if edit.tag != "equal":
                total += edit.src_end - edit.src_start + edit.dest_end - edit.dest_start
    return total


def difflib(pairs: Pairs) -> int:
    """Matching blocks of words."""
    from difflib import SequenceMatcher

    total = 0
    for a, b in pairs:
        for tag, a_start, a_end, b_start, b_end in SequenceMatcher(None, WORD.findall(a), WORD.findall(b), autojunk=False).get_opcodes():
            if tag != "equal":
                total += a_end - a_start + b_end - b_start
    return total


if __name__ == "__main__":
    main(
        "Word differences of Alpaca's answers and edited copies",
        load=load,
        amount=lambda pairs: (len(pairs), "pairs"),
        sides=[
            Side(
                name="tunesmith",
                run=lambda columns: (columns, tunesmith(columns)),
                prepare=as_columns,
                say=lambda done: f"{changed(*done):,} words changed",
            ),
            Side(name="rapidfuzz", run=rapidfuzz, package="rapidfuzz", say=lambda total: f"{total:,} words changed"),
            Side(
                name="difflib",
                run=difflib,
                prepare=lambda pairs: pairs[::PART],
                part=PART,
                say=lambda total: f"{total:,} words changed (of its part)",
            ),
        ],
    )
