"""Arithmetic that does not come out: the answer to a calculation, and equations inside an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import factorial, gcd, lcm
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Judged, Page, any_of, excerpt, hits, lines, words
from tunesmith.detection.expressions import Linear, UnreadableError, evaluate, written
from tunesmith.detection.quantities import Number, asked, exact, holds, numbers, same, shown
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_N: Final = r"\$?(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|-?\.\d+)"
_ASKED: Final = (
    r"(?i)\d\s*[)\]]*\s*(?:[-−–+*/×÷·^]|x\s|plus\b|minus\b|times\b|multiplied by|divided by|to the power|squared\b|cubed\b)\s*[-(√]*"
    r"|√\s*\d|square root of \d|\b(?:sum|product|difference|quotient|gcd|lcm|gcf|hcf|factor|multiple|denominator|remainder|factorial)\b"
    r"[^.?!,\d]*\d+\b[^.?!,\d]*\b(?:and|by)\b|factorial of \d|\b(?:add|subtract|multiply|divide) -?\d|\bcube (?:root )?of \d|\bsquare "
    r"of \d|\d!"
)
_LEFT_OVER: Final = words(
    "a an the what whats s is are of for to find finds finding calculate calculating compute computing evaluate evaluating simplify solve "
    "solving determine work out "
    "give me tell us result results answer value total amount following expression equation calculation math maths mathematical "
    "arithmetic "
    "numerical numeric problem question operation this that these given provided below here please can could you by using in exact "
    "exactly "
    "correct right final and then it do how much many does equal equals come generate output return provide write number numbers two "
    "show state complete perform simple basic resulting if we i get be when was statement sum expressions figure integer integers your as "
    "one possible from statement's equation's quickly "
    "exercise predict likely most display enter identify print say name directly correctly short answer's mathematically input required "
    "numbers' value's their together"
)
_ELSEWHERE: Final = any_of(
    r"python java\w* program\w* code function script algorithm sql html css binary hexadecimal hex octal base modulo mod roman polynomial",
    r"derivative integral matri(?:x|ces) vectors? estimate\w* round\w* approximat\w* nearest mentally words? story sentence explain riddle",
    r"(?:write|generate|create|construct|form\w*).an?.\w+ dates? time clock years? scores? fraction decimals? scientific notation "
    r"primes? factori[sz]e",
)
_FORMS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (rf"\b(?:the )?sum of {_N}(?:,)? and {_N}", lambda a, b: (a + b,)),
        (rf"\b(?:the )?sum of {_N}, {_N},? and {_N}", lambda a, b, c: (a + b + c,)),
        (rf"\b(?:the )?product of {_N} and {_N}", lambda a, b: (a * b,)),
        (rf"\b(?:the )?product of {_N}, {_N},? and {_N}", lambda a, b, c: (a * b * c,)),
        (rf"\b(?:the )?difference (?:between|of) {_N} and {_N}", lambda a, b: (a - b, b - a)),
        (rf"\b(?:the )?quotient of {_N} and {_N}", lambda a, b: (a / b,)),
        (rf"\b(?:the )?quotient (?:when|of) {_N} (?:is )?divided by {_N}", lambda a, b: (a / b, Fraction(a // b))),
        (rf"\bdivide {_N} by {_N}", lambda a, b: (a / b,)),
        (rf"\bmultiply {_N} (?:by|and|with|times) {_N}", lambda a, b: (a * b,)),
        (rf"\bsubtract {_N} from {_N}", lambda a, b: (b - a,)),
        (rf"\badd {_N} (?:and|to|with) {_N}", lambda a, b: (a + b,)),
        (rf"\b(?:the )?remainder (?:when|of|if) {_N} (?:is )?(?:divided|divide) by {_N}", lambda a, b: (a % b,)),
        (rf"\b(?:the )?(?:greatest|highest) common (?:factor|divisor|denominator) (?:\(\w+\) )?(?:of|between|for) {_N} and {_N}",
         lambda a, b: (Fraction(gcd(int(a), int(b))),)),
        (rf"\b(?:the )?(?:gcd|gcf|hcf) (?:of|between|for) {_N} and {_N}", lambda a, b: (Fraction(gcd(int(a), int(b))),)),
        (rf"\b(?:the )?(?:least|lowest|smallest) common (?:multiple|denominator) (?:\(\w+\) )?(?:of|between|for) {_N} and {_N}",
         lambda a, b: (Fraction(lcm(int(a), int(b))),)),
        (rf"\b(?:the )?lcm (?:of|between|for) {_N} and {_N}", lambda a, b: (Fraction(lcm(int(a), int(b))),)),
        (rf"\b(?:the )?factorial (?:of|for) (?:the number )?{_N}", lambda a: (Fraction(factorial(int(a))),)),
        (r"(?<![\w.])()(\d{1,2})!(?![\w!])", lambda _, a: (Fraction(factorial(int(a))),)),
        (rf"\b(?:the )?square of {_N}", lambda a: (a**2,)),
        (rf"\b(?:the )?cube of {_N}", lambda a: (a**3,)),
    )
)  # fmt: skip
_EXPRESSION: Final = re.compile(r"[\d(√.-][\d\s.,()+\-*/^√]*[\d)]")
_OPERATOR: Final = re.compile(r"[+*/^√]|(?<=[\d)\s])-")
_WORD: Final = re.compile(r"[^\W\d_]+")
_MOST: Final = 200

_SIDE: Final = r"[-(]*\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?\)*"
_EQUATION: Final = re.compile(
    rf"(?<![\w.,^*/+=−–×÷·√!%)('\"-])(?<!\d:)({_SIDE}(?:\s*(?:[-−–+*/×÷·^]|\*\*|(?<=[\d)\s])x(?=[\s\d(]))\s*{_SIDE})+)[ \t]*(=|≈)[ \t]*"
    r"(-?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?)(%?)(?!\s*[-−–+*/×÷·^(=!°]\s*[\w(√-]|[\w^√]|\.\d|,\d{3}|\s*(?:mod|r\d|R\d|"
    r"remainder|and \d|\d|x\b))"
)
_GOES_BEFORE: Final = re.compile(r"(?:[\w)$%]\s*[-−–+*/×÷·^]|[*/×÷·^+]|\d\s*[x(])\s*\Z")
"""What an equation cannot begin after: an operator, or a factor, belongs to it."""
_BESIDE: Final = re.compile(r"(?:\d|\([\d./+*x -]+\))[ \t]+\Z")
"""A whole number before its fraction, or a factor, in front of a left side: 1 1/2 + 2 = 3.5, (1/2) 278 + 11 = 150."""
_MAYBE: Final = r"\d%?\)*\s*(?:[-−–+*/×÷·^]|x)\s*\(*\$?\d[\d.,%)\s$(+*/×÷·^−–x-]*[=≈]"
_FALSE_ASKED: Final = any_of(
    r"incorrect wrong false mistakes? errors? incorrectly invalid puzzles? riddles? matchsticks? binary modulo mod hexadecimal base "
    r"bits? clock",
    r"regex cipher operator overloading pattern sequence correct\w* fix true valid determine.if check find.the.missing emoji",
)


def _readings(prompt: str) -> tuple[Fraction, ...] | None:
    """Give the values that the one calculation in a prompt may have; None where it cannot be read, or says more than that."""
    for pattern, make in _FORMS:
        if match := pattern.search(prompt):
            rest = prompt[: match.start()] + " " + prompt[match.end() :]
            if re.search(r"\d", rest) or not _plain(rest):
                continue
            try:
                return tuple(make(*(exact(each) if each else Fraction(0) for each in match.groups())))
            except (ZeroDivisionError, ValueError, OverflowError):
                return None
    text = written(prompt)
    found = [match for match in _EXPRESSION.finditer(text) if _OPERATOR.search(match.group())]
    if len(found) != 1:
        return None
    rest = text[: found[0].start()] + " " + text[found[0].end() :]
    if re.search(r"[\d\\+*/^√<>|_%&@#{}\[\]~]", rest) or not _plain(rest):
        return None
    try:
        value = evaluate(found[0].group().strip(" ,."))
    except UnreadableError:
        return None
    return None if isinstance(value, Linear) else (value,)


def _plain(rest: str) -> bool:
    """Tell whether nothing but the question is left beside a calculation."""
    return all(word in _LEFT_OVER for word in _WORD.findall(rest.lower()))


def _arith_wrong(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    short = view.filter((pl.col("instruction").str.len_bytes() + pl.col("input").str.len_bytes()) < _MOST)
    asking = short.with_columns(prompt.alias("prompt")).filter(pl.col("prompt").str.contains(r"\d"))
    about = pl.col("prompt").str.contains(_ASKED) & ~pl.col("prompt").str.contains(_ELSEWHERE)
    for row, instruction, given, text in lines(asking, about, "instruction", "input", "response"):
        prompt_text = asked(instruction, given)
        if not _about_numbers(prompt_text):
            continue
        values = _readings(prompt_text)
        if values is None or "\\" in text or not numbers(text):
            yield Judged(row, parsed=False)
        elif any(holds(text, value, prompt=prompt_text) for value in values) or _as_remainder(prompt_text, text, values[0]):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"it is {shown(values[0])}: {text}")))


def _about_numbers(prompt: str) -> bool:
    """Tell a calculation from text that holds one: a third of the words at most are others than those of such questions."""
    words = _WORD.findall(written(prompt).lower())
    if "=" in prompt or any(len(word) == 1 and word not in "ai" for word in words):
        return False  # letters stand for numbers
    other = sum(word not in _LEFT_OVER for word in words)
    return 3 * other <= len(words) or other <= 1


def _as_remainder(prompt: str, text: str, value: Fraction) -> bool:
    """Accept a division with a remainder: 100 / 7 is "14 remainder 2", or 14."""
    if value.denominator == 1 or not re.search(r"(?i)[/÷]|divide|quotient", prompt):
        return False
    return bool(
        re.search(rf"(?<!\d){value.numerator // value.denominator}\s*(?:,|with)?\s*(?:a\s+)?(?:r|remainder|rem)\b", text, re.IGNORECASE)
    )


def _equation_false(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    holding = view.filter(pl.col("prose").str.contains(r"[=≈]\s*-?\$?\d")).filter(pl.col("prose").str.contains(_MAYBE))
    prompt = pl.concat_str("instruction", "input", separator="\n")
    for row, text in lines(holding, ~prompt.str.contains(_FALSE_ASKED) & ~pl.col("response").str.contains(CODE), "prose"):
        judged = [
            (match, _holds(match, marked=text.startswith("<<", match.start() - 2)))
            for match in _EQUATION.finditer(text)
            if not _goes_on(text, match)
        ]
        wrong = next((match for match, true in judged if true is False), None)
        if wrong:
            yield Judged(row, True, Hit(row, "response", wrong.start(), wrong.end(), excerpt(wrong.group())))
        else:
            yield Judged(row, parsed=any(true is not None for _, true in judged))


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Tell whether the left side of an equation begins before what was matched; a bracket that stays open begins a remark."""
    if _GOES_BEFORE.search(text, 0, match.start()):
        return True
    left = match.group(1)
    return left.count("(") == left.count(")") and bool(_BESIDE.search(text, max(0, match.start() - 40), match.start()))


