"""Answers that miss the task in form: wrong counts, the wrong language, a task without its material."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, lines, matched, whole, words
from tunesmith.detection.language import SCRIPTS, STOP_WORDS, languages, stop_words
from tunesmith.detection.rules.ending import CODE

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_PROMPT = pl.concat_str("instruction", "input", separator="\n")
_NUMBERS = {
    word: n for n, word in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 2)
}
_NUMBERS |= {"fifteen": 15, "twenty": 20}
_ASK = (
    r"(?:list|name|give(?: me)?|provide|suggest|write(?: down)?|generate|create|identify|brainstorm|come up with|think of)\s+"
    r"(?:out\s+|a list of\s+|me\s+)?(?:the\s+)?(?:top\s+|first\s+|exactly\s+)?"
)
_NO_ITEMS = r"(?!to\b|or\b|(?:word|sentence|paragraph|line|character|letter|syllable|stanza|verse|page|minute|digit)s?\b|-)"
_LIST = re.compile(rf"(?i)^\W*(?:please\s+)?{_ASK}(\d{{1,2}}|{'|'.join(_NUMBERS)})\s+{_NO_ITEMS}(?:[a-z'-]+\s+){{0,6}}?[a-z'-]+s\b")
_SHARED_OUT = r"(?i)\b(?:for|from|of|in|to|per) (?:each|every)\b"
"""A number that counts what each of several things gets."""
_ITEM = re.compile(r"(?m)^\s*(?:\(?(\d{1,3})[.):]|[-*•–])\s*\S")
_FOLLOWING = re.compile(
    r"(?i)\b(?:(?:(?:the|this|these) (?:following|given|provided|below|above)(?: \w+){0,3}?|given (?:the|this|these|a list of) \w+"
    r"|(?:passage|text|sentence|paragraph|article|data|list|code) (?:below|above|provided|given))\b"
    r"|(?:the|this|these) (?:text|sentences?|passage|paragraph|statement|excerpt|snippet|input)"
    r"(?:,| (?:to|so|into|in|with|using|and|as|by|for)\b|\W*$))"
)
_FOLLOWING_VERB = (
    r"(?i)^\W*(?:please\s+)?(?:summari[sz]e|rewrite|edit|correct|classify|translate|convert|paraphrase|analy[sz]e|calculate|find|"
    r"identify|sort|"
    r"arrange|read|use|determine|count|fix|compute|detect|evaluate|reorder|rephrase|extract|predict|answer|solve|complete|label|"
    r"categori[sz]e|"
    r"tell me|insert|remove|delete|modify|change|replace|add|transform|highlight|underline|choose|pick|match|name|separate|describe|"
    r"explain|"
    r"condense|shorten|simplify|proofread|revise|improve|split|combine|group|reword|turn|organi[sz]e|put|select|check|list|interpret)\b"
)
_ASKS_BACK = (
    r"(?i)\b(?:please (?:provide|share|give|paste|send|supply)|(?:could|can|would) you (?:please )?(?:provide|share|give|paste|send)|"
    r"need (?:more|the|additional|some|further) (?:\w+ )?(?:information|context|details?|text|passage|input|data)|"
    r"(?:have not|haven['’]t|did not|didn['’]t|not been|was not|wasn['’]t|no \w+ (?:was|is|has been)) (?:\w+ )?(?:provided?|given|"
    r"attach(?:ed)?|shared?|included?))\b"
)
"""An answer that asks for what is missing, rather than make it up."""
_STRANGE = 0.05
_WORDS = 4
"""Lower-case words that Latin letters must make to be a language: less is a name, an address, a formula."""
_OTHER_SCRIPT = any_of(
    r"übersetz\w* japanisch\w* chinesisch\w* russisch\w* arabisch\w* koreanisch\w* tradui\w+ traduction japonais chinois russe arabe",
    r"translat\w+ transliterat\w+ english french german spanish italian chinese japanese korean russian arabic hindi greek latin hebrew",
    r"thai portuguese mandarin cantonese cyrillic sanskrit tamil bengali urdu turkish vietnamese ukrainian persian languages?",
    r"unicode emoji symbols? characters? code program\w* python java\w* sql html css regex formula equation scripts? letters? alphabet",
    r"phonetic braille morse",
)
_FOREIGN_WORDS = sorted(
    f" {word} "
    for word in words(
        "und nicht eine einen wird sind werden auch für les des une est dans pour avec qui los las una por con para del che della sono não "
        "uma het een van niet voor och att som ist das der die sie ich que como está il di per gli"
    )
)
"""Frequent words, between spaces: a language that is not English has one of them in any text that is long enough to be named."""
_OTHER_LANGUAGE = any_of(
    r"translat\w+ languages? english french german spanish italian latin portuguese dutch swedish polish turkish romanian danish "
    r"norwegian finnish bilingual multilingual",
    r"übersetz\w* sprachen? englisch\w* französisch\w* spanisch\w* italienisch\w* lateinisch\w* deutsch\w* tradui\w+ traduction "
    r"langues? anglais\w* français\w* espagnol\w*",
    r"allemand\w* italien\w* traduc\w+ idiomas? inglés francés alemán code\w* python java\w* sql html css regex program\w* titles? "
    r"titel titres? titre names? lyrics songs? chanson lied "
    r"poems? accent greeting phrases? proverbs? menu wine opera recipe",
)
_CAPITALIZED = re.compile(r"(?<!\()(?<![a-z)][.!?] )\b[A-ZÀ-Þ][\w'’]*")
_ENOUGH = 12
_STOPS, _SHARE, _LEAD, _PLAIN = 4, 6, 3, 7
"""Frequent words of the answer's language: how many at least, of how many words at most one, how many times those of the prompt's."""
_ADDRESS = r"(?:https?://|www\.)\S+|\S+@\S+|\b[\w-]+\.(?:com|org|net|io|edu|gov|fr|de)\b\S*|#\w+|!\[[^\]]*\]\S*|&\w+;"
_OTHER_SCRIPT_HAN = (
    "翻译|英文|英语|外语|代码|程序|函数|编写|方程|公式|网址|缩写|单词|命名|变量|字母|语言|密码|"
    "用户名|标签|旋律|电子邮件|查询|排列|元音|链接|SQL|HTML|https?:"
)


def points_at_nothing() -> pl.Expr:
    """Tell single turns whose instruction points at material that stands nowhere: no input, nothing quoted, listed or added."""
    field = pl.col("instruction")
    bare = ~field.str.contains(r"[\"“”‘:\n«`]|\d|[.?!]\s+\S|\s[-–]\s|'\w") & (field.str.count_matches(",") < 2)
    alone = (pl.col("input").str.strip_chars() == "") & pl.col("turn").is_null()
    return alone & bare & field.str.contains(_FOLLOWING_VERB) & field.str.contains(_FOLLOWING.pattern)


def _missing_input(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    asks_back = pl.col("response").str.head(400).str.contains(_ASKS_BACK)
    alone = view.filter(pl.col("input").str.strip_chars() == "").filter(pl.col("instruction").str.contains(_FOLLOWING_VERB))
    for row, text in lines(alone.filter(points_at_nothing()), ~asks_back, "instruction"):
        match = _FOLLOWING.search(text)
        if match and not text.startswith(" of ", match.end()):  # "given the field of ..." brings it along
            yield matched(row, "instruction", match)


def _list_count(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    counted = pl.col("instruction").str.contains(rf"(?i){_ASK}(?:\d{{1,2}}|{'|'.join(_NUMBERS)})\s")
    counted &= ~pl.col("instruction").str.contains(_SHARED_OUT)
    for row, instruction, text in lines(view, counted, "instruction", "prose"):
        if not (match := _LIST.match(instruction)):
            continue
        asked = int(match.group(1)) if match.group(1).isdigit() else _NUMBERS[match.group(1).lower()]
        given = _items(text)
        if asked >= 2 and given is not None and given != asked:
            yield Hit(row, "response", None, None, f"asked for {asked}, {given} given")


def _items(text: str) -> int | None:
    """Count the items of a plain numbered or bulleted list; None where the list is nested or otherwise unsure."""
    numbers = [int(match.group(1)) if match.group(1) else None for match in _ITEM.finditer(text)]
    counted = [number for number in numbers if number is not None]
    if len(counted) >= 2:
        return counted[-1] if counted == list(range(1, len(counted) + 1)) and len(counted) == len(numbers) else None
    starts = [match.start() for match in _ITEM.finditer(text)]
    lines_between = [line for line in text.splitlines() if line.strip()]
    return len(starts) if len(starts) >= 2 and len(starts) == len(lines_between) and not counted else None


def _language_mismatch(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    """Compare the shares of letters by script; half of the letters must be of scripts that the prompt does not use."""
    # Beyond Latin letters, or there is but one script.
    foreign = "|".join(pattern.pattern for name, pattern in SCRIPTS.items() if name != "latin")
    either = _PROMPT.str.contains(foreign) | pl.col("prose").str.contains(foreign)
    here = view.filter(either).with_columns(_PROMPT.alias("prompt"))
    counted = here.filter(~pl.col("prompt").str.contains(f"{_OTHER_SCRIPT}|{_OTHER_SCRIPT_HAN}")).with_columns(
        _letters("prompt").alias("asked"), _letters("prose").alias("given")
    )
    asked, given = pl.col("asked").list, pl.col("given").list
    main_asked, main_given = asked.arg_max(), given.arg_max()
    strange = (asked.get(main_given) / asked.sum() < _STRANGE) & (given.get(main_asked) / given.sum() < _STRANGE)
    for row, text in lines(counted, (asked.sum() >= 10) & (given.sum() >= 10) & strange & (2 * given.max() > given.sum()), "prose"):
        bare = re.sub(_ADDRESS, " ", text)
        if not re.search(r"[^\W\d_]", bare):
            continue  # addresses are of no language
        if not re.search("[A-Za-z]", bare) or (
            not re.search(r"[^\x00-\u024f]{4}", text) and len(re.findall(r"\b[a-z]{2,}\b", bare)) >= _WORDS
        ):
            yield whole(row, "response", text)
    yield from _other_language(view)


def _other_language(view: pl.DataFrame) -> Iterator[Hit]:
    """Compare languages that share a script, where prompt and answer both say enough to be named."""
    asked, given = _PROMPT.str.contains_any(_FOREIGN_WORDS), pl.col("prose").str.contains_any(_FOREIGN_WORDS)
    long = (pl.col("prose").str.count_matches(r"\p{L}{2,}") >= _ENOUGH) & (_PROMPT.str.count_matches(r"\p{L}{2,}") >= _ENOUGH // 2)
    # A borrowed word or two are no language: without foreign words on either side both are English.
    here = view.filter(asked | given).filter(long).filter(~_PROMPT.str.contains(_OTHER_LANGUAGE))
    said = here.select(
        "row", "response", _PROMPT.str.replace_all(_ADDRESS, " ").alias("prompt"), pl.col("prose").str.replace_all(_ADDRESS, " ")
    )
    named = said.with_columns(asked=languages(said["prompt"]), given=languages(said["prose"]))
    latin = pl.col("asked", "given").is_in(list(STOP_WORDS))  # other scripts have been compared
    differ = pl.all_horizontal(latin) & (pl.col("asked") != pl.col("given"))
    for row, text, prompt, prose, asked_in, given_in in lines(
        named, differ & ~pl.col("response").str.contains(CODE), "response", "prompt", "prose", "asked", "given"
    ):
        # Names and titles are capitalized, and of any language: what stands between them tells that of the answer.
        counted, prompted = stop_words(_CAPITALIZED.sub(" ", prose)), stop_words(prompt)
        words = len(re.findall(r"[^\W\d_]+", prose))
        # A short prompt says little of its language: then the answer must say the more of its own.
        plain = counted[given_in] >= _PLAIN and counted[given_in] * 4 >= words and prompted[asked_in] > prompted[given_in]
        clear = (plain and "en" in (asked_in, given_in)) or prompted[asked_in] >= max(2, 2 * prompted[given_in] + 1)
        if clear and counted[given_in] >= _STOPS and counted[given_in] * _SHARE >= words and counted[given_in] >= _LEAD * counted[asked_in]:
            yield whole(row, "response", text)


def _letters(column: str) -> pl.Expr:
    """Count the letters of each script, in the order of `SCRIPTS`."""
    return pl.concat_list(pl.col(column).str.count_matches(pattern.pattern) for pattern in SCRIPTS.values())


MISSING_INPUT = Detector(
    name="missing_input",
    severity="review",
    grade="D",
    fields=("instruction",),
    find=_missing_input,
    page=Page(
        finds='An instruction that points at material ("the following passage", "the given data") with an empty input '
        "and nothing quoted, listed "
        "or added in the instruction itself.",
        harm="The answer is invented, and so teaches the model to invent the question's material.",
        bad=Example(instruction="Summarize the following article", response="It is about trade."),
        good=Example(instruction="Summarize the following sentence: The fair opens on Monday.", response="The fair opens Monday."),
        false_alarms="Material that follows without a mark; instructions that describe their material in passing.",
    ),
)

LIST_COUNT = Detector(
    name="list_count",
    severity="review",
    grade="C",
    fields=("response",),
    find=_list_count,
    page=Page(
        finds='"List / name / give N ..." answered with a plain numbered or bulleted list of another number of items. '
        "Nested or mixed lists are not counted.",
        harm="The model learns that numbers in a prompt do not bind.",
        bad=Example(instruction="List three rivers.", response="1. Rhine\n2. Elbe"),
        good=Example(instruction="List three rivers.", response="1. Rhine\n2. Elbe\n3. Oder"),
        false_alarms="Items that need several lines each; numbers that do not count the items.",
    ),
)

LANGUAGE_MISMATCH = Detector(
    name="language_mismatch",
    severity="review",
    grade="C",
    fields=("response",),
    find=_language_mismatch,
    page=Page(
        finds="An answer of which over half of the letters are of a script that the prompt hardly uses (under 5%), with as few of the "
        "prompt's own, where no translation, code or notation is asked for. Where prompt and answer share a script: an answer of at least "
        "12 words whose language, told by its frequent words (English, German, French, Spanish and others), is another than the prompt's.",
        harm="The model learns to answer in a language that was not asked for.",
        bad=Example(instruction="用三句话描述秋天的树林和落叶。", response="The forest is golden and the leaves fall quietly."),
        good=Example(instruction="Translate to Chinese: autumn leaves in the forest", response="森林里的秋天落叶飘落在地上"),
        false_alarms="Names, formulas and code in text of another script.",
    ),
)

DETECTORS = (MISSING_INPUT, LIST_COUNT, LANGUAGE_MISMATCH)
