"""Candidate slices: sets of items and of training rows that one readable condition names on both sides.

Conditions are on what was asked, never on an answer: a slice must not be defined by a defect's own measure. So the length is the
prompt's and the language is told from the prompt alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from scipy import sparse

from tunesmith import slices
from tunesmith.detection import languages
from tunesmith.evaluation import slice_columns
from tunesmith.slices.slicing import WORD, bucket

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVERYTHING: Final = "all"
SUPPORT = 5
"""Items of the part that a slice needs at least; one in a hundred where that is more."""
_OWN = ("verb", "topic", "length", "language", "turns")
_WORDS, _PAIRS = 150, 400
_ALONE = ("prompt_words", "language", "turns")
"""Columns that make no slice together with another: there is little to read in them."""
_FUNCTION_WORDS: Final = """
a about after again all also am an and any are as at be because been before being below between both but by can could did do does doing
don down during each every few for from further get give given go had has have having he her here hers him his how i if in into is it its
just let like make many may me might more most much must my need new no nor not now of off on once one only or other our out over own per
please same she should so some such than that the their them then there these they this those through to too two under until up us use used
using very was way we were what when where which while who whom whose why will with without would yes you your following follow
"""
"""Words that say nothing of what a prompt is about."""
_STOP: Final = frozenset(_FUNCTION_WORDS.split())


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Slices, a row of each matrix each.

    Attributes:
        names: ``verb=name``, ``verb=name & topic=forge``, ``word=animal``.
        parents: Of a slice of two conditions the numbers of the slices of one; empty for a slice of one.
        items: ``sparse bool[slices, items]``, over all items.
        rows: ``sparse bool[slices, rows]``.
    """

    names: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    items: Any
    rows: Any

    def __len__(self) -> int:
        return len(self.names)

    def of_items(self, number: int) -> NDArray[np.bool_]:
        """Give the items of a slice, ``bool[items]``."""
        return _dense(self.items, number)

    def of_rows(self, number: int) -> NDArray[np.bool_]:
        """Give the training rows of a slice, ``bool[rows]``."""
        return _dense(self.rows, number)


