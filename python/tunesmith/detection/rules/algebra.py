"""Equations of one unknown, expressions with given values, percentages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Judged, Page, any_of, excerpt, hits, lines, words
from tunesmith.detection.expressions import Linear, UnreadableError, evaluate, written
from tunesmith.detection.quantities import asked, exact, holds, numbers, same, shown
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_TERM: Final = r"[\d.,\s()+\-−–*/×÷·^²³a-zA-Z]"
_EQUATION: Final = re.compile(
    r"(?<![\w=<>])([-\d(a-z][\d. ()+\-−–*/×÷·^a-z]*?) *= *([-−]?[\d(a-z](?:[\d. ()+\-−–*/×÷·^]|(?<![a-z])[a-z](?![a-z]))*)"
)
_WORDS: Final = re.compile(r"[a-z]{2,}")
_SOLVE: Final = r"(?i)\b(?:solve|find|what is|determine|calculate|equation|value of)\b"
_LIKE_LINEAR: Final = r"\d?\s?[a-z]\b[^=\n]{0,40}=\s*[-−]?[\d(a-z]|=\s*[-−]?\d*[a-z]\b"
_QUESTION: Final = words(
    "solve solving for the find what is value of determine calculate equation following given linear algebraic in to a an this below "
    "above "
    "that please and solution result answer if when x y z n a variable using unknown by compute then get such which makes true are math "
    "problem isolate simple one your it out work how would you we can root number expression integer appropriate take simplify "
    "resolve enter unknown provide write down basic "
    "solves satisfies must was be missing best way mathematically equations solving output"
)
_CLAIM: Final = re.compile(
    r"(?<![\w+*/^.)-])(?<![\w)]\s)([a-z])\s*(?:=|is equal to|equals|is)\s*([-−]?\$?\d[\d.,/]*)(?![\w.]*[a-z(+*/^=-])"
)

_SUBSTITUTED: Final = re.compile(
    r"(?<![\w(.^*/+=-])([a-zA-Z])\s*(?:=|is equal to|equals|is)\s*(-?\d+(?:\.\d+)?(?:/\d+)?)(?![\w(^*/]|\.\d|\s*[+*/^-]\s*\w)"
)
_FUNCTION: Final = re.compile(r"\b([fgh])\s*\(\s*([a-z])\s*\)\s*=\s*([-\d(a-z][\d.\s()+\-−–*/×÷·^²³a-z]*)")
_CALL: Final = re.compile(r"\b([fgh])\s*\(\s*(-?\d+(?:\.\d+)?)\s*\)")
_FORMULA: Final = re.compile(r"[-(\da-z][\d\s.()+\-*/^a-z]*[\d)a-z]")
_EVALUATED: Final = r"(?i)\b(?:when|if|where|for|given|with|at|let)\b[^?]*\b[a-z]\s*(?:=|is|equals)\s*-?\d|\b[fgh]\s*\(\s*-?\d"
_VALUE_QUESTION: Final = _QUESTION | words(
    "evaluate expression simplify function let where at with the f g h values following given substitut output"
)

_P: Final = r"(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?|\.\d+)"
_MOVES: Final = r"(?: when| if)?(?: a| the)?(?: number| value| price| quantity)?(?: goes| changes| increases| decreases| rises| falls)?"
_PERCENT: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (rf"\b{_P}\s*(?:%|percent|per cent) of (?:the number )?\$?{_P}(?:[^\d%.,]|[.,]\D|[.,]?$)", lambda a, b: (a * b / 100,)),
        (rf"\bwhat percent(?:age)? of \$?{_P} is \$?{_P}", lambda a, b: (100 * b / a,)),
        (rf"\b\$?{_P} is what percent(?:age)? of \$?{_P}", lambda a, b: (100 * a / b,)),
        (rf"\bwhat percent(?:age)? is \$?{_P} (?:out )?of \$?{_P}", lambda a, b: (100 * a / b,)),
        (rf"\bpercent(?:age)? (?:that )?(?:of )?\$?{_P} (?:is )?(?:out )?of \$?{_P}", lambda a, b: (100 * a / b,)),
        (rf"\bpercent(?:age)? (?:increase|decrease|change|difference){_MOVES} (?:from|between|of) \$?{_P} (?:to|and) \$?{_P}",
         lambda a, b: (100 * (b - a) / a, 100 * (a - b) / a, 100 * (b - a) / b, 200 * abs(b - a) / (a + b))),
        (rf"\b(?:convert|express|write|change|represent) (?:the )?(?:fraction |decimal )?{_P}/{_P} (?:in)?(?:to|as) (?:an? )?percent",
         lambda a, b: (100 * a / b,)),
        (rf"\b(?:convert|express|write|change|represent) (?:the )?(?:decimal |number )?{_P} (?:in)?(?:to|as) (?:an? )?percent",
         lambda a: (100 * a,)),
        (rf"\b(?:increase|raise) \$?{_P} by {_P}\s*(?:%|percent)", lambda a, b: (a * (100 + b) / 100,)),
        (rf"\b(?:decrease|reduce) \$?{_P} by {_P}\s*(?:%|percent)", lambda a, b: (a * (100 - b) / 100,)),
    )
)  # fmt: skip
_PERCENT_QUESTION: Final = words(
    "what whats s is are the a an of in find calculate compute determine work out tell me give us please can you how much many does do it "
    "equal equals number value result answer amount to as following given this that percentage percent percents evaluate and math problem "
    "if was were from fraction decimal equation output"
)
_CODE_TASK: Final = any_of(
    r"python java\w* program code function.that script algorithm graph plot derivative integral system inequality quadratic matrix "
    r"explain sql"
)


def _rest(text: str, *spans: tuple[int, int]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + " " + text[end:]
    return text


def _asks_only(rest: str, words: frozenset[str]) -> bool:
    return not re.search(r"\d", rest) and all(word in words for word in re.findall(r"[^\W\d_]+", rest.lower()))


def _unknown(prompt: str) -> tuple[str, Fraction] | None:
    """Solve the one linear equation of a prompt that says nothing else: the unknown and its value."""
    text = written(prompt)
    found = list(_EQUATION.finditer(_WORDS.sub(lambda match: ";" * len(match.group()), text.lower())))
    if len(found) != 1 or text.count("=") != 1:
        return None
    match = found[0]
    names = set(re.findall(r"[a-z]", match.group()))
    if len(names) != 1 or not _asks_only(_rest(text, match.span()), _QUESTION | names):
        return None
    name = names.pop()
    unknown = {name: Linear(Fraction(1), Fraction(0))}
    try:
        left, right = evaluate(match.group(1).strip(" ,."), unknown), evaluate(match.group(2).strip(" ,."), unknown)
    except UnreadableError:
        return None
    both = (left if isinstance(left, Linear) else Linear(Fraction(0), left)) + (-right)
    return (name, -both.constant / both.slope) if both.slope else None


def _linear_solve(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    maybe = view.with_columns(prompt.alias("prompt")).filter(
        pl.col("prompt").str.contains("=", literal=True), pl.col("prompt").str.len_bytes() < 200
    )
    asking = (
        pl.col("prompt").str.contains(_LIKE_LINEAR)
        & pl.col("instruction").str.contains(_SOLVE)
        & ~pl.col("prompt").str.contains(_CODE_TASK)
    )
    for row, instruction, given, text in lines(maybe, asking, "instruction", "input", "response"):
        question = asked(instruction, given)
        equations = _EQUATION.findall(_WORDS.sub(lambda match: ";" * len(match.group()), written(question).lower()))
        if (
            len(equations) != 1
            or len(set(re.findall("[a-z]", "".join(equations[0])))) != 1
            or re.search(r"[a-z]\s*[\^²³]|[a-z]\d", " = ".join(equations[0]))
        ):
            continue  # several equations, several unknowns, or a power of one
        solved = _unknown(question)
        if solved is None or not numbers(text) or "\\" in text or re.search(CODE, text):
            yield Judged(row, parsed=False)
            continue
        name, value = solved
        claims = [
            number
            for match in _CLAIM.finditer(text)
            if match.group(1) == name and not re.search(r"[-−–+*/^(×÷·=]\s*\Z", text[: match.start()])
            for number in numbers(match.group(2).rstrip(".,"))
            if (number.value < 0) == (match.group(2)[0] in "-−") or number.value == 0
        ]
        if (
            any(same(each, value) and (value.denominator == 1 or each.places != 0) for each in claims) if claims else holds(text, value)
        ) or (not claims and same_negative(text, value)):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"{name} = {shown(value)}: {text}")))


def same_negative(text: str, value: Fraction) -> bool:
    """Accept "negative 3" and "minus 3".

    >>> same_negative("x is minus 3", Fraction(-3))
    True
    """
    return value < 0 and bool(re.search(r"(?i)\b(?:minus|negative)\b", text)) and holds(text, -value)


def _evaluated(prompt: str) -> Fraction | None:
    """Put the given values into the one expression of a prompt that says nothing else."""
    text = written(prompt)
    if function := _FUNCTION.search(text):
        calls = [match for match in _CALL.finditer(text) if match.group(1) == function.group(1)]
        body = re.split(r"\b(?:what|find|evaluate|when|for|and|calculate|where|at|if)\b", function.group(3))[0]
        rest = _rest(text, (function.start(), function.start(3) + len(body)), *(match.span() for match in calls))
        said = [] if calls else list(_SUBSTITUTED.finditer(rest))
        arguments = [match.group(2) for match in (calls or said)]
        if len(arguments) != 1:
            return None
        if not calls:
            rest = _rest(rest, said[0].span())
        values = {function.group(2): Fraction(arguments[0])}
        if not _asks_only(rest, _VALUE_QUESTION | {function.group(2)}):
            return None
    else:
        given = list(_SUBSTITUTED.finditer(text))
        values = {match.group(1).lower(): Fraction(match.group(2)) for match in given}
        if not values or len(values) != len(given):
            return None
        bare = re.sub(
            r"[A-Za-z]{2,}|(?<![\d)*/+^-])\ba\b",
            lambda match: "#" * len(match.group()),
            _rest(text, *(match.span() for match in given)).lower(),
        )
        found = [
            match
            for match in _FORMULA.finditer(bare)
            if re.search(r"[+*/^-]|\d[a-z]|[a-z]\(", match.group()) and re.search(r"[a-z]", match.group())
        ]
        if len(found) != 1 or not _asks_only(
            re.sub(r"[=,]", " ", _rest(_rest(text, *(match.span() for match in given)), found[0].span())), _VALUE_QUESTION | set(values)
        ):
            return None
        body = found[0].group()
    try:
        value = evaluate(body.strip(" ,."), values)
    except UnreadableError:
        return None
    return None if isinstance(value, Linear) else value


def _algebra_eval(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    maybe = view.with_columns(prompt.alias("prompt")).filter(pl.col("prompt").str.contains(r"\d"), pl.col("prompt").str.len_bytes() < 200)
    formula = pl.col("prompt").str.contains(r"\d\s?[a-z]\b|\b[a-z]\s?[-+*/^]\s?\d|\b[a-z]\s?[-+*/^]\s?[a-z]\b|\b[a-z]\^|[a-z][²³]")
    asking = (
        pl.col("instruction").str.contains(r"(?i)\b(?:evaluate|value of|find|calculate|compute|what is|simplify)\b")
        & pl.col("prompt").str.contains(_EVALUATED)
        & formula
        & ~pl.col("prompt").str.contains(_CODE_TASK)
    )
    for row, instruction, given, text in lines(maybe, asking, "instruction", "input", "response"):
        question = asked(instruction, given)
        if not re.search(r"\d\s?[a-z]|[a-z]\s?[-+*/^]|[a-z][²³]", question) or question.count("=") > 3:
            continue
        value = _evaluated(question)
        if value is None or not numbers(text) or "\\" in text or re.search(CODE, text):
            yield Judged(row, parsed=False)
        elif holds(text, value, prompt=question) or same_negative(text, value):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"it is {shown(value)}: {text}")))


def _percentages(prompt: str) -> tuple[Fraction, ...] | None:
    for pattern, make in _PERCENT:
        match = pattern.search(prompt)
        if match and _asks_only(_rest(prompt, match.span()), _PERCENT_QUESTION):
            try:
                return tuple(make(*map(exact, match.groups())))
            except ZeroDivisionError:
                return None
    return None


def _percent(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    maybe = view.with_columns(prompt.alias("prompt")).filter(
        pl.col("prompt").str.contains(r"(?i)\d\s*%|percent"), pl.col("prompt").str.contains(r"\d"), pl.col("prompt").str.len_bytes() < 200
    )
    asking = pl.col("prompt").str.contains(
        r"(?i)\b(?:what|find|calculate|compute|determine|convert|express|change|increase|decrease|reduce)\b"
    )
    like = pl.any_horizontal(pl.col("prompt").str.contains(f"(?i){pattern.pattern}") for pattern, _ in _PERCENT)
    for row, instruction, given, text in lines(
        maybe, asking & like & ~pl.col("prompt").str.contains(_CODE_TASK), "instruction", "input", "response"
    ):
        values = _percentages(asked(instruction, given))
        if values is None or not numbers(text) or re.search(CODE, text):
            yield Judged(row, parsed=False)
        elif any(holds(text, value) or holds(text, abs(value)) or holds(text, value / 100) for value in values):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"it is {shown(values[0])}: {text}")))


LINEAR_SOLVE = Detector(
    name="linear_solve",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_linear_solve),
    judge=_linear_solve,
    page=Page(
        finds="A prompt that is one linear equation of one unknown to be solved, and nothing else, whose answer names another value for "
        'the unknown ("x = 4"), or does not hold the right one.',
        harm="The model learns that a solution need not satisfy its equation.",
        bad=Example(instruction="Solve for x: 3x + 5 = 11", response="x = 3"),
        good=Example(instruction="Solve the equation 2(x - 1) = 5", response="Divide by 2: x - 1 = 2.5, so x = 7/2."),
        false_alarms="None found. Systems, quadratics and inequalities are not judged.",
    ),
)

ALGEBRA_EVAL = Detector(
    name="algebra_eval",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_algebra_eval),
    judge=_algebra_eval,
    page=Page(
        finds="A prompt that gives an expression and the values of its letters (or a function and its argument), and nothing else, whose "
        "exact value does not stand in the answer.",
        harm="The model learns wrong arithmetic.",
        bad=Example(instruction="Evaluate 3x - 3 when x = 4.", response="It is 10."),
        good=Example(instruction="If f(x) = x^2 + 1, find f(3).", response="f(3) = 9 + 1 = 10"),
        false_alarms="None found. Several expressions, and what can be read in two ways, are not judged.",
    ),
)

PERCENT = Detector(
    name="percent",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_percent),
    judge=_percent,
    page=Page(
        finds="A prompt that asks for a share, the share that one number is of another, a change in per cent, or a fraction in per cent, "
        "and nothing else, whose value does not stand in the answer.",
        harm="The model learns wrong arithmetic.",
        bad=Example(instruction="What is 15% of 80?", response="15% of 80 is 13."),
        good=Example(instruction="What percentage of 80 is 20?", response="It is a quarter, 25%."),
        false_alarms="None found. Word problems are not judged.",
    ),
)

DETECTORS = (LINEAR_SOLVE, ALGEBRA_EVAL, PERCENT)
