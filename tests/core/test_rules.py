"""Rule sets of other systems: exact given the same words and sentences, and the edges."""

from __future__ import annotations

import random
import re
import unicodedata

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from oracles import rules as oracle
from tunesmith import core
from tunesmith.core.rule_sets import RULE_SETS
from tunesmith.errors import InputError, OptionError

WORD = st.sampled_from(
    [
        "the",
        "of",
        "be",
        "The",
        "a",
        "ab",
        "b",
        "bc",
        "cat",
        "x1",
        "42",
        "...",
        "…",
        "#",
        "-",
        "•",
        "。",
        "naïve",
        "Ⅷ",
        "日本",
        "”",
        "k" * 12,
    ]
)
GAP = st.sampled_from([" ", " ", " ", "\n", "\n\n", "\n \n", "\r\n", "\u2028", "\x1c", "\u3000", "...", ". "])
WORDS = st.one_of(
    st.lists(WORD, max_size=24),
    st.tuples(st.lists(WORD, min_size=1, max_size=9), st.integers(1, 14)).map(lambda made: made[0] * made[1]),
    st.tuples(st.lists(WORD, max_size=60), st.lists(WORD, max_size=40)).map(lambda made: made[0] + made[1] + made[0][:20]),
)
ODD = st.one_of(WORD, st.text("ab ", max_size=3))  # words of somebody else's may hold spaces, or nothing


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    words = draw(WORDS)
    gaps = draw(st.lists(GAP, min_size=1, max_size=6))
    text = "".join(word + gaps[k % len(gaps)] for k, word in enumerate(words))
    return text, draw(st.one_of(st.just(words), st.just(text.split()), st.lists(ODD, max_size=40)))


def skips(name: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from([rule.name for rule in RULE_SETS[name].rules]))


def told(text: str, rules: str, skip: frozenset[str], **lists) -> str | None:
    lists = {name: pl.Series([value], dtype=pl.List(pl.String)) for name, value in lists.items()}
    judged = core.quality_rules([text], rules=rules, bounds=dict.fromkeys(skip), **lists)
    assert judged["kept"].item() == (judged["rule"].item() is None)
    return judged["rule"].item()


@given(texts(), skips("gopher:datatrove"))
@example(("ab c ab c", ["a", "bc", "ab", "c", "x", "ab", "c", "a", "bc", "x"]), frozenset({"top_2_gram", "top_3_gram", "top_4_gram"}))
@settings(deadline=None, max_examples=150)
def test_gopher_datatrove(made: tuple[str, list[str]], skip: frozenset[str]) -> None:
    text, words = made
    assert told(text, "gopher:datatrove", skip, words=words) == oracle.first(oracle.gopher_datatrove(text, words), skip)


@given(texts())
@settings(deadline=None, max_examples=150)
def test_gopher_dolma(made: tuple[str, list[str]]) -> None:
    text, words = made
    # Its own words are those of `str.split`: nothing need be given.
    for given_words in ({}, {"words": pl.Series([words], dtype=pl.List(pl.String))}):
        measured = core.quality_rules([text], rules="gopher:dolma", **given_words).drop("kept", "rule").row(0, named=True)
        assert measured == oracle.gopher_dolma(text, words if given_words else None)


@given(texts(), skips("fineweb"))
@settings(deadline=None, max_examples=100)
def test_fineweb(made: tuple[str, list[str]], skip: frozenset[str]) -> None:
    text, words = made
    assert told(text, "fineweb", skip, words=words) == oracle.first(oracle.fineweb(text, words), skip)


LINES = st.lists(
    st.lists(
        st.sampled_from(
            [
                "One",
                "two",
                "{",
                "lorem",
                "ipsum",
                "LOREM IPSUM",
                "JavaScript",
                "coo\u212aie policy",
                "Use cookies",
                "[3]",
                "[edit]",
                "[٣]",
                "[]",
                "[²]",
                "[citation needed]",
                "w" * 1001,
                ".",
                "end.",
                "Why?",
                "so...",
                "it’s",
                '"',
                "now!",
            ]
        ),
        max_size=7,
    ).map(" ".join),
    max_size=7,
)


@given(LINES, st.sampled_from(["\n", "\r\n", "\x0b", "\u2029"]), skips("c4"))
@example(["One { two.", "lorem ipsum now!"], "\n", frozenset())
@settings(deadline=None, max_examples=150)
def test_c4(lines: list[str], border: str, skip: frozenset[str]) -> None:
    text = border.join(lines)

    def cut(line: str) -> list[str]:
        return [piece for piece in re.split(r"(?<=[.?!]) ", line) if piece.strip()]

    sentences = [sentence for line in oracle.c4_lines(text) for sentence in cut(line)]
    assert told(text, "c4", skip, sentences=sentences) == oracle.first(oracle.c4(text, lambda line: len(cut(line))), skip)


