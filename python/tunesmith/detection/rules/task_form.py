"""Answers that miss the task in form: wrong counts, a task without its material."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, lines, matched

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_PROMPT = pl.concat_str("instruction", "input", separator="\n")
_NUMBERS = {
    word: n for n, word in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 2)
}
_NUMBERS |= {"fifteen": 15, "twenty": 20}
_ASK = (
    r"(?:list|name|give(?: me)?|provide|suggest|write(?: down)?|generate|create|identify|brainstorm|come up with|think of)\s+"
    r"(?:out\s+|a list of\s+|me\s+)?(?:the\s+)?(?:top\s+|first\s+|exactly\s+)?"
)
_NO_ITEMS = r"(?!to\b|or\b|(?:word|sentence|paragraph|line|character|letter|syllable|stanza|verse|page|minute|digit)s?\b|-)"
_LIST = re.compile(rf"(?i)^\W*(?:please\s+)?{_ASK}(\d{{1,2}}|{'|'.join(_NUMBERS)})\s+{_NO_ITEMS}(?:[a-z'-]+\s+){{0,6}}?[a-z'-]+s\b")
_SHARED_OUT = r"(?i)\b(?:for|from|of|in|to|per) (?:each|every)\b"
"""A number that counts what each of several things gets."""
_ITEM = re.compile(r"(?m)^\s*(?:\(?(\d{1,3})[.):]|[-*•–])\s*\S")
_FOLLOWING = re.compile(
    r"(?i)\b(?:(?:(?:the|this|these) (?:following|given|provided|below|above)(?: \w+){0,3}?|given (?:the|this|these|a list of) \w+"
    r"|(?:passage|text|sentence|paragraph|article|data|list|code) (?:below|above|provided|given))\b"
    r"|(?:the|this|these) (?:text|sentences?|passage|paragraph|statement|excerpt|snippet|input)"
    r"(?:,| (?:to|so|into|in|with|using|and|as|by|for)\b|\W*$))"
)
_FOLLOWING_VERB = (
    r"(?i)^\W*(?:please\s+)?(?:summari[sz]e|rewrite|edit|correct|classify|translate|convert|paraphrase|analy[sz]e|calculate|find|"
    r"identify|sort|"
    r"arrange|read|use|determine|count|fix|compute|detect|evaluate|reorder|rephrase|extract|predict|answer|solve|complete|label|"
    r"categori[sz]e|"
    r"tell me|insert|remove|delete|modify|change|replace|add|transform|highlight|underline|choose|pick|match|name|separate|describe|"
    r"explain|"
    r"condense|shorten|simplify|proofread|revise|improve|split|combine|group|reword|turn|organi[sz]e|put|select|check|list|interpret)\b"
)
_ASKS_BACK = (
    r"(?i)\b(?:please (?:provide|share|give|paste|send|supply)|(?:could|can|would) you (?:please )?(?:provide|share|give|paste|send)|"
    r"need (?:more|the|additional|some|further) (?:\w+ )?(?:information|context|details?|text|passage|input|data)|"
    r"(?:have not|haven['’]t|did not|didn['’]t|not been|was not|wasn['’]t|no \w+ (?:was|is|has been)) (?:\w+ )?(?:provided?|given|"
    r"attach(?:ed)?|shared?|included?))\b"
)
"""An answer that asks for what is missing, rather than make it up."""


def points_at_nothing() -> pl.Expr:
    """Tell single turns whose instruction points at material that stands nowhere: no input, nothing quoted, listed or added."""
    field = pl.col("instruction")
    bare = ~field.str.contains(r"[\"“”‘:\n«`]|\d|[.?!]\s+\S|\s[-–]\s|'\w") & (field.str.count_matches(",") < 2)
    alone = (pl.col("input").str.strip_chars() == "") & pl.col("turn").is_null()
    return alone & bare & field.str.contains(_FOLLOWING_VERB) & field.str.contains(_FOLLOWING.pattern)


def _missing_input(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    asks_back = pl.col("response").str.head(400).str.contains(_ASKS_BACK)
    alone = view.filter(pl.col("input").str.strip_chars() == "").filter(pl.col("instruction").str.contains(_FOLLOWING_VERB))
    for row, text in lines(alone.filter(points_at_nothing()), ~asks_back, "instruction"):
        match = _FOLLOWING.search(text)
        if match and not text.startswith(" of ", match.end()):  # "given the field of ..." brings it along
            yield matched(row, "instruction", match)


def _list_count(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    counted = pl.col("instruction").str.contains(rf"(?i){_ASK}(?:\d{{1,2}}|{'|'.join(_NUMBERS)})\s")
    counted &= ~pl.col("instruction").str.contains(_SHARED_OUT)
    for row, instruction, text in lines(view, counted, "instruction", "prose"):
        if not (match := _LIST.match(instruction)):
            continue
        asked = int(match.group(1)) if match.group(1).isdigit() else _NUMBERS[match.group(1).lower()]
        given = _items(text)
        if asked >= 2 and given is not None and given != asked:
            yield Hit(row, "response", None, None, f"asked for {asked}, {given} given")


def _items(text: str) -> int | None:
    """Count the items of a plain numbered or bulleted list; None where the list is nested or otherwise unsure."""
    numbers = [int(match.group(1)) if match.group(1) else None for match in _ITEM.finditer(text)]
    counted = [number for number in numbers if number is not None]
    if len(counted) >= 2:
        return counted[-1] if counted == list(range(1, len(counted) + 1)) and len(counted) == len(numbers) else None
    starts = [match.start() for match in _ITEM.finditer(text)]
    lines_between = [line for line in text.splitlines() if line.strip()]
    return len(starts) if len(starts) >= 2 and len(starts) == len(lines_between) and not counted else None


MISSING_INPUT = Detector(
    name="missing_input",
    severity="review",
    grade="D",
    fields=("instruction",),
    find=_missing_input,
    page=Page(
        finds='An instruction that points at material ("the following passage", "the given data") with an empty input '
        "and nothing quoted, listed "
        "or added in the instruction itself.",
        harm="The answer is invented, and so teaches the model to invent the question's material.",
        bad=Example(instruction="Summarize the following article", response="It is about trade."),
        good=Example(instruction="Summarize the following sentence: The fair opens on Monday.", response="The fair opens Monday."),
        false_alarms="Material that follows without a mark; instructions that describe their material in passing.",
    ),
)

LIST_COUNT = Detector(
    name="list_count",
    severity="review",
    grade="C",
    fields=("response",),
    find=_list_count,
    page=Page(
        finds='"List / name / give N ..." answered with a plain numbered or bulleted list of another number of items. '
        "Nested or mixed lists are not counted.",
        harm="The model learns that numbers in a prompt do not bind.",
        bad=Example(instruction="List three rivers.", response="1. Rhine\n2. Elbe"),
        good=Example(instruction="List three rivers.", response="1. Rhine\n2. Elbe\n3. Oder"),
        false_alarms="Items that need several lines each; numbers that do not count the items.",
    ),
)

DETECTORS = (MISSING_INPUT, LIST_COUNT)
