"""core.Tokenizer: ids equal to the Python package's, whatever the configuration."""

from __future__ import annotations

import json
import multiprocessing
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tunesmith import core
from tunesmith.errors import InputError, OptionError

TEXT = "the quick brown fox jumps over a lazy dog's back, 12 times in 2026! Größe déjà-vu naïve 中文 日本語 привет (see §3)"
WORDS = TEXT.split(" ")
CORPUS = [" ".join(random.Random(i).choices(WORDS, k=12)) + ("\n" if i % 3 else ".") for i in range(200)]
SPECIAL = ["<s>", "</s>", "<|im_end|>"]
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
Made = tokenizers.Tokenizer


def trained(made: Made, trainer: Any, pre_tokenizer: Any = None, normalizer: Any = None, added: Any = None) -> Made:
    if pre_tokenizer is not None:
        made.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        made.normalizer = normalizer
    made.train_from_iterator(CORPUS, trainer)
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    made.add_tokens(added or [])
    start = made.token_to_id("<s>")
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", start), ("</s>", made.token_to_id("</s>"))]
    )
    return made


def byte_level(
    *before: Any, prefix: bool = False, regex: bool = True, normalizer: Any = None, added: list[AddedToken] | None = None
) -> Made:
    last = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    made = trained(Made(models.BPE()), trainer, pre_tokenizers.Sequence([*before, last]) if before else last, normalizer, added)
    made.decoder = decoders.ByteLevel()
    return made


def whole_words() -> Made:
    """A model with words that no merges make, taken whole, as in Llama 3."""
    made = json.loads(byte_level().to_str())
    made["model"]["ignore_merges"] = True
    made["model"]["merges"] = made["model"]["merges"][::2]
    return Made.from_str(json.dumps(made))


def llama(pre_tokenizer: Any = None, normalizer: Any = None, added: list[AddedToken] | None = None) -> Made:
    special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    made = trained(Made(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True)), trainer, pre_tokenizer, normalizer, added)
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    made.decoder = decoders.Sequence(steps)
    return made


def word_piece(**options: Any) -> Made:
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[UNK]"], show_progress=False)
    made = trained(
        Made(models.WordPiece(unk_token="[UNK]")), trainer, pre_tokenizers.BertPreTokenizer(), normalizers.BertNormalizer(**options)
    )
    made.decoder = decoders.WordPiece()
    return made


def unigram(added: list[AddedToken] | None = None) -> Made:
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
    made = trained(Made(models.Unigram()), trainer, pre_tokenizers.Metaspace(), normalizers.NFKC(), added)
    made.decoder = decoders.Metaspace()
    return made


def word_level() -> Made:
    trainer = trainers.WordLevelTrainer(special_tokens=["<unk>"], show_progress=False)
    return trained(Made(models.WordLevel(unk_token="<unk>")), trainer, pre_tokenizers.Whitespace())


def pattern(text: str) -> Any:
    return pre_tokenizers.Split(Regex(text), "isolated")


def lowered() -> Made:
    return byte_level(normalizer=normalizers.Lowercase(), added=[AddedToken("<END>", special=True, normalized=True)])


def legacy() -> Any:
    return normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])


