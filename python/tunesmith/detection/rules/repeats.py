"""Lists that name the same thing twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt, lines
from tunesmith.detection.rules.ending import CODE
from tunesmith.detection.supervised import MASK

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_LIST: Final = r"(?m)^[ \t]*(?:[-*•–]|\(?\d{1,3}[.):])[ \t]*\S[^\n]*\n(?:[^\n]*\n)*?[ \t]*(?:[-*•–]|\(?\d{1,3}[.):])[ \t]*\S"
_ITEM: Final = re.compile(r"(?m)^([ \t]*)(?:[-*•–]|\(?\d{1,3}[.):])[ \t]*(\S[^\n]*)$")
_ASKED: Final = (
    r"(?i)^\W*(?:please\s+)?(?:list|name|give|provide|suggest|generate|create|identify|write|brainstorm|come up with|think of|find|"
    r"make|tell me|what are|compile|produce|output)\b"
    r".*\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|list|synonyms?|examples?|names?|words?|adjectives?|types?|ways|items?|"
    r"ideas?|keywords?|antonyms?|things|countries|cities)\b"
)
_REPEATS: Final = any_of(
    r"repeat\w* poems? songs? lyrics? sequences? random schedules? timetables? itinerar\w* workout\w* exercise.(?:plan|routine) "
    r"steps? dice loops? calendar days tables?",
    r"dialogues? conversations? conjugat\w* scale chords? melod\w* rhythm pattern rewrit\w* paraphras\w* translat\w* sort\w* remov\w* "
    r"duplicates? code program function stories story scripts?",
    r"menu meal recipe routine essay paragraphs? letter email input convert\w* classif\w* label\w* rating\w* numbers? array "
    r"ingredients? binary edit correct quiz answers? matrix instructions",
    r"parts?.of.speech tokeni\w* count frequency notes same plan tag tags scores? outline",
)
_SHORT: Final = 60


def _folded(items: list[str]) -> list[str]:
    """Give items, which hold no line break, without case and punctuation."""
    return [item.strip() for item in re.sub(r"[^\w\s+#]|_", " ", "\n".join(items)).casefold().split("\n")]


def _named(text: str) -> list[str]:
    """List the items of a numbered or bulleted list of one level, or between the commas of one line."""
    found = _ITEM.findall(text)
    if len(found) >= 2:
        return [item for _, item in found] if len({indent for indent, _ in found}) == 1 else []
    line = text.strip()
    if "\n" in line or line.count(",") < 2 or len(line) > 600:
        return []
    line = re.sub(r"(?is)^[^:,]{0,100}:\s*", "", line)
    parts = [re.sub(r"(?i)^(?:and|or)\s+", "", part.strip()) for part in line.rstrip(".").split(",")]
    return parts if all(part and len(part.split()) <= 3 for part in parts) else []


def _duplicate_items(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    asked = pl.col("instruction")
    listing = asked.str.contains(_ASKED) & ~asked.str.contains(_REPEATS)
    prose = pl.col("prose")
    maybe = view.filter(listing).filter(prose.str.contains(r"(?m)^[ \t]*(?:[-*•–]|\(?\d{1,3}[.):])") | prose.str.contains(r",[^,\n]+,"))
    for row, given, text in lines(
        maybe, ~pl.col("response").str.contains(CODE) & ~prose.str.contains(MASK, literal=True), "input", "prose"
    ):
        named = _named(text)
        folded = _folded(named)
        if len(set(folded)) == len(folded):
            continue
        items = list(zip(folded, named, strict=True))
        counted = Counter(item for item, _ in items if re.search(r"[^\W\d_]{2}", item) and len(item) <= _SHORT)
        twice = [item for item, count in counted.items() if count > 1]
        if not twice or (given.strip() and any(given.casefold().count(item) > 1 for item in twice)):
            continue
        if len(counted) * 3 < len(items):  # a form that fills itself in, not a list of things
            continue
        places = [(text.find(original), original) for folded, original in items if folded == twice[0]]
        start = text.find(places[1][1], places[0][0] + len(places[0][1])) if len(places) > 1 else places[0][0]
        start = max(start, 0)
        evidence = f"{counted[twice[0]]} times: {places[0][1]}" + (f" and {len(twice) - 1} more" if len(twice) > 1 else "")
        yield Hit(row, "response", start, start + len(places[-1][1]), excerpt(evidence))


DUPLICATE_ITEMS = Detector(
    name="duplicate_items",
    severity="review",
    grade="D",
    fields=("response",),
    find=_duplicate_items,
    page=Page(
        finds="A list of things (numbered, bulleted, or between commas on one line) that names one of them twice; case and punctuation do "
        "not count. Songs, sequences, plans, tables and dialogues may repeat themselves.",
        harm="The model learns to fill lists up.",
        bad=Example(instruction="List four rivers.", response="1. Rhine\n2. Elbe\n3. Oder\n4. Elbe"),
        good=Example(instruction="List four rivers.", response="1. Rhine\n2. Elbe\n3. Oder\n4. Main"),
        false_alarms="Lists in which a thing may come twice, where the prompt does not say so.",
    ),
)

DETECTORS = (DUPLICATE_ITEMS,)
