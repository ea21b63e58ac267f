"""Greedy k-center the plain way: after each pick every row's cover is updated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def greedy(vectors: NDArray[np.float32], budget: int) -> list[int]:
    """Pick rows, each time the least covered one; ties fall to the smaller row."""
    exact = vectors.astype(np.int64)
    cover = np.full(len(exact), -(2**62))
    picked: list[int] = []
    for _ in range(min(budget, len(exact))):
        best = int(np.argmin(cover))
        picked.append(best)
        cover = np.maximum(cover, exact @ exact[best])
        cover[picked] = 2**62
    return picked