OURS, NEW, OLD = "tunesmith", "tokenizers 1.0", "tokenizers 0.23"
CONFIGURATIONS: dict[str, tuple[Callable[[], Made], str]] = {
    "gpt2": (byte_level, OURS),
    "smollm2": (lambda: byte_level(pre_tokenizers.Digits(individual_digits=True)), OURS),
    "llama3": (lambda: byte_level(pattern(LLAMA3), regex=False), OURS),
    "qwen": (lambda: byte_level(pattern(LLAMA3.replace("{1,3}", "")), regex=False, normalizer=normalizers.NFC()), OURS),
    "prefix_space": (lambda: byte_level(prefix=True), OURS),
    "unknown_pattern": (lambda: byte_level(pattern(r"\p{Lu}\w*")), OLD),
    "single_word": (lambda: byte_level(added=[AddedToken("fox", single_word=True)]), OLD),
    "spaces": (lambda: byte_level(added=[AddedToken("  "), AddedToken("    ")]), OURS),
    "special_lowered": (lowered, OLD),
    "collapse": (lambda: byte_level(normalizer=normalizers.Replace(Regex(r"\s+"), " ")), OLD),
    "metaspace_first": (lambda: llama(pre_tokenizers.Metaspace(prepend_scheme="first", split=False)), OURS),
    "metaspace_always": (lambda: llama(pre_tokenizers.Metaspace(prepend_scheme="always")), OURS),
    "metaspace_added": (lambda: llama(pre_tokenizers.Metaspace(prepend_scheme="always"), added=[AddedToken("fox")]), OURS),
    "legacy_llama": (lambda: llama(normalizer=legacy()), OURS),
    "metaspace_words": (lambda: llama(pre_tokenizers.Metaspace(prepend_scheme="first", split=True)), OURS),
    "spaces_only": (lambda: llama(pre_tokenizers.Split(" ", "merged_with_previous"), normalizer=normalizers.Replace(" ", "▁")), OURS),
    "strips": (lambda: byte_level(added=[AddedToken("fox", lstrip=True), AddedToken("dog", rstrip=True, special=True)]), OURS),
    "whole_words": (whole_words, OURS),
    "composed": (lambda: byte_level(normalizer=normalizers.NFKC()), NEW),
    "word_piece": (word_piece, OURS),
    "word_piece_cased": (lambda: word_piece(lowercase=False), OURS),
    "word_piece_unclean": (lambda: word_piece(clean_text=False, handle_chinese_chars=False, strip_accents=False), OURS),
    "unigram": (unigram, NEW),
    "word_level": (word_level, NEW),
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tokenizers")
    for name, (make, _) in CONFIGURATIONS.items():
        made = make()
        made.enable_padding(length=64)
        made.enable_truncation(8)
        made.save(str(folder / f"{name}.json"))
    return {name: folder / f"{name}.json" for name in CONFIGURATIONS}


def both(path: Path) -> tuple[core.Tokenizer, Made]:
    made = Made.from_file(str(path))
    made.no_padding()
    made.no_truncation()
    return core.Tokenizer.from_file(path), made


PIECES = st.sampled_from(
    [*WORDS, *SPECIAL, "<END>", "fox", " ", "  ", "    ", "\n", "\t", "\u00a0", "\u200b", "e\u0301", "ﬁ", "\x00", "🙂", "⹝"]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=12).map("".join)


@pytest.mark.parametrize("name", CONFIGURATIONS)
@settings(deadline=None, max_examples=25)
@given(texts=st.lists(TEXTS, max_size=8))
def test_ids_and_texts_equal_python(files: dict[str, Path], name: str, texts: list[str]) -> None:
    texts = [text.encode(errors="replace").decode() for text in texts]
    tokenizer, made = cached(files[name])
    column = pl.Series(texts, dtype=pl.String)
    for parse_special in (False, True):
        made.encode_special_tokens = not parse_special
        for special_tokens in (False, True):
            want = [encoding.ids for encoding in made.encode_batch(texts, add_special_tokens=special_tokens)]
            options = {"special_tokens": special_tokens, "parse_special": parse_special}
            assert tokenizer.encode(column, **options).to_list() == want
            assert tokenizer.count(column, **options).to_list() == [len(ids) for ids in want]
            ids = pl.Series(want, dtype=core.tokenizer.IDS)
            for skip in (True, False):
                decoded = tokenizer.decode(ids, skip_special_tokens=skip)
                assert decoded.to_list() == made.decode_batch(want, skip_special_tokens=skip)


PAIRS: dict[Path, tuple[core.Tokenizer, Made]] = {}


def cached(path: Path) -> tuple[core.Tokenizer, Made]:
    if path not in PAIRS:
        PAIRS[path] = both(path)
    return PAIRS[path]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_backend_and_vocabulary(files: dict[str, Path], name: str) -> None:
    tokenizer, made = both(files[name])
    assert tokenizer.backend == CONFIGURATIONS[name][1]
    assert (tokenizer.backend_reason is None) == (tokenizer.backend == OURS)
    vocabulary = made.get_vocab()
    assert tokenizer.vocab_size == len(vocabulary)
    assert all(tokenizer.token_to_id(token) == k for token, k in vocabulary.items())
    assert all(tokenizer.id_to_token(k) == token for token, k in vocabulary.items())
    assert tokenizer.token_to_id("not there") is None
    assert tokenizer.id_to_token(10**6) is None
    assert tokenizer.id_to_token(-1) is None
    decoder = made.get_added_tokens_decoder()
    assert [(token.id, token.special) for token in tokenizer.added_tokens] == [(k, decoder[k].special) for k in sorted(decoder)]


@pytest.mark.parametrize("name", ["gpt2", "qwen", "legacy_llama", "word_piece"])
def test_a_slower_backend_gives_the_same_ids(files: dict[str, Path], name: str) -> None:
    texts = pl.Series([*CORPUS, "<s>", "", None])
    want = core.Tokenizer.from_file(files[name]).encode(texts)
    for backend in (OURS, NEW, OLD):
        tokenizer = core.Tokenizer.from_file(files[name], backend=backend)  # type: ignore[arg-type]
        assert tokenizer.backend == backend
        assert tokenizer.encode(texts).equals(want, null_equal=True)
        assert (tokenizer.backend_reason or OURS) in (OURS, f"{backend} was asked for")


def test_a_backend_that_does_not_take_the_configuration(files: dict[str, Path]) -> None:
    for backend in (OURS, NEW):
        with pytest.raises(OptionError, match=r"single_word\.json: backend=.*does not take this configuration \(.*stand"):
            core.Tokenizer.from_file(files["single_word"], backend=backend)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"expected one of tunesmith, tokenizers 1\.0, tokenizers 0\.23"):
        core.Tokenizer.from_file(files["gpt2"], backend="other")  # type: ignore[arg-type]


