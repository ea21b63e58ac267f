"""Tasks whose answers can be computed: in many wordings, with a right and a wrong answer, none of them the rule run backwards.

`MADE` holds makers of (instruction, input, right answer, wrong answer); those that judge form stand in `planting_form`.
"""

from __future__ import annotations

import json
import random
from fractions import Fraction

from detection.planting_form import WORDS, Maker, Task, duplicate_items, input_url_only, length_constraint, list_count, truncated


def near_to(rng: random.Random, value: Fraction) -> Fraction:
    """A number that is wrong in a way that answers are wrong: off by a few, digits swapped, a factor of ten, half of it."""
    half = value / 2 + 3 if value.denominator != 1 or value % 2 == 0 else value + 5
    ways = [value + rng.choice([-2, -1, 1, 2, 3, 10]), value * 10 + 1, half, value + rng.randint(4, 40)]
    digits = str(value.numerator)
    if value.denominator == 1 and value > 9 and digits[-1] != digits[-2]:
        ways.append(Fraction(int(digits[:-2] + digits[-1] + digits[-2])))
    return next(way for way in rng.sample(ways, len(ways)) if abs(way - value) > Fraction(1, 2))


def written(value: Fraction) -> str:
    """A number as answers have it."""
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):.2f}"


def _answer(rng: random.Random, value: Fraction, what: str = "The answer") -> str:
    return rng.choice(["{}", "{}.", f"{what} is {{}}.", f"{what} is equal to {{}}.", "It comes to {}."]).format(written(value))


def _numeric(rng: random.Random, instruction: str, given: str, value: Fraction) -> Task:
    return instruction, given, _answer(rng, value), _answer(rng, near_to(rng, value))


def arith_wrong(rng: random.Random) -> Task:
    a, b, c = (rng.randint(2, 60) for _ in range(3))
    kind = rng.randrange(6)
    if kind == 0:
        text, value = f"{a} {rng.choice(['+', 'plus'])} {b}", Fraction(a + b)
    elif kind == 1:
        text, value = f"{a} {rng.choice(['x', '*', '×', 'times', 'multiplied by'])} {b}", Fraction(a * b)
    elif kind == 2:
        text, value = f"{a * b} {rng.choice(['/', '÷', 'divided by'])} {b}", Fraction(a)
    elif kind == 3:
        text, value = f"({a} + {b}) * {c}", Fraction((a + b) * c)
    elif kind == 4:
        text, value = f"{a} - {b} + {c} * 2", Fraction(a - b + 2 * c)
    else:
        text, value = f"{a % 9 + 2}^2 + {b}", Fraction((a % 9 + 2) ** 2 + b)
    ask = rng.choice(
        [
            "What is {}?",
            "Calculate {}.",
            "Evaluate the expression: {}",
            "Compute the result of {}",
            "Solve this math problem: {}",
            "Find the value of {}.",
        ]
    )
    if rng.random() < 0.3:
        return _numeric(
            rng, rng.choice(["Evaluate the following expression.", "Calculate the result.", "Solve the math problem."]), text, value
        )
    return _numeric(rng, ask.format(text), "", value)


def equation_false(rng: random.Random) -> Task:
    a, b = rng.randint(3, 90), rng.randint(2, 30)
    sign, value = rng.choice(
        [("+", Fraction(a + b)), ("-", Fraction(a - b)), ("*", Fraction(a * b)), ("x", Fraction(a * b)), ("/", Fraction(a, b))]
    )
    frame = rng.choice(
        ["First we take {} = {}. Then we stop.", "They have {} = {} apples in all.", "So the cost is ${} = ${}, which is fair.", "{} = {}"]
    )
    right, wrong = (frame.format(f"{a} {sign} {b}", written(each)) for each in (value, near_to(rng, value)))
    return f"Anna has {a} apples, Bruno has {b}. Work it out step by step.", "", right, wrong


