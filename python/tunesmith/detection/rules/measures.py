"""Conversions of units, and areas, perimeters and volumes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Judged, Page, any_of, excerpt, hits, lines, words
from tunesmith.detection.quantities import asked, exact, holds, numbers, shown
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits


class _Unit(NamedTuple):
    """A unit.

    Attributes:
        dimension: What it measures.
        sizes: Its sizes in the dimension's base unit, one for each meaning that it may have.
        zero: Where its scale begins, in the base unit (temperatures).
    """

    dimension: str
    sizes: tuple[Fraction, ...]
    zero: Fraction = Fraction(0)


_TABLE: Final = """
length: 1 m|meter|meters|metre|metres; 1/100 cm|centimeter|centimeters|centimetre|centimetres; 1/1000 mm|millimeter|millimeters|millimetre|
    millimetres; 1000 km|kilometer|kilometers|kilometre|kilometres|kms; 0.0254 inch|inches|in;
    0.3048 foot|feet|ft; 0.9144 yard|yards|yd|yds;
    1609.344 mile|miles|mi; 1852 nautical mile|nautical miles
mass: 1 g|gram|grams; 1000 kg|kilogram|kilograms|kgs|kilo|kilos; 1/1000 mg|milligram|milligrams; 453.59237 pound|pounds|lb|lbs;
    28.349523125 ounce|ounces|oz; 1000000,907184.74,1016046.9088 ton|tons; 1000000 tonne|tonnes|metric ton|metric tons;
    6350.29318 stone|stones
volume: 1 l|liter|liters|litre|litres; 1/1000 ml|milliliter|milliliters|millilitre|millilitres; 3.785411784,4.54609 gallon|gallons|gal;
    0.946352946,1.1365225 quart|quarts|qt; 0.473176473,0.56826125 pint|pints|pt; 0.2365882365,0.25,0.24,0.284130625 cup|cups;
    0.01478676478125,0.015 tablespoon|tablespoons|tbsp; 0.00492892159375,0.005 teaspoon|teaspoons|tsp; 0.0295735295625,0.0284130625
    fluid ounce|fluid ounces|fl oz
time: 1 second|seconds|sec|secs|s; 60 minute|minutes|min|mins; 3600 hour|hours|hr|hrs; 86400 day|days; 604800 week|weeks;
    1/1000 millisecond|milliseconds|ms; 31536000,31557600,31622400 year|years; 2592000,2628000,2629800,2678400,2419200 month|months
speed: 1 m/s|meters per second|metres per second|mps; 0.277777777777777777 km/h|kmh|kph|km/hr|kilometers per hour|kilometres per hour|
    km per hour;
    0.44704 mph|miles/hr|mi/h|miles per hour; 0.514444444444 knot|knots; 0.3048 feet per second|ft/s
data: 1 byte|bytes; 1024,1000 kilobyte|kilobytes|kb; 1048576,1000000 megabyte|megabytes|mb; 1073741824,1000000000 gigabyte|gigabytes|gb;
    1099511627776,1000000000000 terabyte|terabytes|tb; 1/8 bit|bits
area: 1 square meter|square meters|square metre|square metres|m2|m²|sq m; 4046.8564224 acre|acres; 10000 hectare|hectares;
    0.09290304 square foot|square feet|sq ft|ft2|ft²; 1000000 square kilometer|square kilometers|km2|km²;
    2589988.110336 square mile|square miles;
    0.00064516 square inch|square inches; 1/10000 square centimeter|square centimeters|cm2|cm²
