"""Limits that belong to an evaluation: fitted once on its references, then used on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SHARE = 0.99


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an answer of this task looks like; None or empty: unknown, and the rules that need it stay silent.

    Attributes:
        characters_min: The 1st percentile of the reference lengths in characters (code points).
        characters_max: The 99th percentile of the reference lengths in characters (code points).
        unknown_max: The 99th percentile of the references' shares of words that neither the word list nor `vocabulary` holds.
        vocabulary: Words that the word list lacks and that at least two references use: terms of the field.
        list_openings: First words of prompts whose references are lists, an item a line (at least 9 of 10, of at least 20).
        stopped: Share of the references that end in prose which end it with a full stop; None where fewer than 50 do.
        references: How many references it was fitted on.
    """

    characters_min: int | None = None
    characters_max: int | None = None
    unknown_max: float | None = None
    vocabulary: tuple[str, ...] = ()
    list_openings: tuple[str, ...] = ()
    stopped: float | None = None
    references: int = 0


NO_LIMITS = Limits()


def fit(references: pl.Series, *, prompts: pl.DataFrame | None = None) -> Limits:
    """Fit limits on clean answers.

    Characters, not words: text without spaces between words is measured on the same scale.

    Args:
        references: ``String[n]``; nulls and empty texts do not count.
        prompts: What was asked, ``instruction, input`` of n lines; without it nothing is known of the form of lists.
    Returns:
        The limits; all None or empty when there is no reference.

    >>> import polars as pl
    >>> fit(pl.Series(["ab", "abcd", None])).characters_max
    4
    """
    import polars as pl

    from tunesmith.detection.rules.ending import stopped
    from tunesmith.detection.rules.form import list_openings
    from tunesmith.detection.rules.spelling import fitted
    from tunesmith.detection.supervised import prepare, view

    texts = references.cast(pl.String).alias("output")
    frame = texts.to_frame() if prompts is None else prompts.select("instruction", "input").with_columns(texts)
    frame = frame.filter(pl.col("output").str.len_chars() > 0)
    if frame.is_empty():
        return NO_LIMITS
    lowest = frame["output"].str.len_chars().quantile(1 - SHARE, interpolation="lower")
    highest = frame["output"].str.len_chars().quantile(SHARE, interpolation="higher")
    prepared = prepare(view(frame))
    vocabulary, unknown = fitted(prepared, SHARE)
    return Limits(
        characters_min=None if lowest is None else int(lowest),
        characters_max=None if highest is None else int(highest),
        unknown_max=unknown,
        vocabulary=vocabulary,
        list_openings=list_openings(prepared),
        stopped=stopped(prepared),
        references=frame.height,
    )
