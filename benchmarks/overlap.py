"""Overlap of Alpaca and GSM8K train with the questions of GSM8K test, and planted leaks: python benchmarks/overlap.py [--threads N]

Peers: the rule of open-r1's scripts/decontaminate.py in plain Python (a set of 8-grams), and the one of datatrove's
filter (12-grams of NLTK's words) from its own functions. The rows that a peer flags are those of our mode of its name: the
number in brackets tells.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from harness import Side, main

Data = tuple[list[str], list[str]]


def load(data: Path) -> Data:
    """Training texts and items; every tenth item is planted in a text, most of them after another sentence."""
    draw = random.Random(0)
    alpaca, gsm = data / "alpaca" / "alpaca_data.json", data / "gsm8k"
    if alpaca.is_file():
        texts = ["\n".join((row["instruction"], row["input"], row["output"])) for row in json.loads(alpaca.read_text())]
        texts += [json.loads(line)["question"] for line in (gsm / "train.jsonl").read_text().splitlines()]
        items = [json.loads(line)["question"] for line in (gsm / "test.jsonl").read_text().splitlines()]
    else:
        words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)]
        texts = [" ".join(draw.choices(words, k=draw.randint(10, 120))) for _ in range(50_000)]
        items = [" ".join(draw.choices(words, k=draw.randint(10, 80))) for _ in range(1_300)]
    for item in items[::10]:
        texts[draw.randrange(len(texts))] += draw.choice(["", "\n"]) + " " + item
    return texts, items


def as_series(data: Data) -> Any:
    """Put the texts into a Polars Series."""
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.Series(data[0]), pl.Series(data[1])


def _ours(mode: str) -> Any:
    def run(data: Any) -> str:
        from tunesmith import core

        found = core.overlap(*data, mode=mode)
        rows = found["row"].unique().to_list()
        return f"{len(rows)} rows, {found.height} pairs with their shares (rows {hash(tuple(sorted(rows))) % 10**6:06})"

    return run


def plain(data: Data) -> str:
    """Flag a row that shares any 8-gram, as open-r1's script does."""

    def grams(text: str) -> set[str]:
        words = text.lower().split()
        return {" ".join(words[i : i + 8]) for i in range(len(words) - 7)}

    known: set[str] = set()
    for item in data[1]:
        known |= grams(item)
    rows = [row for row, text in enumerate(data[0]) if any(gram in known for gram in grams(text))]
    return f"{len(rows)} rows (rows {hash(tuple(rows)) % 10**6:06})"


def datatrove(data: Data) -> str:
    """Flag a row that shares any 12-gram: datatrove's texts and hashes, NLTK's words (of which no sentence model is asked)."""
    from datatrove.utils.hashes.xxhash import xxhash64
    from datatrove.utils.text import simplify_text
    from nltk.tokenize import NLTKWordTokenizer

    words = NLTKWordTokenizer()

    def grams(text: str) -> list[int]:
        tokens = words.tokenize(simplify_text(text))
        return [xxhash64(" ".join(tokens[i : i + 12]).encode()) for i in range(len(tokens) - 11)]

    known = {gram for item in data[1] for gram in grams(item)}
    rows = [row for row, text in enumerate(data[0]) if any(gram in known for gram in grams(text))]
    return f"{len(rows)} rows (rows {hash(tuple(rows)) % 10**6:06})"


if __name__ == "__main__":
    main(
        "Overlap with GSM8K test, of Alpaca 52k and GSM8K train with 132 planted items",
        load=load,
        amount=lambda data: (sum(len(text.encode()) for text in data[0]) / 1e6, "MB"),
        sides=[
            Side(name="tunesmith", run=_ours("tunesmith"), prepare=as_series),
            Side(name="tunesmith, mode=open-r1", run=_ours("open-r1"), prepare=as_series),
            Side(name="open-r1's rule, Python", run=plain),
            Side(name="tunesmith, mode=datatrove", run=_ours("datatrove"), prepare=as_series),
            Side(name="datatrove", run=datatrove, package="datatrove"),
        ],
    )
