"""ROUGE of texts of 10,000 tokens: bit-equal to rouge_score 0.1.2 under every type, with and without stemming."""

from __future__ import annotations

import random

import pytest
from rouge_score.rouge_scorer import RougeScorer

from tunesmith import core

METRICS = [*(f"rouge{n}" for n in range(1, 10)), "rougeL", "rougeLsum"]
TOKENS = 10_000
SHORT = ["", "?! …\n--", "\u212a", "\u212aelvin's \u212a", "word3s", "words12 running word3s\nword3 nothing else", "x\n\n?\nword9ing"]


def long(seed: int, kinds: int) -> str:
    """Lines of 30 to 170 tokens; with many kinds of them little is common, so that Python's tables hold small numbers."""
    rng = random.Random(seed)
    ends = ["", "s", "ing", "ed", "ational", "\u212a"]
    tokens = [f"word{rng.randrange(kinds)}{rng.choice(ends)}" for _ in range(TOKENS)]
    text, at = "", 0
    while at < TOKENS:
        step = rng.randint(30, 170)
        text += " ".join(tokens[at : at + step]) + rng.choice([".\n", "\n\n", "\n"])
        at += step
    return text


def same(predictions: list[str], references: list[str], stemmer: bool, metrics: list[str]) -> None:
    scorer = RougeScorer(metrics, use_stemmer=stemmer)
    frame = core.rouge(predictions, references, metrics=metrics, stemmer=stemmer)
    for prediction, reference, row in zip(predictions, references, frame.iter_rows(named=True), strict=True):
        want = {name: tuple(score) for name, score in scorer.score(reference, prediction).items()}
        assert {name: tuple(score.values()) for name, score in row.items()} == want


@pytest.mark.parametrize("stemmer", [False, True])
def test_long_against_short(stemmer: bool) -> None:
    text = long(0, 3000)
    same([text] * len(SHORT), SHORT, stemmer, METRICS)
    same(SHORT, [text] * len(SHORT), stemmer, METRICS)


@pytest.mark.parametrize("stemmer", [False, True])
def test_long_against_itself_in_n_grams(stemmer: bool) -> None:
    text = long(1, 400)
    tokens = text.split()
    same([text, " ".join(tokens)], [" ".join(tokens[1:] + tokens[:1]), text], stemmer, METRICS[:9])


@pytest.mark.slow
@pytest.mark.parametrize("stemmer", [False, True])
def test_long_against_long(stemmer: bool) -> None:
    same([long(2, 20_000)], [long(3, 20_000)], stemmer, METRICS)
