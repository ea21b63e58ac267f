"""core.Tokenizer against a slow, plain byte-pair encoding."""

import json
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from oracles import bpe
from tunesmith import core

TEXT = "the quick brown fox's lazy dog, 12 times in 2026! Größe naïve 中文 привет (see §3)"
WORDS = TEXT.split(" ")
CORPUS = [" ".join(random.Random(k).choices(WORDS, k=12)) + ("\n" if k % 3 else ".") for k in range(150)]


def byte_level() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=420, initial_alphabet=alphabet, show_progress=False))
    return made


def sentencepiece() -> Tokenizer:
    made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    made.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=480, special_tokens=special, show_progress=False))
    return made


KINDS = {"byte_level": (byte_level, bpe.byte_level), "sentencepiece": (sentencepiece, bpe.sentencepiece)}
FILES = {name: made().to_str() for name, (made, _) in KINDS.items()}
TOKENIZERS = {name: core.Tokenizer(file) for name, file in FILES.items()}
TEXTS = st.lists(st.sampled_from([*WORDS, " ", "  ", "\n", "'s", "🙂", "e\u0301"]) | st.text(max_size=8), max_size=12).map("".join)


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
@settings(deadline=None, max_examples=150)
def test_ids_are_those_of_the_plain_encoding(kind: str, texts: list[str]) -> None:
    # A text that spells an added token is text here; the vocabulary's own <unk> and bytes are never looked for.
    tokenizer, plain, file = TOKENIZERS[kind], KINDS[kind][1], json.loads(FILES[kind])
    assert tokenizer.backend == "tunesmith"
    want = [plain(file, text) for text in texts]
    assert tokenizer.encode(pl.Series(texts)).to_list() == want
    assert tokenizer.count(pl.Series(texts)).to_list() == list(map(len, want))


def test_long_words_of_one_letter_merge_from_the_left() -> None:
    for kind, (_, plain) in KINDS.items():
        for length in (1, 2, 3, 63, 64, 65, 300):
            text = "the" * length + "oo" * length
            assert TOKENIZERS[kind].encode([text]).to_list() == [plain(json.loads(FILES[kind]), text)]
