"""Rule sets of other systems: Gopher's, C4's, FineWeb's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.core.rule_sets import RuleSetName, rule_set
from tunesmith.errors import InputError, OptionError


def quality_rules(
    texts: Any,
    *,
    rules: RuleSetName = "gopher:datatrove",
    words: Any = None,
    sentences: Any = None,
    bounds: Mapping[str, float | None] | None = None,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    r"""Judge every text by the rules of another system, under that system's names.

    The rules were made for web pages. On instruction data they misfire: Gopher's least of 50 words alone drops 61.9% of the
    answers of Alpaca. Look at what they drop before they do, and move the bounds.

    Given the same words and sentences, measures and verdicts are those of the systems, to the bit:

    - ``gopher:datatrove``: datatrove's ``GopherRepetitionFilter``, then its ``GopherQualityFilter`` (Rae et al. 2021, table A1 and
      section A.1.1), as its FineWeb pipeline asks them. Shares of characters are of the whole text; stop words count once each.
    - ``gopher:dolma``: dolma's tagger ``gopher_v1``, its numbers to five decimals as the tagger writes them, under the bounds of
      Dolma 1.5: the median word length, every stop word counted, characters without white space, and a line or n-gram that
      repeats counted with its first copy. Dolma's configuration misspells the names of the three most common n-grams, so
      that there they never applied; here they do (bound None leaves one out).
    - ``c4``: datatrove's ``C4QualityFilter``. It also deletes lines; here a text is judged by the lines that would remain, and
      stays as it is.
    - ``fineweb``: datatrove's ``FineWebQualityFilter``.

    Bounds are inclusive: a measure equal to its bound is kept. A share of nothing is 0 (datatrove divides by zero where only
    symbols stand, if the rules before are switched off).

    Words are, if none are given, for dolma the pieces between white space, which is exactly its own definition; for datatrove and
    FineWeb our own cut of English, close to spaCy's blank English that datatrove uses (punctuation and contractions apart). How
    often the verdicts agree is measured by ``benchmarks/rule_sets.py``.

    Args:
        texts: ``String[n]``.
        rules: Whose.
        words: ``List[String][n]``: the words of each text, in place of our own; ``c4`` cuts at white space and takes none.
        sentences: ``List[String][n]``, for ``c4`` alone: the sentences of each line (of ``text.splitlines()``, stripped,
            ``[3]``, ``[edit]`` and ``[citation needed]`` removed), one line after the other. White space does not matter.
        bounds: Other bounds by the rule's name; None leaves a rule out.
        progress: Called with the number of texts done so far.
    Returns:
        One row per text: ``kept`` (``Boolean``), ``rule`` (``String``, the first that fails in the system's order; null when kept),
        and a ``Float64`` column per measure. Null where the text, its words or its sentences are.
    Raises:
        OptionError: For an unknown rule set or rule, or lists that the rule set has no use for.
        InputError: For lists of another number than the texts, or sentences that do not spell the lines.

    >>> quality_rules(["The cat sat on the mat.", None], rules="gopher:dolma").select("kept", "rule", "word_count").rows()
    [(False, 'word_count_min', 6.0), (None, None, None)]
    >>> bounds = {"word_count_min": 6, "required_word_count": 1, "fraction_of_characters_in_most_common_2grams": None}
    >>> bounds |= {f"fraction_of_characters_in_most_common_{n}grams": None for n in (3, 4)}
    >>> quality_rules(["The cat sat on the mat."], rules="gopher:dolma", bounds=bounds)["kept"].item()
    True
    >>> quality_rules(["One {two} three."], rules="c4", sentences=[["One {two} three."]]).row(0)
    (False, 'curly_bracket', 0.0, 1.0, 0.0, 0.0)
    """
    return judged(
        series(texts, pl.String, name="texts"),
        rules=rules,
        words=words,
        sentences=sentences,
        bounds=bounds,
        inline=False,
        progress=progress,
    )


def judged(
    texts: pl.Series,
    *,
    rules: str,
    words: Any = None,
    sentences: Any = None,
    bounds: Mapping[str, float | None] | None = None,
    inline: bool,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Judge; `inline` runs in the calling thread, for an expression (the columns of `quality_rules` as fields of a Struct)."""
    known = rule_set(rules)
    known.bounds(bounds)
    if words is not None and rules == "c4":
        raise OptionError("words: c4 cuts at white space by itself; expected none, or sentences")
    if sentences is not None and rules != "c4":
        raise OptionError(f"sentences: {rules} looks at no sentences; expected none, or words")
    measures = _native.rule_measures(texts, known.name, _lists(words, "words"), _lists(sentences, "sentences"), inline, progress)
    return known.judge(pl.DataFrame(measures), bounds)


def _lists(pieces: Any, name: str) -> pl.Series | None:
    if pieces is None:
        return None
    if isinstance(pieces, list):  # lists that are all empty say nothing of what they would hold
        try:
            pieces = pl.Series(pieces, dtype=pl.List(pl.String))
        except (TypeError, pl.exceptions.PolarsError) as error:
            raise InputError(f"{name}: expected a list of texts for each text: {error}") from error
    made = pieces if isinstance(pieces, pl.Series) else pl.Series(values=pieces)
    if made.dtype != pl.List(pl.String) and made.dtype not in (pl.List(pl.Null), pl.Null):
        raise InputError(f"{name}: expected a column of {pl.List(pl.String)}, found {made.dtype}")
    return made.cast(pl.List(pl.String))
