"""Right answers of real rows, made wrong: what a verifier that read them must find."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from fractions import Fraction

from detection.planting_tasks import near_to, written


def another_number(row: dict[str, str], rng: random.Random) -> dict[str, str] | None:
    """Change the last number of an answer that is not one of the prompt's, nor an exponent, wherever it stands in the answer."""
    asked = set(re.findall(r"\d+(?:\.\d+)?", f"{row['instruction']} {row['input']}".replace(",", "")))
    found = [each.rstrip(",") for each in re.findall(r"(?<![\w.,^/])\d[\d,]*(?:\.\d+)?(?![\w/])", row["output"])]
    told = [each for each in found if each.replace(",", "") not in asked]
    if not told:
        return None
    last = told[-1]
    if "." in last:
        wrong = f"{float(last.replace(',', '')) * rng.choice([1.3, 0.6, 2.1]) + 1:.2f}"
    else:
        wrong = written(near_to(rng, Fraction(last.replace(",", ""))))
    made = re.sub(rf"(?<![\d.,]){re.escape(last)}(?![\d]|[.,]\d)", wrong, row["output"])
    return {**row, "output": made} if made != row["output"] else None


def swapped_items(row: dict[str, str], rng: random.Random) -> dict[str, str] | None:
    """Swap two neighbours of a list."""
    joint = "\n" if "\n" in row["output"].strip() else ", "
    items = row["output"].strip().rstrip(".").split(joint)
    if len(items) < 3 or ":" in row["output"]:
        return None
    k = rng.randrange(len(items) - 1)
    if items[k].strip().lower() == items[k + 1].strip().lower():
        return None
    items[k], items[k + 1] = items[k + 1], items[k]
    return {**row, "output": joint.join(items)}


def wrong_equation(row: dict[str, str], rng: random.Random) -> dict[str, str] | None:
    """Change the result of one equation of an answer."""
    found = list(re.finditer(r"(?<=[\d)]) ?[-+*/x] ?\$?\d[\d.]*\s*=\s*\$?(\d+)(?![\d.,/%])", row["output"]))
    if not found:
        return None
    match = rng.choice(found)
    wrong = written(near_to(rng, Fraction(match.group(1)))).replace(",", "")
    return {**row, "output": row["output"][: match.start(1)] + wrong + row["output"][match.end(1) :]}


def broken_code(row: dict[str, str], rng: random.Random) -> dict[str, str] | None:
    """Lose one sign, or the indentation, of code."""
    text = row["output"]
    ways = [
        re.sub(r":\s*\n", "\n", text, count=1),
        re.sub(r"\n[ \t]+", "\n", text, count=1),
        re.sub(r"\)", "", text, count=1),
        re.sub(r'"', "", text, count=1),
    ]
    return next(({**row, "output": way} for way in rng.sample(ways, 4) if way != text), None)


CORRUPTED: dict[str, Callable[[dict[str, str], random.Random], dict[str, str] | None]] = {
    "arith_wrong": another_number, "stat_wrong": another_number, "count_wrong": another_number, "linear_solve": another_number,
    "algebra_eval": another_number, "percent": another_number, "unit": another_number, "geometry": another_number,
    "sort_wrong": swapped_items, "equation_false": wrong_equation, "python_syntax": broken_code,
}  # fmt: skip
