"""Signals per text, all of them and without compression: python benchmarks/signals.py

Peer: the same definitions in plain Python (`tests/oracles/signals.py`, with the `regex` package) on a tenth of the texts, as
a script of one's own would compute them, and Polars expressions for those that expressions can say.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from duplicates import as_series, load
from harness import Side, main

PART = 10


def tunesmith(texts: Any) -> str:
    """All signals."""
    from tunesmith import core

    return f"{core.signals(texts).width} signals"


def without_compression(texts: Any) -> str:
    """All signals but the one that costs as much as the others."""
    from tunesmith import core

    names = [name for name in core.signals([]).columns if name != "compression_ratio"]
    return f"{core.signals(texts, only=names).width} signals"


def zlib(texts: Any) -> str:
    """zlib alone, for that one."""
    from zlib import compress

    return f"{sum(len(compress(text.encode(), 1)) for text in texts) / 1e6:.1f} MB compressed"


def polars(texts: Any) -> str:
    """Lengths, shares and rep-4, as far as expressions go."""
    import polars as pl

    text = pl.col("text")
    words = text.str.split(" ")
    size = text.str.len_chars()
    measured = (
        texts.alias("text")
        .to_frame()
        .select(
            size.alias("characters"),
            words.list.len().alias("words"),
            (text.str.count_matches(r"\p{Alphabetic}") / size).alias("alphabetic_share"),
            (text.str.count_matches(r"\p{N}") / size).alias("digit_share"),
            (text.str.count_matches(r"\p{Uppercase}") / size).alias("uppercase_share"),
            (words.list.n_unique() / words.list.len()).alias("distinct_1"),
        )
    )
    return f"{measured.width} signals"


def python(texts: list[str]) -> str:
    """The slow twin."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from oracles import signals

    some = [signals.signals(text) for text in texts[::PART]]
    return f"{len(some[0])} signals"


if __name__ == "__main__":
    main(
        "Signals, Alpaca 52k: instruction, input and output",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=[
            Side(name="tunesmith", run=tunesmith, prepare=as_series),
            Side(name="tunesmith, no compression", run=without_compression, prepare=as_series),
            Side(name="Python's zlib, level 1", run=zlib),
            Side(name="polars expressions", run=polars, prepare=as_series),
            Side(name="plain Python", run=python, package="regex", part=PART),
        ],
    )