def test_letters_are_those_of_python() -> None:
    known = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cs", "Cn", "Co")]
    for start in range(0, len(known), 2000):
        words = known[start : start + 2000]
        texts = pl.Series(["x"] * len(words))
        share = core.quality_rules(texts, rules="gopher:datatrove", words=pl.Series([[word] for word in words]))["alphabetic_word_share"]
        assert [word for word, has in zip(words, share, strict=True) if bool(has) != word.isalpha()] == []


@pytest.mark.parametrize("rules", RULE_SETS)
def test_nulls_chunks_slices_and_nothing(rules: str) -> None:
    rng = random.Random(1)
    made = [" ".join(rng.choices(["the", "of", "cat", "sat.", "#", "on\n", "{a}", "日本。"], k=rng.randint(0, 90))) for _ in range(300)]
    texts = pl.Series([*made, None] * 3)
    whole = core.quality_rules(texts, rules=rules)
    assert whole.row(300) == (None,) * whole.width
    assert whole["kept"].null_count() == 3
    assert_frame_equal(core.quality_rules(pl.concat([texts[:7], texts[7:]], rechunk=False), rules=rules), whole)
    assert_frame_equal(core.quality_rules(pl.concat([texts[:5], texts])[5:], rules=rules), whole)
    assert_frame_equal(pl.concat([core.quality_rules(texts[k : k + 50], rules=rules) for k in range(0, texts.len(), 50)]), whole)
    nothing = core.quality_rules([], rules=rules)
    assert nothing.shape == (0, whole.width)
    assert nothing.schema == whole.schema


@pytest.mark.parametrize("rules", RULE_SETS)
def test_inline_is_the_same(rules: str) -> None:
    from tunesmith.core.quality import judged

    texts = pl.Series(["the cat of the hat. " * 12, "", None])
    assert_frame_equal(judged(texts, rules=rules, inline=True), core.quality_rules(texts, rules=rules))


def test_own_words_of_english() -> None:
    def words(text: str) -> int:
        """Those of a text that are more than symbols."""
        return int(core.quality_rules([text])["words"].item())

    for text, cut in {
        "Don't stop: it's 3.50 (e.g. and/or U.S.A.), well-known!": "Do n't stop it 's 3.50 e.g. and/or U.S.A. well known",
        "see https://example.com/a-b?c=d. “Yes,” we'll say...": "see https://example.com/a-b?c=d Yes we 'll say",
        "cannot O’Brien’s 10-20 a--b": "can not O’Brien ’s 10 20 a b",
    }.items():
        assert words(text) == len(cut.split())


def test_given_lists_must_fit() -> None:
    with pytest.raises(InputError, match=r"words: expected a list a text, 2, found 1"):
        core.quality_rules(["a", "b"], words=[["a"]])
    with pytest.raises(InputError, match="null among them"):
        core.quality_rules(["a"], words=[["a", None]])
    with pytest.raises(InputError, match=r'sentences\[1\]: found "No\." where the line "Yes\." goes on otherwise'):
        core.quality_rules(["Yes.", "Yes."], rules="c4", sentences=[["Yes."], ["No."]])
    with pytest.raises(InputError, match="no sentence is left"):
        core.quality_rules(["Yes. No."], rules="c4", sentences=[["Yes."]])
    with pytest.raises(InputError, match="behind the last line"):
        core.quality_rules(["Yes."], rules="c4", sentences=[["Yes.", "No."]])
    with pytest.raises(InputError, match=r"words: expected a column of List\(String\), found List\(Int64\)"):
        core.quality_rules(["a"], words=pl.Series([[1]]))
    assert core.quality_rules(["a", "b"], words=[None, ["b"]])["kept"].to_list() == [None, False]


def test_options() -> None:
    with pytest.raises(OptionError, match='rules: "gopher": expected one of gopher:datatrove'):
        core.quality_rules(["a"], rules="gopher")
    with pytest.raises(OptionError, match='"gopher_short": expected a rule of gopher:datatrove; did you mean "gopher_short_doc"'):
        core.quality_rules(["a"], bounds={"gopher_short": 3})
    with pytest.raises(OptionError, match="c4 cuts at white space"):
        core.quality_rules(["a"], rules="c4", words=[["a"]])
    with pytest.raises(OptionError, match="fineweb looks at no sentences"):
        core.quality_rules(["a"], rules="fineweb", sentences=[["a"]])
