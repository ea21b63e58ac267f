"""Answers cut as generation cuts them: after so many tokens, wherever that is, often within a word."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

Row = dict[str, str]
BUDGETS = (64, 128, 256)
"""Tokens."""
_CODE = re.compile(r"[`{}<>=|#]")


def at_budget(
    rows: Sequence[Row], encode: Callable[[str], list[int]], decode: Callable[[list[int]], str], *, count: int = 400, seed: int = 1
) -> list[Row]:
    """Cut answers in prose at a budget of tokens that they exceed, one of `BUDGETS` chosen at random.

    What is cut at the end of a sentence stays among them: nobody can tell it, and it counts as not found.
    """
    rng = random.Random(seed)
    made: list[Row] = []
    for row in rows:
        if len(made) == count:
            break
        if _CODE.search(row["output"]) or len(row["output"]) < 2 * BUDGETS[0]:
            continue
        ids = encode(row["output"].rstrip())
        if fitting := [budget for budget in BUDGETS if budget < len(ids)]:
            made.append({**row, "output": decode(ids[: rng.choice(fitting)])})
    return made
