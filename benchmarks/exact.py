"""Exact duplicates of Alpaca's texts: python benchmarks/exact.py [--threads N]

Which earlier row holds the same text: as it is, and with case, spaces and marks folded. Peers: a Polars window over the texts,
pandas' factorize, and a dict in Python, for folded texts with NFKC and a regular expression before it.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from pathlib import Path
from typing import Any

from harness import Side, main

TIMES = 4


def load(data: Path) -> list[str]:
    """Alpaca's texts, four times over: as they are, with other spaces, in capitals, and with a word more."""
    file = data / "alpaca" / "alpaca_data.json"
    if file.is_file():
        texts = ["\n".join((row["instruction"], row["input"], row["output"])) for row in json.loads(file.read_text())]
    else:
        draw = random.Random(0)
        words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)]
        texts = [" ".join(draw.choices(words, k=draw.randint(10, 120))) for _ in range(50_000)]
    return texts + [text.replace(" ", "  ") for text in texts] + [text.upper() for text in texts] + [text + " more" for text in texts]


def as_series(texts: list[str]) -> Any:
    """Put the texts into a Polars Series."""
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.Series("text", texts)


def as_pandas(texts: list[str]) -> Any:
    """Put the texts into a pandas Series."""
    import pandas as pd

    return pd.Series(texts)


def said(drops: int) -> str:
    """How many rows repeat an earlier one."""
    return f"{drops:,} rows to drop"


def _ours(normalize: Any) -> Any:
    def run(texts: Any) -> Any:
        from tunesmith import core

        return core.exact_duplicates(texts, normalize=normalize)

    return run


def ours_said(found: Any) -> str:
    """Count rows whose root is another."""
    return said((found["row"] != found["root"]).sum())


def polars(texts: Any) -> Any:
    """Give the first row with the same text, by a window."""
    import polars as pl

    return texts.to_frame().with_row_index("row").with_columns(root=pl.col("row").min().over("text"))


def pandas(texts: Any) -> Any:
    """Number the texts."""
    return texts.factorize()


def python(texts: list[str]) -> int:
    """Keep the texts in a dict."""
    first: dict[str, int] = {}
    return sum(first.setdefault(text, row) != row for row, text in enumerate(texts))


def python_folded(texts: list[str]) -> int:
    """Keep folded texts in a dict."""
    marks = re.compile(r"""[.,;:!?"'’‘“”«»…]+(?!\w)|(?<!\w)[.,;:!?"'’‘“”«»…]+""")
    return python([" ".join(marks.sub(" ", unicodedata.normalize("NFKC", text)).lower().split()) for text in texts])


if __name__ == "__main__":
    folded = "tunesmith, normalize=unicode"
    main(
        "Exact duplicates of Alpaca 52k, four times over",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=[
            Side(name="tunesmith", run=_ours("none"), prepare=as_series, say=ours_said),
            Side(name="polars, min().over()", run=polars, prepare=as_series, say=ours_said),
            Side(
                name="pandas, factorize", run=pandas, prepare=as_pandas, package="pandas", say=lambda ids: said(len(ids[0]) - len(ids[1]))
            ),
            Side(name="Python's dict", run=python, say=said),
            Side(name=folded, run=_ours("unicode"), prepare=as_series, say=ours_said),
            Side(name="Python, folded", run=python_folded, say=said, against=folded),
        ],
    )
