"""Words that are none: misspelled ones, and what a small model makes up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt
from tunesmith.detection.language import UNKNOWN, languages
from tunesmith.detection.lexicon import known, meant, swapped
from tunesmith.detection.rules.ending import CODE
from tunesmith.detection.supervised import unmasked

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_WORD = r"""^[(\["“*_]*['‘]?([a-z]+(?:['’][a-z]+)?(?:[-–—/][a-z]+(?:['’][a-z]+)?)*)[)\]"'”’.,;:!?*_…]*$"""
"""A run between spaces that is lower-case words and punctuation; names, numbers, addresses and identifiers are none."""
_LEAST, _LEAST_OF_PART = 4, 6
_SHORT = 12
_ENGLISH = 0.8
_FLOOR = 0.1
"""Share of unknown words that an answer may always have: names of things that no list holds."""
_NOT_ENGLISH = any_of(
    r"translat\w* languages? french spanish german italian latin portuguese japanese hindi romanian dutch swedish turkish chinese",
    r"korean greek arabic russian pig scrambl\w* unscrambl\w* anagrams? palindromes? revers\w* backwards? cipher\w* cypher\w* encod\w*",
    r"encrypt\w* decod\w* decrypt\w* strings? substrings? misspel\w* misspelt slangs? dialect\w* accents? shakespear\w* archaic",
    r"(?:old|middle).english invent\w* gibberish nonsense made.?up abbreviat\w* acronyms? phonetic\w* pronounc\w* pronunciation",
    r"prefix\w* suffix\w* rhym\w* vowels? letters (?:first|second|third|fourth|last|every|each|the).letter consonants? portmanteaus?",
    r"blends? regex regular.expression hash passwords? python sql javascript java css html code.(?:snippet|block|fragment|to|for|that)",
    r"pseudo.?code source.code stem\w* lemmat\w* tokeni\w* scientific.names? taxonom\w* binomial etymology lyrics songs?",
)
_FOREIGN_LETTERS = r"[^\x00-\x7f‘’“”–—…•°é£€]"


def unknown_words(view: pl.DataFrame) -> pl.DataFrame:
    """List the unknown words of the prose: lower-case English letters only, in the order of the text.

    Returns:
        Frame of ``row, word``.
    """
    runs = view.select("row", unmasked(pl.col("prose")).str.split(" ").alias("run")).explode("run").drop_nulls()
    runs = runs.with_columns(pl.col("run").hash().alias("hash"))
    unique = runs.unique("hash", keep="any").select("hash", pl.col("run").str.split("\n").alias("part")).explode("part")
    unique = unique.select("hash", pl.col("part").str.extract(_WORD, 1).str.replace_all("’", "'").alias("word")).drop_nulls()
    words = unique.with_columns(pl.col("word").str.replace_all("[–—/]", "-").str.split("-"))
    words = words.with_columns(pl.col("word").list.len().alias("parts")).explode("word")
    least = pl.when(pl.col("parts") > 1).then(_LEAST_OF_PART).otherwise(_LEAST)
    spelled = words.filter(pl.col("word").str.len_bytes() >= least)
    strange = spelled.filter(~pl.Series([_known(word) for word in spelled["word"]], dtype=pl.Boolean))
    return runs.select("row", "hash").join(strange, on="hash", how="inner", maintain_order="left").select("row", "word")


def fitted(view: pl.DataFrame, share: float) -> tuple[tuple[str, ...], float]:
    """Fit what is usual: the words that two references share, and how many others an English reference has."""
    strange = unknown_words(view).unique()
    used = strange.group_by("word").len().filter(pl.col("len") >= 2)["word"]
    others = strange.filter(~pl.col("word").is_in(used.implode()))
    english = _english(view.filter(pl.col("row").is_in(others["row"].unique().implode())))["row"]
    counted = others.filter(pl.col("row").is_in(english.implode())).group_by("row").len("unknown")
    words = view.select("row", pl.col("prose").str.count_matches(r"\S+").alias("words"))
    shares = words.join(counted, on="row", how="left").select(pl.col("unknown").fill_null(0) / pl.col("words").clip(1)).to_series()
    highest = shares.quantile(share, interpolation="higher")
    return tuple(sorted(used)), 0.0 if highest is None else float(highest)


def _known(word: str) -> bool:
    """Tell whether a word as it stands in a text is known: possessives and contractions by what stands before them."""
    bare, apostrophe, end = word.partition("'")
    if not apostrophe:
        return known(word)
    return known(word) or end not in {"s", ""} or known(bare)


def _english(view: pl.DataFrame) -> pl.DataFrame:
    """Keep the lines whose prompt and answer together are English, and whose answer is not something else."""
    prompt, prose = pl.concat_str("instruction", "input", separator="\n"), pl.col("prose")
    plain = view.filter(~prompt.str.contains(_NOT_ENGLISH), ~prose.str.contains(CODE), ~prose.str.contains(_FOREIGN_LETTERS))
    both = languages(plain.select(pl.concat_str("instruction", "input", "prose", separator="\n")).to_series())
    answer = languages(plain["prose"])
    # A word or two, such as "hay" or "a", name the language of a short answer wrongly; none may be there to name that of a short prompt.
    long = plain["prose"].str.count_matches(r"\S+") >= _SHORT
    foreign = long & (answer != "en") & (answer != UNKNOWN)
    unnamed = plain.select(pl.concat_str("instruction", "input", separator="\n").map_elements(reads_english, pl.Boolean)).to_series()
    return plain.filter(~foreign & ((both == "en") | ((both == UNKNOWN) & unnamed)))


def reads_english(prompt: str) -> bool:
    """Tell whether four in five of the longer words of a prompt are English."""
    words = [word for word in re.findall(r"[^\W\d_]+", prompt.lower()) if len(word) >= _LEAST]
    return len(words) >= 2 and sum(map(known, words)) >= _ENGLISH * len(words)


def _misspelled(view: pl.DataFrame, limits: Limits) -> Iterator[Hit]:
    strange = unknown_words(view).filter(~pl.col("word").is_in(list(limits.vocabulary)))
    lines = _english(view.filter(pl.col("row").is_in(strange["row"].unique().implode())))
    grouped = strange.group_by("row", maintain_order=True).agg("word").join(lines, on="row", how="inner", maintain_order="left")
    for row, words, instruction, given, prose in grouped.select("row", "word", "instruction", "input", "prose").iter_rows():
        asked = set(re.findall(r"[^\W\d_]+", f"{instruction}\n{given}".lower()))
        unknown = [word for word in dict.fromkeys(words) if word not in asked]
        right = {word: other for word in unknown if (other := _meant(word, asked))}
        beyond = limits.unknown_max is not None and len(unknown) / len(prose.split()) > max(limits.unknown_max, _FLOOR)
        # Several words that stand for nothing: names of things, terms of a field, another language.
        if unknown and (beyond or len(right) > len(unknown) - len(right) or any(map(swapped, right, right.values()))):
            shown = next(iter(right or unknown))
            place = re.search(rf"(?<![^\W_]){re.escape(shown)}(?![^\W_])", prose.replace("’", "'"))
            said = ", ".join(f"{word} → {right[word]}" if word in right else word for word in unknown)
            yield Hit(row, "response", place and place.start(), place and place.end(), excerpt(said))


def _meant(word: str, asked: set[str]) -> str | None:
    """Name what was meant: a word of the prompt with two letters swapped, or a frequent one."""
    return next((other for other in asked if len(other) > _LEAST and swapped(word, other)), None) or meant(word)


MISSPELLED = Detector(
    name="misspelled",
    severity="review",
    grade="D",
    fields=("response",),
    find=_misspelled,
    page=Page(
        finds="Words of at least four lower-case letters that are no English word, no form or compound of one (British spelling "
        "counts), and not in the prompt, where most of them are one letter or one swap of letters from a frequent word, or from a word "
        "of the prompt: beacuse → because. With limits also answers of which over a tenth, and more than 99 of 100 references, are "
        "unknown "
        "words of any kind; words that two references share are known. English only: other languages, code, names (capitals), and "
        "tasks about letters, code or translation are left alone.",
        harm="The model learns the wrong spelling; a small one that has seen several makes up words of its own.",
        bad=Example(instruction="Why does she need a sickle?", response="She needs a sickle, beacuse it cuts the grass."),
        good=Example(instruction="Explain what the hoofpick is for.", response="A hoofpick clears the colourful pony's hooves."),
        false_alarms="Rare words that the list lacks and that are one letter from a frequent one; dialect and made-up words in verse. "
        "Misspellings that are words themselves (form for from) are not seen. It was tuned on the rows that it was measured on: "
        "expect 70 to 80% on data it has not seen.",
    ),
)

DETECTORS = (MISSPELLED,)
