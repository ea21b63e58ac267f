"""Answers of the public files cut in several ways, for `benchmarks/detectors.py`: after any word, and after so many tokens.

    python benchmarks/cuts.py DATA      # how many cuts can be told by the last words, at most

For the latter a model of the three last words is trained on nine tenths of Alpaca's sentences, and says of the last tenth how
likely each word ends its sentence. It knows the language of these very answers, which no rule may.
"""

from __future__ import annotations

import json
import random
import re
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from detection.planting_cuts import at_budget
from detection.planting_review import reviewed
from tunesmith.core import Tokenizer


def cuts(data: Path, lines_of: Callable[[Path, str], pl.DataFrame]) -> dict[str, list[dict[str, str]]]:
    """Cut answers in several ways: rows that no rule was written on (another seed), and answers of other writers."""
    tokenizer = Tokenizer.from_file(data / "tokenizers" / "gpt2" / "tokenizer.json")

    def at(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return at_budget(
            rows, lambda text: tokenizer.encode(pl.Series([text]))[0].to_list(), lambda ids: tokenizer.decode(pl.Series([ids]))[0]
        )

    alpaca = (
        pl.DataFrame(json.loads((data / "alpaca" / "alpaca_data.json").read_text())).sample(fraction=1, shuffle=True, seed=913).to_dicts()
    )
    made = {"cut after any word, Alpaca": reviewed("truncated", alpaca), "cut after 64 to 256 tokens, Alpaca": at(alpaca)}
    for name, title in (("alpaca_gpt4_demo_1k", "GPT-4 Alpaca"), ("lima", "LIMA"), ("dolly_alpagasus_3k", "Dolly")):
        here = lines_of(data, f"formats/{name}.json").sample(fraction=1, shuffle=True, seed=914)
        rows = here.select("instruction", input=pl.col("input").fill_null(""), output="response").to_dicts()
        made[f"cut after 64 to 256 tokens, {title}"] = at(rows)
    return made


_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|[.!?]+(?=[\"'”’)\]]*(?:\s|$))|[^\sA-Za-z]")
_SMOOTHING, _ORDERS, _SHORTEST = 6, 4, 80


def sentences(answers: list[str]) -> Iterator[list[str]]:
    """Cut answers of at least 80 characters, line by line, into the words of their sentences."""
    for text in answers:
        for line in text.split("\n") if len(text) >= _SHORTEST else ():
            tokens, said = _TOKEN.findall(line), []
            if not tokens or tokens[-1][0] not in ".!?":
                continue
            for token in tokens:
                if token[0] in ".!?":
                    yield said
                    said = []
                else:
                    said.append(token.lower())


def bound(data: Path) -> list[tuple[float, float]]:
    """Tell what share of cuts a model of the last words finds, by the share of whole sentences that it takes for cut."""
    answers = [row["output"] for row in json.loads((data / "alpaca" / "alpaca_data.json").read_text())]
    seen, ended = ([Counter() for _ in range(_ORDERS)] for _ in range(2))

    def contexts(said: list[str], at: int) -> list[tuple[str, ...]]:
        words = [said[at - back] if at >= back else "^" for back in range(_ORDERS - 1)]
        return [tuple(words[:order]) for order in range(_ORDERS)]

    def likely(said: list[str], at: int) -> float:
        share = 0.0
        for order, context in enumerate(contexts(said, at)):
            share = (ended[order][context] + _SMOOTHING * share) / (seen[order][context] + _SMOOTHING)
        return share

    for said in sentences([text for row, text in enumerate(answers) if row % 10]):
        for at in range(len(said)):
            for order, context in enumerate(contexts(said, at)):
                seen[order][context] += 1
                ended[order][context] += at == len(said) - 1
    rng = random.Random(1)
    cut, whole = [], []
    for said in sentences(answers[::10]):
        if len(said) >= _ORDERS:
            cut.append(likely(said, rng.randrange(len(said) - 1)))
            whole.append(likely(said, len(said) - 1))
    cut.sort()
    whole.sort()
    return [(wrong, bisect_left(cut, whole[int(wrong * len(whole))]) / len(cut)) for wrong in (0.01, 0.02, 0.04, 0.1, 0.2)]


if __name__ == "__main__":
    for wrong, found in bound(Path(sys.argv[1])):
        print(f"{wrong:.0%} of whole sentences taken for cut: {found:.0%} of cuts found")
