"""Greedy k-center over vectors, exact and equal at any thread count and block size.

Vectors are unit vectors scaled to whole numbers of length about 2,048, so that every partial sum of a dot product is a
whole number below 2^24: float32 arithmetic on them is exact, whatever order BLAS adds in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRAM = 4
"""Characters in an n-gram."""
DIMENSIONS = 256
_SCALE = 2048
_BATCH = 512
_BLOCK = 1 << 22


def hashed(texts: pl.Series) -> NDArray[np.float32]:
    """Make vectors of hashed character 4-grams: lower-cased, counted, the root of the count, signed, of equal length.

    A text of fewer characters is padded with spaces. Signed hashing after Weinberger et al. 2009 (arXiv 0902.2206).

    Args:
        texts: ``String[n]``, no nulls.
    Returns:
        ``float32[n, 256]``, whole numbers.

    >>> a, b = hashed(pl.Series(["Say hello", "say hello"]))
    >>> bool((a == b).all())
    True
    """
    made = np.zeros((texts.len(), DIMENSIONS), dtype=np.float32)
    lowered = (texts.str.to_lowercase() + " ").str.pad_end(GRAM, " ")
    lengths = lowered.str.len_chars().to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    start = 0
    while start < texts.len():
        base = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, base + _BLOCK)))
        made[start:stop] = _hashed_block(lowered[start:stop], lengths[start:stop])
        start = stop
    return exact(made)


def _hashed_block(texts: pl.Series, lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    row = np.repeat(np.arange(len(lengths)), lengths)
    code = np.zeros(len(points) - GRAM + 1, dtype=np.uint64)
    for k in range(GRAM):
        code = (code ^ points[k : len(points) - GRAM + 1 + k]) * np.uint64(0x9E3779B97F4A7C15)
        code ^= code >> np.uint64(29)
    inside = row[: len(code)] == row[GRAM - 1 :]
    code, row = code[inside], row[: len(inside)][inside]
    # One count a distinct n-gram of a row, so that a repeated n-gram weighs the root of its count.
    order = np.lexsort((code, row))
    code, row = code[order], row[order]
    first = np.flatnonzero(np.concatenate(([True], (code[1:] != code[:-1]) | (row[1:] != row[:-1]))))
    counts = np.diff(np.concatenate((first, [len(code)])))
    code, row = code[first], row[first]
    weight = np.sqrt(counts) * np.where((code >> np.uint64(63)) == 1, -1.0, 1.0)
    cell = row * DIMENSIONS + ((code >> np.uint64(40)) % np.uint64(DIMENSIONS)).astype(np.int64)
    return np.bincount(cell, weights=weight, minlength=len(lengths) * DIMENSIONS).reshape(len(lengths), DIMENSIONS).astype(np.float32)


def exact(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 2,048 and round them to whole numbers; a row of zeros stays."""
    norms = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return np.rint(vectors / np.where(norms == 0, 1, norms) * _SCALE).astype(np.float32)


def greedy(vectors: NDArray[np.float32], budget: int, done: Callable[[int], None] = lambda _n: None) -> list[int]:
    """Pick rows, each time the one whose highest similarity to those picked is lowest; ties fall to the smaller row.

    Lazily: among the rows that look worst covered the order is found in a small matrix, as long as none outside can
    come before them (similarities only rise); then all rows are updated at once.

    Args:
        vectors: ``float32[n, d]``, whole numbers (`exact`).
        budget: How many to pick.
        done: Told the number picked so far.

    >>> greedy(exact(np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32)), 2)
    [0, 2]
    """
    n = len(vectors)
    budget = min(budget, n)
    covered = np.full(n, -np.inf, dtype=np.float32)
    picked: list[int] = []
    size = 1  # the first row is picked alone: until then nothing tells rows apart
    while len(picked) < budget:
        candidates, bound = _worst(covered, size)
        own = vectors[candidates]
        between = own @ own.T
        cover = covered[candidates].copy()
        fresh: list[int] = []
        while len(picked) + len(fresh) < budget:
            k = int(np.argmin(cover))
            if cover[k] == np.inf or (cover[k], candidates[k]) > bound:
                break
            fresh.append(k)
            np.maximum(cover, between[k], out=cover)
            cover[[*fresh]] = np.inf
        new = candidates[fresh]
        picked.extend(int(row) for row in new)
        _cover(covered, vectors, new)
        done(len(picked))
        size = min(_BATCH, n) if len(picked) == 1 or len(fresh) * 4 >= size else max(16, size // 2)
    return picked


def _worst(covered: NDArray[np.float32], size: int) -> tuple[NDArray[np.int64], tuple[float, float]]:
    """The `size` rows that come first by (cover, row), in row order, and the key of the next one."""
    if size >= len(covered):
        return np.arange(len(covered)), (np.inf, np.inf)
    edge = np.partition(covered, size)[size]
    below = np.flatnonzero(covered < edge)
    ties = np.flatnonzero(covered == edge)
    take = size - len(below)
    return np.sort(np.concatenate((below, ties[:take]))), (float(edge), float(ties[take]))


def _cover(covered: NDArray[np.float32], vectors: NDArray[np.float32], new: NDArray[np.int64]) -> None:
    """Raise each row's cover by the rows just picked; those never come again."""
    step = max(1, _BLOCK // max(1, len(new)))
    for start in range(0, len(vectors), step):
        block = slice(start, start + step)
        np.maximum(covered[block], (vectors[block] @ vectors[new].T).max(axis=1), out=covered[block])
    covered[new] = np.inf
