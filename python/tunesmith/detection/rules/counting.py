"""Counts of words, letters, vowels and sentences that no way of counting gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Judged, Page, any_of, excerpt, hits, lines
from tunesmith.detection.quantities import numbers
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_THING: Final = r"(words?|letters?|characters?|vowels?|consonants?|sentences?)"
_HOW_MANY: Final = re.compile(
    rf"(?i)\b(?:how many|(?:count|find|determine|calculate|give|output|identify|what is|tell me|state|return|"
    rf"compute)\s+(?:me\s+)?(?:up\s+)?"
    rf"(?:the\s+)?(?:(?:total\s+)?(?:number|count|amount)\s+of\s+)?(?:the\s+)?(?:number\s+of\s+)?)\s*(?:all\s+)?(?:the\s+)?{_THING}\b"
)
_LETTER: Final = re.compile(
    r"(?i)\bhow many (?:times (?:does|do|is) )?(?:the )?(?:letter )?[\"'“‘]?([a-z])[\"'”’]?(?:'s|s)? (?:letters )?(?:are (?:there "
    r")?in|appears? in|occurs? in|is in)"
    r"|\b(?:count|number of)(?: of)?(?: the)?(?: number of)?(?: occurrences of| times)? the letter [\"'“‘]?([a-z])[\"'”’]?"
)
_COUNTING: Final = r"(?i)\bhow many\b|\bcount\b|\bnumber of\b"
_ELSEWHERE: Final = any_of(
    r"python java\w* program\w* code function script algorithm sql estimate write generate create compose rewrite different unique "
    r"distinct",
    r"each every start\w* begin\w* end\w* contain\w* with.more longer shorter average per most common frequency frequent nouns? verbs?",
    r"adjectives? adverbs? misspelled languages? possible made can.be can.you.make rearrang\w* english.(?:language|alphabet) "
    r"stop.?words repeated capital uppercase",
    r"lowercase alphabets? minutes? permutations? arrangements? ways essay need needed should typical\w* limit",
)
_QUOTED: Final = re.compile(r"[\"“]([^\"“”]{1,600})[\"”]|(?<!\w)['‘]([^'‘’]*(?:'\w[^'‘’]*)*)['’](?!\w)")
_LEAD: Final = re.compile(r"(?is)^\s*(?:text|sentence|word|phrase|string|paragraph|passage|input)\s*:\s*")
_MOST: Final = 2_000


def _counts(thing: str, text: str) -> set[int]:
    """Give every count that a careful reader may come to."""
    text = text.strip()
    letters = [char for char in text.lower() if char.isalpha()]
    match thing:
        case "word":
            parts = text.split()
            worded = [part for part in parts if re.search(r"\w", part)]
            return {
                len(parts), len(worded), len(re.findall(r"\w+", text)), len(re.findall(r"[\w'’]+", text)),
                len(re.findall(r"[\w'’-]+", text)),
                len(re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text)),
            }  # fmt: skip
        case "letter" | "character":
            bare = re.sub(r"[^\w\s]", "", text)
            return {
                len(letters), len(text), len(re.sub(r"\s", "", text)), len(bare), len(re.sub(r"\s", "", bare)),
                len(text.rstrip(".!?")),
                sum(char.isalnum() for char in text),
            }  # fmt: skip
        case "vowel":
            plain = sum(char in "aeiou" for char in letters)
            return {
                plain,
                sum(char in "aeiouy" for char in letters),
                len({char for char in letters if char in "aeiou"}),
                *_ends(letters, plain),
            }
        case "consonant":
            return {
                sum(char not in "aeiou" for char in letters), sum(char not in "aeiouy" for char in letters),
            }  # fmt: skip
        case _:
            marks = len(re.findall(r"[.!?]+", text))
            ends = len(re.findall(r"[.!?]+[\"'”’)]*(?=\s|$)", text))
            strict = len(re.findall(r"[.!?]+[\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9])", text)) + 1
            return {
                marks,
                ends,
                strict,
                len([line for line in text.splitlines() if line.strip()]),
                max(1, marks),
                ends + 1 if not re.search(r"[.!?][\"'”’)]*$", text) else ends,
            }


def _ends(letters: list[str], plain: int) -> set[int]:
    return {plain + sum(char == "y" for char in letters[1:])}


def _subject(instruction: str, given: str, after: int, letter: str) -> str | None:
    """Find the text that is counted: the input, or the one quotation, or what follows a colon, or the word that is named."""
    if given.strip():
        quoted = [
            text
            for first, second in _QUOTED.findall(instruction)
            if (text := first or second).lower() not in (letter, given.strip().lower())
        ]
        return None if quoted else _LEAD.sub("", given).strip().strip('"“”')
    quoted = [first or second for first, second in _QUOTED.findall(instruction[after:])]
    if len(quoted) == 1:
        return str(quoted[0])
    if quoted:
        return None
    if match := re.search(r":\s*(\S.*)\Z", instruction[after:], re.DOTALL):
        return match.group(1).strip().strip("\"'“”‘’")
    match = re.search(r"(?i)\bin (?:the )?(?:word|name) ([A-Za-z]+)\W*\Z", instruction)
    return match.group(1) if match else None


def _count_wrong(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    asked = pl.col("instruction")
    maybe = view.filter(asked.str.contains(_COUNTING), asked.str.len_bytes() < _MOST, pl.col("input").str.len_bytes() < _MOST)
    counting = asked.str.contains(_HOW_MANY.pattern) | asked.str.contains(_LETTER.pattern)
    for row, instruction, given, text in lines(
        maybe.filter(counting), ~asked.str.replace_all(r"[\"“].*[\"”]", "").str.contains(_ELSEWHERE), "instruction", "input", "response"
    ):
        letter = _LETTER.search(instruction)
        match = letter or _HOW_MANY.search(instruction)
        assert match is not None
        thing = match.group(1).lower().rstrip("s") if not letter else "letter"
        things = {each.lower().rstrip("s") for each in _HOW_MANY.findall(instruction)}
        chosen = (letter.group(1) or letter.group(2)).lower() if letter else ""
        subject = _subject(instruction, given, match.end(), chosen)
        beside = re.sub(r"[\"“‘'][^\"”]{1,600}[\"”’']", " ", text)
        told = [each for each in numbers(beside) or numbers(text) if each.value.denominator == 1]
        if subject is None or (not letter and len(things) != 1) or not told or re.search(CODE, text) or not subject.isascii():
            yield Judged(row, parsed=False)
            continue
        right = {subject.lower().count(chosen)} if letter else _counts(thing, subject)
        if letter and re.search(r"(?i)\bwords?\b[^.]*\b(?:with|contain)", instruction):
            yield Judged(row, parsed=False)
        elif any(each.value in right for each in told):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"{' or '.join(map(str, sorted(right)))}: {text}")))


COUNT_WRONG = Detector(
    name="count_wrong",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_count_wrong),
    judge=_count_wrong,
    page=Page(
        finds="A prompt that asks how many words, letters, characters, vowels, consonants or sentences one text holds, or how often one "
        "letter stands in it, answered by a number that no usual way of counting gives (hyphens, apostrophes, digits, punctuation, "
        "spaces, y as a vowel: each may count or not).",
        harm="The model learns to guess counts.",
        bad=Example(instruction='How many vowels are in "the old mill"?', response="There are five vowels."),
        good=Example(instruction='How many words are in "the well-known mill"?', response="There are four words."),
        false_alarms="None found. Conditions (words that begin with ..., different words) are not judged.",
    ),
)

DETECTORS = (COUNT_WRONG,)
