"""Lengths: what the prompt asks for, and answers that are too short to be any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, lines
from tunesmith.detection.rules.ending import CODE
from tunesmith.detection.rules.refusal import refuses

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_NUMBERS: Final = {
    word: n for n, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1)
} | {
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
    "a hundred": 100,
    "one hundred": 100,
    "hundred": 100,
    "single": 1,
    "a single": 1,
}
_N: Final = rf"(\d{{1,4}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_UNIT: Final = (
    r"(words?|sentences?|characters?)\b(?!\s+(?:nouns?|verbs?|types?|inputs?|answers?|choices?|structures?|patterns?|"
    r"problems?|long\s+is)\b)"
)
_AT_MOST: Final = (
    r"at most|no more than|not more than|less than|fewer than|under|up to|within|a maximum of|maximum of|max(?:imum)?|"
    r"not exceed(?:ing)?|below|limit(?:ed)? to|limit of"
)
_AT_LEAST: Final = r"at least|more than|over|a minimum of|minimum of|no (?:less|fewer) than|not less than"
_ABOUT: Final = r"about|around|approximately|roughly|nearly|some"
_RULE: Final = re.compile(
    rf"(?i)\b(?:(?:in|with|using|of|is|be|to|as|has|contains?|should be|must be|down to|into|exactly|only|just|that is)\s+)?(?:(?:a|"
    rf"the|exactly|only|just|total of)\s+)*"
    rf"(?:({_AT_MOST})|({_AT_LEAST})|({_ABOUT}))?\s*(?:(?:exactly|a|of|only|just)\s+)*{_N}(?:\s*(?:-|–|to|"
    rf"or)\s*{_N})?\s*-?\s*{_UNIT}(?:\s+(or (?:less|fewer)|or more|max(?:imum)?|min(?:imum)?|limit))?"
)
_ASKS: Final = (
    r"(?i)\b(?:in|with|using|of|than|least|most|about|around|approximately|exactly|under|within|maximum|max|minimum|over|up to|only|"
    r"just|into|to|as|be|a|write|give|provide|compose|create|generate)\s+"
    rf"(?:\w+\s+){{0,2}}(?:\d{{1,4}}|{'|'.join(_NUMBERS)})\s*(?:(?:-|–|to|or)\s*(?:\d{{1,4}}|{'|'.join(_NUMBERS)}))?\s*-?\s*(?:words?|"
    rf"sentences?|characters?)\b"
)
_NOT_A_LENGTH: Final = any_of(
    r"each every per python java\w* code function program script algorithm sql password\w* regex more.(?:words|sentences|characters) "
    r"compound blank blanks",
    r"(?:these|those|following|given|the|this|between|last|first|next|any|other|different|both|list|name|find|identify|classify|match|"
    r"combine|join|merge|sort|replace|insert|add|delete|remove|count|compare|contrast|rhyme|rearrange|define|use|translate|split|"
    r"convert|rewrite).(?:\w+.)?(?:two|three|four|five|six|seven|eight|nine|ten|\d+).(?:words|sentences|characters)",
    r"into.(?:two|one|three|a|\d).\w* combin\w* main.characters fictional story.with.(?:two|three|four).characters characters? "
    r"dialogues? conversations? string text.messages puns? words.(?:that|related|which|to|from|for|with|containing|beginning|starting|"
    r"ending) "
    r"sentences.(?:that|using|with|about|for|containing|from|to|which|where) lists? names? stories poems? haikus? paragraphs? bullet "
    r"headline.of six.word synonyms? antonyms? adjectives? phrases? questions? examples? tips? reasons? alternate explain.the.process "
    r"hashtag",
)
_CHARACTERS_ELSEWHERE: Final = any_of(
    r"dialogues? conversations? stor(?:y|ies) plays? scripts? movies? novels? fictional main string password\w*"
)
_EXACT: Final = 15
_SENTENCE: Final = re.compile(r"[.!?。！？]+[\"'”’)]*(?=\s|$|[^\x00-\x7f])")
_ABBREVIATION: Final = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|vs|etc|e\.g|i\.e|a\.m|p\.m|U\.S|Inc|Ltd|Jr|No|approx)\.")
_CJK: Final = re.compile(r"[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_CJK_RULE: Final = re.compile(
    r"(?:(不超过|不多于|少于|最多|以内)|(至少|不少于|超过)|约|大约)?\s*(\d{1,4})\s*个?(?:字|汉字|字符)(?![母段节符典体幕])(以内|以下|之内|左右|以上|或更少)?"
)

_LONG_FORM: Final = (
    r"(?i)^\W*(?:please\s+|(?:can|could|would) you (?:please )?|(?:i need|i want|i would like|i['’]d like) you to )?"
    r"(?:write|compose|create|generate|draft)\s+(?:me\s+)?(?:an?|the)\s+(?:\w+[\s-]+){0,3}?"
    r"(?:story|essay|article|paragraph|blog post|report|letters?(?:\s+(?:to|of|from|for|that)\b|\W*$)|speech|short story|review|"
    r"biography|dialogue|poem|press release|tale|tutorial|novel|sermon)\b"
)
_NOT_LONG: Final = any_of(
    r"titles? headlines? names? one.sentence sentence words? line topic opening outline slogan subject haiku tagline hook thesis "
    r"tweet quer\w+ function program code "
    r"class statement conclusion moral couplet caption prompt hashtags? acronyms? usernames? letters?.(?:word|acronym)s? emoji"
)
_FEWEST: Final = 12
_SHORT: Final = 1_000
"""Bytes of an answer that may be that short: more are spaces, or no words."""


class _Asked(NamedTuple):
    low: float
    high: float
    unit: str
    said: str


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS[text.lower()]


def _asked(instruction: str) -> _Asked | None:
    """Read the one length that an instruction asks for: the least and the most that its answer may have, with some slack."""
    found = [match for match in _RULE.finditer(instruction) if match.group(4)]
    if len(found) != 1:
        return None
    most, least, about, first, second, unit, after = found[0].groups()
    low = high = float(_number(first))
    if second:
        high = float(_number(second))
    unit = unit.lower().rstrip("s")
    if most or re.match(r"(?i)or (?:less|fewer)|max|limit", after or ""):
        low, high = 0.0, 1.1 * high
    elif least or re.match(r"(?i)or more|min", after or ""):
        low, high = 0.9 * low, float("inf")
    elif about or second or high > _EXACT or unit == "character":
        low, high = 0.6 * low, 1.6 * high
    return _Asked(low, high, unit, " ".join(found[0].group().split()))


def lengths(text: str, unit: str) -> tuple[int, ...]:
    """Count by every usual way; characters where a script has no spaces between words.

    >>> lengths("It is well-known. So be it!", "word"), lengths("It is well-known. So be it!", "sentence")
    ((6, 7), (2,))
    """
    text = text.strip()
    if unit == "character":
        return (len(text), len(re.sub(r"\s", "", text)))
    if unit == "word":
        if len(_CJK.findall(text)) * 2 > len(re.sub(r"\s", "", text)):
            return (len(_CJK.findall(text)),)
        parts = [part for part in text.split() if re.search(r"\w", part)]
        split = sum(len([piece for piece in re.split(r"[-–—/]", part) if re.search(r"\w", piece)]) for part in parts)
        return (len(parts), split)
    bare = _ABBREVIATION.sub("x", text)
    ends = len(_SENTENCE.findall(bare))
    ends += not _SENTENCE.search(bare[-3:])
    filled = len([line for line in text.splitlines() if line.strip()])
    return (ends,) if filled <= 1 else (ends, filled, max(1, ends - 1))


def _length_constraint(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    asked = pl.col("instruction")
    asking = view.filter(asked.str.contains(r"(?i)\b(?:words?|sentences?|characters?)\b")).filter(asked.str.contains(_ASKS))
    plain = ~pl.col("response").str.contains(CODE) & ~refuses(pl.col("response")) & (pl.col("response").str.strip_chars() != "")
    for row, instruction, text in lines(asking.filter(~asked.str.contains(_NOT_A_LENGTH)), plain, "instruction", "response"):
        rule = _asked(instruction)
        if rule is None or (rule.unit == "character" and re.search(_CHARACTERS_ELSEWHERE, instruction)):
            continue
        counts = lengths(text, rule.unit)
        slack = 1 if rule.unit == "sentence" and rule.low != rule.high else 0
        if not any(rule.low - slack <= count <= rule.high + slack for count in counts):
            yield Hit(row, "response", None, None, f'asked for "{rule.said}"; {counts[0]:,} {rule.unit}s given'[:80])
    chinese = view.filter(
        asked.str.contains(r"\d\s*个?(?:字|汉字|字符)"),
        ~asked.str.contains("每|密码|字符串|代码|函数|字母|[这该]篇|字的(?:文章|文本|段落|故事)中"),
    )
    for row, instruction, text in lines(chinese, plain, "instruction", "response"):
        found = list(_CJK_RULE.finditer(instruction))
        if len(found) != 1:
            continue
        most, least, number, after = found[0].groups()
        n, given = int(number), len(_CJK.findall(text))
        low, high = (
            (0.0, 1.2 * n)
            if most or after in ("以内", "以下", "之内", "或更少")
            else (0.8 * n, float("inf"))
            if least or after == "以上"
            else (0.5 * n, 1.8 * n)
        )
        if given and not low <= given <= high:
            yield Hit(row, "response", None, None, f"asked for {found[0].group().strip()}; {given:,} characters given")


def _too_short(view: pl.DataFrame, limits: Limits) -> Iterator[Hit]:
    text = pl.col("response").str.strip_chars()
    asked = pl.col("instruction")
    words = text.str.count_matches(r"\S+")
    letters = text.str.count_matches(r"\p{L}")
    said = (words > 0) & (words <= _FEWEST) & (letters <= _FEWEST * 12) & ~text.str.contains(r"[\u3041-\u30ff\u4e00-\u9fff]")
    few = view.filter(pl.col("response").str.len_bytes() < _SHORT).filter(asked.str.contains(_LONG_FORM))
    few = few.filter(said, ~asked.str.contains(_NOT_LONG), ~text.str.contains(r"^[<\[(]"))
    found = set()
    for row, number in lines(few.with_columns(words.alias("words")), ~refuses(text), "words"):
        found.add(row)
        yield Hit(row, "response", None, None, f"a longer text was asked for; {number} words given")
    if limits.characters_min is None:
        return
    length = pl.col("response").str.len_chars()
    for row, characters in lines(view.with_columns(length.alias("length")), (text != "") & (length < limits.characters_min), "length"):
        if row not in found:
            yield Hit(row, "response", None, None, f"{characters:,} characters; references: at least {limits.characters_min:,}")


LENGTH_CONSTRAINT = Detector(
    name="length_constraint",
    severity="review",
    grade="D",
    fields=("response",),
    find=_length_constraint,
    page=Page(
        finds='"In N words / sentences / characters" against the answer: exactly N up to 15, else under .6 or above 1.6 times; "at '
        'most N" '
        'above 1.1 times, "at least N" below .9 times. Hyphens may join or part words; a sentence more or less is let pass where the '
        "prompt gives a bound. Chinese is counted in characters.",
        harm="The model learns that lengths in a prompt do not bind.",
        bad=Example(instruction="Describe the mill in five words.", response="The mill is old and stands by the river."),
        good=Example(instruction="Describe the mill in five words.", response="An old mill, still working."),
        false_alarms="Numbers that count something else in the prompt; sentences that abbreviations or lists make hard to count.",
    ),
)

TOO_SHORT = Detector(
    name="too_short",
    severity="review",
    grade="D",
    fields=("response",),
    find=_too_short,
    page=Page(
        finds="An answer of at most 12 words where a story, essay, article, paragraph, letter, speech or the like was asked for. With "
        "limits also one shorter than the 1st percentile of the reference lengths, in characters.",
        harm="Short targets make short outputs: the model learns to stop before it has answered.",
        bad=Example(instruction="Write a story about a lighthouse.", response="There was a lighthouse."),
        good=Example(instruction="Write a title for a story about a lighthouse.", response="The Last Lamp"),
        false_alarms="With limits, one reference in a hundred, by definition.",
    ),
)

DETECTORS = (LENGTH_CONSTRAINT, TOO_SHORT)
