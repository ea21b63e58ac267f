"""Signals of texts: lengths, characters, repetition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series


def signals(texts: Any, *, progress: Callable[[int], object] | None = None) -> pl.DataFrame:
    """Measure lengths, characters and repetition of every text.

    A character is a Unicode code point; a *word* here is a piece between white space (Unicode ``White_Space``), as it
    is; a share of nothing is 0. n-grams are of words.

    Counts, ``UInt32``:

    - ``characters``, ``words``.
    - ``sentences``: pieces that hold a letter, cut at line feeds, at ``。！？｡``, and at white space after ``. ! ? … । ؟ ۔``
      (closing quotes, brackets and asterisks between allowed). A rule of thumb: "Dr. Who" counts as two.
    - ``lines``: pieces between line feeds that are not blank.
    - ``longest_run``: the longest run of one character.
    - ``longest_loop``: the most words covered by a unit of 1 to 6 words that follows itself at once ("so so", "a b a b");
      0 when none does.

    Measures, ``Float64``:

    - ``mean_word_length``: characters in words / words.
    - ``alphabetic_share``, ``digit_share``, ``symbol_share``: of all characters, those with the property ``Alphabetic``,
      of a number category (``N``), and those that are neither, nor white space.
    - ``uppercase_share``: characters with the property ``Uppercase`` / alphabetic ones.
    - ``duplicate_line_share``: lines equal to an earlier one (white space at the ends aside) / lines.
    - ``rep_2``, ``rep_3``, ``rep_4``: 1 - distinct n-grams / n-grams (Welleck et al. 2020).
    - ``distinct_1``, ``distinct_2``: distinct n-grams / n-grams (Li et al. 2016), 1 where there are none.
    - ``diversity``: the product of 1 - rep_n for n = 2, 3, 4 (Su et al. 2022).
    - ``top_2_share``, ``top_3_share``, ``top_4_share``: of the most frequent n-gram (of equally frequent ones the longest), its
      count x its characters (words joined by one space) / characters, at most 1; 0 unless it occurs twice
      (Rae et al. 2021 count an n-gram that occurs once, which says nothing of repetition in short texts).
    - ``entropy``: Shannon entropy of the characters' frequencies, in bits.

    Args:
        texts: ``String[n]``.
        progress: Called with the number of texts done so far.
    Returns:
        One row per text and one column per signal, in the order above; null where the text is.

    >>> signals(["So so good. Yes!", None]).select("words", "sentences", "longest_loop", "rep_2").rows()
    [(4, 2, 0, 0.0), (None, None, None, None)]
    """
    return pl.DataFrame(_native.signals(series(texts, pl.String, name="texts"), False, progress))
