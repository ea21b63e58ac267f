"""Signals of texts: lengths, characters, scripts, repetition, compression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.errors import OptionError, did_you_mean


def signals(texts: Any, *, only: Sequence[str] | None = None, progress: Callable[[int], object] | None = None) -> pl.DataFrame:
    """Measure lengths, characters, scripts, repetition and compression of every text, in one pass.

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
    - ``duplicate_line_characters``: characters of lines equal to an earlier one / characters.
    - ``duplicate_5_share`` to ``duplicate_10_share``: of the characters in words, those of words within an n-gram equal to an
      earlier one, each word once (after Rae et al. 2021, table A1; other systems count otherwise: `quality_rules`).
    - ``compression_ratio``: bytes of the text in UTF-8 / bytes of what zlib makes of it at level 1, header and checksum included:
      exactly ``len(data) / len(zlib.compress(data, 1))`` of zlib 1.2.12 and later (zlib-ng, which some builds of Python have in its
      place, compresses otherwise); 0 for "".
    - ``latin_share``, ``greek_share``, ``cyrillic_share``, ``arabic_share``, ``hebrew_share``, ``devanagari_share``, ``thai_share``,
      ``hangul_share``, ``kana_share`` (Hiragana and Katakana), ``han_share``, ``other_script_share``: of the alphabetic characters,
      those of the script by Unicode's property ``Script``; ``other`` are all other scripts and letters that several share.

    Args:
        texts: ``String[n]``.
        only: Names of the signals to compute; all when absent. ``compression_ratio`` costs as much as all the others, which cost
            the same together as alone.
        progress: Called with the number of texts done so far.
    Returns:
        One row per text and one column per signal, in the order above; null where the text is.
    Raises:
        OptionError: For an unknown name.

    >>> signals(["So so good. Yes!", None]).select("words", "sentences", "longest_loop", "rep_2").rows()
    [(4, 2, 0, 0.0), (None, None, None, None)]
    """
    if only is not None:
        known = _native.signal_names()
        if not only:
            raise OptionError("only: expected names of signals, found none")
        for name in only:
            if name not in known:
                raise OptionError(f'only: "{name}": expected a signal; {did_you_mean(name, known)}')
    return pl.DataFrame(_native.signals(series(texts, pl.String, name="texts"), False, progress, only))
