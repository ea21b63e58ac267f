"""Texts that were to be put in capitals or small letters, or to be turned round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Judged, Page, any_of, excerpt, hits, lines, words
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_CASE: Final = re.compile(
    r"(?i)\b(?:(?:in|to|into|all|using)\s+(?:all\s+)?(?:the\s+)?(?:(upper.?case|capital letters|all.?caps|capitals)|(lower.?case|"
    r"small letters))"
    r"|(?:capitali[sz]e)\s+((?:the\s+first\s+letter\s+(?:of|in)\s+)?(?:each|every)\s+word))\b"
)
_CASE_VERB: Final = (
    r"(?i)^\W*(?:please\s+)?(?:given [^,.]{1,40}, )?(?:convert|change|rewrite|transform|turn|put|make|write|output|"
    r"print|return|render|format|set|capitali[sz]e)\b"
)
_CASE_MAYBE: Final = r"(?i)upper.?case|lower.?case|capital|small letters|all.?caps"
_PARTS: Final = any_of(
    r"first last.(?:word|letter) alternat\w* title camel snake kebab vowels? consonants? letters?.(?:only|of|at) nouns? except proper "
    r"names? python code",
    r"function program javascript java every.other second only and add remove sentence.case create generate story a.(?:word|sentence) "
    r"poem all.(?:the.)?(?:vowels|nouns)",
    r"or replace words? initial abbreviat\w*",
)
_PARTS_OF_EACH: Final = any_of(r"python code function program javascript java except title and add remove second only last")
_QUOTED: Final = re.compile(r"[\"“]([^\"“”]{1,400})[\"”]|(?<!\w)['‘]([^'‘’]{1,400})['’](?!\w)")
_SMALL: Final = words("a an the and or but nor of to in on at by for with from as is it")
_LABEL: Final = re.compile(r"(?is)^\s*(?:text|sentence|word|phrase|string|input|output|answer|result)\s*:\s*")

_REVERSE: Final = re.compile(
    r"(?i)^\W*(?:please\s+)?(?:given [^,.]{1,40}, )?(?:reverse|"
    r"flip)\s+(?:(?:the\s+)?order\s+of\s+)?(?:all\s+)?(?:the\s+)?(?:following\s+|given\s+|input\s+)*"
    r"(?:(characters?|letters?|strings?|word)\b|(words)\b|[\"'“‘])|^\W*(?:write|spell|print|output|say)\b[^.:]{0,60}\b(?:backwards?|"
    r"in reverse(?: order)?)\b"
)
_REVERSE_MAYBE: Final = r"(?i)\b(?:reverse|invert|flip|backwards?)\b"
_NOT_TURNED: Final = any_of(
    r"python code function program javascript java algorithm script sql list array linked numbers? number digits? engineer\w* meaning "
    r"sentiment",
    r"roles? logic statement argument decision process vowels? without sequence method each every then also colors? image question voice",
    r"fraction equation matrix tree active passive story poem to.make so keeping using antonyms? change synonyms? opposite create "
    r"generate example alphabet",
)
_MOST: Final = 400


def _subject(instruction: str, given: str, verb_end: int) -> str | None:
    """Find the one text that is to be changed."""
    if given.strip():
        text = _LABEL.sub("", given).strip()
        quoted = [first or second for first, second in _QUOTED.findall(instruction)]
        return text.strip('"“”') if all(each in text for each in quoted) else None
    quoted = [first or second for first, second in _QUOTED.findall(instruction)]
    if len(quoted) == 1:
        return str(quoted[0])
    after = instruction[verb_end:]
    return after.partition(":")[2].strip() if ":" in after and not quoted else None


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalpha())


def _case_wrong(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    asked = pl.col("instruction")
    maybe = view.filter(asked.str.contains(_CASE_MAYBE), asked.str.len_bytes() < _MOST, pl.col("input").str.len_bytes() < 2 * _MOST)
    for row, instruction, given, text in lines(
        maybe, asked.str.contains(_CASE_VERB) & asked.str.contains(_CASE.pattern), "instruction", "input", "response"
    ):
        bare = _QUOTED.sub(" ", instruction).partition(":")[0]
        matches = list(_CASE.finditer(bare))
        rest = _CASE.sub(" ", bare)
        if len(matches) != 1 or re.search(_PARTS_OF_EACH if matches[0].group(3) else _PARTS, rest):
            continue
        subject = _subject(instruction, given, 0)
        if not subject or re.search(CODE, text) or not _letters(subject) or subject.count("\n") > 20:
            yield Judged(row, parsed=False)
            continue
        upper, lower, _each = matches[0].groups()
        wanted = subject.upper() if upper else subject.lower() if lower else subject
        letters, told = _letters(wanted), _letters(_quotation(text, subject))
        if letters.casefold() != told.casefold():
            yield Judged(row, parsed=False)  # another text: words were changed, or explained
        elif _each:
            small = [
                word
                for word in re.findall(r"[^\W\d_][\w'’]*", _quotation(text, subject))
                if word[0].islower() and word.lower() not in _SMALL
            ]
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(text)) if small else None)
        else:
            yield Judged(row, True, None if letters == told else Hit(row, "response", None, None, excerpt(text)))


def _quotation(text: str, subject: str) -> str:
    """Take what an answer quotes, or says after a label, where that is the text and the whole answer is more."""
    bare = _LABEL.sub("", text).strip()
    wanted = _letters(subject).casefold()
    for part in (bare, *(first or second for first, second in _QUOTED.findall(text)), text.rpartition(":")[2]):
        if _letters(part).casefold() == wanted:
            return str(part)
    return bare


def _turned(text: str) -> set[str]:
    """Give every way of turning a text round, as bare letters and digits: by characters, by words, the letters of each word."""
    words = text.split()
    sentences = re.split(r"(?<=[.!?])\s+", text)
    ways = (
        text[::-1], " ".join(reversed(words)), " ".join(word[::-1] for word in words), " ".join(reversed(re.findall(r"\w+", text))),
        " ".join(reversed(sentences)), " ".join(reversed(re.split(r"[,;]\s*", text.strip("[](){}")))),
    )  # fmt: skip
    return {_bare(way) for way in ways} - {_bare(text)} or {_bare(text)}


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _reverse_wrong(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    asked = pl.col("instruction")
    maybe = view.filter(asked.str.contains(_REVERSE_MAYBE), asked.str.len_bytes() < _MOST, pl.col("input").str.len_bytes() < _MOST)
    for row, instruction, given, text in lines(maybe, asked.str.contains(_REVERSE.pattern), "instruction", "input", "response"):
        bare = _QUOTED.sub(" ", instruction).partition(":")[0]
        if re.search(_NOT_TURNED, bare):
            continue
        subject = _subject(instruction, given, 0)
        match = _REVERSE.search(instruction)
        if match and not match.group(1) and not match.group(2) and subject and len(subject.split()) > 1:
            continue  # a sentence may be turned round in its meaning
        if not subject or re.search(CODE, text) or len(_bare(subject)) < 3 or "\n" in subject.strip() or len(text) > 4 * len(subject) + 120:
            yield Judged(row, parsed=False)
            continue
        right = _turned(subject)
        if any(way in _bare(text) for way in right):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"{subject[::-1]}: {text}")))


CASE_WRONG = Detector(
    name="case_wrong",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_case_wrong),
    judge=_case_wrong,
    page=Page(
        finds="A text that was to be put in upper or lower case, or each word of it to be capitalized, given back with the same letters "
        "in another case. Small words may stay small.",
        harm="The model learns that what was asked for need not be done.",
        bad=Example(instruction="Convert the text to uppercase.", input="the old mill", response="The Old Mill"),
        good=Example(instruction="Capitalize each word.", input="the mill of the king", response="The Mill of the King"),
        false_alarms="None found. Parts of a text (first letters, vowels, nouns) and other styles (title case, camel case) are not judged.",
    ),
)

REVERSE_WRONG = Detector(
    name="reverse_wrong",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_reverse_wrong),
    judge=_reverse_wrong,
    page=Page(
        finds="A string or word that was to be reversed (its characters, letters or words), whose answer holds it turned round in "
        "none of the usual ways: by "
        "characters, by words, the letters of each word, by clauses. Case, spaces and punctuation do not count.",
        harm="The model learns that what was asked for need not be done.",
        bad=Example(instruction="Reverse the string 'kettle'.", response="elttke"),
        good=Example(instruction="Reverse the words: the old mill", response="mill old the"),
        false_alarms="None found. Sentences, lists, numbers, meanings and roles that are to be reversed are not judged.",
    ),
)

DETECTORS = (CASE_WRONG, REVERSE_WRONG)
