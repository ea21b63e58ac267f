"""Text that goes in circles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt, lines
from tunesmith.detection.supervised import MASK, unmasked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.detection.limits import Limits

REPETITIVE = 0.2
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)
_TIMES, _UNIT, _LEAST = 6, 6, 50
_LETTERS = "(?i)" + "|".join(f"[{letter}]{{15}}" for letter in "abcdefghijklmnopqrstuvwxyz!?") + r"|[^\x00-\x7f]{15}"
_ONE_CHARACTER = re.compile(rf"([^\W\d_]|[!?\u0300-\u036f\U0001f000-\U0001ffff])\1{{14,}}(?<!{MASK})")
_SONG = any_of(
    r"songs? lyrics? chorus raps? chants? hymns? poems? refrain limericks? ballads? rhymes? haikus? nursery repeat\w* mantra",
    r"\d+.times",
)
_NO_SENTENCE = re.compile(rf"\A[-*•\d#>]|[{MASK}|<>{{}};=]")
"""What begins an item of a list, or stands in tables and code."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|(?<=[。！？])")


def _words(view: pl.DataFrame) -> pl.DataFrame:
    """List all words of the prose: ``row, word`` (a 64-bit hash of a run of non-space characters), in order."""
    words = view.select("row", unmasked(pl.col("prose")).str.extract_all(r"\S+").alias("word"))
    return words.explode("word").drop_nulls().with_columns(pl.col("word").hash())


def rep4(view: pl.DataFrame) -> pl.DataFrame:
    """Share of repeated 4-grams: 1 - unique / total 4-grams of words split at white space.

    The definition is rep-n of SimCTG (Su et al. 2022, "A Contrastive Framework for Neural Text Generation").

    Returns:
        Frame of ``row, rep4`` for the lines in which it is above 0; masked text (code) holds no words.
    """
    return _rep4(_words(view.filter("circling")))


def _rep4(words: pl.DataFrame) -> pl.DataFrame:
    row, word = words["row"], words["word"]
    # A sum of products with odd constants keeps the order of the four 64-bit hashes; overflow wraps.
    gram = sum(word.shift(-place) * factor for place, factor in enumerate(_ODD))
    grams = pl.DataFrame({"row": row, "gram": gram}).filter(row == row.shift(-3))
    return grams.group_by("row").agg(rep4=1 - pl.col("gram").n_unique() / pl.len())


def _repetitive(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    shares = rep4(view).filter(pl.col("rep4") > REPETITIVE)
    for row, share in shares.sort("row").iter_rows():
        yield Hit(row, "response", None, None, f"rep-4 {share:.2f}")


def _loops(words: pl.DataFrame) -> NDArray[np.uint32]:
    """Find rows in which a unit of 1 to 6 words follows itself at least 5 times."""
    row, word = words["row"].to_numpy(), words["word"].to_numpy()
    found = [np.empty(0, dtype=np.uint32)]
    for unit in range(1, _UNIT + 1):
        same = np.zeros(len(word) + 1, dtype=bool)
        same[unit:-1] = (word[unit:] == word[:-unit]) & (row[unit:] == row[:-unit])
        edges = np.flatnonzero(np.diff(same.astype(np.int8), prepend=np.int8(0)))
        starts, ends = edges[::2], edges[1::2]
        found.append(row[starts[ends - starts >= unit * (_TIMES - 1)]])
    return np.unique(np.concatenate(found))


_REPEATED = re.compile(rf"(?<!\S)(\S+(?:\s+\S+){{0,{_UNIT - 1}}}?)(?:\s+\1(?!\S)){{{_TIMES - 1},}}")


def _is_sentence(part: str) -> bool:
    return len(part) >= 25 and not _NO_SENTENCE.search(part) and len(_WORD.findall(part)) >= 4


def _repeated_sentence(text: str) -> tuple[int, int] | None:
    sentences = [part.strip() for part in _SENTENCE.split(text)]
    for sentence, count in Counter(part for part in sentences if _is_sentence(part)).most_common(3):
        if count >= 3 and 4 * count * len(sentence) > len(text):
            start = text.find(sentence, text.find(sentence) + 1)
            return start, start + len(sentence)
    return None


def _repetition_loop(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    words = _words(view.filter("circling"))  # a unit that follows itself five times repeats a 4-gram
    looping, repeating = pl.Series(_loops(words)), _rep4(words).filter(pl.col("rep4") > 0.1)["row"]
    circling = pl.col("row").is_in(looping.implode()) | pl.col("row").is_in(repeating.implode())
    characters = pl.col("prose").str.contains(_LETTERS)
    song = pl.concat_str("instruction", "input", separator="\n").str.contains(_SONG)
    here = view.filter(characters | circling).with_columns(song.alias("song"))
    for row, text, sung in lines(here, characters | ~pl.col("song"), "prose", "song"):
        match = _ONE_CHARACTER.search(text)
        if match is None and not sung:
            match = next(
                (each for each in _REPEATED.finditer(text) if len(each.group()) >= _LEAST and re.search(r"\w", each.group(1))), None
            )
        if match is not None:
            yield Hit(row, "response", match.start(), match.end(), excerpt(match.group()))
        elif not sung and (span := _repeated_sentence(text)):
            yield Hit(row, "response", *span, excerpt(text[slice(*span)]))


REPETITION_LOOP = Detector(
    name="repetition_loop",
    severity="fatal",
    grade="A",
    fields=("response",),
    find=_repetition_loop,
    columns=("circling",),
    page=Page(
        finds="One letter 15 times in a row, a unit of 1 to 6 words 6 times in a row (at least 50 characters), or a "
        "sentence of at least 25 "
        "characters 3 times that makes up over a quarter of the answer. Code is masked.",
        harm="A model that has seen loops falls into them, and does not stop.",
        bad=Example(instruction="Describe a walk.", response="We went on and " + "we went on and " * 8 + "on."),
        good=Example(instruction="Write a song about rain.", response="Rain on the roof of the little red barn,\n" * 3),
        false_alarms="Songs and chants; left alone where the prompt asks for one, or for repetition.",
    ),
)

REPETITIVE_DETECTOR = Detector(
    name="repetitive",
    severity="review",
    grade="D",
    fields=("response",),
    find=_repetitive,
    columns=("circling",),
    page=Page(
        finds="rep-4 above .2: over a fifth of the 4-grams of words (split at white space) were there before. Code is masked.",
        harm="Where targets circle, outputs circle more: likelihood training prefers what it has just written.",
        bad=Example(instruction="Describe a walk.", response="The path is long and the path is long and the path is long."),
        good=Example(instruction="Describe a walk.", response="The path is long, and it leads past three ponds to the mill."),
        false_alarms="Songs, tables, unfenced code, worked steps, and lists with a fixed frame around each entry; where white space "
        "marks no words (Chinese) nearly any phrase said twice. The rule is a measure, kept as it was defined: in single English turns "
        "most flags are right, in code about half, in worked steps, conversations and Chinese hardly any. It never drops a row; "
        "`repetition_loop` does.",
    ),
)

DETECTORS = (REPETITION_LOOP, REPETITIVE_DETECTOR)
