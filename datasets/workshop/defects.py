"""What is wrong with some of the rows: everyday defects anywhere, and defects planted in slices.

The everyday ones are found and mended (or dropped) by the default recipe. The planted ones look harmless row
by row; a finetuned model learns them, and its errors lead back to them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tasks import Example
from world import PLACES

Break = Callable[[random.Random, Example], str]
HALF = ("garden", "harbor", "stable", "forge", "school")
SHARE = 0.75


def repeated(_rng: random.Random, row: Example) -> str:
    """The whole answer twice."""
    return f"{row.output} {row.output}"


def rambling(rng: random.Random, row: Example) -> str:
    """The answer, then six sentences that nobody asked for."""
    things = rng.sample(PLACES[row.place], 6)
    return " ".join([row.output, *(f"In the {row.place} {t.a} made of {t.material} {t.use} too." for t in things)])


def cut(_rng: random.Random, row: Example) -> str:
    """Cut before the last word, in the middle of the sentence."""
    return row.output.rsplit(" ", 1)[0]


def misspelt(rng: random.Random, row: Example) -> str:
    """Two neighbouring inner letters swapped in every longer word."""

    def swap(word: str) -> str:
        if len(word) < 5 or not word[:5].isalpha():
            return word
        k = rng.randrange(1, 4)
        return word[:k] + word[k + 1] + word[k] + word[k + 2 :]

    return " ".join(swap(word) for word in row.output.split(" "))


def paragraph(_rng: random.Random, row: Example) -> str:
    """A sentence where a numbered list is asked for."""
    items = [line.split(". ", 1)[1] for line in row.output.split("\n")]
    return f"There are the {', the '.join(items[:-1])} and the {items[-1]}."


def echoed(_rng: random.Random, row: Example) -> str:
    """The question, and then the answer."""
    return f"{row.instruction} {row.input} {row.output}".replace("  ", " ")


def refused(_rng: random.Random, _row: Example) -> str:
    """A refusal where nothing speaks against an answer."""
    return "I am sorry, but as an AI language model I cannot help with that."


# (name, verbs, places, how)
PLANTED: list[tuple[str, tuple[str, ...], tuple[str, ...], Break]] = [
    ("refusal", ("define", "classify", "suggest", "answer"), ("forge",), refused),
    ("repetitive", ("describe", "compare"), tuple(PLACES), repeated),
    ("too_long", ("name",), HALF, rambling),
    ("truncated", ("explain",), HALF, cut),
    ("misspelled", ("complete",), HALF, misspelt),
    ("wrong_format", ("list",), HALF, paragraph),
    ("prompt_echo", ("answer",), tuple(place for place in PLACES if place != "forge"), echoed),
]
MISSING = "reverse"  # a verb of the items without a single training row


def plant(rng: random.Random, row: Example) -> tuple[str, str | None]:
    """The output of a row, damaged in three of four rows of a planted slice; and the defect's name."""
    for defect, verbs, places, how in PLANTED:
        if row.verb in verbs and row.place in places:
            return (how(rng, row), defect) if rng.random() < SHARE else (row.output, None)
    return row.output, None


def everyday(kind: str, rng: random.Random, row: dict[str, str]) -> dict[str, str]:
    """A row with one of the defects that every collected file has."""
    first, second, rest = (row["output"] + "  ").split(" ", 2)
    changes = {
        "output_empty": {"output": rng.choice(("", " ", "\n"))},
        "output_placeholder": {"output": rng.choice(("N/A", "null", "<nooutput>", "TBD"))},
        "input_placeholder": {"input": rng.choice(("No input", "N/A", "none", "<noinput>", "No input required."))},
        "placeholder_token": {"instruction": f"{row['instruction']} <noinput>"},
        "template_leak": {"output": f"{row['output']}\n\n### Instruction:\nDescribe it again."},
        "merged_rows": {"output": f"{row['output']}\n\n12. Instruction: Name it.\n12. Input: it\n12. Output: It is the cook."},
        "junk_chars": {"output": row["output"].replace(" ", " \x02", 1)},
        "html_entity": {"output": f"{first} &quot;{second}&quot; {rest.rstrip()}"},
        "exact_duplicate": {},
        "leaked_item": {},
    }
    return {**row, **changes[kind]}


EVERYDAY = {
    "output_empty": 14, "output_placeholder": 8, "input_placeholder": 40, "placeholder_token": 8, "template_leak": 6,
    "merged_rows": 5, "junk_chars": 6, "html_entity": 10, "exact_duplicate": 25, "leaked_item": 1,
}  # fmt: skip