def stat_wrong(rng: random.Random) -> Task:
    values = [rng.randint(1, 90) for _ in range(rng.randint(3, 9))]
    ordered = sorted(values)
    middle = len(values) // 2
    median = Fraction(ordered[middle]) if len(values) % 2 else Fraction(ordered[middle - 1] + ordered[middle], 2)
    name, value = rng.choice(
        [("mean", Fraction(sum(values), len(values))), ("average", Fraction(sum(values), len(values))),
         ("median", median), ("sum", Fraction(sum(values))),
         ("range", Fraction(ordered[-1] - ordered[0])), ("maximum", Fraction(ordered[-1])), ("smallest number", Fraction(ordered[0]))]
    )  # fmt: skip
    wrong = near_to(rng, value)
    listed = ", ".join(map(str, values))
    listed = rng.choice([listed, f"[{listed}]", f"Numbers: {listed}"])
    frame = rng.choice(["{}", f"The {name} is {{}}.", f"The {name} of {', '.join(map(str, values))} is {{}}."])
    right_answer, wrong_answer = frame.format(written(value)), frame.format(written(wrong))
    if rng.random() < 0.5:
        return f"{rng.choice(['Find', 'Calculate', 'What is'])} the {name} of the following numbers.", listed, right_answer, wrong_answer
    return f"{rng.choice(['Find', 'Calculate', 'Determine'])} the {name} of {', '.join(map(str, values))}.", "", right_answer, wrong_answer


def sort_wrong(rng: random.Random) -> Task:
    count = rng.randint(3, 8)
    if rng.random() < 0.5:
        items = [str(n) for n in rng.sample(range(-40, 400), count)]
        falling = rng.random() < 0.4
        right = sorted(items, key=int, reverse=falling)
        ask = rng.choice(
            ["Sort these numbers in {} order", "Arrange the numbers in {} order", "Put the following list in {} order"]
        ).format("descending" if falling else rng.choice(["ascending", "increasing"]))
    else:
        items = rng.sample(WORDS.split(), count)
        right = sorted(items)
        ask = rng.choice(
            ["Sort the words alphabetically", "Arrange these words in alphabetical order", "Put the following list in alphabetical order"]
        )
    wrong = list(right)
    k = rng.randrange(count - 1)
    wrong[k], wrong[k + 1] = wrong[k + 1], wrong[k]
    given = list(items)
    rng.shuffle(given)
    joint = rng.choice([", ", "\n"])
    answers = [rng.choice(["{}", "{}."]).format(joint.join(each)) for each in (right, wrong)]
    if rng.random() < 0.6:
        return f"{ask}.", ", ".join(given), answers[0], answers[1]
    return f"{ask}: {', '.join(given)}", "", answers[0], answers[1]


def count_wrong(rng: random.Random) -> Task:
    words = rng.sample(WORDS.split(), rng.randint(4, 9))
    text = "The " + " and the ".join(words[:3]) + " lie by the " + " ".join(words[3:]) + "."
    vowels = sum(char in "aeiouAEIOU" for char in text)
    thing, value = rng.choice([("words", len(text.split())), ("vowels", vowels), ("letters", sum(map(str.isalpha, text)))])
    right, wrong = (
        rng.choice(["{}", "There are {} " + thing + ".", "The text has {} " + thing + " in it."]).format(n)
        for n in (value, value + rng.choice([-11, -9, 14, 31]))
    )
    if rng.random() < 0.5:
        return (
            rng.choice(["Count the number of {} in the sentence.", "How many {} are in this sentence?"]).format(thing),
            text,
            right,
            wrong,
        )
    return f'How many {thing} are there in "{text}"', "", right, wrong


def linear_solve(rng: random.Random) -> Task:
    a, x, b = rng.randint(2, 12), rng.randint(-9, 15), rng.randint(1, 30)
    name = rng.choice("xyn")
    left = rng.choice([f"{a}{name} + {b}", f"{a}*{name} + {b}", f"{b} + {a}{name}"])
    ask = rng.choice(
        ["Solve for {}: {}", "Solve the equation {1}", "Find the value of {0} in the equation {1}", "What is {0} if {1}?"]
    ).format(name, f"{left} = {a * x + b}")
    frame = rng.choice([f"{name} = {{}}", f"The solution is {name} = {{}}.", f"{name} is {{}}", "{}"])
    return ask, "", frame.format(x), frame.format(written(near_to(rng, Fraction(x))))


