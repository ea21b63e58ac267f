"""Arithmetic as people write it, exactly: rational numbers, four operations, powers, roots that come out even.

What can be read in two ways is not read at all: ``a/b(c)``, ``-3^2``, ``a^b^c``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Final

from tunesmith.detection.quantities import exact

_TOKEN: Final = re.compile(r"\s*(?:(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(\*\*|[-+*/^()√])|([a-z]))", re.IGNORECASE)
_WRITTEN: Final = (
    (re.compile(r"[−–—]"), "-"), (re.compile(r"[·•∗⋅]"), "*"), (re.compile(r"÷"), "/"), (re.compile("²"), "^2"), (re.compile("³"), "^3"),
    (re.compile(r"(?<=[\d)])\s*[x×X]\s*(?=[(√\d.])|×"), "*"), (re.compile(r"[\[{]"), "("), (re.compile(r"[\]}]"), ")"),
    (re.compile(r"(?i)\b(?:multiplied\s+by|times)\b"), "*"), (re.compile(r"(?i)\bdivided\s+by\b"), "/"),
    (re.compile(r"(?i)\bplus\b"), "+"), (re.compile(r"(?i)\bminus\b"), "-"),
    (re.compile(r"(?i)\b(?:raised\s+)?to\s+the\s+(?:power\s+of\b|(?=\d+(?:st|nd|rd|th)\s+power))"), "^"),
    (re.compile(r"(?i)(?<=\d)(?:st|nd|rd|th)\s+power\b"), ""), (re.compile(r"(?i)(?<=\d)\s*squared\b"), "^2"),
    (re.compile(r"(?i)(?<=\d)\s*cubed\b"), "^3"), (re.compile(r"(?i)\b(?:the\s+)?square\s+root\s+of\b|\bsqrt\b"), "√"),
)  # fmt: skip
_POWER, _DIGITS = 64, 400


class UnreadableError(ValueError):
    """Text that is no expression, or one that can be read in two ways."""


@dataclass(frozen=True)
class Linear:
    """``slope * x + constant`` of one unknown.

    >>> Linear(Fraction(2), Fraction(1)) * 3
    Linear(slope=Fraction(6, 1), constant=Fraction(3, 1))
    """

    slope: Fraction
    constant: Fraction

    def __add__(self, other: Linear | Fraction) -> Linear:
        o = _linear(other)
        return Linear(self.slope + o.slope, self.constant + o.constant)

    __radd__ = __add__

    def __neg__(self) -> Linear:
        return Linear(-self.slope, -self.constant)

    def __mul__(self, other: Linear | Fraction | int) -> Linear:
        o = _linear(Fraction(other) if isinstance(other, int) else other)
        if self.slope and o.slope:
            raise UnreadableError("not linear")
        return Linear(self.slope * o.constant + self.constant * o.slope, self.constant * o.constant)

    __rmul__ = __mul__


Value = Fraction | Linear


def _linear(value: Value) -> Linear:
    return value if isinstance(value, Linear) else Linear(Fraction(0), value)


def written(text: str) -> str:
    """Bring words and signs of arithmetic into one form.

    >>> written("3 times 4 minus 2"), written("5 × 2²")
    ('3 * 4 - 2', '5*2^2')
    """
    for pattern, sign in _WRITTEN:
        text = pattern.sub(sign, text)
    return text


def evaluate(text: str, names: Mapping[str, Value] | None = None) -> Value:
    """Evaluate an expression exactly.

    Args:
        text: As `written` gives it.
        names: What single letters stand for; a letter after a number or a bracket is multiplied.
    Raises:
        UnreadableError: If it is none, or is ambiguous.

    >>> evaluate("2 * (3 + 4) / 4")
    Fraction(7, 2)
    >>> evaluate("3x + 2(x - 1)", {"x": Linear(Fraction(1), Fraction(0))})
    Linear(slope=Fraction(5, 1), constant=Fraction(-2, 1))
    """
    reader = _Reader(text, names or {})
    value = reader.sum()
    if reader.at != len(reader.tokens):
        raise UnreadableError(text)
    return value


class _Reader:
    """Recursive descent over the tokens of an expression."""

    def __init__(self, text: str, names: Mapping[str, Value]) -> None:
        self.text, self.names, self.at = text, names, 0
        self.tokens: list[str] = []
        place, stripped = 0, text.rstrip()
        while place < len(stripped):
            match = _TOKEN.match(stripped, place)
            if match is None:
                raise UnreadableError(text)
            self.tokens.append(match.group().strip().lower())
            place = match.end()

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise UnreadableError(self.text)
        self.at += 1
        return token

    def sum(self) -> Value:
        value = self.product()
        while self.peek() in ("+", "-"):
            sign = self.take()
            other = self.product()
            value = value + other if sign == "+" else value + (-other)
        return value

    def product(self) -> Value:
        value, divided = self.signed(), False
        while True:
            token = self.peek()
            if token in ("*", "/"):
                self.take()
                other = self.signed()
                divided = token == "/"
                value = self._over(value, other) if divided else value * other
            elif token and (token in "(√" or token.isalpha()):
                if divided:
                    raise UnreadableError(f"{self.text}: is what follows the division above or below?")
                value = value * self.power()
            else:
                return value

    def _over(self, value: Value, other: Value) -> Value:
        if isinstance(other, Linear):
            if other.slope:
                raise UnreadableError(self.text)
            other = other.constant
        if other == 0:
            raise UnreadableError("division by zero")
        return value * (1 / other)

    def signed(self) -> Value:
        if self.peek() in ("+", "-"):
            sign = self.take()
            start = self.at
            value = self.power()
            if sign == "-" and {"^", "**"} & set(self.tokens[start : self.at]):
                raise UnreadableError(f"{self.text}: is the power of the number or of its negative?")
            return -value if sign == "-" else value
        return self.power()

    def power(self) -> Value:
        value = self.atom()
        if self.peek() not in ("^", "**"):
            return value
        self.take()
        exponent = self.signed() if self.peek() == "-" else self.atom()
        if self.peek() in ("^", "**") or isinstance(exponent, Linear) or exponent.denominator != 1 or abs(exponent) > _POWER:
            raise UnreadableError(self.text)
        if isinstance(value, Linear):
            if value.slope and exponent != 1:
                raise UnreadableError("not linear")
            value = value if value.slope else value.constant
            if isinstance(value, Linear):
                return value
        if (value == 0 and exponent < 0) or abs(int(exponent)) * len(str(value)) > _DIGITS:
            raise UnreadableError(self.text)
        return Fraction(value ** int(exponent))

    def atom(self) -> Value:
        token = self.take()
        if token == "(":
            value = self.sum()
            if self.take() != ")":
                raise UnreadableError(self.text)
            return value
        if token == "√":
            under = self.atom()
            if isinstance(under, Linear) or under < 0:
                raise UnreadableError(self.text)
            root = Fraction(isqrt(under.numerator), isqrt(under.denominator))
            if root * root != under:
                raise UnreadableError(f"{self.text}: a root that does not come out even")
            return root
        if token.isalpha():
            if token not in self.names:
                raise UnreadableError(self.text)
            return self.names[token]
        if token[0].isdigit() or token[0] == ".":
            return exact(token)
        raise UnreadableError(self.text)
