"""The metrics: a name, a definition, and a function of outputs and references. A new one is an entry of `metrics_for`.

Every value is per item and higher is better; means and intervals are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tunesmith import core
from tunesmith.errors import OptionError, did_you_mean
from tunesmith.progress import SILENT, Progress

if TYPE_CHECKING:
    from tunesmith.models import Embedder

ROUGE = (*(f"rouge{n}" for n in range(1, 10)), "rougeL", "rougeLsum")
DEFAULT = ("rouge1", "rouge2", "rougeL", "rougeLsum", "exact_match")
KNOWN = (*ROUGE, "exact_match", "similarity")


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Outputs and what they should be: both ``[n]``, neither null; references ``List[String]``, none empty."""

    outputs: pl.Series
    references: pl.Series


Metric = Callable[[Pairs, Progress], pl.Series]


def chosen(names: Sequence[str] | None, *, embedder: bool) -> list[str]:
    """Choose metrics by name: `DEFAULT`, and similarity where there is an embedder, unless said.

    Raises:
        OptionError: If a name is unknown, or similarity has no embedder.

    >>> chosen(["rougeL"], embedder=False)
    ['rougeL']
    """
    if not names:
        return [*DEFAULT, *(["similarity"] if embedder else [])]
    for name in names:
        if name not in KNOWN:
            raise OptionError(f'unknown metric "{name}"; {did_you_mean(name, KNOWN)}')
    if "similarity" in names and not embedder:
        raise OptionError("metric similarity needs --embedder MODEL, a local sentence-transformers model")
    if embedder and "similarity" not in names:
        raise OptionError("--embedder is given, but no metric needs it; add --metric similarity, or leave the embedder out")
    return list(dict.fromkeys(names))


def score(pairs: Pairs, names: Sequence[str], *, embedder: Embedder | None = None, progress: Progress = SILENT) -> pl.DataFrame:
    """Score outputs against references.

    rougeN, rougeL, rougeLsum: F1 as `core.rouge` with stemming; of several references the highest.
    exact_match: 1 where the output equals a reference after trimming white space, else 0.
    similarity: cosine of the sentence embeddings of output and reference, of several the highest; 0 for an empty output.

    Args:
        pairs: What to compare.
        names: Known names.
        embedder: For similarity.
        progress: Where to report.
    Returns:
        A ``Float64[n]`` column a name.

    >>> pairs = Pairs(outputs=pl.Series(["a cat", "dogs"]), references=pl.Series([["a cat"], ["cat", "dog"]]))
    >>> score(pairs, ["rouge1", "exact_match"]).rows()
    [(1.0, 1.0), (1.0, 0.0)]
    """
    columns: dict[str, pl.Series] = {}
    wanted = [name for name in names if name in ROUGE]
    if wanted:
        with progress.task("Scoring", len(pairs.outputs)) as done:
            scores = core.rouge(pairs.outputs, pairs.references, metrics=wanted, stemmer=True, progress=done)
        columns.update({name: scores[name].struct.field("f1") for name in wanted})
    if "exact_match" in names:
        columns["exact_match"] = exact_match(pairs)
    if "similarity" in names:
        assert embedder is not None
        columns["similarity"] = similarity(pairs, embedder, progress)
    return pl.DataFrame({name: columns[name] for name in names})


def exact_match(pairs: Pairs) -> pl.Series:
    """1 where the output equals a reference after trimming, else 0."""
    frame = pl.DataFrame({"output": pairs.outputs.str.strip_chars(), "references": pairs.references})
    trimmed = pl.col("references").list.eval(pl.element().str.strip_chars())
    return frame.select(trimmed.list.contains(pl.col("output")).cast(pl.Float64)).to_series()


def similarity(pairs: Pairs, embedder: Embedder, progress: Progress) -> pl.Series:
    """Cosine of sentence embeddings; of several references the highest; 0 for an empty output."""
    flat = pl.DataFrame({"output": pairs.outputs, "reference": pairs.references}).with_row_index("row").explode("reference")
    texts = [*flat["output"].str.strip_chars(), *flat["reference"]]
    vectors = embedder.embed(texts, progress=progress)
    cosine = (vectors[: flat.height] * vectors[flat.height :]).sum(axis=1).astype("float64").clip(-1.0, 1.0)
    blank = flat["output"].str.strip_chars() == ""
    flat = flat.with_columns(value=pl.Series(cosine)).with_columns(value=pl.when(blank).then(0.0).otherwise("value"))
    return flat.group_by("row", maintain_order=True).agg(pl.col("value").max())["value"]