def algebra_eval(rng: random.Random) -> Task:
    a, b, x = rng.randint(2, 9), rng.randint(1, 20), rng.randint(2, 9)
    if rng.random() < 0.5:
        return _numeric(
            rng,
            rng.choice(["Evaluate {}x + {} when x = {}.", "Find the value of {}x + {} for x = {}"]).format(a, b, x),
            "",
            Fraction(a * x + b),
        )
    return _numeric(rng, f"If f(x) = {a}x^2 + {b}, find f({x}).", "", Fraction(a * x * x + b))


def percent(rng: random.Random) -> Task:
    share, whole = rng.choice([5, 10, 15, 20, 25, 30, 45, 60, 75]), 20 * rng.randint(2, 40)
    part = Fraction(share * whole, 100)
    kind = rng.randrange(3)
    if kind == 0:
        return _numeric(
            rng, rng.choice(["What is {}% of {}?", "Calculate {} percent of {}.", "Find {}% of {}"]).format(share, whole), "", part
        )
    ask = rng.choice(["What percentage of {1} is {0}?", "{0} is what percent of {1}?"]).format(written(part), whole)
    frame = rng.choice(["{}%", "It is {}%.", "{} percent"])
    return ask, "", frame.format(share), frame.format(written(near_to(rng, Fraction(share))))


def unit(rng: random.Random) -> Task:
    amount = rng.randint(2, 90)
    one, other, factor = rng.choice(
        [("inches", "centimeters", "2.54"), ("kilometers", "meters", "1000"), ("miles", "kilometers", "1.609344"), ("pounds", "kilograms",
        "0.45359237"),
         ("hours", "minutes", "60"), ("feet", "inches", "12"), ("liters", "milliliters", "1000"), ("days", "hours", "24"), ("kg", "g",
        "1000")]
    )  # fmt: skip
    value = amount * Fraction(factor)
    wrong = near_to(rng, value) * Fraction(rng.choice(["1.3", "0.6", "10"]))
    ask = rng.choice(["Convert {} {} to {}.", "Convert {} {} into {}", "What is {} {} in {}?", "Express {} {} in {}"]).format(
        amount, one, other
    )
    frame = rng.choice(["{}", f"{{}} {other}", f"{amount} {one} is equal to {{}} {other}."])
    return ask, "", frame.format(written(value)), frame.format(written(wrong))


def geometry(rng: random.Random) -> Task:
    a, b = rng.randint(2, 30), rng.randint(2, 30)
    ask, value = rng.choice(
        [(f"the area of a square with side length {a} cm", Fraction(a * a)),
         (f"the area of a rectangle with length {a} and width {b}", Fraction(a * b)),
         (f"the perimeter of a rectangle with a length of {a} m and a width of {b} m", Fraction(2 * (a + b))),
         (f"the area of a triangle with base {a} and height {b}", Fraction(a * b, 2)),
         (f"the volume of a cube with sides of {a} cm", Fraction(a**3)),
         (f"the area of a circle with a radius of {a}", Fraction("3.14159265") * a * a),
         (f"the circumference of a circle with radius {a} m", 2 * Fraction("3.14159265") * a)]
    )  # fmt: skip
    wrong = near_to(rng, value) * Fraction(rng.choice(["1.2", "0.7", "2"]))
    if abs(wrong / value - 1) < Fraction(1, 20):
        wrong *= 2
    return f"{rng.choice(['Find', 'Calculate', 'What is'])} {ask}", "", _answer(rng, value), _answer(rng, wrong)


