"""Groups of rows that edges link: python benchmarks/components.py [--threads N]

The last stage of near duplicates, and what an engine calls on the edges of all blocks: the smallest row of each group. Peers:
SciPy's connected components (labels, on a matrix that is built within its time) and networkx on a twentieth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import Side, main

EDGES, ROWS, PART = 5_000_000, 10_000_000, 20


def load(_data: Path) -> Any:
    """Random edges: groups of two to some thousands."""
    import numpy as np

    draw = np.random.default_rng(0)
    a = draw.integers(0, ROWS, EDGES, dtype=np.uint32)
    # Four in five lie near each other, as copies of one scrape do.
    near = draw.integers(1, 50, EDGES, dtype=np.uint32)
    b = np.where(draw.random(EDGES) < 0.8, np.minimum(a + near, ROWS - 1), draw.integers(0, ROWS, EDGES, dtype=np.uint32))
    return a, b


def as_frame(edges: Any) -> Any:
    """Two columns."""
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.DataFrame({"a": edges[0], "b": edges[1]})


def tunesmith(edges: Any) -> Any:
    """Rows that edges name, each with the smallest of its group."""
    from tunesmith import core

    return core.components(edges)


def scipy(edges: Any) -> int:
    """Label all rows."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = edges
    groups, _ = connected_components(coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(ROWS, ROWS)), directed=False)
    return int(groups - (ROWS - len(np.unique(np.concatenate([a, b])))))


def networkx(edges: Any) -> int:
    """Walk the graph."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_edges_from(zip(edges[0].tolist(), edges[1].tolist(), strict=True))
    return nx.number_connected_components(graph)


if __name__ == "__main__":
    main(
        "Groups by 5 million edges among 10 million rows",
        load=load,
        amount=lambda edges: (len(edges[0]) / 1e6, "M edges"),
        sides=[
            Side(
                name="tunesmith",
                run=tunesmith,
                prepare=as_frame,
                say=lambda found: f"{found['root'].n_unique():,} groups, each by its smallest row",
            ),
            Side(name="scipy", run=scipy, package="scipy", say=lambda groups: f"{groups:,} groups"),
            Side(
                name="networkx",
                run=networkx,
                package="networkx",
                prepare=lambda edges: (edges[0][::PART], edges[1][::PART]),
                part=PART,
                say=lambda groups: f"{groups:,} groups (of its part)",
            ),
        ],
    )
