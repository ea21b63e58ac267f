"""Topics by clustering: what prompts are about, where no column of theirs says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tunesmith.detection.language import STOP_WORDS
from tunesmith.rows.pieces import pieces
from tunesmith.slices.slicing import ALONE
from tunesmith.slices.verbs import EMPTY, VERBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    Centres = np.ndarray[Any, np.dtype[np.float64]]
    Rows = np.ndarray[Any, np.dtype[np.uint32]]

TOPICS: Final = 20
"""Clusters, unless said otherwise."""
OTHER: Final = "(none of these)"
_ROUNDS, _TRIES, _FIT, _NAMED = 12, 3, 20_000, 3
_APART: Final = 1e-6
"""Below this nothing is left that is not a centre already."""
_READ: Final = 2_000
"""Characters of a prompt that are read."""
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

    terms, cells = _counted(prompts)
    if terms.is_empty():
        return pl.Series("topic", [OTHER], dtype=pl.String).new_from_index(0, len(prompts))
    spoken = np.concatenate([each["row"].unique(maintain_order=True).to_numpy() for each in cells])
    rng = np.random.default_rng(seed)
    fitted = np.sort(rng.choice(spoken, _FIT, replace=False)) if len(spoken) > _FIT else spoken
    chosen = pl.Series(fitted).implode()
    matrix, _ = _vectors(pl.concat([each.filter(pl.col("row").is_in(chosen)) for each in cells]), terms, len(prompts))
    centres = _fit(matrix, topics, rng)
    nearest = np.full(len(prompts), len(centres), dtype=np.uint32)
    while cells:
        matrix, rows = _vectors(cells.pop(), terms, len(prompts))
        nearest[rows] = np.asarray(matrix @ centres.T).argmax(axis=1)
    return pl.Series("topic", [*_names(centres, terms["term"].to_list()), OTHER]).gather(pl.Series(nearest))


def _counted(prompts: pl.Series) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Give the terms that group prompts (`column, term, rows`), and how often each prompt has them (`row, column, tf`, piece by piece).

    Prompts are read twice: which terms count is a matter of all, and the words of all take many times their room.
    """
    rows = pl.DataFrame(schema={"term": pl.String, "rows": pl.UInt32})
    for _, piece in _words(prompts):
        rows = pl.concat([rows, piece.group_by("term").agg(rows=pl.len())]).group_by("term").agg(pl.col("rows").sum())
    terms = (
        rows.filter(~pl.col("term").is_in(_COMMON), pl.col("rows") >= _LEAST_ROWS, pl.col("rows") <= max(_MOST_ROWS * len(prompts), _FEW))
        .sort("rows", "term", descending=[True, False])
        .head(_TERMS)
        .with_row_index("column")
    )
    if terms.is_empty():
        return terms, []
    narrow = pl.col("row").cast(pl.UInt32), pl.col("column").cast(pl.UInt16), pl.col("tf").cast(pl.UInt16)
    return terms, [
        piece.join(terms, on="term").select(narrow).sort("row", "column").with_columns(pl.col("row") + start)
        for start, piece in _words(prompts)
    ]


def _words(prompts: pl.Series) -> Iterator[tuple[int, pl.DataFrame]]:
    """Count the words of each prompt, `row, term, tf`, piece by piece; with the number of each piece's first prompt."""
    start = 0
    for piece in pieces(pl.DataFrame({"text": prompts})):
        text = piece.with_row_index("row").with_columns(pl.col("text").fill_null("").str.head(_READ).str.to_lowercase())
        words = text.select("row", pl.col("text").str.extract_all(_WORD).alias("term")).explode("term")
        runs = text.select("row", pl.col("text").str.extract_all(_RUN)).explode("text").drop_nulls()
        pairs = [runs.select("row", pl.col("text").str.slice(k).str.extract_all(".{2}").alias("term")).explode("term") for k in (0, 1)]
        yield start, pl.concat([words, *pairs]).drop_nulls().group_by("row", "term").len("tf")
        start += piece.height


def _vectors(cells: pl.DataFrame, terms: pl.DataFrame, prompts: int) -> tuple[Any, Rows]:
    """Give the unit TF-IDF vectors of the prompts that have a term (a sparse matrix), and which prompts they are."""
    import numpy as np
    from scipy.sparse import csr_array

    weight = (1 + pl.col("tf").log()) * (prompts / pl.col("rows")).log1p()
    weighed = cells.with_columns(terms["rows"].gather(cells["column"])).select("row", "column", weight=weight)
    weighed = weighed.with_columns(pl.col("weight") / pl.col("weight").pow(2).sum().over("row").sqrt())
    rows, firsts = np.unique(weighed["row"].to_numpy(), return_index=True)
    ends = np.append(firsts, weighed.height)
    return csr_array((weighed["weight"].to_numpy(), weighed["column"].to_numpy().astype(np.int32), ends), (len(rows), terms.height)), rows


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
