"""Answers that say the prompt again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt, lines

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_REWRITE = any_of(
    r"rewrit\w* re-?phras\w* paraphras\w* edit\w* correct\w* punctuat\w* capitali[sz]\w* proofread\w* fix\w* translat\w*",
    r"repeat\w* copy reorder\w* rearrang\w* convert\w* change\w* replac\w* insert\w* add\w* complet\w* continu\w* fill\w*",
    r"format\w* sort\w* transform\w* revis\w* turn\w* transcrib\w* organi[sz]\w* arrang\w* match\w* order\w* circl\w*",
    r"quer(?:y|ies) select\w* extract\w* grammar\w* quot\w* identif\w* highlight\w* underlin\w* classif\w* output.the",
    r"write.the.following echo print spell\w* remove\w* shorten\w* simplif\w*",
)

_QUOTED = r"^\s*(?:\"\"\"|'''|#|//|/\*|<)"  # a docstring or comment that states the task

_AROUND = " \n\"'`*"
"""What may stand around a text that is said again."""
_WORD = re.compile(r"\w+")
_FIRST = r"(?:\W|_)*(\w+)"
_UNFINISHED = r"_{2,}|^\P{Lu}*\p{Ll}$"
"""A gap, or a sentence in small letters that stops without a stop: to be gone on with, and so said again."""
_STATED, _FEW = re.compile(r"\.[\s\"'”]*\Z"), 2
"""A sentence whose words come back changed, and with hardly one more, was put otherwise."""
_LEAST, _MOST, _SHARE = 8, 60, 0.8
"""Words of a prompt that may be said again with some other words, how many of them are looked at, the share that must agree."""


def _prompt_echo(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    said = {hit.row: hit for hit in _again(view)}
    yield from said.values()
    yield from (hit for hit in _miscopied(view) if hit.row not in said)


def _again(view: pl.DataFrame) -> Iterator[Hit]:
    """Find answers that are or open with the whole instruction."""
    # What begins with the other begins with its first letter, and few do: the others need not be folded whole.
    heads = [pl.col(name).str.strip_chars_start(f"\t{_AROUND}").str.head(1).str.to_lowercase() for name in ("instruction", "prose")]
    alike = heads[0].str.starts_with(heads[1]) | heads[1].str.starts_with(heads[0])
    short = view.filter(pl.col("instruction").str.len_chars() > 25).filter(alike)
    asked = _folded(pl.col("instruction")).str.strip_chars_end(" .:?!")
    work = short.with_columns(asked.alias("_asked"), _folded(pl.col("prose")).alias("_answer"))
    echo = work.filter(pl.col("_answer").str.starts_with(pl.col("_asked")), pl.col("_asked").str.len_chars() > 25)
    rest = pl.col("_answer").str.slice(pl.col("_asked").str.len_chars(), 1)
    ends = rest.is_in(["", ".", "?", "!", ":", "\n"]) & ~pl.col("response").str.contains(_QUOTED)
    for row, text, length in lines(echo.with_columns(pl.col("_asked").str.len_chars().alias("n")), ends & ~_rewriting(), "response", "n"):
        start = len(text) - len(text.lstrip())
        yield Hit(row, "response", start, min(len(text), start + length), excerpt(text))


def _miscopied(view: pl.DataFrame) -> Iterator[Hit]:
    """Find answers that open with the words of the prompt, or of the instruction, in order but for a few of them."""
    prompt = pl.concat_str("instruction", "input", separator="\n")
    same = prompt.str.extract(_FIRST, 1).str.to_lowercase() == pl.col("prose").str.extract(_FIRST, 1).str.to_lowercase()
    here = view.filter(same)
    for row, instruction, given, text, prose in lines(
        here.filter(~pl.col("instruction").str.contains(_UNFINISHED)),
        ~pl.col("response").str.contains(_QUOTED) & ~_rewriting(),
        "instruction", "input", "response", "prose",
    ):  # fmt: skip
        for asked in dict.fromkeys((f"{instruction}\n{given}", instruction)):
            end = _agreeing(asked, prose)
            if end and not (_STATED.search(instruction) and len(_WORD.findall(prose, end)) <= _FEW):
                yield Hit(row, "response", len(text) - len(text.lstrip()), end, excerpt(text))
                break


def _agreeing(prompt: str, answer: str) -> int:
    """Tell where in the answer the prompt ends that it opens with; 0 where it does not open with it."""
    asked = [match.group().lower() for match in _WORD.finditer(prompt)][:_MOST]
    given = [match for match, _ in zip(_WORD.finditer(answer), asked, strict=False)]
    if len(asked) < _LEAST or len(given) < _SHARE * len(asked):
        return 0
    lengths = [0] * (len(asked) + 1)
    for match in given:
        word, diagonal = match.group().lower(), 0
        for k, other in enumerate(asked, 1):
            above = lengths[k]
            lengths[k] = diagonal + 1 if word == other else max(above, lengths[k - 1])
            diagonal = above
    return given[-1].end() if lengths[-1] >= _SHARE * len(asked) else 0


def _folded(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace_all(r"[ \t]+", " ").str.strip_chars(_AROUND)


def _rewriting() -> pl.Expr:
    """Tell tasks whose answer may be the text of the instruction; where the text is the input, it is not."""
    return pl.col("instruction").str.contains(_REWRITE) & (pl.col("input").str.strip_chars() == "")


PROMPT_ECHO = Detector(
    name="prompt_echo",
    severity="review",
    grade="D",
    fields=("response",),
    find=_prompt_echo,
    page=Page(
        finds="An answer that is, or opens with, the whole instruction (over 25 characters; case and spaces do not count), or that "
        "opens with the words of the prompt or of the instruction (at least 8) but for one in five: same first word, and the longest "
        "common subsequence of words, within as many words of the answer, holds at least .8 of them. Tasks that rewrite something, "
        "sentences with a gap or without an end, and statements that come back in other words, are left alone.",
        harm="The model learns to repeat the question.",
        bad=Example(instruction="Explain how a kettle boils water.", response="Explain how a kettle boils water. It heats it."),
        good=Example(
            instruction="Repeat after me: the dog runs across the field.",
            response="Repeat after me: the dog runs across the field.",
        ),
        false_alarms="Rewriting tasks that are not named by a usual verb.",
    ),
)

DETECTORS = (PROMPT_ECHO,)
