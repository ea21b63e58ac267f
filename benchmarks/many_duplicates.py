"""Near duplicates of 10 million short rows (540 MB) in bounded memory: python benchmarks/many_duplicates.py --repeat 1

Look at the peak: it is that of the whole process, the rows and the answer included. Nine made-up words a row; one row in ten is
another row with a word more, one in twenty another row in capitals. The rows are made once, by a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import Side, main

ROWS = 10_000_000
FILE = Path(tempfile.gettempdir()) / f"tunesmith-{ROWS}-rows.parquet"


def make(file: Path) -> None:
    """Write the rows, the same ones every time."""
    import polars as pl

    base, more = ROWS * 85 // 100, ROWS // 10
    letters = pl.Series(list("abcdefghijklmnopqrstuvwxyz"))
    drawn = [letters.sample(20_000, with_replacement=True, seed=place).alias(str(place)) for place in range(7)]
    lengths = (pl.int_range(pl.len()) % 6 + 2).alias("length")
    vocabulary = pl.DataFrame(drawn).select(pl.concat_str(pl.all()).str.slice(0, lengths)).to_series()

    def words(count: int, seed: int) -> pl.Series:
        return vocabulary.sample(count, with_replacement=True, seed=seed).alias(str(seed))

    rows = pl.DataFrame([words(base, seed) for seed in range(9)]).select(pl.concat_str(pl.all(), separator=" ")).to_series()
    near = rows.sample(more, seed=10) + " " + words(more, 11)
    same = rows.sample(ROWS - base - more, seed=12).str.to_uppercase()
    texts = pl.concat([rows, near, same]).sample(fraction=1.0, shuffle=True, seed=13)
    texts.to_frame("text").write_parquet(file, compression="lz4")


def load(_data: Path) -> Path:
    """Have the rows made, unless they are there."""
    if not FILE.exists():
        subprocess.run([sys.executable, __file__, "--make", str(FILE)], check=True)
    return FILE


def as_series(file: Path) -> Any:
    """Read the rows."""
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.read_parquet(file).to_series()


def near(texts: Any) -> str:
    """Use the defaults: 512 MiB for the search, the other keys on disk."""
    from tunesmith import core

    found = core.near_duplicates(texts)
    return f"{(found['row'] != found['root']).sum()} rows to drop, verified"


def exact(texts: Any) -> str:
    """Fold case, punctuation and compatibility forms."""
    from tunesmith import core

    found = core.exact_duplicates(texts, normalize="unicode")
    return f"{(found['row'] != found['root']).sum()} rows to drop"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        make(Path(sys.argv[2]))
    else:
        main(
            "Duplicates among 10 million short rows",
            load=load,
            amount=lambda _file: (ROWS / 1e6, "M rows"),
            sides=[
                Side(name="near_duplicates", run=near, prepare=as_series),
                Side(name="exact_duplicates", run=exact, prepare=as_series),
            ],
        )
