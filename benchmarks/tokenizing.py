"""Tokenizing Alpaca's answers, each tokenizer in turn: python benchmarks/tokenizing.py [--threads 1]

Tokenizers are those of the public data (gpt2, gpt_neox, llama2, mistral, bert, modernbert), each loaded and cold: every
text is new to it. Beside ours run the two crates `tokenizers` (1.0, a release candidate, and 0.23, the Python package's)
through the same Arrow columns and threads, fastokens where it takes the configuration, and the Python package itself.
Answers are compared by a hash of all ids. Without the public data a byte-level tokenizer is trained on made-up texts. (Not
called `tokenize`: a script's folder comes first on the path.)
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from harness import Side, main

PART = 10


def load(data: Path) -> list[str]:
    """Instruction and answer of each row."""
    source = data / "alpaca/alpaca_data.json"
    if source.is_file():
        return [row["instruction"] + "\n" + row["output"] for row in json.loads(source.read_text(encoding="utf-8"))]
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(20_000)]
    return [" ".join(draw.choices(words, k=draw.randint(10, 120))).capitalize() + "." for _ in range(30_000)]


def files(data: Path) -> list[Path]:
    """The tokenizers, or the one that is made here."""
    if found := sorted((data / "tokenizers").glob("*/tokenizer.json")):
        return found
    file = Path(tempfile.gettempdir()) / "tunesmith-made-up" / "made_up" / "tokenizer.json"
    if not file.is_file():
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=8000, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator(load(data)[::10], trainer)
        file.parent.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(file))
    return [file]


def ours_ready(texts: list[str], *, file: Path, backend: Any, part: int = 1) -> Any:
    """Load the tokenizer; the texts as a Series."""
    import polars as pl

    from tunesmith import core

    return core.Tokenizer.from_file(file, backend=backend), pl.Series(texts[::part])


def ours(ready: Any) -> Any:
    """Ids as a column of lists."""
    tokenizer, texts = ready
    return tokenizer.encode(texts, parse_special=True)


def ours_said(ids: Any) -> str:
    """Tokens, and all ids in a hash."""
    flat = ids.explode(empty_as_null=False).to_numpy()
    return f"{len(flat):,} tokens, {hashlib.sha256(flat.tobytes()).hexdigest()[:8]}"


def fastokens_ready(texts: list[str], *, file: Path) -> Any:
    """Load the tokenizer."""
    import fastokens

    return fastokens.Tokenizer.from_file(str(file)), texts


def fastokens_ids(ready: Any) -> Any:
    """Ids of all texts in one buffer, and their borders: its way for bulk."""
    tokenizer, texts = ready
    return tokenizer.encode_batch_flat(texts)


def fastokens_said(done: Any) -> str:
    """Tokens, and all ids in a hash."""
    ids, _ = done
    return f"{len(ids) // 4:,} tokens, {hashlib.sha256(ids).hexdigest()[:8]}"


def package_ready(texts: list[str], *, file: Path) -> Any:
    """Load the tokenizer."""
    import tokenizers

    return tokenizers.Tokenizer.from_file(str(file)), texts[::PART]


def package_ids(ready: Any) -> Any:
    """Encodings; their ids are not yet lists."""
    tokenizer, texts = ready
    return tokenizer.encode_batch_fast(texts, add_special_tokens=False)


def package_said(encoded: Any) -> str:
    """Count the tokens."""
    return f"{sum(map(len, encoded)):,} tokens"


def sides(file: Path) -> list[Side]:
    """Ours and the peers for one tokenizer."""
    name = file.parent.name
    first = f"{name}: tunesmith"

    def through_arrow(backend: str, *, part: int = 1) -> Side:
        ready = partial(ours_ready, file=file, backend=backend, part=part)
        return Side(name=f"{name}: {backend}", run=ours, say=ours_said, prepare=ready, part=part, against=first)

    return [
        through_arrow("tunesmith"),
        through_arrow("tokenizers 1.0"),
        through_arrow("tokenizers 0.23", part=PART),
        Side(
            name=f"{name}: fastokens",
            run=fastokens_ids,
            say=fastokens_said,
            package="fastokens",
            prepare=partial(fastokens_ready, file=file),
            against=first,
        ),
        Side(
            name=f"{name}: the package",
            run=package_ids,
            say=package_said,
            package="tokenizers",
            prepare=partial(package_ready, file=file),
            part=PART,
            against=first,
        ),
    ]


if __name__ == "__main__":
    main(
        "Tokenizing Alpaca, each tokenizer in turn",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=lambda data: [side for file in files(data) for side in sides(file)],
    )
