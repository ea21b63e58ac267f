"""ROUGE: bit-equal to rouge_score 0.1.2, and to a plain twin where that has no such mode."""

import random
import threading

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import BootstrapAggregator

from oracles import porter as plain_porter
from oracles import rouge as plain
from tunesmith import core
from tunesmith.core import _native
from tunesmith.errors import InputError, OptionError

METRICS = ["rouge1", "rouge2", "rouge3", "rouge9", "rougeL", "rougeLsum"]
WORDS = ["the", "cats", "running", "ran", "skies", "b", "10", "generalization", "The", "U2-like", "\u212aelvin", "naïve", "geologies"]
ODD = [
    "", " ", "\n", "?!", "a", "one", "a b", "日本語", "\u212a", "\u0130stanbul", "x\n\ny\n", "\n\nx y\nz", "a\r\nb\x0bc\x85d\u2028e",
    "a a a a", "one two",
    "ΣΑΣ a", "ﬁne ǅ ß", "don't stop-the 3.14", "a" * 300, "y" * 40 + "ing", "sses ies ied eed ing ed ly", "_under_score_",
]  # fmt: skip


def text(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(words, st.sampled_from([" ", " ", ", ", "\n", "\n\n", "-"])), max_size=40).map(
        lambda parts: "".join(word + gap for word, gap in parts)
    )


def google(
    predictions: list[str], references: list[str], stemmer: bool, metrics: list[str] = METRICS
) -> list[dict[str, tuple[float, ...]]]:
    scorer = RougeScorer(metrics, use_stemmer=stemmer)
    return [{name: tuple(score) for name, score in scorer.score(r, p).items()} for p, r in zip(predictions, references, strict=True)]


def ours(frame: pl.DataFrame) -> list[dict[str, tuple[float, ...]]]:
    return [{name: tuple(score.values()) for name, score in row.items()} for row in frame.iter_rows(named=True)]


@pytest.mark.parametrize("stemmer", [False, True])
def test_odd_texts_in_every_pairing(stemmer: bool) -> None:
    pairs = [(a, b) for a in ODD for b in ODD]
    predictions, references = [a for a, _ in pairs], [b for _, b in pairs]
    assert ours(core.rouge(predictions, references, metrics=METRICS, stemmer=stemmer)) == google(predictions, references, stemmer)


@settings(max_examples=300, deadline=None)
@given(pairs=st.lists(st.tuples(text(st.sampled_from(WORDS)), text(st.sampled_from(WORDS))), min_size=1, max_size=4), stemmer=st.booleans())
def test_few_words_many_ties(pairs: list[tuple[str, str]], stemmer: bool) -> None:
    predictions, references = [a for a, _ in pairs], [b for _, b in pairs]
    assert ours(core.rouge(predictions, references, metrics=METRICS, stemmer=stemmer)) == google(predictions, references, stemmer)


@settings(max_examples=200, deadline=None)
@given(a=st.text(max_size=60), b=st.text(max_size=60))
def test_any_text_at_all(a: str, b: str) -> None:
    assert ours(core.rouge([a, b], [b, a], stemmer=True)) == google([a, b], [b, a], True, list(core.rouge([], []).columns))


def test_long_lines_cross_the_words_of_a_bit_row() -> None:
    rng = random.Random(0)
    texts = ["\n".join(" ".join(rng.choices("abcdefgh", k=rng.choice([3, 63, 64, 65, 200]))) for _ in range(3)) for _ in range(12)]
    metrics = ["rougeL", "rougeLsum"]
    assert ours(core.rouge(texts, texts[::-1], metrics=metrics)) == google(texts, texts[::-1], False, metrics)
    twin = [{metric: plain.rouge(p, r, metric) for metric in metrics} for p, r in zip(texts, texts[::-1], strict=True)]
    assert ours(core.rouge(texts, texts[::-1], metrics=metrics)) == twin


def test_rouge_score_s_own_example() -> None:
    row = core.rouge(["The quick brown dog jumps on the log."], ["The quick brown fox jumps over the lazy dog"], stemmer=True).row(
        0, named=True
    )
    assert (row["rouge1"]["precision"], row["rouge1"]["recall"]) == (6 / 8, 6 / 9)
    assert (row["rougeL"]["precision"], row["rougeL"]["recall"]) == (5 / 8, 5 / 9)


def stems(words: list[str]) -> list[str]:
    return pl.DataFrame(_native.porter_stems(pl.Series(words))).to_series().to_list()


SUFFIXES = """s ss es ies ied ed ing eed y ly ally alli bli ably bility ational tional izer ization ator alism iveness fulness ousness aliti
iviti logi logy fulli fully icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate
iti ous ive ize ll e ee yed ying at bl iz""".split()  # noqa: SIM905


@settings(max_examples=1500, deadline=None)
@given(root=st.text("aeiouybcdlmnrstwxz7", max_size=7), endings=st.lists(st.sampled_from(SUFFIXES), max_size=2))
def test_stems_are_nltk_s(root: str, endings: list[str]) -> None:
    nltk = pytest.importorskip("nltk.stem.porter").PorterStemmer()
    word = root + "".join(endings)
    assert stems([word]) == [nltk.stem(word)] == [plain_porter.stem(word)]