def _holds(match: re.Match[str], *, marked: bool) -> bool | None:
    """Tell whether an equation is true; None where it cannot be read, or may be no equation: a scale, a date, a score.

    What is marked as a calculation (<<48/2=24>>) is one.
    """
    left, _sign, right, percent = match.groups()
    claimed = numbers(right.replace("$", "") + percent)
    signs = set(re.findall(r"[-−–+*/×÷·^x]", left.lstrip("-(")))
    tight = not re.search(r"\s", left.strip())
    if not claimed or (tight and not marked and signs <= set("-−–/")) or ("/" in right):
        return _divided(left, right) if "/" in right or (tight and signs == {"/"}) else None
    if len(re.findall(r"[/÷]", left)) > 1 and re.search(r"\d/\d", left):
        return None  # 2 / 1/5: a fraction below a line
    left = re.sub(r"(\d+(?:\.\d+)?)%", r"(\1/100)", left.replace("$", ""))
    text = written(left)
    if text.count("(") != text.count(")"):
        text = text.strip("()") if text.strip("()").count("(") == text.strip("()").count(")") else text
    starts = [0, *(found.end() for found in re.finditer(r"[-+*/^]\s*", text))]
    readable = False
    rounded = _ROUNDED if re.search(r"[./%÷]", left) else Fraction(0)
    for start in starts:
        try:
            value = evaluate(text[start:])
        except UnreadableError:
            continue
        if isinstance(value, Linear):
            continue
        readable |= start == 0
        factors = (Fraction(1), Fraction(100), Fraction(1, 100)) if percent or "/100)" in left or 0 < value < 1 else (Fraction(1),)
        if value and any(abs(each.value / value) in _SCALES for each in claimed):
            return None  # "5 thousand times 3 = 15,000", or a point between thousands
        if any(
            same(each, value * factor) or same(each, value * factor, rounded) or _to_whole(each, value * factor)
            for each in claimed
            for factor in factors
        ):
            return True
    return False if readable else None


