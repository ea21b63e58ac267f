"""Every public kernel of the core, each column that it takes by itself: what tests of types, threads, forks and Ctrl-C go over."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl

from tunesmith import core

Call = Callable[..., Any]


@cache
def tokenizer() -> core.Tokenizer:
    """Of bytes, with the merges of a few pairs of letters."""
    letters = [chr(byte) if chr(byte).isprintable() and byte not in (32, 173) else chr(256 + byte) for byte in range(256)]
    merges = [f"{a} {b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in "aeiou"]
    vocabulary = {token: place for place, token in enumerate([*dict.fromkeys(letters), *(pair.replace(" ", "") for pair in merges)])}
    pieces = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "vocab": vocabulary, "merges": merges}
    return core.Tokenizer(json.dumps({"version": "1.0", "added_tokens": [], "pre_tokenizer": pieces, "decoder": pieces, "model": model}))


def edges(values: Any, **options: Any) -> Any:
    return core.components(pl.DataFrame({"a": values, "b": values}), **options)


OF_TEXTS: dict[str, Call] = {
    "band_keys": core.band_keys,
    "closest": lambda values, **options: core.closest(values, ["the cat sat", "one two"], shingle=2, **options),
    "closest, against": lambda values, **options: core.closest(["the cat sat", "one two"], values, shingle=2, **options),
    "exact_duplicates": core.exact_duplicates,
    "json_dumped": core.json_dumped,
    "near_duplicates": core.near_duplicates,
    "near_duplicates, against": lambda values, **options: core.near_duplicates(["a", "b c"], against=values, **options),
    "near_pairs": core.near_pairs,
    "near_pairs, against": lambda values, **options: core.near_pairs(["a", "b c"], against=values, **options),
    "overlap": lambda values, **options: core.overlap(values, ["the cat sat", "one two"], n=2, **options),
    "overlap, against": lambda values, **options: core.overlap(["the cat sat", "one two"], values, n=2, **options),
    "parse_json": lambda values, **options: core.parse_json(values, **options).rejects,
    "quality_rules": core.quality_rules,
    "quality_rules, c4": lambda values, **options: core.quality_rules(values, rules="c4", **options),
    "rouge": lambda values, **options: core.rouge(values, values, **options),
    "rouge, predictions": lambda values, **options: core.rouge(values, pl.Series(["a b"]).new_from_index(0, len(values)), **options),
    "rouge_corpus": lambda values, **options: core.rouge_corpus(values, values, resamples=10, **options),
    "quality_rules, dolma": lambda values, **options: core.quality_rules(values, rules="gopher:dolma", **options),
    "row_ids": lambda values, **options: core.row_ids([values, values], **options),
    "signals": core.signals,
    "signals, some": lambda values, **options: core.signals(values, only=["words", "entropy"], **options),
    "substring_duplicates": lambda values, **options: core.substring_duplicates(values, min_length=3, unit="character", **options),
    "tool_calls": core.tool_calls,
    "verify_pairs": lambda values, **options: core.verify_pairs(values, values, shingle=1, **options),
    "verify_pairs, b": lambda values, **options: core.verify_pairs(["a"] * len(values), values, **options),
    "word_diff": lambda values, **options: core.word_diff(values, values, **options),
    "word_diff, b": lambda values, **options: core.word_diff(["a b"] * len(values), values, **options),
    "Tokenizer.count": lambda values, **options: tokenizer().count(values, **options),
    "Tokenizer.encode": lambda values, **options: tokenizer().encode(values, **options),
}
"""By the function's name, and the argument that the column is where that is not the first."""

OF_NUMBERS: dict[str, Call] = {
    "components": edges,
    "pack": lambda values, **options: core.pack(values, capacity=100, **options),
    "pack, first-fit": lambda values, **options: core.pack(values, capacity=100, method="first-fit", **options),
    "pack, wrapped": lambda values, **options: core.pack(values, capacity=100, method="wrapped", **options),
    "pack_wrapped": lambda values, **options: core.pack_wrapped(values, capacity=100, **options),
}

OF_IDS: dict[str, Call] = {"Tokenizer.decode": lambda values, **options: tokenizer().decode(values, **options)}

OF_OTHERS = {
    "canonical_json": "lists of objects",
    "content_hash": "a frame",
    "json_blocks": "a stream",
    "read_json": "bytes or a path",
    "substring_memory": "texts, but it answers a number",
    "unzstd": "a stream",
}
"""What takes no column, or gives none."""

QUERIES = ("quality_rules", "quality_rules, c4", "quality_rules, dolma")
"""What asks Polars' engine, which waits in a forked process for threads that are not there."""


def frame(result: Any) -> pl.DataFrame:
    """A kernel's answer as a table."""
    return result if isinstance(result, pl.DataFrame) else result.to_frame("answer")