"""
_UNITS: dict[str, _Unit] = {
    " ".join(name.split()): _Unit(dimension.strip(), tuple(Fraction(size) for size in sizes.split(",")))
    for dimension, entries in (line.split(":", 1) for line in re.sub(r"\n +", " ", _TABLE.strip()).split("\n"))
    for sizes, names in (entry.strip().split(" ", 1) for entry in entries.split(";"))
    for name in names.split("|")
}
_UNITS |= {
    name: _Unit("temperature", (size,), zero)
    for names, size, zero in (
        ("celsius|c|°c|centigrade|degrees celsius|degree celsius|degrees c", Fraction(1), Fraction(0)),
        ("fahrenheit|f|°f|degrees fahrenheit|degree fahrenheit|degrees f", Fraction(5, 9), Fraction(-160, 9)),
        ("kelvin|k|°k|degrees kelvin|kelvins", Fraction(1), Fraction(-27315, 100)),
    )
    for name in names.split("|")
}
_NAME: Final = "|".join(sorted((re.escape(name) for name in _UNITS), key=len, reverse=True))
_NOTHING: Final = Fraction(0)
_ALMOST: Final = Fraction(1, 100)
_DEGREES: Final = Fraction(6, 10)

_AMOUNT: Final = r"(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?)"
_CONVERT: Final = (
    re.compile(
        rf"(?i)\b(?:convert|change|express|turn|"
        rf"transform)\s+(?:the\s+)?(?:\w+\s+(?:of\s+)?)?{_AMOUNT}\s*({_NAME})\.?\s+(?:\([^)]*\)\s*)?(?:of \w+\s+)?(?:(?:in)?to|as|"
        rf"in)\s+(?:the\s+)?({_NAME})\b"
    ),
    re.compile(rf"(?i)\bhow many ({_NAME}) (?:are|is)(?: there)?(?: equal to)?(?: in)? {_AMOUNT}\s*({_NAME})\b"),
    re.compile(rf"(?i)\bwhat is {_AMOUNT}\s*({_NAME}) in ({_NAME})\b"),
    re.compile(
        rf"(?i)\bconvert\b[^:\n]*?(?:\bfrom ({_NAME}) )?(?:in)?to ({_NAME})\b[^:\n\d]*[:.\n]\s*(?:\w+:\s*)?{_AMOUNT}\s*({_NAME})?\b"
    ),
)
_BESIDE: Final = words(
    "convert following given measurement measurements temperature temperatures unit units value values of the a an this that please "
    "to into in from is are how many "
    "what distance length weight mass volume speed time number amount equal equals equivalent there height degrees degree quantity "
    "express please can you "
    "and round input us current reading five outside if using unit respectively imperial metric output result calculate it as"
)
_LIKE: Final = r"(?i)\b(?:convert|change|express|how many|what is)\b.*(?:\n|.)*\d"

_PI: Final = Fraction("3.14159265358979")
_FIGURES: Final = "square|cube|rectangle|rectangular prism|rectangular box|cuboid|box|triangle|circle|sphere|cylinder|cone"
_FIGURE: Final = re.compile(rf"(?i)\b(?:{_FIGURES})\b(?!\s+(?:feet|foot|meters?|metres?|cent\w+|inch\w*|units?|cm|km|miles?|yards?))")
_QUANTITY: Final = re.compile(r"(?i)\b(?:surface area|area|perimeter|circumference|volume)\b")
_GIVEN: Final = re.compile(
    r"(?i)\b(?:given|with|whose|from|if|when|has|having|by)\b[^.\n]{0,20}\b(?:area|perimeter|circumference|volume)\b|\bratio\b"
)
_SIZE: Final = re.compile(
    r"(?i)(?:\b(radius|diameter|height|length|width|breadth|base|side|depth)s?\b[^\d\n]{0,16}?)?(?<![\w.^])(\d+(?:\.\d+)?)"
    r"\s*-?(cm|mm|km|m|meters?|metres?|centimeters?|centimetres?|inch(?:es)?|in|feet|foot|ft|yards?|units?|miles?)?\b\.?(?!\s*[\^²³])"
)
_NAMES: Final = {"breadth": "width", "depth": "width"}
_SHAPE_BESIDE: Final = words(
    "find calculate compute determine what is whats the work out please can you tell me give estimate evaluate approximate "
    "approximately in square cubic units "
    "unit cm mm km m meters meter metres centimeters centimeter feet foot ft inches inch yards of a an its it given and output using "
    "formula show answer result "
    "with whose that has have having length lengths width height base side sides radius diameter breadth depth dimension dimensions are "
    "as by each all if when which shape following sized size measures measuring measurement measurements right angled equal to for "
    "two three "
    "where respectively input value number float floating point into s x we need use pi same this solve identify figure mathematical "
    "problem"
)


def _heron(a: Fraction, b: Fraction, c: Fraction) -> Fraction:
    half = (a + b + c) / 2
    under = half * (half - a) * (half - b) * (half - c)
    return Fraction(float(under) ** 0.5) if under > 0 else Fraction(0)


_FORMULAS: Final[dict[tuple[str, str], tuple[str, Callable[..., tuple[Fraction, ...]]]]] = {
    ("square", "area"): ("any", lambda a: (a * a,)),
    ("square", "perimeter"): ("any", lambda a: (4 * a,)),
    ("cube", "volume"): ("any", lambda a: (a**3,)),
    ("cube", "surface area"): ("any", lambda a: (6 * a * a,)),
    ("rectangle", "area"): ("any any", lambda a, b: (a * b,)),
    ("rectangle", "perimeter"): ("any any", lambda a, b: (2 * (a + b),)),
    ("box", "volume"): ("any any any", lambda a, b, c: (a * b * c,)),
    ("box", "surface area"): ("any any any", lambda a, b, c: (2 * (a * b + b * c + a * c),)),
    ("triangle", "area"): ("base height", lambda a, b: (a * b / 2,)),
    ("triangle", "perimeter"): ("side side side", lambda a, b, c: (a + b + c,)),
    ("circle", "area"): ("radius", lambda r: (_PI * r * r,)),
    ("circle", "circumference"): ("radius", lambda r: (2 * _PI * r,)),
    ("circle", "perimeter"): ("radius", lambda r: (2 * _PI * r,)),
    ("sphere", "volume"): ("radius", lambda r: (4 * _PI * r**3 / 3,)),
    ("sphere", "surface area"): ("radius", lambda r: (4 * _PI * r * r,)),
    ("cylinder", "volume"): ("radius height", lambda r, h: (_PI * r * r * h,)),
    ("cylinder", "surface area"): ("radius height", lambda r, h: (2 * _PI * r * (r + h), 2 * _PI * r * h)),
    ("cone", "volume"): ("radius height", lambda r, h: (_PI * r * r * h / 3,)),
}
"""Figure and quantity to the measures that it takes, and its value."""
_KIND_OF: Final = {"rectangular prism": "box", "rectangular box": "box", "cuboid": "box"}
_CODE_TASK: Final = any_of(r"python java\w* program code function script algorithm sql recipe steps explain write class")
_ROUND_FIGURE: Final = Fraction(1, 200)


def _conversion(prompt: str) -> tuple[Fraction, _Unit, _Unit, str, str] | None:
    """Read the one conversion of a prompt that says nothing else: amount, unit, unit asked for, and their names."""
    for number, pattern in enumerate(_CONVERT):
        match = pattern.search(prompt)
        if match is None:
            continue
        groups = match.groups()
        if number == 1:
            target, amount, source = groups
        elif number == 3:
            source, target, amount = groups[0] or groups[3], groups[1], groups[2]
        else:
            amount, source, target = groups
        rest = prompt[: match.start()] + " " + prompt[match.end() :]
        said = re.sub(rf"(?i)\b(?:{_NAME})\b", " ", match.group() if number == 3 else "") + " " + rest
        if source is None or re.search(r"\d", rest) or not all(word in _BESIDE for word in re.findall(r"[^\W\d_]+", said.lower())):
            return None
        one, other = (_UNITS[" ".join(name.lower().split())] for name in (source, target))
        if other.dimension == "mass" and one.dimension == "volume" and target.lower().startswith(("ounce", "oz")):
            other = _UNITS["fluid ounce"]
        if one.dimension != other.dimension or one == other:
            return None
        value = Fraction(amount.replace(",", ""))
        return value, one, other, source, target
    return None


def _values(value: Fraction, one: _Unit, other: _Unit) -> list[Fraction]:
    return [(value * a + one.zero - other.zero) / b for a in one.sizes for b in other.sizes]


def _unit(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    maybe = view.filter(
        pl.col("instruction").str.contains(r"(?i)\b(?:convert|change|express|how many|what is)\b"), prompt.str.len_bytes() < 160
    )
    named = prompt.str.contains(rf"(?i)\d\s*-?(?:{_NAME})\b") & prompt.str.contains(
        rf"(?i)\b(?:in|to|into|as|many)\s+(?:the\s+)?(?:{_NAME})\b"
    )
    for row, instruction, given, text in lines(
        maybe.filter(prompt.str.contains(r"\d")), named & ~prompt.str.contains(_CODE_TASK), "instruction", "input", "response"
    ):
        question = asked(instruction, given)
        read = _conversion(question)
        if read is None or not numbers(text) or re.search(CODE, text):
            yield Judged(row, parsed=False)
            continue
        value, one, other, _source, target = read
        right = _values(value, one, other)
        if _converted(text, question, right, other, value):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"{shown(right[0])} {target}: {text}")))


def _converted(text: str, prompt: str, right: list[Fraction], other: _Unit, given: Fraction) -> bool:
    """Tell whether an answer holds the value, within one per cent (0.6 degrees), whole units alone, or in parts: 5 feet 3 inches."""
    if any(holds(text, value, _ALMOST if value.denominator != 1 else _NOTHING, prompt=prompt) for value in right):
        return True
    found = [number for number in numbers(text) if number.value != given]
    if other.dimension == "temperature":
        return any(abs(number.value - value) <= _DEGREES for number in found for value in right)
    parts = [
        exact(amount) * unit.sizes[0]
        for amount, name in re.findall(rf"(?i)(\d+(?:,\d{{3}})*(?:\.\d+)?)\s*({_NAME})\b", text)
        if (unit := _UNITS[" ".join(name.lower().split())]).dimension == other.dimension
    ]
    bases = [value * other.sizes[0] for value in right]
    return any(
        abs(sum(parts[first:last]) - base) <= _ALMOST * base / 10
        for base in bases
        for first in range(len(parts))
        for last in range(first + 2, len(parts) + 1)
    )


def _shape(prompt: str) -> tuple[Fraction, ...] | None:  # noqa: PLR0911  (each a reason not to read it)
    """Give the values that the one measure of the one figure of a prompt may have; None where it says more than that."""
    figures = {_KIND_OF.get(name.lower(), name.lower()) for name in _FIGURE.findall(prompt)}
    quantities = {name.lower() for name in _QUANTITY.findall(prompt)}
    sizes = [(_NAMES.get(name.lower(), name.lower()), Fraction(size), unit.lower()[:2]) for name, size, unit in _SIZE.findall(prompt)]
    rest = _SIZE.sub(" ", _FIGURE.sub(" ", _QUANTITY.sub(" ", prompt)))
    if len(figures) != 1 or len(quantities) != 1 or len({unit for _, _, unit in sizes} - {""}) > 1 or re.search(r"[\d°]", rest):
        return None
    if not all(word in _SHAPE_BESIDE for word in re.findall(r"[^\W\d_]+", rest.lower())):
        return None
    figure, quantity = figures.pop(), quantities.pop()
    if (figure, quantity) == ("triangle", "area") and len(sizes) == 3 and {name for name, _, _ in sizes} <= {"side", "length", ""}:
        area = _heron(*(size for _, size, _ in sizes))
        return (area,) if area else None
    if (figure, quantity) not in _FORMULAS or re.search(r"(?i)\btwo\b|\bthree\b", rest):
        return None
    wanted, make = _FORMULAS[figure, quantity]
    names = wanted.split()
    if len(sizes) != len(names):
        return None
    if names[0] in ("any", "side"):
        usual = {"", "side", "length", "width", "height", "base"}
        return make(*(size for _, size, _ in sizes)) if {name for name, _, _ in sizes} <= usual else None
    given = {name: size for name, size, _ in sizes}
    if "diameter" in given:
        given["radius"] = given.pop("diameter") / 2
    return make(*(given[name] for name in names)) if set(given) == set(names) else None


def _geometry(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    maybe = view.filter(pl.col("instruction").str.contains(_QUANTITY.pattern)).with_columns(prompt.alias("prompt"))
    about = (
        pl.col("prompt").str.contains(rf"(?i)\b(?:{_FIGURES})\b")
        & pl.col("prompt").str.contains(r"\d")
        & ~pl.col("prompt").str.contains(_CODE_TASK)
    )
    for row, instruction, given, text in lines(
        maybe.filter(pl.col("prompt").str.len_bytes() < 200), about, "instruction", "input", "response"
    ):
        question = asked(instruction, given)
        if not _FIGURE.search(question) or _GIVEN.search(question):
            continue  # "area in square feet" names no square; "given the area" asks for something else
        values = _shape(question)
        if values is None or not numbers(text) or re.search(CODE, text) or "\\" in text:
            yield Judged(row, parsed=False)
        elif any(
            holds(text, value, _ROUND_FIGURE if value.denominator > 10**6 else _NOTHING, prompt=question)
            or (re.search(r"(?i)π|\bpi\b", text) and holds(text.replace("π", " pi"), value / _PI, Fraction(1, 10**6)))
            for value in values
        ):
            yield Judged(row, parsed=True)
        else:
            yield Judged(row, True, Hit(row, "response", None, None, excerpt(f"it is {shown(values[0])}: {text}")))


UNIT = Detector(
    name="unit",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_unit),
    judge=_unit,
    page=Page(
        finds="A prompt that asks to convert one amount into another unit of length, mass, volume, time, speed, area, data or "
        "temperature, "
        "and nothing else, whose value (within one per cent where it is no whole number, or 0.6 degrees) does not stand in the "
        "answer, in whole or in parts "
        "(5 feet 3 inches). Units of several sizes (gallons, tons, months, kilobytes) may have any of them.",
        harm="The model learns wrong conversions.",
        bad=Example(instruction="Convert 20 inches to centimeters.", response="20 inches are 40 centimeters."),
        good=Example(instruction="Convert 66 inches to feet.", response="5 feet 6 inches"),
        false_alarms="None found. Currencies, densities (cups to grams), time zones and compound units are not judged.",
    ),
)

GEOMETRY = Detector(
    name="geometry",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_geometry),
    judge=_geometry,
    page=Page(
        finds="A prompt that asks for the area, perimeter, circumference or volume of a square, rectangle, triangle (base and height), "
        "circle, cube, box, sphere or cylinder with given measures, and nothing else, whose value (exact; within half a per cent "
        "where π or a root is in it, or as a "
        "multiple of π) does not stand in the answer.",
        harm="The model learns wrong arithmetic under a right formula.",
        bad=Example(instruction="Find the area of a circle with radius 3.", response="The area is 9.42."),
        good=Example(instruction="Find the area of a circle with radius 3.", response="It is 9π."),
        false_alarms="None found. Other figures, and figures given by points, are not judged.",
    ),
)

DETECTORS = (UNIT, GEOMETRY)
