"""Numbers as people write them: digits with separators, fractions, percentages, powers of ten, and English words."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

_BELOW_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_BELOW_HUNDRED: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS: Final = {word: n for n, word in enumerate(_BELOW_TWENTY.split())}
_TENS: Final = {word: 10 * n for n, word in enumerate(_BELOW_HUNDRED.split(), 2)}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORD: Final = "|".join([*_UNITS, *_TENS, *_SCALES])
_WORDS: Final = re.compile(rf"(?i)\b(?:{_WORD})(?:(?:\s+and\s+|[\s-]+)(?:{_WORD}))*\b")
_DIGITS: Final = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_NUMBER: Final = re.compile(
    rf"(?<![\w.])([-−–]\s?)?[$€£]?({_DIGITS})"
    rf"(?:\s*[/⁄]\s*({_DIGITS})|\s*(?:×|x|\*)\s*10\s*(?:\^|\*\*)?\s*\(?([-−]?\d{{1,2}})\)?(?!\d)|[eE]([-+−]?\d{{1,2}})\b)?"
    r"(\s*(?:%|percent\b|per cent\b|hundred\b|thousand\b|million\b|billion\b|trillion\b|[kKmM]\b))?"
)
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_VULGAR: Final = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅕": "1/5"}
_SHORT: Final = {"k": 1_000, "m": 10**6}

_FLOAT: Final = Fraction(1, 10**12)
"""What floating-point numbers may be off by."""


class Number(NamedTuple):
    """A number in a text.

    Attributes:
        value: Exactly what is written.
        places: Digits after the point; None for fractions, words and powers of ten, which are taken as exact.
        start: Its first character.
        end: One past the last.
    """

    value: Fraction
    places: int | None
    start: int
    end: int


def exact(digits: str) -> Fraction:
    """Read digits with separators of thousands.

    >>> exact("1,250.5")
    Fraction(2501, 2)
    """
    return Fraction(digits.replace(",", ""))


@lru_cache(maxsize=4096)
def numbers(text: str) -> tuple[Number, ...]:
    """List the numbers of a text, with every reading that it allows.

    A sign may be a hyphen, and a fraction two numbers: both readings are given. "7 1/2" is also 7.5, "20%" also 0.2,
    "14 remainder 2" only 14 and 2.

    >>> [str(number.value) for number in numbers("about 1,250.5 or twenty-one")]
    ['2501/2', '21']
    """
    for sign, plain in _VULGAR.items():
        text = text.replace(sign, f" {plain}")
    found: list[Number] = []
    before: Number | None = None
    for match in _NUMBER.finditer(text):
        sign, whole, below, power, exponent, scale = match.groups()
        value = exact(whole)
        places: int | None = len(whole.partition(".")[2])
        readings = [(value, places)]
        if below and exact(below):
            readings = [(value / exact(below), None), (value, places), (exact(below), len(below.partition(".")[2]))]
            if before and before.value.denominator == 1 and not text[before.end : match.start()].strip(" -and"):
                readings.append((before.value + value / exact(below), None))
        elif power or exponent:
            ten = Fraction(10) ** int((power or exponent).replace("−", "-"))
            readings.append((value * ten, None if places == 0 else max(0, places - int((power or exponent).replace("−", "-")))))  # type: ignore[operator]
        name = (scale or "").strip().lower()
        if name in ("%", "percent", "per cent"):
            readings += [(each / 100, None if count is None else count + 2) for each, count in readings]
        elif name:
            times = _SCALES.get(name) or _SHORT[name]
            readings += [(each * times, None if count is None else max(0, count - len(str(times)) + 1)) for each, count in readings]
        first = Number(readings[0][0], readings[0][1], match.start(), match.end())
        found += [Number(each, count, match.start(), match.end()) for each, count in readings]
        if sign:
            found += [Number(-each, count, match.start(), match.end()) for each, count in readings]
        before = first
    found += [
        Number(spoken, None, match.start(), match.end())
        for match in _WORDS.finditer(text)
        if (spoken := _spoken(match.group())) is not None
    ]
    return tuple(found)


def _spoken(words: str) -> Fraction | None:
    total, part = 0, 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _UNITS:
            part += _UNITS[word]
        elif word in _TENS:
            part += _TENS[word]
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word in _SCALES:
            total, part = total + max(part, 1) * _SCALES[word], 0
    return Fraction(total + part)


def same(number: Number, value: Fraction, tolerance: Fraction = Fraction(0)) -> bool:
    """Tell whether a number as written stands for a value: equal, rounded or cut to its places, or within a relative tolerance.

    A whole number stands for another one only if they are equal (or within the tolerance), and never for a value of one or
    two places, which could have been written out.

    >>> same(numbers("2.67")[0], Fraction(8, 3)), same(numbers("3")[0], Fraction(8, 3)), same(numbers("5")[0], Fraction(11, 2))
    (True, True, False)
    """
    difference = abs(number.value - value)
    if difference <= max(tolerance, _FLOAT) * abs(value):
        return True
    if number.places is None or value.denominator == 1 or (number.places == 0 and 100 % value.denominator == 0):
        return False
    unit = 10**number.places
    return bool(2 * difference * unit <= 1 or int(value * unit) == number.value * unit)


def holds(text: str, value: Fraction, tolerance: Fraction = Fraction(0), *, prompt: str = "") -> bool:
    """Tell whether a value stands somewhere in a text.

    Numbers of the prompt count only where they are equal to it, and its fractions, written as they are there, never.

    >>> holds("It is 1,000 in all.", Fraction(1000)), holds("It is twelve.", Fraction(12)), holds("It is 11.", Fraction(12))
    (True, True, False)
    >>> holds("19 / 4 is 10.97", Fraction(19, 4), prompt="Calculate 19/4.")
    False
    >>> holds("1 mile is 4 km", Fraction("1.609"), prompt="Convert 1 mile to km")
    False
    """
    said = numbers(prompt)
    values, fractions = {number.value for number in said}, {_bare(prompt, number) for number in said}
    text = text.translate(_SUPERSCRIPTS)
    return any(
        (number.value == value and not (number.places is None and "/" in _bare(text, number) and _bare(text, number) in fractions))
        or (number.value not in values and same(number, value, tolerance))
        for number in numbers(text)
    )


def _bare(text: str, number: Number) -> str:
    return re.sub(r"\s", "", text[number.start : number.end])


def shown(value: Fraction) -> str:
    """Write a value for the evidence.

    >>> shown(Fraction(13)), shown(Fraction(8, 3)), shown(Fraction(1, 2))
    ('13', '2.6667', '0.5')
    """
    if value.denominator == 1:
        return f"{value.numerator:,}" if abs(value.numerator) < 10**15 else f"{float(value):.6g}"
    return f"{float(value):.4f}".rstrip("0").rstrip(".") if abs(value) >= Fraction(1, 1000) else f"{float(value):.4g}"


def asked(instruction: str, given: str) -> str:
    r"""Join instruction and input; an input that only repeats numbers of the instruction, or its words, is left out.

    >>> asked("Divide 30 by 3.", "30"), asked("Divide by 3:", "30")
    ('Divide 30 by 3.', 'Divide by 3:\n30')
    """
    bare = given.strip()
    if not bare or bare.lower() in instruction.lower() or bare.lower().rstrip(".") in ("no input", "noinput", "<noinput>", "n/a"):
        return instruction
    inside, outside = re.findall(_DIGITS, bare), re.findall(_DIGITS, instruction)
    return instruction if inside and len(outside) > 1 and set(inside) == set(outside) else f"{instruction}\n{given}"