def candidates(items: pl.DataFrame, rows: pl.DataFrame, chosen: NDArray[np.bool_]) -> Candidates:
    """List the slices that can be told apart on both sides.

    Of one condition: the verb, the topic, the user's slice columns that both sides have, the length of the prompt in words, its
    language, the number of answers, and where there is no topic, content words of the prompt (`words`). Of two conditions: verb,
    topic, the user's columns and words, two of different ones. A slice holds at least `SUPPORT` chosen items (one in a hundred
    where that is more) and leaves out as many; of slices that hold the same items the simpler one stays.

    Args:
        items: The evaluation's items with their slice columns.
        rows: The training rows.
        chosen: ``bool[items]``: those to diagnose on.
    """
    least = max(SUPPORT, int(chosen.sum()) // 100)
    shared, own = _shared(items, rows), slices.columns(rows.with_columns(output=pl.lit(None, pl.String)))  # of the prompts alone
    topic = "topic" in items.columns and "topic" in own.columns
    of_items = items.with_columns(languages(_asked(items)).alias("language"))
    sides = [_conditions(frame, source, shared, topic=topic) for frame, source in ((items, of_items), (rows, own))]
    if not topic:
        for side, frame in zip(sides, (items, rows), strict=True):
            side.update(words(frame))
    counts = {name: int(chosen[lines].sum()) for name, lines in sides[0].items()}
    most = int(chosen.sum()) - least
    if sum(name.startswith("language=") for name in counts) < 2:  # the rest is text too short to tell
        counts = {name: count for name, count in counts.items() if not name.startswith("language=")}
    ordinary = [name for name, count in counts.items() if least <= count <= most and not name.startswith("word=")]
    frequent = sorted(
        (name for name, n in counts.items() if least <= n <= most and name.startswith("word=")), key=lambda n: (-counts[n], n)
    )
    names = ordinary + frequent[:_WORDS]
    single = [_matrix([side.get(name, _NONE) for name in names], frame.height) for side, frame in zip(sides, (items, rows), strict=True)]
    pairs = _pairs(single[0], names, chosen, least)
    first, second = [k for k, _ in pairs], [k for _, k in pairs]
    both = [sparse.vstack([each, each[first].multiply(each[second])]).tocsr() if pairs else each for each in single]
    parents: list[tuple[int, ...]] = [*[() for _ in names], *pairs]
    named = [*names, *(f"{names[a]} & {names[b]}" for a, b in pairs)]
    kept = _distinct(both[0], chosen, [len(each) for each in parents])
    number = {old: new for new, old in enumerate(kept)}
    return Candidates(
        names=tuple(named[k] for k in kept),
        parents=tuple(tuple(number[p] for p in parents[k] if p in number) for k in kept),
        items=both[0][kept],
        rows=both[1][kept],
    )


_NONE: NDArray[np.int64] = np.empty(0, dtype=np.int64)


def _shared(items: pl.DataFrame, rows: pl.DataFrame) -> list[str]:
    """Name the user's slice columns that both sides have."""
    return [name for name in slice_columns(items) if name not in _OWN and name in rows.columns]


def _asked(frame: pl.DataFrame) -> pl.Series:
    return frame.select(pl.concat_str("instruction", "input", separator="\n", ignore_nulls=True).fill_null("").alias("asked")).to_series()


def _conditions(frame: pl.DataFrame, source: pl.DataFrame, shared: Sequence[str], *, topic: bool) -> dict[str, NDArray[np.int64]]:
    """Give the lines that meet each condition on a column: {``verb=name``: lines}."""
    asked = _asked(frame)
    lengths = asked.to_frame("asked").select(bucket(pl.col("asked").str.count_matches(WORD))).to_series()
    table = pl.DataFrame({
        "verb": source["verb"],
        **({"topic": source["topic"]} if topic else {}),
        **{name: frame[name].cast(pl.String) for name in shared},
        "prompt_words": lengths.replace("0", None),
        "language": source["language"],
        "turns": source["turns"].cast(pl.String),
    })  # fmt: skip
    found: dict[str, NDArray[np.int64]] = {}
    for name in table.columns:
        grouped = table.select(pl.int_range(pl.len()).alias("line"), value=name).drop_nulls().group_by("value", maintain_order=True)
        values = grouped.agg("line").sort(pl.col("line").list.len(), "value", descending=[True, False])
        found |= {f"{name}={value}": np.asarray(lines, dtype=np.int64) for value, lines in values.iter_rows() if value != "unknown"}
    return found


def words(frame: pl.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Give the lines whose prompt holds each content word: {``word=animal``: lines}.

    Words of at least three letters, lower-cased, without function words; a plural counts as its singular by a simple rule for
    English (animals, boxes, cities; not bus, glass, this).

    >>> frame = pl.DataFrame({"instruction": ["Name two animals.", "Which animal is it?"], "input": [None, None]})
    >>> sorted(words(frame))
    ['word=animal', 'word=name']
    """
    asked = pl.concat_str("instruction", "input", separator="\n", ignore_nulls=True).fill_null("").str.to_lowercase()
    held = (
        frame.select(pl.int_range(pl.len()).alias("line"), asked.str.extract_all(r"\p{L}{3,}").alias("word")).explode("word").drop_nulls()
    )
    distinct = held.select(pl.col("word").unique())
    word = pl.col("word")
    singular = (
        pl.when(word.str.len_chars() < 4)
        .then(word)
        .when(word.str.ends_with("ies"), word.str.len_chars() > 4)
        .then(word.str.replace("ies$", "y"))
        .when(word.str.contains("(?:ch|sh|x|ss|zz)es$"))
        .then(word.str.replace("es$", ""))
        .when(word.str.contains("[^sui]s$"))
        .then(word.str.replace("s$", ""))
        .otherwise(word)
    )
    folded = distinct.with_columns(singular.alias("folded")).filter(
        ~pl.col("word").is_in(list(_STOP)), ~pl.col("folded").is_in(list(_STOP))
    )
    lines = held.join(folded, on="word").select("line", "folded").unique().sort("line")
    return {
        f"word={name}": np.asarray(of, dtype=np.int64) for name, of in lines.group_by("folded", maintain_order=True).agg("line").iter_rows()
    }


def _matrix(lines: Sequence[NDArray[np.int64]], width: int) -> Any:
    sizes = [len(each) for each in lines]
    indices = np.concatenate(lines) if lines else _NONE
    return sparse.csr_array((np.ones(len(indices), dtype=np.int32), indices, np.cumsum([0, *sizes])), shape=(len(lines), width))


def _pairs(single: Any, names: Sequence[str], chosen: NDArray[np.bool_], least: int) -> list[tuple[int, int]]:
    """Choose the pairs of conditions on different columns that enough items meet; the largest, where there are many."""
    here = single[:, np.flatnonzero(chosen)]
    together = (here @ here.T).tocoo()
    column = [name.partition("=")[0] for name in names]
    found = [
        (-int(count), int(a), int(b))
        for a, b, count in zip(together.coords[0], together.coords[1], together.data, strict=True)
        if a < b and count >= least and column[a] != column[b] and not {column[a], column[b]} & set(_ALONE)
    ]
    return [(a, b) for _, a, b in sorted(found)[:_PAIRS]]


def _distinct(matrix: Any, chosen: NDArray[np.bool_], depth: Sequence[int]) -> list[int]:
    """Keep of the slices that hold the same chosen items the simplest, the first of equally simple ones."""
    here = matrix[:, np.flatnonzero(chosen)].tocsr()
    here.sort_indices()
    seen: set[bytes] = set()
    kept = []
    for number in sorted(range(here.shape[0]), key=lambda k: (depth[k], k)):
        start, end = here.indptr[number], here.indptr[number + 1]
        key = here.indices[start:end].tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(number)
    return kept


def _dense(matrix: Any, number: int) -> NDArray[np.bool_]:
    made = np.zeros(matrix.shape[1], dtype=bool)
    made[matrix.indices[matrix.indptr[number] : matrix.indptr[number + 1]]] = True
    return made
