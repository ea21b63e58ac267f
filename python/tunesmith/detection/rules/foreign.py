"""Answers in a language that the prompt neither speaks nor asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, lines, whole, words
from tunesmith.detection.language import SCRIPTS, STOP_WORDS, languages, stop_words
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_PROMPT = pl.concat_str("instruction", "input", separator="\n")
_STRANGE = 0.05
_WORDS = 4
"""Lower-case words that Latin letters must make to be a language: less is a name, an address, a formula."""
_ASKED = any_of(
    r"translat\w+ transliterat\w+ languages? bilingual multilingual accents? übersetz\w* sprachen? tradui\w+ traduc\w+ traduction langues?",
    r"idiomas?",
)
"""Prompts that call for another language."""
_SIGNS = any_of(r"letters? alphabet symbols? characters? unicode emoji phonetic")
"""Prompts that call for another script."""
_NOTATION = any_of(r"code program\w* python java\w* sql html css regex formula equation scripts? braille morse")
"""Prompts whose answer may be in Latin letters, whatever their language."""
_LISTED = any_of(r"titles? titel titres? names? lyrics songs? chanson lied poems? greeting phrases? proverbs? menu wine opera recipe")
"""Prompts in another language whose answer may hold English: what it lists is called so."""
_NAMED: Final = {
    "en": r"english englisch\w* anglais\w* inglés",
    "de": r"german deutsch\w* allemand\w* alemán",
    "fr": r"french französisch\w* français\w* francés",
    "es": r"spanish spanisch\w* espagnol\w*",
    "it": r"italian italienisch\w* italien\w*",
    "pt": "portuguese",
    "nl": "dutch",
    "pl": "polish",
    "sv": "swedish danish norwegian",
    "tr": "turkish",
    "vi": "vietnamese",
    "id": "indonesian malay",
    "han": r"chinese mandarin cantonese japanese chinesisch\w* japanisch\w* chinois\w* japonais\w*",
    "kana": r"japanese japanisch\w* japonais\w*",
    "hangul": r"korean koreanisch\w* coréen\w*",
    "cyrillic": r"russian ukrainian bulgarian serbian cyrillic russisch\w* russe",
    "arabic": r"arabic persian urdu arabisch\w* arabe",
    "devanagari": "hindi marathi nepali sanskrit",
    "greek": r"greek griechisch\w* grec\w*",
    "hebrew": r"hebrew hebräisch\w* hébreu",
    "bengali": "bengali",
    "tamil": "tamil",
    "thai": "thai",
}
"""How prompts name a language, or the languages of a script."""
_LATIN: Final = any_of(*(names for code, names in _NAMED.items() if code in STOP_WORDS), r"latin\w* romanian finnish")
_FOREIGN_WORDS = sorted(
    f" {word} "
    for word in words(
        "und nicht eine einen wird sind werden auch für les des une est dans pour avec qui los las una por con para del che della sono não "
        "uma het een van niet voor och att som ist das der die sie ich que como está il di per gli"
    )
)
"""Frequent words, between spaces: a language that is not English has one of them in any text that is long enough to be named."""
_CAPITALIZED = re.compile(r"(?<!\()(?<![a-z)][.!?] )\b[A-ZÀ-Þ][\w'’]*")
_TITLE = re.compile(r"\b[A-ZÀ-Þ][\w'’]*(?: (?:(?:of|the|an?|to|and|in|on|for|with|from|at|by|or) ){1,3}[A-ZÀ-Þ][\w'’]*)+")
"""Capitalized words with short ones between: in an English answer to another language a name or a title."""
_ENOUGH, _LEAST = 12, 4
_STOPS, _SHARE, _LEAD, _PLAIN = 4, 6, 3, 7
"""Frequent words of the answer's language: how many at least, of how many words at most one, how many times those of the prompt's."""
_ADDRESS = (
    r"(?:https?://|www\.)\S+|\S+@\S+|\b[\w-]+\.(?:com|org|net|io|edu|gov|fr|de)\b\S*|#\w+|!\[[^\]]*\]\S*|"
    r"(?:<|&lt;)/?[a-z][^<>\n]{0,200}?(?:>|&gt;)|&\w+;"
)
"""What is of no language: addresses, tags."""
_NOTATION_HAN = (
    "英文|英语|外语|代码|程序|函数|编写|方程|公式|网址|缩写|单词|命名|变量|词类|词性|密码|"
    "用户名|标签|旋律|电子邮件|查询|排列|元音|链接|SQL|HTML|https?:"
)


def _language_mismatch(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    yield from _other_script(view)
    yield from _other_language(view)


def _other_script(view: pl.DataFrame) -> Iterator[Hit]:
    """Compare the shares of letters by script; half of the letters must be of scripts that the prompt does not use."""
    # Beyond Latin letters, or there is but one script.
    foreign = "|".join(pattern.pattern for name, pattern in SCRIPTS.items() if name != "latin")
    either = _PROMPT.str.contains(foreign) | pl.col("prose").str.contains(foreign)
    here = view.filter(either).with_columns(_PROMPT.alias("prompt"))
    counted = here.filter(~pl.col("prompt").str.contains(f"{_ASKED}|{_SIGNS}|翻译|语言|字母")).with_columns(
        _letters("prompt").alias("asked"), _letters("prose").alias("given")
    )
    asked, given = pl.col("asked").list, pl.col("given").list
    main_asked, main_given = asked.arg_max(), given.arg_max()
    strange = (asked.get(main_given) / asked.sum() < _STRANGE) & (given.get(main_asked) / given.sum() < _STRANGE)
    named = [f"{_LATIN}|{_NOTATION}|{_NOTATION_HAN}" if script == "latin" else any_of(_NAMED[script]) for script in SCRIPTS]
    called_for = pl.any_horizontal((main_given == k) & pl.col("prompt").str.contains(names) for k, names in enumerate(named))
    enough = (asked.sum() >= 10) & (given.sum() >= 10) & (2 * given.max() > given.sum())
    for row, text in lines(counted.filter(enough & strange), ~called_for, "prose"):
        bare = re.sub(_ADDRESS, " ", text)
        if not re.search(r"[^\W\d_]", bare):
            continue  # addresses are of no language
        if not re.search("[A-Za-z]", bare) or (
            not re.search(r"[^\W\x00-\u024f]{4}", text) and len(re.findall(r"\b[a-z]{2,}\b", bare)) >= _WORDS
        ):
            yield whole(row, "response", text)


def _other_language(view: pl.DataFrame) -> Iterator[Hit]:
    """Compare languages that share a script, where prompt and answer both say enough to be named."""
    asked, given = _PROMPT.str.contains_any(_FOREIGN_WORDS), pl.col("prose").str.contains_any(_FOREIGN_WORDS)
    long = (pl.col("prose").str.count_matches(r"\p{L}{2,}") >= _ENOUGH) & (_PROMPT.str.count_matches(r"\p{L}{2,}") >= _LEAST)
    # A borrowed word or two are no language: without foreign words on either side both are English.
    here = view.filter(asked | given).filter(long).filter(~_PROMPT.str.contains(_ASKED))
    said = here.select(
        "row",
        "response",
        "instruction",
        _PROMPT.str.replace_all(_ADDRESS, " ").alias("prompt"),
        pl.col("prose").str.replace_all(_ADDRESS, " "),
    )
    named = said.with_columns(asked=languages(said["prompt"]), given=languages(said["prose"]))
    latin = pl.col("asked").is_in(list(STOP_WORDS))  # other scripts have been compared
    differ = latin & (pl.col("asked") != pl.col("given"))
    for row, text, instruction, prompt, prose, asked_in, given_in in lines(
        named, differ & ~pl.col("response").str.contains(CODE), "response", "instruction", "prompt", "prose", "asked", "given"
    ):
        if asked_in != "en" and (re.search(_LISTED, prompt) or re.search(_NOTATION, prompt)):
            continue
        if given_in not in STOP_WORDS or re.search(any_of(_NAMED[given_in]), prompt):
            continue
        told = stop_words(instruction)  # an instruction about a text in another language is answered in its own
        if told[given_in] <= told[asked_in] and _prose_of(prompt, prose, asked_in, given_in):
            yield whole(row, "response", text)


def _prose_of(prompt: str, prose: str, asked_in: str, given_in: str) -> bool:
    """Tell by frequent words that an answer is written in one language, and its prompt in another."""
    # Names and titles are capitalized, and of any language: what stands between them tells that of the answer.
    shown = _TITLE.sub(" ", prose) if given_in == "en" else prose
    counted, prompted = stop_words(_CAPITALIZED.sub(" ", shown)), stop_words(prompt)
    words = len(re.findall(r"[^\W\d_]+", prose))
    # A short prompt says little of its language: then the answer must say the more of its own.
    plain = counted[given_in] >= _PLAIN and counted[given_in] * 4 >= words and prompted[asked_in] > prompted[given_in]
    clear = (plain and "en" in (asked_in, given_in)) or prompted[asked_in] >= max(2, 2 * prompted[given_in] + 1)
    return clear and counted[given_in] >= _STOPS and counted[given_in] * _SHARE >= words and counted[given_in] >= _LEAD * counted[asked_in]


def _letters(column: str) -> pl.Expr:
    """Count the letters of each script, in the order of `SCRIPTS`."""
    return pl.concat_list(pl.col(column).str.count_matches(pattern.pattern) for pattern in SCRIPTS.values())


LANGUAGE_MISMATCH = Detector(
    name="language_mismatch",
    severity="review",
    grade="C",
    fields=("response",),
    find=_language_mismatch,
    page=Page(
        finds="An answer of which over half of the letters are of a script that the prompt hardly uses (under 5%), with as few of the "
        "prompt's own, where no translation, notation or language of that script is asked for (code may be in Latin letters). Where "
        "prompt and answer share a script: an answer of at least 12 words whose language, told by its frequent words (English, German, "
        "French, Spanish and others), is another than the prompt's and the instruction's, and is not named there.",
        harm="The model learns to answer in a language that was not asked for.",
        bad=Example(instruction="用三句话描述秋天的树林和落叶。", response="The forest is golden and the leaves fall quietly."),
        good=Example(instruction="Translate to Chinese: autumn leaves in the forest", response="森林里的秋天落叶飘落在地上"),
        false_alarms="Names, formulas and code in text of another script; word lists in two languages. Lists without frequent words "
        '("sushi, ramen and tempura") are not found.',
    ),
)

DETECTORS = (LANGUAGE_MISMATCH,)
