"""How near the training prompts are: whether an item asks for something that no row teaches.

The similarity of a prompt is its mean cosine with its `NEAREST` nearest training prompts, over hashed character 4-grams; of near
duplicates among the training prompts one counts. It is low where it is below the 5th percentile of what training prompts
themselves have with the others (leave one out). Training density near a query predicts performance (arXiv 2405.06331).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tunesmith.curation.steps.k_center import hashed
from tunesmith.rows import clusters, fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 10
LOW = 0.05
_SAMPLE = 2000
_BLOCK = 512


@dataclass(frozen=True, kw_only=True)
class Density:
    """Where items lie among the training prompts.

    Attributes:
        similarity: ``float64[items]``.
        neighbours: ``int64[items, k]``: lines of the training rows, the nearest first.
        cosines: ``float64[items, k]``: of these.
        threshold: The 5th percentile among training prompts.
    """

    similarity: NDArray[np.float64]
    neighbours: NDArray[np.int64]
    cosines: NDArray[np.float64]
    threshold: float

    @property
    def far(self) -> NDArray[np.bool_]:
        """Give ``bool[items]``: those with no training prompt near."""
        return self.similarity < self.threshold


def density(items: pl.DataFrame, rows: pl.DataFrame, *, seed: int = 0) -> Density:
    """Measure how near the training prompts are to the items.

    Args:
        items: ``instruction``, ``input``.
        rows: Training rows.
        seed: Draws the training prompts (at most 2,000) whose own similarity is measured.
    """
    group = rows["cluster"] if "cluster" in rows.columns and rows["cluster"].null_count() == 0 else clusters.prompt_clusters(rows)
    first = pl.DataFrame({"group": group}).with_row_index("line").unique("group", keep="first", maintain_order=True)["line"].to_numpy()
    known = _unit(hashed(fields.prompt(rows[first])))
    asked = _unit(hashed(fields.prompt(items.select("instruction", "input").with_columns(output=pl.lit(None, pl.String)))))
    chosen = np.random.default_rng(seed).permutation(len(known))[:_SAMPLE]
    own = _top(known[chosen], known, NEAREST + 1)[1][:, 1:]  # the nearest of all is the prompt itself
    lines, cosines = _top(asked, known, NEAREST)
    threshold = float(np.quantile(own.mean(axis=1), LOW)) if own.shape[1] else 0.0
    return Density(
        similarity=cosines.mean(axis=1) if cosines.shape[1] else np.zeros(len(asked)),
        neighbours=first[lines].astype(np.int64),
        cosines=cosines,
        threshold=threshold,
    )


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
    return scaled


def _top(queries: NDArray[np.float32], known: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the k most similar, the most similar first; ties fall to the earlier line."""
    k = min(k, len(known))
    lines, cosines = np.empty((len(queries), k), dtype=np.int64), np.empty((len(queries), k))
    for start in range(0, len(queries), _BLOCK):
        block = slice(start, start + _BLOCK)
        found = queries[block] @ known.T
        nearest = np.argpartition(-found, k - 1, axis=1)[:, :k] if k < len(known) else np.tile(np.arange(len(known)), (len(found), 1))
        values = np.take_along_axis(found, nearest, axis=1).astype(np.float64)
        order = np.lexsort((nearest, -values), axis=1)
        lines[block] = np.take_along_axis(nearest, order, axis=1)
        cosines[block] = np.take_along_axis(values, order, axis=1)
    return lines, cosines
