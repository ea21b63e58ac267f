"""Exact duplicates of Alpaca's texts: python benchmarks/exact.py [--threads N]

Which earlier row holds the same text: as it is, and with case, spaces and marks folded. Peers: a Polars window over the texts,
pandas' factorize, and a dict in Python, for folded texts with NFKC and a regular expression before it.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from duplicates import as_series
from duplicates import load as alpaca
from harness import Side, main


def load(data: Path) -> list[str]:
    """Alpaca's texts, four times over: as they are, with other spaces, in capitals, and with a word more."""
    texts = alpaca(data)
    return texts + [text.replace(" ", "  ") for text in texts] + [text.upper() for text in texts] + [text + " more" for text in texts]


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

    return texts.alias("text").to_frame().with_row_index("row").with_columns(root=pl.col("row").min().over("text"))


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
