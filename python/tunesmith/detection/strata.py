"""Kinds of lines that detectors are measured on, one by one: a rule that is right about prose may be wrong about code."""

from __future__ import annotations

from typing import Final

import polars as pl

from tunesmith.detection.language import UNKNOWN, languages, stop_words
from tunesmith.detection.rules.ending import CODE

STRATA: Final = ("instruct", "chat", "tools", "code", "reasoning", "chinese", "other")
"""Single turns in English, later turns of conversations, rows with tools, code, worked solutions, Chinese, other languages."""

_HAN: Final = r"[\u3400-\u4dbf\u4e00-\u9fff]"
_REASONING: Final = r"<think>|<<[^<>\n]{1,80}=[^<>\n]{1,40}>>|(?m)^#### |(?i)\bstep[- ]by[- ]step\b|\\boxed\{"
_LONG: Final = 2_000
_LEAST: Final = 3
_FIRST: Final = 2
"""The turn of a first answer, at most: after a system and a user turn."""


def strata(view: pl.DataFrame) -> pl.Series:
    """Name the stratum of each line, the first that fits: tools, chinese, other, code, reasoning, chat, instruct.

    Chinese is a line of whose letters a quarter is Han; other is one whose prompt and answer together are told to be in a
    language that is neither English nor Chinese; what cannot be told counts as English. Code and reasoning are told by the
    answer: a fenced block or lines of code; worked steps (<think>, <<3+4=7>>, ####, step by step).

    Args:
        view: Lines of a view; ``tools`` (Boolean, as `view` gives it) may be absent.
    Returns:
        ``String[n]``, each a member of `STRATA`.

    >>> strata(pl.DataFrame({"position": [0], "turn": [None], "instruction": ["说你好"], "input": [""], "response": ["你好"]})).to_list()
    ['chinese']
    """
    texts = [pl.col(name).fill_null("") for name in ("instruction", "input", "response")]
    said = view.select(pl.concat_str(texts, separator="\n").str.head(_LONG)).to_series()
    answer = pl.col("response").fill_null("")
    letters = said.str.count_matches(r"\p{L}")
    han = said.str.count_matches(_HAN)
    named = _named(said)
    tools = view["tools"].fill_null(value=False) if "tools" in view.columns else pl.Series([False]).new_from_index(0, view.height)
    later = (pl.col("turn") > _FIRST).fill_null(value=False)
    made = view.select(
        pl.when(tools).then(pl.lit("tools"))
        .when((4 * han >= letters) & (han > 0)).then(pl.lit("chinese"))
        .when(~named.is_in(["en", "zh", UNKNOWN])).then(pl.lit("other"))
        .when(answer.str.contains("```", literal=True) | answer.str.contains(CODE)).then(pl.lit("code"))
        .when(answer.str.contains(_REASONING)).then(pl.lit("reasoning"))
        .when(later).then(pl.lit("chat"))
        .otherwise(pl.lit("instruct"))
        .alias("stratum")
    )  # fmt: skip
    return made.to_series()


def _named(said: pl.Series) -> pl.Series:
    """Name languages; another one than English needs at least three of its frequent words, or a script of its own."""
    named = languages(said)
    unsure = ((named != "en") & (named != UNKNOWN) & ~said.str.contains(r"[\u0370-\ud7af]")).arg_true()
    weak = [row for row in unsure if stop_words(said[row])[named[row]] < _LEAST]
    return named.scatter(weak, UNKNOWN) if weak else named
