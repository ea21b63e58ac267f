"""ROUGE against rouge_score (its definition) and rouge-score-rs (the fastest we know): python benchmarks/rouge.py [--threads N]

Real long answers of AlpacaEval, every system against the last, four types with stemming. The answers of all sides are equal
to the bit (tests hold that); the peers run on one thread.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from harness import Side, main

METRICS = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
Pairs = list[tuple[str, str]]


def load(data: Path) -> Pairs:
    """(reference, prediction), shuffled, so that no order helps a cache; made-up answers where the files are absent."""
    draw = random.Random(0)
    files = sorted((data / "eval" / "alpaca_eval").glob("*.json"))
    if len(files) < 2:
        words = [f"word{i}" for i in range(3000)]
        return [(" ".join(draw.choices(words, k=200)), " ".join(draw.choices(words, k=200))) for _ in range(2000)]
    *others, reference = [{row["instruction"]: row["output"] for row in json.loads(file.read_text(encoding="utf-8"))} for file in files]
    found = [(reference[k], text) for other in others for k, text in other.items() if k in reference]
    draw.shuffle(found)
    return found


def as_columns(pairs: Pairs) -> Any:
    import polars as pl

    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return pl.Series([prediction for _, prediction in pairs]), pl.Series([reference for reference, _ in pairs])


def tunesmith(columns: Any) -> str:
    from tunesmith import core

    scored = core.rouge(*columns, metrics=METRICS, stemmer=True)
    return f"mean rougeL {scored['rougeL'].struct.field('f1').mean():.4f}"


def rougers(pairs: Pairs) -> str:
    from rouge_score_rs import RougeScorer

    scorer = RougeScorer(METRICS, use_stemmer=True)
    scores = [scorer.score(*pair)["rougeL"].fmeasure for pair in pairs]
    return f"mean rougeL {sum(scores) / len(scores):.4f}"


def google(pairs: Pairs) -> str:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(METRICS, use_stemmer=True)
    scores = [scorer.score(*pair)["rougeL"].fmeasure for pair in pairs]
    return f"mean rougeL {sum(scores) / len(scores):.4f} (of its part)"


if __name__ == "__main__":
    main(
        "ROUGE, long answers: four types, stemmed",
        load=load,
        amount=lambda pairs: (len(pairs), "pairs"),
        sides=[
            Side(name="tunesmith", run=tunesmith, prepare=as_columns),
            Side(name="rouge-score-rs", run=rougers, package="rouge_score_rs"),
            Side(name="rouge_score", run=google, package="rouge_score", prepare=lambda pairs: pairs[::50], part=50),
        ],
    )
