"""Scripts and, for Latin letters, stop words: enough to tell a language, or to say that it is unknown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

import polars as pl

SCRIPTS: Final = {
    "latin": re.compile(r"[A-Za-z\u00c0-\u024f]"),
    "greek": re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"),
    "cyrillic": re.compile(r"[\u0400-\u052f]"),
    "hebrew": re.compile(r"[\u0590-\u05ff]"),
    "arabic": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "devanagari": re.compile(r"[\u0900-\u097f]"),
    "bengali": re.compile(r"[\u0980-\u09ff]"),
    "tamil": re.compile(r"[\u0b80-\u0bff]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
    "hangul": re.compile(r"[\uac00-\ud7af\u1100-\u11ff]"),
    "kana": re.compile(r"[\u3041-\u30ff]"),
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"),
}

# Script to language, where one language has most of the text in it (Han without kana is Chinese).
_BY_SCRIPT: Final = {
    "greek": "el", "cyrillic": "ru", "hebrew": "he", "arabic": "ar", "devanagari": "hi", "bengali": "bn", "tamil": "ta", "thai": "th",
    "hangul": "ko", "kana": "ja", "han": "zh",
}  # fmt: skip

# The most frequent words of each language; one that several share counts for each of them.
STOP_WORDS: Final = {
    "en": (
        "the of and to is in that it for you with this was are be have not they from which what would their there can will a "
        "an on at by or as i how your do does given my we he she his her its has but if about more one two three some any "
        "all give make"
    ),
    "de": (
        "der die das und ist nicht ein eine ich sie mit für auf den dem von zu sich auch wie werden einen einer bei oder "
        "durch in im an des es er wir ihr als aus nach um über was kann haben hat sind"
    ),
    "fr": (
        "le la les des est une dans pour que qui pas sur avec plus il elle sont nous vous du au ce cette ou être ont aux de "
        "un et en à par son sa ses se l d qu je on peut comment cet leur"
    ),
    "es": (
        "el la los las una por con para del como más pero sus está son y este esta muy también hay ser fue lo de que en un "
        "es se no su al o a qué"
    ),
    "it": ("il di che è per un una sono della con non più gli nel alla questo anche dei delle ha come si la le i e in del da al lo a"),
    "pt": ("o os as a um uma não com para mais são por que do da dos das em também você ao foi ser pelo de e se na no como é seu sua"),
    "nl": "de het een van en dat niet zijn met voor op aan ook maar worden wordt bij naar deze hebben is in te er om als die",
    "pl": "na nie się że jest z jak ale przez oraz dla są które który może tym w i do po co za",
    "sv": "och att det som är inte på för med den har till av ett jag om kan från en i de var",
    "tr": "ve bir bu için ile olarak çok daha olan gibi ne kadar değil olduğu da de",
    "vi": "và của là có không được cho một các người trong những với này để",
    "id": "dan yang di untuk dengan ini itu dari dalam tidak adalah akan pada atau juga",
}

_KNOWN: Final = {code: frozenset(words.split()) for code, words in STOP_WORDS.items()}
UNKNOWN: Final = "unknown"
_LEAST_HITS, _SHORT, _LEAD = 2, 10, 1.2


def languages(texts: pl.Series) -> pl.Series:
    """Name the language of each text: by script, and for Latin letters by stop words.

    A text is named when at least half of its letters are of a script that stands for one language, or when a Latin
    text holds at least two stop words of one language (one, in a text of under ten words) and a fifth more than of
    any other. All else is ``unknown``.

    Args:
        texts: ``String[n]``.
    Returns:
        ``String[n]``: an ISO 639-1 code or ``unknown``.

    >>> languages(pl.Series(["The cat is on the mat.", "Der Hund und die Katze", "你好，世界", "42", None])).to_list()
    ['en', 'de', 'zh', 'unknown', 'unknown']
    """
    frame = pl.DataFrame({"text": texts.fill_null("")}).with_row_index("row")
    letters = frame.select("row", pl.col("text").str.count_matches(r"\p{L}").alias("letters"))
    named = pl.Series([UNKNOWN], dtype=pl.String).new_from_index(0, len(texts))
    foreign = frame.filter(pl.col("text").str.contains(r"[\u0370-\ud7af]"))
    others = foreign.select("row", *(pl.col("text").str.count_matches(p.pattern).alias(s) for s, p in SCRIPTS.items()))
    rest = frame["row"]
    if foreign.height:
        scripts = list(_BY_SCRIPT)
        # Japanese mixes kana and Han: any real share of kana says Japanese.
        others = others.with_columns(
            kana=pl.when(pl.col("kana") * 5 >= pl.col("han")).then(pl.col("kana") + pl.col("han")).otherwise("kana")
        )
        others = others.join(letters, on="row").with_columns(best=pl.concat_list(scripts).list.arg_max(), most=pl.max_horizontal(scripts))
        sure = others.filter(2 * pl.col("most") >= pl.col("letters"), pl.col("most") > 0)
        codes = sure["best"].replace_strict(range(len(scripts)), [_BY_SCRIPT[s] for s in scripts], return_dtype=pl.String)
        named = named.scatter(sure["row"], codes)
        rest = rest.filter(~rest.is_in(sure["row"].implode()))
    latin = _by_stop_words(frame.filter(pl.col("row").is_in(rest.implode())))
    return named.scatter(latin["row"], latin["language"]).alias("language")


def stop_words(text: str) -> Mapping[str, int]:
    """Count the frequent words of each language in a text; one that several languages share counts for each.

    >>> stop_words("Der Hund und die Katze")["de"]
    3
    """
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    return {code: sum(words[word] for word in known) for code, known in _KNOWN.items()}


def _by_stop_words(frame: pl.DataFrame) -> pl.DataFrame:
    table = pl.DataFrame(
        [(word, code) for code, words in STOP_WORDS.items() for word in words.split()], schema=["word", "language"], orient="row"
    )
    words = frame.select("row", pl.col("text").str.head(1000).str.to_lowercase().str.extract_all(r"\p{L}+").alias("word")).explode("word")
    hits = (
        words.drop_nulls()
        .join(table, on="word")
        .group_by("row", "language")
        .len("hits")
        .sort("row", "hits", "language", descending=[False, True, False])
    )
    best = hits.group_by("row", maintain_order=True).agg(
        pl.col("language").first(), pl.col("hits").first(), pl.col("hits").get(1, null_on_oob=True).fill_null(0).alias("second")
    )
    best = best.join(words.group_by("row").len("words"), on="row")
    enough = (pl.col("hits") >= _LEAST_HITS) | (pl.col("words") < _SHORT)
    return best.filter(enough, pl.col("hits") >= _LEAD * pl.col("second")).select("row", "language")
