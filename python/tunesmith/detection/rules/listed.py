"""Lists of numbers and of words: statistics that are wrong, orders that are none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Judged, Page, any_of, excerpt, hits, lines, words
from tunesmith.detection.quantities import asked, exact, numbers, same, shown
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_VALUE: Final = r"[-−–]?\$?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_LIST: Final = re.compile(
    rf"(?<![\w.,/^*+=-]){_VALUE}(?:\s*(?:,\s*(?:and\s+)?|;\s*|\s+and\s+|\n|\s)\s*{_VALUE}){{2,39}}(?![\w/^*+=%]|\.\d|,\d)"
)
_KINDS: Final = ("mean", "median", "sum", "range", "max", "min")
_KIND: Final = re.compile(
    r"\b(?:(mean|averages?)|(median)|(sum|add(?:ing)? up|total)|(range)|(max(?:imum)?|largest|biggest|greatest|highest)|"
    r"(min(?:imum)?|smallest|lowest|least))\b",
    re.IGNORECASE,
)
_STATISTIC: Final = (
    r"(?i)\b(?:mean|averages?|median|sum|add up|total|range|max(?:imum)?|largest|biggest|greatest|highest|min(?:imum)?|smallest|lowest)\b"
)
_THREE: Final = r"\d[^\d\n]{0,6}[\s,;][^\d\n]{0,6}\d+(?:\.\d+)?[^\d\n]{0,6}[\s,;][^\d\n]{0,6}\d"
_BESIDE: Final = words(
    "a an the what whats which s is are of for in from to find calculate compute determine identify tell me give get us output return "
    "pick "
    "select choose report evaluate work out number numbers value values integer integers element elements data set dataset datapoints "
    "points "
    "list array series sequence following given these this those below above provided follow as and then it please can you mean average "
    "averages median sum add up total range max maximum largest biggest greatest highest min minimum smallest lowest arithmetic result "
    "all statistical statistics group collection one has have with that was were scores score set's list's single digits figures input "
    "amount by using there contains consisting between simple out their its show add them together three four five six seven eight "
    "ten you've dataset's provided arrays vector spreadsheet "
    "column first numerical displayed"
)
_NOT_PLAIN: Final = any_of(
    r"python java\w* code function program script algorithm sql excel formula weighted moving trimmed geometric harmonic squares? squared",
    r"(?:highest|lowest|largest|smallest|maximum|minimum).(?:average|mean|sum|median|range) total.number number.of.(?:elements|items|"
    r"times|people|students|words|occurrences|terms|observations) product even odd primes? "
    r"digits.of remaining second third kth nth consecutive subarray pairs? "
    r"difference.between.the.mean common",
    r"sort\w* arrang\w* order\w* rank\w* items? cost costs elements? multiples? deviation variance mode equation explain each",
)

_ORDER: Final = (
    r"(?i)\b(?:sort|order|arrange|re-?order|re-?arrange|alphabeti[sz]e|organi[sz]e|rank|put|list|place|alphabetical\w*|"
    r"ascending|descending)\b"
)
_DIRECTION: Final = re.compile(
    r"(?i)\b(?:(alphabetical\w*|alphabeti[sz]e|lexicographical\w*|a to z|a-z)"
    r"|(ascending|(?<!non.)increasing|non.decreasing|(?:smallest|lowest|least) to (?:the )?(?:largest|biggest|highest|greatest|most)|"
    r"numerical order|numerically)"
    r"|(descending|(?<!non.)decreasing|non.increasing|reverse|(?:largest|biggest|highest|greatest) to (?:the )?(?:smallest|lowest|"
    r"least)|z to a|z-a))\b"
)
_DIRECTED: Final = (
    r"(?i)alphabet|lexico|scending|creasing|numerical|\b(?:smallest|lowest|least|largest|biggest|highest|greatest) "
    r"to\b|\b[az] ?(?:to|-) ?[az]\b"
)
_OTHER_KEY: Final = any_of(
    r"length\w* chronolog\w* dates? time years? size importance populations? weight age height price cost distance difficulty frequency",
    r"according.to based.on number.of how relevance reverse.order.of python java\w* code function program script algorithm sql query "
    r"sentences logical",
    r"categor\w+ group\w* last.name surname first.letter last.letter then vowels? strength speed rating types? duplicates? unique remove",
    r"bubble.sort merge.sort quick.?sort insertion.sort explain value population second author non.ascending titles? dictionary intensity",
    r"letters notes? planets? animals? priority list.(?:the|all) check next subsequence algorithms? (?:least|most|highest|"
    r"lowest).to.(?:most|least|highest|lowest).\w+ name.a list.(?:three|four|five|six|\d+) generate create write suggest example "
    r"binary steps",
)
_WORDS_OF: Final = re.compile(r"(?i)\bwords?\b[^.:]{0,60}\b(?:sentence|phrase)\b|\b(?:sentence|phrase)\b[^.:]{0,60}\bwords?\b")
_MARKS: Final = re.compile(r"(?m)^\s*(?:[-*•–]\s+|•|\(?\d{1,2}[.)]\s+|\[\s*)")
_LEAD: Final = re.compile(r"(?is)^[^\n:]{0,120}:\s*(?=\S)")
_ITEMS_MOST, _ITEMS_LEAST = 40, 3


def _numbers_of(text: str) -> list[Fraction] | None:
    """Read the one list of at least three numbers in a text, where there is no other number."""
    found = list(_LIST.finditer(text))
    if len(found) != 1:
        return None
    rest = text[: found[0].start()] + text[found[0].end() :]
    values = [exact(re.sub("[−–]", "-", each.replace("$", ""))) for each in re.findall(_VALUE, found[0].group())]
    # "these 3 numbers", or "Numbers: [1, 2, 3]" said twice.
    rest = re.sub(rf"\b{len(values)}(?=\s+(?:numbers|integers|values)\b)", "", rest)
    return None if re.search(r"\d", rest) else values


def _statistic(kind: str, values: Sequence[Fraction]) -> Fraction:
    ordered, n = sorted(values), len(values)
    match kind:
        case "mean":
            return sum(values, Fraction(0)) / n
        case "median":
            return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
        case "sum":
            return sum(values, Fraction(0))
        case "range":
            return ordered[-1] - ordered[0]
        case "max":
            return ordered[-1]
        case _:
            return ordered[0]


def _stat_wrong(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    maybe = view.filter(pl.col("instruction").str.contains(_STATISTIC), prompt.str.len_bytes() < 600)
    about = prompt.str.contains(_THREE) & ~pl.col("instruction").str.contains(_NOT_PLAIN)
    for row, instruction, given, text in lines(maybe, about, "instruction", "input", "response"):
        kinds = {_KINDS[k] for match in _KIND.finditer(instruction) for k, name in enumerate(match.groups()) if name}
        prompt_text = asked(instruction, given)
        words = re.findall(r"[^\W\d_]+", prompt_text.lower())
        values = _numbers_of(prompt_text) if all(word in _BESIDE for word in words) else None
        if values is None or not kinds or not numbers(text) or re.search(CODE, text):
            yield Judged(row, parsed=False)
            continue
        right = {kind: _statistic(kind, values) for kind in kinds}
        # What is said again of the list proves nothing.
        told = list(numbers(_LIST.sub(" ", text))) or list(numbers(text))
        wrong = [kind for kind, value in right.items() if not any(same(each, value) for each in told)]
        if (
            wrong
            and "range" in wrong
            and {"max", "min"} <= {k for k in ("max", "min") if any(same(e, _statistic(k, values)) for e in told)}
        ):
            wrong.remove("range")
        hit = Hit(row, "response", None, None, excerpt(f"the {wrong[0]} is {shown(right[wrong[0]])}: {text}")) if wrong else None
        yield Judged(row, True, hit)


def _items(text: str) -> list[str]:
    """Split a text into the items of its list: an item a line, or between commas, or between spaces."""
    text = _MARKS.sub("", text.strip().strip("[](){}").strip())
    separator = (
        r"\n+" if text.count("\n") >= 1 and not ("," in text and text.count("\n") < 2) else r",|;" if re.search("[,;]", text) else r"\s+"
    )
    parts = [re.sub(r"(?i)^(?:and|&)\s+", "", part.strip()).strip(" .\"'“”‘’`[](){}*,;") for part in re.split(separator, text)]
    return [part for part in parts if part]


def _answers(text: str) -> Iterator[list[str]]:
    """Yield the lists that an answer may consist of: the whole of it, what follows a colon, an arrow or "is", what stands in brackets."""
    yield _items(text)
    yield _items(_LEAD.sub("", text))
    yield from (_items(match) for match in re.findall(r"\[([^\[\]]+)\]", text)[-1:])
    yield _items(re.sub(r"(?s)^.*?(?:->|\b(?:is|are|be|follows)\b:?)\s+", "", text, count=1))


def _words(text: str) -> list[str]:
    """Split a sentence into its words, without its label and full stop."""
    return [word for part in _LEAD.sub("", text).split() if (word := part.strip(".,!?;:\"'“”"))]


def _listed(instruction: str, given: str) -> list[str]:
    """Find the list to be sorted: the input, or what follows a colon, or what stands in brackets, in the instruction."""
    if given.strip():
        return _items(_LEAD.sub("", given) if "\n" not in given.strip().partition(":")[0] else given)
    if match := re.search(r"\[([^\[\]]+)\]|\(([^()]+,[^()]+)\)|\{([^{}]+)\}", instruction):
        return _items(next(group for group in match.groups() if group))
    return _items(instruction.rpartition(":")[2]) if ":" in instruction else []


def _folded(item: str) -> str:
    return re.sub(r"[^\w\s]", "", item.casefold()).strip()


def _bare(item: str) -> str:
    return re.sub(r"^(?:the|a|an)\s+", "", _folded(item))


_KEYS: Final[tuple[Callable[[str], str], ...]] = (
    str, str.casefold, _folded, _bare, lambda item: re.sub(r"[\W_]", "", _folded(item)), lambda item: _bare(item).replace(" ", "")
)  # fmt: skip


def _in_order(items: Sequence[str], *, falling: bool) -> bool:
    """Tell whether words stand in alphabetical order under any of the usual ways of comparing them."""
    for key in _KEYS:
        keys = [key(item) for item in items]
        if all((a >= b) if falling else (a <= b) for a, b in pairwise(keys)):
            return True
    return False


def _as_numbers(items: Sequence[str]) -> list[Fraction] | None:
    if not all(
        re.fullmatch(r"[-−–]?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:/\d+)?%?", item) and re.search(r"\d", item) for item in items
    ):
        return None
    plain = [re.sub(r"[$€£%,]", "", re.sub("[−–]", "-", item)) for item in items]
    try:
        return [Fraction(item) for item in plain]
    except (ValueError, ZeroDivisionError):
        return None


def _sort_wrong(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    asked = pl.col("instruction")
    maybe = view.filter(asked.str.contains(_ORDER)).filter(asked.str.contains(_DIRECTED), asked.str.len_bytes() < 600)
    for row, instruction, given, text in lines(maybe, ~asked.str.contains(_OTHER_KEY), "instruction", "input", "response"):
        yield _sorted(row, instruction, given, text)


def _sorted(row: int, instruction: str, given: str, text: str) -> Judged:
    directions = [match.lastindex for match in _DIRECTION.finditer(instruction)]
    alphabetical, falling = 1 in directions, 3 in directions
    listed = _listed(instruction, given)
    if _WORDS_OF.search(instruction) and given.strip() and "\n" not in given.strip() and "," not in given:
        listed, text = _words(given), " ".join(_words(text))
    answer = next((items for items in _answers(text) if _counted(items) == _counted(listed)), None)
    if answer is None or not _ITEMS_LEAST <= len(listed) <= _ITEMS_MOST or (2 in directions and falling):
        return Judged(row, parsed=False)
    values = _as_numbers(answer)
    if values is not None and not alphabetical:
        rising, sinking = all(a <= b for a, b in pairwise(values)), all(a >= b for a, b in pairwise(values))
        right = sinking if falling else rising if 2 in directions else rising or sinking
    elif alphabetical or re.search(r"(?i)\bwords\b|\bnames\b", instruction):
        right = _in_order(answer, falling=falling)
    else:
        return Judged(row, parsed=False)
    return Judged(row, True, None if right else Hit(row, "response", None, None, excerpt(", ".join(answer))))


def _counted(items: Sequence[str]) -> Counter[str]:
    return Counter(_folded(item) or item for item in items)


STAT_WRONG = Detector(
    name="stat_wrong",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_stat_wrong),
    judge=_stat_wrong,
    page=Page(
        finds="A prompt that asks for the mean, median, sum, range, largest or smallest of one list of 3 to 40 numbers, and says nothing "
        "else, whose answer holds another number instead. What the answer repeats of the list does not count; rounding does.",
        harm="The model learns that any number near the list will do.",
        bad=Example(instruction="Find the median of the numbers.", input="3, 9, 4, 8, 2", response="The median is 8."),
        good=Example(instruction="Find the mean of 3, 4 and 4.", response="The mean is 3.67."),
        false_alarms="None found. Weighted, moving or conditional statistics, tables and several lists are not judged.",
    ),
)

SORT_WRONG = Detector(
    name="sort_wrong",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_sort_wrong),
    judge=_sort_wrong,
    page=Page(
        finds="A list that was to be put in alphabetical, ascending or descending order, given back with the same items in another order. "
        "Case, articles, punctuation and spaces may count or not; numbers must be in numerical order.",
        harm="The model learns that an order in a prompt does not bind.",
        bad=Example(instruction="Sort these words alphabetically.", input="umbrella, chair, pin", response="umbrella, chair, pin"),
        good=Example(instruction="Sort these words alphabetically.", input="the pin, Chair, umbrella", response="Chair, the pin, umbrella"),
        false_alarms="None found. Other keys (length, date, size) and answers with other items than the list's are not judged.",
    ),
)

DETECTORS = (STAT_WRONG, SORT_WRONG)
