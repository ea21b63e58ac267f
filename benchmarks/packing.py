"""Packing a million sequences into bins of 2,048 tokens: python benchmarks/packing.py

Peer: TRL's best-fit-decreasing (`pack_dataset(..., strategy="bfd")`), which also copies the token lists; here they are
of the same lengths and hold zeros, and a tenth of them, since it is far slower.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from harness import Side, main

CAPACITY = 2048
ROWS = 1_000_000
PART = 10


def load(data: Path) -> list[int]:
    """Log-normal lengths (median 148 tokens, as instruction rows have), made up by seed."""
    del data
    draw = random.Random(0)
    return [min(CAPACITY, max(1, int(draw.lognormvariate(5, 1)))) for _ in range(ROWS)]


def as_series(lengths: list[int]) -> Any:
    """Put the lengths into a Polars Series."""
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.Series(lengths, dtype=pl.UInt32)


def tunesmith(lengths: Any) -> str:
    """Best-fit decreasing."""
    from tunesmith import core

    bins = core.pack(lengths, capacity=CAPACITY)
    return f"fill {lengths.sum() / ((bins.max() + 1) * CAPACITY):.3%}"


def as_dataset(lengths: list[int]) -> Any:
    """Token lists of these lengths."""
    import datasets
    import numpy as np
    import pyarrow as pa
    from trl import pack_dataset  # noqa: F401  (a slow import, not timed)

    some = np.array(lengths[::PART])
    borders = np.concatenate([[0], np.cumsum(some)])
    tokens = pa.LargeListArray.from_arrays(pa.array(borders, pa.int64()), pa.array(np.zeros(borders[-1], np.int32)))
    return datasets.Dataset(pa.table({"input_ids": tokens}))


def trl(dataset: Any) -> str:
    """TRL's packing."""
    from trl import pack_dataset

    packed = pack_dataset(dataset, CAPACITY, strategy="bfd")
    return f"fill {len(dataset.data.column('input_ids').combine_chunks().flatten()) / (len(packed) * CAPACITY):.3%}"


if __name__ == "__main__":
    main(
        "Packing into bins of 2,048 tokens",
        load=load,
        amount=lambda lengths: (len(lengths) / 1e6, "M sequences"),
        sides=[
            Side(name="tunesmith", run=tunesmith, prepare=as_series),
            Side(name="trl", run=trl, package="trl", prepare=as_dataset, part=PART),
        ],
    )