def test_one_thread_and_many_parts(files: dict[str, Path]) -> None:
    """Enough text to be cut into parts, in the pool and in the calling thread."""
    tokenizer, _ = both(files["gpt2"])
    frame = pl.DataFrame({"text": [*CORPUS * 150, None]})
    pooled = tokenizer.encode(frame["text"])
    assert pooled.n_chunks() == 1
    assert pooled.equals(frame.select(tokenizer.encode_expr("text")).to_series(), null_equal=True)
    assert pooled[: len(CORPUS)].to_list() == pooled[len(CORPUS) : 2 * len(CORPUS)].to_list()


def test_recent_unicode_is_read_as_python_reads_it(files: dict[str, Path]) -> None:
    recent = ["\u2e5d", "\u088f", "\U00016ea0", "\U000105d2\u0307", "\U0001e030", "\U00011935\U00011930", "\ua7f2", "\U000323b0"]
    texts = [f"a{c}a 1{c}1 .{c}. {c}" for c in recent]
    for name in ("gpt2", "llama3", "qwen", "word_piece", "unigram", "word_level"):
        tokenizer, made = both(files[name])
        assert tokenizer.encode(texts).to_list() == [encoding.ids for encoding in made.encode_batch(texts, add_special_tokens=False)], name


def test_a_vocabulary_without_some_bytes(tmp_path: Path) -> None:
    made = byte_level()
    made = Made.from_str(made.to_str().replace('"Ħ":', '"@@ nothing":', 1))  # byte 0x07
    made.save(str(tmp_path / "gaps.json"))
    tokenizer = core.Tokenizer.from_file(tmp_path / "gaps.json")
    texts = ["a\x07b the\x07 quick", "plain", "\x07"]
    made.encode_special_tokens = True
    assert tokenizer.encode(texts).to_list() == [encoding.ids for encoding in made.encode_batch(texts, add_special_tokens=False)]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_text_that_spells_a_special_token_is_text(files: dict[str, Path], name: str) -> None:
    tokenizer, _ = both(files[name])
    special = {tokenizer.token_to_id(token) for token in SPECIAL}
    assert not special & set(tokenizer.encode(["a <|im_end|> b</s>"])[0])
    assert tokenizer.token_to_id("<|im_end|>") in set(tokenizer.encode(["a <|im_end|> b"], parse_special=True)[0])


@pytest.mark.parametrize("name", ["metaspace_first", "metaspace_always", "legacy_llama", "prefix_space", "gpt2", "llama3", "unigram"])
def test_a_continuation_has_no_dummy_prefix(files: dict[str, Path], name: str) -> None:
    tokenizer, _ = both(files[name])
    whole = tokenizer.encode(["the quick brown fox"])[0].to_list()
    start, rest = tokenizer.encode(["the quick"])[0].to_list(), tokenizer.encode([" brown fox"], continuation=True)[0].to_list()
    assert start + rest == whole
    tokens = [tokenizer.id_to_token(k) for k in tokenizer.encode(["fox"], continuation=True)[0]]
    assert "".join(filter(None, tokens)) == "fox"
    assert tokenizer.count(["fox"], continuation=True).to_list() == [len(tokens)]


def test_continuations_that_cannot_be(files: dict[str, Path]) -> None:
    tokenizer, _ = both(files["gpt2"])
    with pytest.raises(OptionError, match="expected one of them"):
        tokenizer.encode(["a"], special_tokens=True, continuation=True)
    made = unigram()
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    t5 = core.Tokenizer(made.to_str())
    assert t5.encode(["the fox"]).to_list() == [made.encode("the fox", add_special_tokens=False).ids]
    with pytest.raises(OptionError, match="cuts text at white space"):
        t5.encode(["a"], continuation=True)


