"""core.Tokenizer.decode equals the package `tokenizers` on any ids, added tokens included, under every decoder."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Made

from tunesmith import core

ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
TOKENS = [*ALPHABET, "Ġthe", "Ã©", "ð", "ÐĤ", "▁", "▁▁", "▁a▁b", "##a", "a", "ing##", "ж", "🙂", "…", " .", " n't", "do", " do not", " ' "]
BYTES = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "<0x+A>", "<0xé>", "<0x41", "a</w>"]
ADDED = [
    AddedToken("§", normalized=False),
    AddedToken("Ã", normalized=False, special=True),  # a token of the alphabet
    AddedToken("日本 x", normalized=False),
    AddedToken("##b", normalized=False),
    AddedToken("▁c", normalized=False),
    AddedToken("<0xE4>x", normalized=False),
    AddedToken("<s>", normalized=False, special=True),
    AddedToken("Łé", normalized=True, special=True),
    AddedToken("fox", normalized=True),
]
LLAMA = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
DECODERS: dict[str, Any] = {
    "bytes": decoders.ByteLevel(),
    "llama": decoders.Sequence([*LLAMA, decoders.Strip(" ", 1, 0)]),
    "llama, three spaces": decoders.Sequence([*LLAMA, decoders.Strip(" ", 3, 0)]),
    "gemma": decoders.Sequence(LLAMA),
    "metaspace": decoders.Metaspace(),
    "metaspace, first": decoders.Metaspace(prepend_scheme="first"),
    "metaspace, never": decoders.Metaspace(prepend_scheme="never"),
    "pieces": decoders.WordPiece(),
    "pieces, not clean": decoders.WordPiece(prefix="▁", cleanup=False),
    # What 0.23 itself decodes for us:
    "a pattern": decoders.Sequence([decoders.Replace(Regex("[ab]+"), "-"), *LLAMA[1:]]),
    "both ends": decoders.Sequence([decoders.Fuse(), decoders.Strip("a", 1, 0)]),
    "suffix": decoders.BPEDecoder(),
    "ctc": decoders.CTC(pad_token="a"),
    "none": None,
}
NORMALIZERS: dict[str, Any] = {"none": None, "nfc": normalizers.NFC(), "lower": normalizers.Lowercase(), "nfd": normalizers.NFD()}


def tokenizers(decoder: Any, normalizer: Any) -> tuple[core.Tokenizer, Made]:
    vocabulary = {token: place for place, token in enumerate(dict.fromkeys([*TOKENS, *BYTES]))}
    made = Made(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    if normalizer is not None:
        made.normalizer = normalizer
    if decoder is not None:
        made.decoder = decoder
    made.add_tokens(ADDED)
    return core.Tokenizer(made.to_str()), Made.from_str(made.to_str())


PAIRS = {
    f"{name}; {form}": tokenizers(decoder, normalizer) for name, decoder in DECODERS.items() for form, normalizer in NORMALIZERS.items()
}
SIZE = PAIRS["bytes; none"][1].get_vocab_size()
ODD = [PAIRS["bytes; none"][1].token_to_id(token) for token in (*TOKENS[256:], *BYTES[-4:], *(token.content for token in ADDED))]
IDS = st.integers(0, SIZE + 2) | st.sampled_from(ODD)


@pytest.mark.parametrize("name", PAIRS)
@settings(deadline=None, max_examples=40)
@given(rows=st.lists(st.none() | st.lists(IDS, max_size=12), max_size=6))
def test_any_ids_are_decoded_as_in_python(name: str, rows: list[list[int] | None]) -> None:
    tokenizer, made = PAIRS[name]
    column = pl.Series(rows, dtype=pl.List(pl.UInt32))
    for skip in (True, False):
        want = [None if ids is None else made.decode(ids, skip_special_tokens=skip) for ids in rows]
        assert tokenizer.decode(column, skip_special_tokens=skip).to_list() == want


@pytest.mark.parametrize("name", PAIRS)
def test_each_token_is_decoded_as_in_python(name: str) -> None:
    tokenizer, made = PAIRS[name]
    rows = [ids for token in range(SIZE) for ids in ([token], [token, token], [3, token, 4])]
    for skip in (True, False):
        want = [made.decode(ids, skip_special_tokens=skip) for ids in rows]
        assert tokenizer.decode(pl.Series(rows, dtype=pl.List(pl.UInt32)), skip_special_tokens=skip).to_list() == want
