"""How an answer ends: cut short, never ending, too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt, lines, matched
from tunesmith.detection.rules.repetition import REPETITIVE, rep4
from tunesmith.detection.supervised import MASK

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_PROMPT = pl.concat_str("instruction", "input", separator="\n")
_FUNCTION = (
    r"a|an|the|of|to|and|or|with|for|by|from|at|as|into|than|that|which|who|whose|because|if|when|while|where|is|are|was|were|be|has|have|"
    r"its|their|his|our|your|my|such as|including|between|through|about|can|will|would|should|could|may|might|but|so"
)
_DANGLING = re.compile(
    rf"(?:\b(?:{_FUNCTION})|[,(\[{{–—]|\b(?:in|of|on|since|by|from|January|February|March|April|May|June|July|August|September|October|"
    r"November|December|year|early|late)(?: \d{1,2},)? (?:19|20))\s*\Z"
)
_OPEN_TASK = any_of(
    r"continu\w+ complet\w+ fill blank prefix(?:es)? prepositions? articles? conjunctions? words? poems? haikus? lyrics?",
    r"sentence title headline stop.?words? list",
)
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


def _truncated(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    cut = (pl.col("finish") == "length").fill_null(value=False)
    if view["finish"].is_not_null().any():
        for row, text in lines(view, cut & ~_circling(view), "response"):
            yield Hit(row, "response", max(0, len(text) - 40), len(text), "cut by the token budget: … " + excerpt(text[-40:]))
    prose = pl.col("prose").str.strip_chars_end()
    maybe = prose.str.contains(r"(?:[,(\[{–—]|\b[a-z]+|\b(?:19|20))$")
    plain = ~cut & (prose.str.len_chars() >= 40) & ~prose.str.ends_with(MASK)
    code = pl.col("response").str.contains(CODE)
    for row, text in lines(view.filter(maybe & plain), ~code & ~_PROMPT.str.contains(_OPEN_TASK), "prose"):
        last = text.rstrip().rsplit("\n", 1)[-1]
        if len(last.split()) >= 4 and (match := _DANGLING.search(text)):
            start = max(0, match.start() - 30)
            yield Hit(row, "response", match.start(), len(text.rstrip()), excerpt("… " + text[start:]))


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
        finds="A generated answer that the token budget cut (finish = length) and that does not repeat itself. Any other "
        "answer, written or stopped by the model itself: at least 40 "
        'characters of prose that end in a function word, a comma, an open bracket, or "in 20" (a stop string inside a year).',
        harm="The model learns to stop in the middle of a sentence.",
        bad=Example(instruction="Tell me about the lighthouse.", response="It was built by the harbour board and opened to ships in the"),
        good=Example(instruction="Tell me about the lighthouse.", response="It was built by the harbour board and opened to ships in 1902"),
        false_alarms="Lines to be continued, poems, lists of function words; left alone where the prompt says so. With a budget below the "
        "references' length the reason lies in decoding, not in the data. Not found: answers that stop after a noun or a verb, which read "
        "as if only the full stop were missing (two thirds of cuts after any word).",
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
