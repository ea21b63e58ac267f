"""Exact arithmetic against Python's own parser, and numbers as they are written."""

import ast
import operator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.detection.expressions import Linear, UnreadableError, evaluate, written
from tunesmith.detection.quantities import holds, numbers, same, shown

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.USub: operator.neg}

numerals = st.integers(0, 999).map(str)
expressions = st.recursive(
    numerals,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(" ".join), inner.map(lambda text: f"({text})")
    ),
    max_leaves=8,
)


def slow(node: ast.AST) -> Fraction:
    """Walk Python's own syntax tree."""
    match node:
        case ast.Expression(body=body):
            return slow(body)
        case ast.Constant(value=value):
            return Fraction(value)
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](slow(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](slow(left), slow(right))
    raise AssertionError(node)


@given(expressions)
@settings(deadline=None, max_examples=300)
def test_values_are_those_of_pythons_parser(text: str) -> None:
    plain = text.replace("00", "0")
    try:
        expected = slow(ast.parse(" ".join(each.lstrip("0") or "0" if each.isdigit() else each for each in plain.split(" ")), mode="eval"))
    except (ZeroDivisionError, SyntaxError):
        return
    assert evaluate(plain) == expected


@given(st.integers(-40, 40).filter(bool), st.integers(-99, 99), st.integers(-99, 99))
def test_linear_expressions_are_solved(slope: int, constant: int, x: int) -> None:
    value = evaluate(written(f"{slope}x + {constant}" if constant >= 0 else f"{slope}x - {-constant}"), {"x": Fraction(x)})
    line = evaluate(written(f"{slope}x + ({constant})"), {"x": Linear(Fraction(1), Fraction(0))})
    assert value == slope * x + constant
    assert isinstance(line, Linear)
    assert line == Linear(Fraction(slope), Fraction(constant))


@pytest.mark.parametrize("text", ["8/2(2+2)", "-3^2", "2^3^2", "1/0", "3 +", "(3", "3)", "x", "2^9999", "√2", "", "1/2x"])
def test_what_is_none_or_ambiguous_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        evaluate(written(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [("(-3)^2", 9), ("3 squared plus 4 squared", 25), ("the square root of 144", 12), ("2 to the power of 10", 1024), ("1,250 × 2", 2500),
     ("12 divided by 4 minus 1", 2), ("2(3+4)(2)", 28), ("5 - -3", 8), ("√16 + 3²", 13)],
)  # fmt: skip
def test_arithmetic_as_it_is_written(text: str, value: int) -> None:
    assert evaluate(written(text)) == value


@given(st.integers(-10_000, 10_000), st.integers(1, 400))
@settings(deadline=None)
def test_a_value_holds_where_it_is_rounded(above: int, below: int) -> None:
    value = Fraction(above, below)
    assert holds(f"It is {float(value):.4f}.", value)
    assert holds(f"It is {above}/{below}.", abs(value) if above < 0 else value)
    assert not holds(f"It is {float(value) + 1.3:.4f}.", value)


def test_numbers_are_read_in_every_way_that_they_allow() -> None:
    def read(text: str) -> set[Fraction]:
        return {number.value for number in numbers(text)}

    assert Fraction(15, 2) in read("7 1/2 cups") & read("7½ cups")
    assert {Fraction(20), Fraction(1, 5)} <= read("20%")
    assert Fraction(320_000) in read("3.2 × 10^5")
    assert Fraction(2_000_000) in read("2 million")
    assert read("one hundred and five") == {Fraction(105)}
    assert Fraction(-5) in read("-5")
    assert read("version v2.1a") == read("") == set()


def test_whole_numbers_stand_for_nothing_near_them() -> None:
    assert not same(numbers("17")[0], Fraction(33, 2))
    assert not same(numbers("12")[0], Fraction(13))
    assert same(numbers("2.5714285714285716")[0], Fraction(18, 7))
    assert shown(Fraction(10**20)) == "1e+20"
