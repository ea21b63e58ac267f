"""Every kernel beside the mere reading of its bytes: python benchmarks/limits.py [--threads 1]

No kernel can be faster than its bytes can be read, so *x* says how far each is from the limit of the machine: how many times as
long it takes as a sum over the same bytes, which lie in the cache where they fit. [The limits of the
kernels](explanation/limits.md) says what holds each there. One column of Alpaca's texts for all of them; ROUGE compares each text
with the next, a word diff each with a copy that lacks a word, both of which read two columns; JSON reads the same texts with their
quotation marks and keys. A tokenizer is trained on the texts themselves.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from duplicates import as_series, load
from harness import Side, main


def bytes_of(texts: list[str]) -> Any:
    """All texts in one buffer of words."""
    import numpy as np

    joined = "".join(texts).encode()
    return np.frombuffer(joined[: len(joined) // 8 * 8], dtype=np.uint64)


def kernel(call: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A side of one column of texts."""

    def run(texts: Any) -> Any:
        from tunesmith import core

        return call(core, texts)

    return run


def trained(texts: list[str]) -> Any:
    """A byte-level tokenizer of 8,000 tokens, and the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from tunesmith import core

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=8000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    made.train_from_iterator(texts[::20], trainer)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        made.save(str(file))
        return core.Tokenizer.from_file(file), as_series(texts)


def with_next(texts: list[str]) -> Any:
    """Each text and the next."""
    column = as_series(texts)
    return column, column.shift(-1, fill_value=texts[0])


def with_less(texts: list[str]) -> Any:
    """Each text and a copy without its last word but one."""
    return as_series(texts), as_series([" ".join([*(words := text.split(" "))[:-2], *words[-1:]]) for text in texts])


def as_json(texts: list[str]) -> bytes:
    """Lines of JSON."""
    from tunesmith import core  # noqa: F401  (imported before the clock starts)

    return "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in texts).encode()


def quiet(_: Any) -> str:
    """Nothing is said: the figure is all."""
    return ""


SIDES = [
    Side(name="the bytes, summed", run=lambda words: words.sum(), prepare=bytes_of, say=quiet),
    Side(name="exact_duplicates", run=kernel(lambda core, texts: core.exact_duplicates(texts)), prepare=as_series, say=quiet),
    Side(
        name="exact_duplicates, unicode",
        run=kernel(lambda core, texts: core.exact_duplicates(texts, normalize="unicode")),
        prepare=as_series,
        say=quiet,
    ),
    Side(name="content_hash", run=kernel(lambda core, texts: core.content_hash(texts.to_frame("text"))), prepare=as_series, say=quiet),
    Side(name="read_json, lines", run=kernel(lambda core, data: core.read_json(data)), prepare=as_json, say=quiet),
    Side(name="near_duplicates", run=kernel(lambda core, texts: core.near_duplicates(texts)), prepare=as_series, say=quiet),
    Side(
        name="substring_duplicates",
        run=kernel(lambda core, texts: core.substring_duplicates(texts, min_length=50)),
        prepare=as_series,
        say=quiet,
    ),
    Side(name="overlap", run=kernel(lambda core, texts: core.overlap(texts, texts[::100])), prepare=as_series, say=quiet),
    Side(name="Tokenizer.encode", run=lambda ready: ready[0].encode(ready[1]), prepare=trained, say=quiet),
    Side(name="Tokenizer.count", run=lambda ready: ready[0].count(ready[1]), prepare=trained, say=quiet),
    Side(name="signals", run=kernel(lambda core, texts: core.signals(texts)), prepare=as_series, say=quiet),
    Side(name="quality_rules, c4", run=kernel(lambda core, texts: core.quality_rules(texts, rules="c4")), prepare=as_series, say=quiet),
    Side(
        name="rouge, four types, stemmed",
        run=kernel(lambda core, pairs: core.rouge(*pairs, stemmer=True)),
        prepare=with_next,
        say=quiet,
    ),
    Side(name="word_diff", run=kernel(lambda core, pairs: core.word_diff(*pairs)), prepare=with_less, say=quiet),
]

if __name__ == "__main__":
    main(
        "Every kernel beside the mere reading of Alpaca 52k",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=SIDES,
    )