def _to_whole(number: Number, value: Fraction) -> bool:
    """Accept a value rounded to a whole number: 23 x 9/5 + 32 = 73."""
    return number.places == 0 and value.denominator != 1 and 2 * abs(number.value - value) <= 1


_SCALES: Final = frozenset(Fraction(10) ** power for power in (-9, -6, -3, 3, 6, 9))
_ROUNDED: Final = Fraction(1, 200)
"""Half a per cent: steps of a calculation carry rounded numbers on."""


def _divided(left: str, right: str) -> bool | None:
    """Judge what could be a date or a score only where it is true."""
    try:
        value, other = evaluate(written(left.replace("$", ""))), evaluate(right.replace("$", ""))
    except UnreadableError:
        return None
    return True if value == other else None


ARITH_WRONG = Detector(
    name="arith_wrong",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_arith_wrong),
    judge=_arith_wrong,
    page=Page(
        finds="A prompt that is one calculation with numbers (also in words: the sum of, divided by, the square root of, factorial, "
        "greatest common divisor) and nothing else, whose exact value does not stand in the answer: as a number (rounded or cut to the "
        "places given), a fraction, a percentage, a word, or a quotient with its remainder.",
        harm="The model learns wrong arithmetic, and that any number will do.",
        bad=Example(instruction="Calculate the value.", input="3 + 2 x 5", response="25"),
        good=Example(instruction="What is 8 divided by 3?", response="It is about 2.67."),
        false_alarms="None found. What can be read in two ways (6/2(1+2), -3^2), LaTeX, units and word problems are not judged.",
    ),
)

EQUATION_FALSE = Detector(
    name="equation_false",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_equation_false),
    judge=_equation_false,
    page=Page(
        finds='"expression = number" in the answer, of numbers only, that is false: neither equal nor rounded (half a per cent), '
        "whatever number to its left the expression begins with. Code is masked.",
        harm="A wrong step teaches wrong steps, also where the answer is right.",
        bad=Example(instruction="Anna had 12 apples and gave 5 away. How many are left?", response="She has 12 - 5 = 8 apples left."),
        good=Example(instruction="How many are left?", response="Step 1: 12 - 5 = 7, and 20% of 50 is 0.2 * 50 = 10."),
        false_alarms="Scales (90-100 = 4), dates and ratios without spaces are not judged; nor are prompts about mistakes, puzzles or "
        "other "
        "bases.",
    ),
)

DETECTORS = (ARITH_WRONG, EQUATION_FALSE)