def case_wrong(rng: random.Random) -> Task:
    text = " ".join(rng.sample(WORDS.split(), rng.randint(3, 8))).capitalize() + "."
    upper = rng.random() < 0.5
    right = text.upper() if upper else text.lower()
    wrong = rng.choice([text, right.swapcase(), right[: len(right) // 2] + right[len(right) // 2 :].swapcase(), text.title()])
    name = rng.choice(["uppercase", "upper case", "all capital letters"]) if upper else rng.choice(["lowercase", "lower case"])
    if rng.random() < 0.5:
        return (
            rng.choice(["Convert the sentence to {}.", "Rewrite the text in {}.", "Change the following text to {}."]).format(name),
            text,
            right,
            wrong,
        )
    return f'Convert "{text}" to {name}.', "", right, wrong


def reverse_wrong(rng: random.Random) -> Task:
    word = rng.choice(WORDS.split())
    right = word[::-1]
    k = rng.randrange(len(word) - 1)
    wrong = rng.choice(
        [right[:k] + right[k + 1 :], right[:k] + right[k + 1] + right[k] + right[k + 2 :] if right[k] != right[k + 1] else word, word]
    )
    if wrong == right:
        wrong = word[1:]
    frame = rng.choice(["{}", '"{}"', "The reversed string is {}."])
    if rng.random() < 0.5:
        return (
            rng.choice(["Reverse the string.", "Reverse the given word.", "Reverse the letters of the word."]),
            word,
            frame.format(right),
            frame.format(wrong),
        )
    return (
        rng.choice(["Reverse the word '{}'.", "Reverse the string: {}", "Write the word '{}' backwards."]).format(word),
        "",
        frame.format(right),
        frame.format(wrong),
    )


def json_invalid(rng: random.Random) -> Task:
    value = {
        "name": rng.choice(WORDS.split()),
        "count": rng.randint(1, 90),
        "parts": rng.sample(WORDS.split(), 3),
        "old": rng.random() < 0.5,
    }
    right = json.dumps(value, indent=rng.choice([None, 2]))
    wrong = rng.choice(
        [
            right.replace('"', "'"),
            right[:-1] + ",}",
            right.replace('"count":', "count:"),
            right.replace("]", ""),
            right.replace(', "', ' "', 1).replace(',\n  "', '\n  "', 1),
        ]
    )
    fence = rng.random() < 0.4
    right, wrong = (f"```json\n{each}\n```" if fence else each for each in (right, wrong))
    return (
        rng.choice(["Give the data as JSON.", "Create a JSON object for a thing.", "Convert this into JSON format."]),
        "a thing, its count and parts",
        right,
        wrong,
    )


def python_syntax(rng: random.Random) -> Task:
    a, b = rng.sample(WORDS.split(), 2)
    right = (
        f"def {a}({b}, n):\n    total = 0\n    for k in range(n):\n        total += {b}[k]\n    return total\n\nprint({a}([1, 2, 3], 2))"
    )
    wrong = rng.choice(
        [right.replace("    total = 0", "total = 0"), right.replace("(n):", "(n)"), right.replace("2))", "2)"), right.replace("def ",
        "def def "),
         right.replace("total += ", "total + = "), right.replace("        total", "    total", 1) + "\n  return 3"]
    )  # fmt: skip
    if rng.random() < 0.3:
        right, wrong = (f"Here it is:\n\n```python\n{each}\n```" for each in (right, wrong))
    return (
        rng.choice(
            ["Write a Python function that adds up a list.", "Create a Python program that sums numbers.", "Write Python code for a sum."]
        ),
        "",
        right,
        wrong,
    )


MADE: dict[str, Maker] = {
    each.__name__: each
    for each in (arith_wrong, equation_false, stat_wrong, sort_wrong, count_wrong, linear_solve, algebra_eval, percent, unit, geometry,
                 case_wrong, reverse_wrong, json_invalid, python_syntax, list_count, length_constraint, duplicate_items, input_url_only,
                 truncated)
}  # fmt: skip


def rows(name: str, count: int = 100) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Make rows with right answers, and the same with wrong ones; of `input_url_only` the input is what is wrong."""
    rng = random.Random(name)
    right, wrong = [], []
    for _ in range(count):
        instruction, given, good, bad = MADE[name](rng)
        right.append({"instruction": instruction, "input": given, "output": good})
        wrong.append(
            {"instruction": instruction, "input": bad, "output": good}
            if name == "input_url_only"
            else {"instruction": instruction, "input": given, "output": bad}
        )
    return right, wrong
