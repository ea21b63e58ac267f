"""ROUGE as google's `rouge_score` computes it, bit for bit, for whole columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.errors import InputError, OptionError, did_you_mean

Words = Literal["google", "unicode"]
METRICS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
KNOWN = (*(f"rouge{n}" for n in range(1, 10)), "rougeL", "rougeLsum")
RESAMPLES = 1000


def rouge(
    predictions: Any,
    references: Any,
    *,
    metrics: Sequence[str] = METRICS,
    stemmer: bool = False,
    tokenizer: Words = "google",
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Score predictions against references, pair by pair, on all cores.

    Equal to `rouge_score` 0.1.2 in every bit. Two habits of it surprise: text without a letter a-z or a digit
    (Chinese, say) has no tokens and scores 0 even against itself, which ``tokenizer="unicode"`` mends; and lines
    count in rougeLsum alone, where a "sentence" is what stands between line breaks.

    Args:
        predictions: Texts, ``String[n]``.
        references: Texts ``String[n]``, or several a row ``List[String][n]``: then each metric takes the first
            reference with its highest F1. Nulls within a list are passed over.
        metrics: rouge1 to rouge9 (clipped n-gram overlap), rougeL (longest common subsequence), rougeLsum (union
            of those of the lines).
        stemmer: Stem words longer than three characters (NLTK's Porter stemmer).
        tokenizer: "google": runs of a-z and 0-9 after lower-casing. "unicode": words in every script, lower-cased;
            a Han, Kana, Thai, Lao or Khmer character is a word; only words of a-z and 0-9 are stemmed.
        progress: Called now and then with the rows done so far.
    Returns:
        A row a pair, a ``Struct{precision, recall, f1}`` of Float64 a metric. Null where the prediction is null or
        there is no reference.
    Raises:
        InputError: If the columns are not text or differ in length.
        OptionError: If a metric or tokenizer is unknown.

    Source: C.-Y. Lin, "ROUGE: A package for automatic evaluation of summaries" (2004), as in google-research/rouge.

    >>> rouge(["the cat sat"], ["the cat ran"], metrics=["rouge1", "rouge2"]).row(0, named=True)["rouge2"]
    {'precision': 0.5, 'recall': 0.5, 'f1': 0.5}
    """
    known = checked(metrics, tokenizer)
    made, against = series(predictions, pl.String, name="predictions"), as_references(references)
    if len(made) != len(against):
        raise InputError(f"expected as many predictions as references, found {len(made):,} and {len(against):,}")
    unicode = tokenizer == "unicode"
    return pl.DataFrame(_native.rouge(made, against, metrics=known, stemmer=stemmer, unicode=unicode, inline=False, progress=progress))


def rouge_corpus(
    predictions: Any,
    references: Any,
    *,
    metrics: Sequence[str] = METRICS,
    stemmer: bool = False,
    tokenizer: Words = "google",
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Mean F1 of a corpus, with a bootstrap interval.

    As in `rouge_score.scoring.BootstrapAggregator`, pairs are resampled with replacement and the 2.5th and 97.5th
    percentiles of the resampled means are the interval. Null pairs are left out.

    Args:
        predictions: As in `rouge`.
        references: As in `rouge`.
        metrics: As in `rouge`.
        stemmer: As in `rouge`.
        tokenizer: As in `rouge`.
        resamples: How often to resample.
        seed: Of the resampling.
        progress: As in `rouge`.
    Returns:
        ``metric, value, low, high``, a row a metric: the mean F1 and its 95% interval; null without any pair.
        (`rouge_score`'s "mid" is the median of the resampled means, which wavers around this mean.)
    Raises:
        InputError: As in `rouge`.
        OptionError: As in `rouge`, or if ``resamples`` or ``seed`` is no such number.

    >>> rouge_corpus(["a b", "c"], ["a b", "c"], metrics=["rouge1"]).row(0)
    ('rouge1', 1.0, 1.0, 1.0)
    """
    for name, value, least in (("resamples", resamples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise OptionError(f"{name}: found {value!r}, expected a whole number of at least {least}")
    scores = rouge(predictions, references, metrics=metrics, stemmer=stemmer, tokenizer=tokenizer, progress=progress)
    rows = [(name, *_interval(scores[name].struct.unnest()["f1"], resamples, seed)) for name in scores.columns]
    numbers = dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={"metric": pl.String, **numbers}, orient="row")


def _interval(values: pl.Series, resamples: int, seed: int) -> tuple[float | None, float | None, float | None]:
    import numpy as np

    given, draw = values.to_numpy(), np.random.default_rng(seed)
    given = given[~np.isnan(given)]  # what is null
    if not len(given):
        return None, None, None
    means = [given[draw.integers(0, len(given), len(given))].mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(given.mean()), float(low), float(high)


def checked(metrics: Sequence[str], tokenizer: str) -> list[str]:
    """Check the names of metrics and tokenizer; returns the metrics without repeats.

    Raises:
        OptionError: If one is unknown.
    """
    if tokenizer not in ("google", "unicode"):
        raise OptionError(f'unknown tokenizer "{tokenizer}"; {did_you_mean(tokenizer, ("google", "unicode"))}')
    if isinstance(metrics, str):
        raise OptionError(f'metrics: expected several names, found the text "{metrics}"; write ["{metrics}"]')
    for metric in metrics:
        if metric not in KNOWN:
            raise OptionError(f'unknown metric "{metric}"; {did_you_mean(metric, KNOWN)}')
    return list(dict.fromkeys(metrics))


def as_references(values: Any) -> pl.Series:
    """Make references a Series of texts, or of lists of texts.

    Raises:
        InputError: If they are neither.
    """
    made = values if isinstance(values, pl.Series) else None
    if made is None and isinstance(values, list | tuple) and any(isinstance(value, list | tuple) for value in values):
        try:
            made = pl.Series(values=values, dtype=pl.List(pl.String))
        except (TypeError, pl.exceptions.PolarsError) as error:
            raise InputError(f"references: expected texts or lists of texts: {error}") from error
    if made is None and hasattr(values, "__arrow_c_stream__"):
        made = pl.Series(values=values)
    if made is not None and isinstance(made.dtype, pl.List):
        if made.dtype.inner not in (pl.String, pl.Null):
            raise InputError(f"references: expected texts or lists of texts, found {made.dtype}")
        return made.cast(pl.List(pl.String))
    return series(values if made is None else made, pl.String, name="references")