def test_irregular_stems_are_nltk_s() -> None:
    nltk = pytest.importorskip("nltk.stem.porter").PorterStemmer()
    words = [
        *nltk.pool,
        "yyyy",
        "y" * 5000,
        "sky",
        "ion",
        "ions",
        "pies",
        "tied",
        "theology",
        "geology",
        "alli",
        "radicallialli",
        "controlling",
    ]
    assert stems(words) == [nltk.stem(word) for word in words]


def test_of_several_references_each_metric_takes_its_first_best() -> None:
    predictions = ["the cat sat on the mat", "a b", "x"]
    references = [["a dog", "the mat on sat cat the", "the cat sat"], ["b a", "a b", "a b c"], ["y", "z"]]
    scorer = RougeScorer(METRICS)
    multi = [scorer.score_multi(r, p) for p, r in zip(predictions, references, strict=True)]
    assert ours(core.rouge(predictions, references, metrics=METRICS)) == [{k: tuple(v) for k, v in row.items()} for row in multi]


def test_nulls_stay_null() -> None:
    references = pl.Series([["a"], None, [], [None], [None, "a"]], dtype=pl.List(pl.String))
    scores = core.rouge(["a", "a", "a", "a", "a"], references, metrics=["rouge1"])["rouge1"]
    assert scores.is_null().to_list() == [False, True, True, True, False]
    assert core.rouge([None, "a", ""], ["a", None, ""], metrics=["rouge1"])["rouge1"].is_null().to_list() == [True, True, False]


def test_no_rows_chunks_and_slices() -> None:
    empty = core.rouge([], [])
    assert empty.height == 0
    assert empty.columns == ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    texts = pl.Series([f"w{k} and w{k // 2}\nmore" for k in range(700)])
    chunked = pl.concat([texts[:5], texts[5:333], texts[333:]], rechunk=False)
    shifted = texts.reverse()
    whole = core.rouge(texts, shifted)
    assert core.rouge(chunked, shifted).equals(whole)
    assert core.rouge(texts[100:500], shifted[100:500]).equals(whole[100:500])


def test_unicode_words() -> None:
    row = core.rouge(
        ["今日はコーヒー", "Äpfel und Birnen", "cats"], ["今日は水", "äpfel oder birnen", "cat"], stemmer=True, tokenizer="unicode"
    ).rows(named=True)
    assert (row[0]["rouge1"]["precision"], row[0]["rouge1"]["recall"]) == (3 / 7, 3 / 4)
    assert row[1]["rougeL"]["f1"] == 2 / 3
    assert row[2]["rouge1"]["f1"] == 1.0
    assert core.rouge(["今日"], ["今日"]).row(0, named=True)["rouge1"]["f1"] == 0.0


def test_any_number_of_threads_gives_the_same() -> None:
    texts = pl.Series([f"word{k % 97} run{k % 13}ning\nthe {k}" for k in range(2000)])
    whole, found = core.rouge(texts, texts.reverse(), stemmer=True), []
    threads = [threading.Thread(target=lambda: found.append(core.rouge(texts, texts.reverse(), stemmer=True))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    serial = pl.DataFrame({"p": texts, "r": texts.reverse()}).select(pl.col("p").tunesmith.rouge("r", stemmer=True).struct.unnest())
    assert all(one.equals(whole) for one in [*found, serial])


def test_corpus_interval_is_the_bootstrap_s() -> None:
    rng = random.Random(1)
    predictions = [" ".join(rng.choices("abcde", k=6)) for _ in range(80)]
    references = [" ".join(rng.choices("abcde", k=6)) for _ in range(80)]
    frame = core.rouge_corpus([*predictions, None], [*references, "a"], metrics=["rouge1", "rougeL"])
    aggregator, scorer = BootstrapAggregator(), RougeScorer(["rouge1", "rougeL"])
    for p, r in zip(predictions, references, strict=True):
        aggregator.add_scores(scorer.score(r, p))
    for name, value, low, high in frame.iter_rows():
        theirs = aggregator.aggregate()[name]
        assert low < value < high
        assert (low, value, high) == pytest.approx((theirs.low.fmeasure, theirs.mid.fmeasure, theirs.high.fmeasure), abs=0.01)
    assert frame.equals(core.rouge_corpus(predictions, references, metrics=["rouge1", "rougeL"]))
    assert core.rouge_corpus([None], ["a"], metrics=["rouge1"]).row(0) == ("rouge1", None, None, None)


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="as many predictions as references, found 1 and 2"):
        core.rouge(["a"], ["a", "b"])
    with pytest.raises(OptionError, match='did you mean "rougeLsum"'):
        core.rouge(["a"], ["a"], metrics=["rougeLSum"])
    with pytest.raises(OptionError, match="write"):
        core.rouge(["a"], ["a"], metrics="rouge1")
    with pytest.raises(OptionError, match="google"):
        core.rouge(["a"], ["a"], tokenizer="gogle")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="resamples: found 0, expected a whole number of at least 1"):
        core.rouge_corpus(["a"], ["a"], resamples=0)
    with pytest.raises(InputError, match="references: expected"):
        core.rouge(["a"], [1])
