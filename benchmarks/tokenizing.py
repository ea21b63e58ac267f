"""Tokenizing Alpaca's answers against the package tokenizers 0.23: python benchmarks/tokenizing.py

Tokenizers are those of the public data (gpt2, gpt_neox, llama2, mistral, bert, modernbert), each loaded and cold. That
ids are equal is for the tests; here the number of tokens is shown. (Not called `tokenize`: a script's folder comes
first on the path.)
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from harness import DATA, Side, main

PART = 10


def load(data: Path) -> list[str]:
    """Instruction and answer of each row."""
    source = data / "alpaca/alpaca_data.json"
    if not source.is_file():
        sys.exit(f"{source} is not there: name the folder of the public data with --data")
    return [row["instruction"] + "\n" + row["output"] for row in json.loads(source.read_text(encoding="utf-8"))]


def tunesmith_ready(texts: list[str], *, file: Path) -> Any:
    """Load the tokenizer; the texts as a Series."""
    import polars as pl

    from tunesmith import core

    return core.Tokenizer.from_file(file), pl.Series(texts)


def tunesmith_ids(ready: Any) -> str:
    """Ids as a column of lists."""
    tokenizer, texts = ready
    ids = tokenizer.encode(texts, parse_special=True)
    return f"{ids.list.len().mean():.2f} tokens a text ({tokenizer.backend})"


def package_ready(texts: list[str], *, file: Path) -> Any:
    """Load the tokenizer."""
    import tokenizers

    return tokenizers.Tokenizer.from_file(str(file)), texts[::PART]


def package_ids(ready: Any) -> str:
    """Encodings; their ids are not yet lists."""
    tokenizer, texts = ready
    encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return f"{sum(map(len, encoded)) / len(texts):.2f} tokens a text"


if __name__ == "__main__":
    found = sorted((DATA / "tokenizers").glob("*/tokenizer.json"))
    main(
        "Tokenizing Alpaca, each tokenizer in turn",
        load=load,
        amount=lambda texts: (sum(len(text.encode()) for text in texts) / 1e6, "MB"),
        sides=[
            side
            for file in found
            for side in (
                Side(name=f"tunesmith {file.parent.name}", run=tunesmith_ids, prepare=partial(tunesmith_ready, file=file)),
                Side(
                    name=f"tokenizers {file.parent.name}",
                    run=package_ids,
                    package="tokenizers",
                    prepare=partial(package_ready, file=file),
                    part=PART,
                ),
            )
        ],
    )
