"""Topics by clustering: what prompts are about, where no column of theirs says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tunesmith.detection.language import STOP_WORDS
from tunesmith.slices.slicing import ALONE
from tunesmith.slices.verbs import EMPTY, VERBS

if TYPE_CHECKING:
    import numpy as np

    Centres = np.ndarray[Any, np.dtype[np.float64]]

TOPICS: Final = 20
"""Clusters, unless said otherwise."""
OTHER: Final = "(none of these)"
_ROUNDS, _TRIES, _FIT, _NAMED = 12, 3, 20_000, 3
_APART: Final = 1e-6
"""Below this nothing is left that is not a centre already."""
_TERMS: Final = 4_096
"""Terms at most, the most frequent ones."""
_LEAST_ROWS, _MOST_ROWS, _FEW = 3, 0.1, 50
"""A term stands in at least so many rows, and in at most this share of them (or so few): rarer ones group nothing, others all."""
_WORD: Final = rf"[[\p{{L}}]&&[^{ALONE}]][[\p{{L}}\p{{N}}'’-]&&[^{ALONE}]]{{2,}}"
_RUN: Final = rf"[{ALONE}]{{2,}}"
_ASKING: Final = """
answer article based best common context correct different example examples explanation fact facts ideas information input instruction
involving item items least line list main name number numbers output paragraph passage people person phrase piece point points
possible prompt question questions reason reasons sentence sentences short statement story task text thing things tips topic type
types use used user uses using way ways word words write writing
also been being between could did do doing down had him into may might most much must new no none off only other own same
should such than then through too under until upon very was were what when where while who why without you yourself
"""
_COMMON: Final = frozenset([*VERBS, *EMPTY, *_ASKING.split(), *(word for words in STOP_WORDS.values() for word in words.split())])
"""Words that say how something is asked, and not what about."""


def clusters(prompts: pl.Series, *, topics: int = TOPICS, seed: int = 0) -> pl.Series:
    """Group prompts by their words, and name each group by the three words that mark it.

    Spherical k-means (Dhillon and Modha 2001) over TF-IDF vectors of words of three letters or more (without those that
    say how something is asked), and of pairs of characters in scripts without spaces; from
    centres drawn far apart (k-means++), the best of three tries. Fitted on 20,000 prompts at most; every prompt joins
    its nearest centre.

    Args:
        prompts: ``String[n]``.
        topics: Groups at most.
        seed: Draws the centres and the prompts to fit on.
    Returns:
        ``String[n]``, never null: the group's name, or ``(none of these)`` for a prompt without any of the words.

    >>> pies = ["bake the apple pie", "bake an apple cake", "bake apple bread"]
    >>> trips = ["a long train trip", "book the train trip", "train trip home"]
    >>> named = clusters(pl.Series(pies * 2 + trips * 2), topics=2).to_list()
    >>> named[0] == named[1], named[0] == named[6], named[6] == named[7]
    (True, False, True)
    """
    import numpy as np

    named = pl.Series("topic", [OTHER], dtype=pl.String).new_from_index(0, len(prompts))
    matrix, terms = _vectors(prompts)
    if not terms:
        return named
    spoken = np.flatnonzero(np.diff(matrix.indptr))
    rng = np.random.default_rng(seed)
    fitted = np.sort(rng.choice(spoken, _FIT, replace=False)) if len(spoken) > _FIT else spoken
    centres = _fit(matrix[fitted], topics, rng)
    nearest = np.asarray(matrix[spoken] @ centres.T).argmax(axis=1)
    names = _names(centres, terms)
    return named.scatter(spoken, pl.Series([names[k] for k in nearest], dtype=pl.String))


def _vectors(prompts: pl.Series) -> tuple[Any, list[str]]:
    """Give the unit TF-IDF vectors of prompts (a sparse matrix) and the terms of its columns."""
    import numpy as np
    from scipy.sparse import csr_array

    text = (
        pl.DataFrame({"text": prompts.fill_null("")}).with_row_index("row").with_columns(pl.col("text").str.head(2_000).str.to_lowercase())
    )
    words = text.select("row", pl.col("text").str.extract_all(_WORD).alias("term")).explode("term")
    runs = text.select("row", pl.col("text").str.extract_all(_RUN)).explode("text").drop_nulls()
    pairs = [runs.select("row", pl.col("text").str.slice(k).str.extract_all(".{2}").alias("term")).explode("term") for k in (0, 1)]
    counted = pl.concat([words, *pairs]).drop_nulls().group_by("row", "term").len("tf")
    known = (
        counted.group_by("term")
        .agg(rows=pl.len())
        .filter(~pl.col("term").is_in(_COMMON), pl.col("rows") >= _LEAST_ROWS, pl.col("rows") <= max(_MOST_ROWS * len(prompts), _FEW))
        .sort("rows", "term", descending=[True, False])
        .head(_TERMS)
        .with_row_index("column")
    )
    weight = (1 + pl.col("tf").log()) * (len(prompts) / pl.col("rows")).log1p()
    cells = counted.join(known, on="term").with_columns(weight=weight).sort("row", "column")
    cells = cells.with_columns(pl.col("weight") / pl.col("weight").pow(2).sum().over("row").sqrt())
    at = (cells["row"].to_numpy().astype(np.int64), cells["column"].to_numpy().astype(np.int64))
    return csr_array((cells["weight"].to_numpy(), at), shape=(len(prompts), known.height)), known["term"].to_list()


def _fit(matrix: Any, topics: int, rng: np.random.Generator) -> Centres:
    """Find centres, several times, and keep those that lie nearest to the prompts on the whole."""
    tries = [_moved(matrix, _drawn(matrix, topics, rng)) for _ in range(_TRIES)]
    return max(tries, key=lambda each: each[1])[0]


def _drawn(matrix: Any, topics: int, rng: np.random.Generator) -> Centres:
    """Draw the first centre, and each next one the likelier the farther it lies from those before (Arthur and Vassilvitskii 2007)."""
    import numpy as np

    chosen = [int(rng.integers(matrix.shape[0]))]
    near = _similarity(matrix, chosen[-1])
    while len(chosen) < topics and (far := np.clip(1 - near, 0, None)).sum() > _APART:
        chosen.append(int(rng.choice(matrix.shape[0], p=far / far.sum())))
        near = np.maximum(near, _similarity(matrix, chosen[-1]))
    return np.asarray(matrix[chosen].todense())


def _similarity(matrix: Any, row: int) -> Centres:
    import numpy as np

    return np.asarray((matrix @ matrix[[row]].T).todense()).ravel()


def _moved(matrix: Any, centres: Centres) -> tuple[Centres, float]:
    """Move centres to the middle of what is nearest until nothing changes; tells how near they are."""
    import numpy as np

    before = None
    for _ in range(_ROUNDS):
        likeness = np.asarray(matrix @ centres.T)
        nearest = likeness.argmax(axis=1)
        if before is not None and (nearest == before).all():
            break
        before = nearest
        for k in range(len(centres)):
            mine = np.flatnonzero(nearest == k)
            if len(mine):
                middle = np.asarray(matrix[mine].sum(axis=0)).ravel()
                centres[k] = middle / np.linalg.norm(middle)
    return centres, float(np.asarray(matrix @ centres.T).max(axis=1).sum())


def _names(centres: Centres, terms: list[str]) -> list[str]:
    """Name each centre by its heaviest terms; equal names are told apart by a number."""
    names: list[str] = []
    for centre in centres:
        heaviest = sorted(range(len(terms)), key=lambda k: (-centre[k], terms[k]))[:_NAMED]
        name = ", ".join(terms[k] for k in heaviest if centre[k] > 0)
        names.append(name if name not in names else f"{name} ({names.count(name) + 1})")
    return names
