"""Answers that belong to another prompt, by sentence embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page
from tunesmith.detection.rules.refusal import refuses

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits
    from tunesmith.models.embed import Embedder

_LEAST_WORDS: Final = 8
_LEAST_LINES: Final = 50
_OTHERS: Final = 256
_NEARER: Final = 0.2
"""Share of other prompts that may be nearer to an answer than its own."""
_HEAD: Final = 2_000


def off_topic(view: pl.DataFrame, embedder: Embedder) -> Iterator[Hit]:
    """Find answers to which over a fifth of other prompts are nearer than their own, by cosine.

    The others are up to 256 different prompts of the same view, evenly spaced, so no threshold of similarity is needed:
    the data set itself says what is near. Fewer than 50 lines say too little.
    """
    prompt = pl.concat_str("instruction", "input", separator="\n").str.strip_chars().str.head(_HEAD)
    prose = pl.col("prose")
    told = view.select("row", prompt.alias("prompt"), prose.str.head(_HEAD).alias("answer"), refuses(prose).alias("refused"))
    told = told.filter(pl.col("answer").str.count_matches(r"[\p{L}\p{N}]+") >= _LEAST_WORDS, pl.col("prompt") != "", ~pl.col("refused"))
    distinct = told["prompt"].unique(maintain_order=True)
    if len(distinct) < _LEAST_LINES:
        return
    others = distinct.gather(np.unique(np.linspace(0, len(distinct) - 1, min(_OTHERS, len(distinct))).astype(np.int64)))
    asked, given = embedder.embed(told["prompt"].to_list()), embedder.embed(told["answer"].to_list())
    own = (asked * given).sum(axis=1)
    nearer = (given @ embedder.embed(others.to_list()).T > own[:, None] + 1e-6).mean(axis=1)
    for row, share in zip(told["row"], nearer, strict=True):
        if share > _NEARER:
            yield Hit(row, "response", None, None, f"{share:.0%} of {len(others)} other prompts are nearer to this answer than its own")


def _without(_view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    """Find nothing: without a model there is nothing to compare."""
    yield from ()


OFF_TOPIC = Detector(
    name="off_topic",
    severity="review",
    grade="D",
    fields=("response",),
    find=_without,
    embeds=off_topic,
    page=Page(
        finds="An answer of at least 8 words to which over a fifth of up to 256 other prompts of the same data are nearer than its own, by "
        "the cosine of sentence embeddings. Needs a model (`tunesmith detect --embedder MODEL`, the extra `evaluate`) and at least 50 "
        "different prompts; otherwise it does not run.",
        harm="Shifted or merged columns pair prompts with answers of others: the model learns to ignore the prompt.",
        bad=Example(
            instruction="How does a kettle boil water?", response="The orchard was planted by the abbot, and its pears are small and sweet."
        ),
        good=Example(instruction="How does a kettle boil water?", response="Its coil warms the water at the bottom until all of it boils."),
        false_alarms="Prompts that name no subject (write a poem, give me a sentence), about 4 in 1,000 rows of Alpaca.",
    ),
)

DETECTORS = (OFF_TOPIC,)
