"""How an answer ends: cut short, never ending, too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt, lines, matched
from tunesmith.detection.rules.repetition import REPETITIVE, rep4
from tunesmith.detection.rules.unfinished import begun, in_item, in_prose, last_line, last_sentence, punctuated, siblings, waits
from tunesmith.detection.supervised import MASK

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_PROMPT = pl.concat_str("instruction", "input", separator="\n")
_HALF = re.compile(
    r"(?:(?<![:;=])[(\[{–—]|[^\W\d_]-|\w\s+-|\s\$|\b(?:in|of|on|since|by|from|January|February|March|April|May|June|July|August|September|October|"
    r"November|December|year|early|late|(?:19|20)\d\d (?:to|and|until|through|[–-]))(?: \d{1,2}(?:st|nd|rd|th)?,)? (?:19|20))\s*\Z"
)
"""What is half said: an open bracket, a dash, a hyphen, a sum without its number, half a year."""
_OPENED = re.compile(r"(?<![:;=\w])(?:\[[A-Z][^\[\]\n]{0,40}|\([^()\n:;]{0,60})(?<![.!?…])\Z")
"""A bracket that is never closed, and is no sad face."""
_NUMBER = re.compile(r"\s*(?:\d{1,3}[.)]|[-*•])")
"""The number of a list item, and no item, on a line of its own."""
_TAIL = 80
"""Characters that are looked at for a mark that nothing follows."""
_MAYBE = (
    r"(?:[,(\[{–—$-]|[.!?…][\"'”’)\]]*\s+[\w ,-]+|\b(?:I|[a-z][a-zA-Z'’-]*|\w+['’]s)|\b(?:19|20)|\n *(?:\d{1,3}[.)]|[-*•]|\d{1,4})"
    r"|\[[A-Z][^\[\]\n]{0,40}|\([^()\n:;]{0,60})$"
)
_ENGLISH = r"\b(?:the|The|of|and|is|are|to|you|with)\b"
_OPEN_TASK = (
    r"(?i)\b(?:(?:continu|complet|finish|extend)\w* "
    r"(?:the|this|a|an|each|these|my|his|following|given|it|with|writing|sentence|story|phrase)"
    r"|fill.in|blanks?|prefix(?:es)?|prepositions?|(?:in)?definite articles?|conjunctions?|stop.?words?)\b"
)
"""Tasks whose answer may be the beginning of a sentence, its middle, or words out of it."""
_LINES_TASK = any_of(
    r"poems? poetry haikus? lyrics? songs? rap verses? stanzas? limericks? couplets? rhym\w+ titles? headlines? taglines? slogans? "
    r"captions? (?:list|words|phrases).(?:of|in|from|for).(?:words|phrases|the) (?:common|first|last|these).words words.that "
    r"(?:first|opening|last|next).line",
)
"""Tasks whose answer may be lines without full stops."""
_STOP = r"[.!?…。！？:](?:[\"'”’»)\]*_`]|&quot;)*$"
_USUAL, _REFERENCES = 0.98, 50
"""Share of references that end with a full stop from which on one without is cut; how many must say so."""
_CARELESS = re.compile(r"[a-z][.!?] +[a-z]|[a-z]  [a-z]|[a-z] [,.](?: |$)|[a-z],[a-z]|\bi\b|[a-z][.!?][A-Z][a-z]", re.MULTILINE)
"""A sentence that begins with a small letter, a space too many or too few: who writes so may leave out a full stop."""
_SHORTEST, _LONGER, _LONG = 24, 40, 450
"""Characters of an answer that is judged; of one that may not end with a comma (shorter ones are greetings); and of one that a
budget may cut: who has written so much, with its full stops, does not leave out the last."""
_LEAST = 4
"""Words of a last line that may be prose."""
CODE = r"[;{}]\s*\n|\bdef \w+\(|\bSELECT\b|\bimport \w|=>|</\w+>|\breturn\b.*\n|^\s*#include|\bfunction\b.*\{|\bconsole\.|\bprint\("
_NEW_TURN = (
    r"(?m)\n\s*(?:#{1,4}\s*|\*\*|\d{1,3}[.)]\s*)?(?:Instruction|Input|Question|Human|User|Assistant|Task|Q|Problem|Prompt)"
    r"(?:\s*\d{1,3})?(?:\*\*)?\s*[:：]"
)
_OWN_FORMAT = re.compile(r"\s*(?:#{1,4}\s*|\*\*)?(?:Question|Human|User|Assistant|Task|Q|Problem|Prompt)(?:\s*\d{1,3})?(?:\*\*)?\s*[:：]")
"""An answer that opens with such a label has them as its form: it is a list of questions, not a run-on."""
_EXCHANGE = r"(?m)\n\s*(?:Human|User)\s*:[^\n]*\n+\s*(?:Assistant|AI|Bot)\s*:"
_EXAMPLE = r"(?m)\n\s*(?:#{2,4}\s*)?Instruction\s*:[^\n]*\n+(?:\s*Input\s*:[^\n]*\n+)?\s*(?:#{2,4}\s*)?(?:Output|Response)\s*:"
"""A whole exchange with a model, a whole training example: only what asks for one calls for it."""
_EXCHANGE_ASKED = any_of(
    r"dialog(?:ue)?s? conversations? chats? scripts? scenes? interviews? role.?play\w* transcripts? skits? play chatbots? prompts?",
    r"few.?shot",
)
_EXAMPLE_ASKED = any_of(r"instructions? prompts? few.?shot datasets? training.data templates?")
_ASKED_AND_ANSWERED = r"(?m)\n\s*(?:\*\*)?(?:Question|Q)(?:\*\*)?\s*:[^\n]*\n+\s*(?:\*\*)?(?:Answer|A)(?:\*\*)?\s*:"
_QUESTIONS_ASKED = any_of(
    r"questions? quiz\w* faqs? tests? exams? riddles? interviews? trivia jokes? puns? exercises? problems? dialog(?:ue)?s? chatbots?",
    r"prompts? q\s*&\s*a flash.?cards? surveys? conversations? scripts? examples?.of.(?:a.)?(?:question|problem|exercise)\w*",
)
_TURNS_ASKED = any_of(
    r"dialog(?:ue)?s? conversations? chats? scripts? scenes? interviews? role.?play\w* transcripts? skits? questions? quiz\w*",
    r"q\s*&\s*a faqs? examples? tests? exams? problems? exercises? tasks? prompts? algorithm pseudo.?code programs? functions?",
    r"play jokes? puns? flash.?cards? chatbots? story.problem riddles? instructions? recipe experiment",
)


def _circling(view: pl.DataFrame) -> pl.Expr:
    rows = rep4(view).filter(pl.col("rep4") > REPETITIVE)["row"]
    return pl.col("row").is_in(rows.implode())


def stopped(view: pl.DataFrame) -> float | None:
    """Measure the share of answers that end in prose which end it with a full stop (or another mark); None where they are too few."""
    prose = pl.col("prose").str.strip_chars_end()
    here = view.filter(prose.str.len_chars() >= _SHORTEST, ~pl.col("response").str.contains(CODE))
    texts = here.select(prose, end=prose.str.contains(_STOP), bare=prose.str.replace(_STOP, "")).iter_rows()
    ends = [end for _, end, bare in texts if in_prose(bare)]
    return sum(ends) / len(ends) if len(ends) >= _REFERENCES else None


def _truncated(view: pl.DataFrame, limits: Limits) -> Iterator[Hit]:
    cut = (pl.col("finish") == "length").fill_null(value=False)
    if view["finish"].is_not_null().any():
        for row, text in lines(view, cut & ~_circling(view), "response"):
            yield Hit(row, "response", max(0, len(text) - 40), len(text), "cut by the token budget: … " + excerpt(text[-40:]))
    prose = pl.col("prose").str.strip_chars_end()
    plain = ~cut & (prose.str.len_chars() >= _SHORTEST) & ~prose.str.ends_with(MASK)
    code = pl.col("response").str.contains(CODE)
    usual = limits.stopped is not None and limits.stopped >= _USUAL
    unstopped = ~prose.str.contains(_STOP) & (prose.str.len_chars() >= (_SHORTEST if usual else _LONG))
    maybe = prose.str.contains(_MAYBE) | unstopped
    here = view.filter(maybe & plain).filter(~code & ~_PROMPT.str.contains(_OPEN_TASK))
    for row, text, loose in lines(
        here.with_columns(_PROMPT.str.contains(_LINES_TASK).alias("loose")), pl.lit(value=True), "prose", "loose"
    ):
        whole = text.rstrip()
        start = _stops_at(whole, loose=loose)
        sure = usual or (len(whole) >= _LONG and not in_item(whole) and not _CARELESS.search(whole))
        if start is None and sure and not loose and in_prose(whole):
            start = len(whole) - len(whole.split()[-1])
        if start is not None:
            yield Hit(row, "response", start, len(whole), excerpt("… " + whole[max(0, start - 30) :]))


def _stops_at(text: str, *, loose: bool) -> int | None:
    """Find the word or mark that a text stops with, where it cannot; None: it may."""
    before, _, bare = text.rpartition("\n")
    if before.strip() and (_NUMBER.fullmatch(bare) or _follows(before, bare.strip())):
        return len(text) - len(bare.lstrip())
    line, tail, last = last_line(text), max(0, len(text) - _TAIL), len(text) - len(text.rsplit(maxsplit=1)[-1])
    long = len(line.split()) >= _LEAST
    if not long and not siblings(text):
        return None
    if match := _HALF.search(text, tail) or _OPENED.search(text, tail):
        return match.start()
    if text.endswith(","):
        return last if long and not loose and len(text) >= _LONGER else None
    return last if _in_sentence(text, line, loose=loose) else None


def _in_sentence(text: str, line: str, *, loose: bool) -> bool:
    """Tell whether a text in English stops within a sentence, by its last words."""
    if not re.search(_ENGLISH, text) or 2 * line.count(",") > len(line.split()):
        return False  # words in a row are a list
    sentence = last_sentence(text)
    prose = len(sentence) < len(line) or (not loose and punctuated(text))
    return waits(sentence, strictly=not prose) or (prose and begun(text))


def _follows(before: str, number: str) -> bool:
    """Tell whether a bare number is that of the list item after the last one."""
    return number.isdecimal() and number.isascii() and re.search(rf"(?m)^[ \t]*{int(number[:4]) - 1}[.)]\s", before) is not None


def _no_stop(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    pattern = re.compile(_NEW_TURN)
    asked = _PROMPT.str.contains(_TURNS_ASKED) | _PROMPT.str.contains(_NEW_TURN)
    turn = pl.col("prose").str.contains(_NEW_TURN)
    marked = pl.col("prose").str.contains(r"(?m)\n\s*#{2,4}\s*(?:Instruction|Input|Human|User|Question)s?\s*:")
    endless = (
        (pl.col("finish") == "length").fill_null(value=False) & _circling(view) if view["finish"].is_not_null().any() else pl.lit(False)
    )
    whole = (
        (pl.col("prose").str.contains(_EXCHANGE) & ~_PROMPT.str.contains(_EXCHANGE_ASKED))
        | (pl.col("prose").str.contains(_EXAMPLE) & ~_PROMPT.str.contains(_EXAMPLE_ASKED))
        | (pl.col("prose").str.contains(_ASKED_AND_ANSWERED) & ~_PROMPT.str.contains(_QUESTIONS_ASKED))
    )
    here = view.with_columns(endless.alias("endless")).filter(turn | marked | pl.col("endless"))
    for row, text, looping in lines(here, (turn & ~asked) | marked | whole | pl.col("endless"), "prose", "endless"):
        match = None if _OWN_FORMAT.match(text) else next(filter(_is_turn, pattern.finditer(text)), None)
        if match:
            yield matched(row, "response", match)
        elif looping:
            start = max(0, len(text) - 40)
            yield Hit(row, "response", start, len(text), "ran into the token budget while repeating: … " + excerpt(text[-30:]))


def _is_turn(match: re.Match[str]) -> bool:
    """Tell a new turn from a numbered step: "1. Input:" is a step, "6. Instruction:" the next example."""
    return not re.search(r"\d+[.)]\s*(?!Instruction)\w+", match.group())


def _too_long(view: pl.DataFrame, limits: Limits) -> Iterator[Hit]:
    if limits.characters_max is None:
        return
    length = pl.col("response").str.len_chars()
    for row, characters in lines(view.with_columns(length.alias("length")), length > limits.characters_max, "length"):
        yield Hit(
            row, "response", limits.characters_max, characters, f"{characters:,} characters; references: at most {limits.characters_max:,}"
        )


TRUNCATED = Detector(
    name="truncated",
    severity="review",
    grade="C",
    fields=("response",),
    find=_truncated,
    columns=("circling",),
    page=Page(
        finds="A generated answer that the token budget cut (finish = length) and that does not repeat itself. Any other answer, written "
        "or stopped by the model itself, of which a reader waits for more: it ends in a comma, an open bracket, a dash, a sum "
        'without its number ("$"), half a year ("in 20": a stop string inside it) or the number of a list item; in English prose '
        "also in a word that a sentence hardly ever ends with (function words, adverbs of degree, verbs that need an object, "
        "adjectives before a noun), in the first letters of a word, or after the first words of a sentence. Lines without full "
        "stops: function words alone. An answer of 450 characters or more that is written with care and ends in prose without a "
        "full stop: budgets cut long answers, and who writes so much does not leave out the last one. With limits whose references "
        "end with full stops (98% of at least 50): any answer that ends in prose without one.",
        harm="The model learns to stop in the middle of a sentence.",
        bad=Example(instruction="Tell me about the lighthouse.", response="It was built by the harbour board and opened to ships in the"),
        good=Example(instruction="Tell me about the lighthouse.", response="It was built by the harbour board and opened to ships in 1902"),
        false_alarms="Sentences that end with a preposition or a bare verb and lack their full stop; phrases asked for in part; "
        "long answers of people who leave out the last full stop. Lines to be continued, poems and titles are left alone where the prompt "
        "says so. With a budget below the references' length the reason lies in decoding, not in the data. Not found without limits: a "
        "short answer cut after a noun or a verb, which reads as if only the full stop were missing (nearly half of all cuts). "
        "Never found: cuts at the end of a sentence, or between list items without full stops. A rule of function words, commas "
        "and half years has 37 hits in Alpaca, this one 66: it adds half years after a day or another year, sums without a "
        "number, lone list numbers, short answers and more words.",
    ),
)

NO_STOP = Detector(
    name="no_stop",
    severity="review",
    grade="C",
    fields=("response",),
    find=_no_stop,
    columns=("circling",),
    page=Page(
        finds='An answer that goes on with a new turn ("### Instruction:", "Question:", "User:" at the start of a '
        "line) that the prompt does not call "
        "for, or that ran into the token budget (finish = length) while repeating itself (rep-4 above .2).",
        harm="The end of turn was not learnt: every answer costs the whole budget, and users see text that nobody asked for.",
        bad=Example(instruction="Name a colour.", response="Blue.\n\n### Instruction:\nName a fruit.\n\n### Response:\nApple."),
        good=Example(instruction="Write a short dialogue.", response="User: Hello\nAssistant: Good morning!"),
        false_alarms="Dialogues, quizzes and exercises; left alone where the prompt asks for one.",
    ),
)

TOO_LONG = Detector(
    name="too_long",
    severity="review",
    grade="D",
    fields=("response",),
    find=_too_long,
    page=Page(
        finds="An answer longer than the 99th percentile of the reference lengths, in characters. Needs limits fitted "
        "on references; without "
        "them it stays silent.",
        harm="Long targets make long outputs: they cost tokens, bury the answer, and run into the budget.",
        bad=Example(instruction="Name a colour.", response="Blue is a colour, and " + "there is more to be said of it, " * 20),
        good=Example(instruction="Name a colour.", response="Blue."),
        false_alarms="One reference in a hundred, by definition.",
    ),
)

DETECTORS = (TRUNCATED, NO_STOP, TOO_LONG)