def test_nulls_slices_chunks_and_nothing(files: dict[str, Path]) -> None:
    tokenizer, made = both(files["gpt2"])
    texts = pl.Series("t", ["zero", None, "", "three", None, "five"])
    one = [None if text is None else made.encode(text, add_special_tokens=False).ids for text in texts]
    chunked = pl.concat([texts[:2], texts[2:]], rechunk=False)
    for column, want in ((texts, one), (texts[1:4], one[1:4]), (chunked, one), (texts[:0], []), (pl.Series([None, None]), [None, None])):
        ids = tokenizer.encode(column)
        assert ids.dtype == core.tokenizer.IDS
        assert ids.to_list() == want
        assert tokenizer.count(column).dtype == pl.UInt32
        assert tokenizer.count(column).to_list() == [None if ids is None else len(ids) for ids in want]
        assert tokenizer.decode(ids).to_list() == column.to_list()
    assert tokenizer.encode(texts).name == "t"
    assert tokenizer.decode([[1, 2], None, []]).to_list()[1:] == [None, ""]
    assert tokenizer.decode([[10**6]]).to_list() == [""]
    for wrong in (["text"], [1], [["a"]], [[1, None]], [[-1]]):
        with pytest.raises(InputError, match="ids: expected"):
            tokenizer.decode(wrong)


@pytest.mark.parametrize("name", ["gpt2", "legacy_llama", "word_piece"])
def test_expressions_stream(files: dict[str, Path], name: str) -> None:
    tokenizer, _ = both(files[name])
    frame = pl.DataFrame({"text": [*CORPUS * 20, None, "<s>"]})
    whole = frame.select("text", ids=tokenizer.encode(frame["text"]), counts=tokenizer.count(frame["text"]))
    lazy = frame.lazy().select(
        "text",
        ids=tokenizer.encode_expr("text"),
        counts=tokenizer.count_expr(pl.col("text")),
        parsed=tokenizer.encode_expr("text", parse_special=True),
    )
    for engine in ("in-memory", "streaming"):
        made = lazy.collect(engine=engine)  # type: ignore[call-overload]
        assert made.drop("parsed").equals(whole)
        assert made["parsed"][-1].to_list() == [tokenizer.token_to_id("<s>")]


def test_many_rows_and_progress(files: dict[str, Path]) -> None:
    tokenizer, made = both(files["gpt2"])
    seen: list[int] = []
    texts = CORPUS * 50
    assert tokenizer.encode(texts, progress=seen.append).to_list() == [
        e.ids for e in made.encode_batch_fast(texts, add_special_tokens=False)
    ]
    assert seen == sorted(seen)


def child(path: str, queue: Any) -> None:
    queue.put(len(core.Tokenizer.from_file(path).encode(CORPUS * 5)))


def test_a_forked_child_has_workers_of_its_own(files: dict[str, Path]) -> None:
    tokenizer, _ = both(files["gpt2"])
    tokenizer.encode(CORPUS * 5)  # the parent's workers are there
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(str(files["gpt2"]), queue))
    process.start()
    assert queue.get(timeout=60) == len(CORPUS) * 5
    process.join()


def test_what_is_no_tokenizer(tmp_path: Path, files: dict[str, Path]) -> None:
    def write(text: bytes) -> Path:
        (tmp_path / "tokenizer.json").write_bytes(text)
        return tmp_path / "tokenizer.json"

    for text, found in [
        (b"", "broken JSON"),
        (b"[1]", "another value"),
        (b'{"a": 1}', "an object without it"),
        (b'{"model": {"type": "Other", "vocab": {}}}', "cannot be built"),
        (b"\xff\xfe", "not UTF-8"),
    ]:
        with pytest.raises(InputError, match=f"tokenizer.json: expected .*{found}"):
            core.Tokenizer.from_file(write(text))
    with pytest.raises(InputError, match="cannot be read: No such file"):
        core.Tokenizer.from_file(tmp_path / "absent.json")
    with pytest.raises(InputError, match="expected the folder of a model"):
        core.Tokenizer.from_pretrained(tmp_path / "absent")
    (tmp_path / "tokenizer.json").rename(tmp_path / "tokenizer.model")
    with pytest.raises(InputError, match=r"expected tokenizer\.json, found tokenizer\.model"):
        core.Tokenizer.from_pretrained(tmp_path)
    write(files["gpt2"].read_bytes())
    assert core.Tokenizer.from_pretrained(tmp_path).vocab_size == core.Tokenizer.from_pretrained(files["gpt2"]).vocab_size
    with pytest.raises(InputError, match="texts: expected a column of String"):
        core.Tokenizer.from_pretrained(tmp_path).encode([1])


def test_a_text_without_an_encoding_is_named() -> None:
    made = Made(models.WordLevel({"a": 0}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(InputError, match="row 1: cannot be tokenized"):
        core.Tokenizer(made.to_str()).encode(["a", "b"])
