"""Prompts with spelling mistakes, and answers that write the missing input themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt, lines, matched
from tunesmith.detection.language import UNKNOWN, languages
from tunesmith.detection.lexicon import frequencies, known, meant, swapped
from tunesmith.detection.rules.ending import CODE
from tunesmith.detection.rules.spelling import reads_english, unknown_words
from tunesmith.detection.rules.task_form import points_at_nothing

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_LEAST: Final = 5
_FREQUENT: Final = 20_000
"""Count of the word that a misspelling in a prompt must stand for: its first letter is kept, and one edit is made."""
_FEW: Final = 3
_SWAPPED: Final = 2_000
_ABOUT_LETTERS: Final = any_of(
    r"spell\w* misspel\w* typos? correct\w* edit\w* proofread\w* fix\w* grammar\w* letters? rhym\w* anagrams? scrambl\w* unscrambl\w* "
    r"translat\w* reverse\w*",
    r"cipher\w* decod\w* encod\w* pronounc\w* portmanteau\w* slangs? abbreviat\w* acronyms? prefix\w* suffix\w* regex strings? "
    r"errors? mistakes? hash\w* rewrite",
    r"word.pair root.word jumbled palindromes? etymology origin.of.the.word meaning.of word code python javascript html css sql java "
    r"php function program\w* username password",
)
_NOT_ENGLISH: Final = r"[^\x00-\x7f‘’“”–—…•°é£€]"

_OWN_INPUT: Final = re.compile(
    r"(?im)^[ \t]*(?:#{1,4}[ \t]*|\*\*)?(?:(?:sample |example |given |hypothetical |user )?input|input (?:text|sentence)|original|"
    r"(?:given |sample |original |hypothetical )?(?:text|passage|article|paragraph|sentence|data))(?:\*\*)?[ \t]*:(?:\*\*)?[ \t]*\S?"
)
_OWN_ANSWER: Final = re.compile(
    r"(?im)^[ \t]*(?:#{1,4}[ \t]*|\*\*)?(?:(?:sample |example )?output|answer|summary|response|result|classification|category|label|"
    r"translation|(?:rewritten|corrected|revised|edited|new|modified)(?: \w+)?)(?:\*\*)?[ \t]*:"
)
_STATED: Final = re.compile(
    r"(?i)\b(?:the )?(?:original|given|following|input) (?:sentence|text|passage|paragraph|article|statement|phrase|quote|poem|list|code)s?"
    r"(?: that needs? to be \w+)? (?:is|reads|was|are|says)\b|\bhere(?:['’]s| is) (?:an?|the) (?:example|sample|original|given|input)\b|"
    r"^\s*(?:#{1,4}[ \t]*|\*\*)?(?:(?:sample|example|original|given) )?(?:sentence|text|passage|paragraph|article|input|poem|quote|list)"
    r"(?:\*\*)?[ \t]*:"
)
_ASKED_FOR: Final = (
    r"(?i)\b(?:write|create|generate|give|provide|make|design|construct|compose|develop|suggest|come up with|produce|invent|think of|"
    r"formulate|propose|prepare|draft|ask|form)\b[^.]{0,80}\b(?:examples?|samples?|inputs?|prompts?|dialogues?|problems?|exercises?|"
    r"questions?|programs?|code|functions?|algorithms?|tests?|templates?|questionnaires?|datasets?|data|scenarios?|tasks?|quiz\w*|scripts?|"
    r"sentences?|pairs?|poems?|text|passage|article|paragraph|message)\b|\bhypothetical\b|\bfor instance\b|\bwhat is an?\b|"
    r"\b(?:explain|describe) how\b"
)


def _spelling_instruction(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    asked = pl.col("instruction")
    here = view.filter(~asked.str.contains(_ABOUT_LETTERS), ~asked.str.contains(_NOT_ENGLISH), asked.str.len_bytes() < 1_000)
    strange = unknown_words(here.select("row", asked.alias("prose"))).filter(
        pl.col("word").str.len_bytes() >= _LEAST, ~pl.col("word").str.contains("'", literal=True)
    )
    told = here.filter(pl.col("row").is_in(strange["row"].unique().implode()))
    named = languages(told.select(pl.concat_str("instruction", "input", "response", separator="\n")).to_series())
    english = told["instruction"].map_elements(_english, return_dtype=pl.Boolean)
    told = told.filter(((named == "en") | (named == UNKNOWN)) & english)
    grouped = strange.group_by("row", maintain_order=True).agg("word").join(told, on="row", how="inner", maintain_order="left")
    for row, words, instruction, given, text in grouped.select("row", "word", "instruction", "input", "response").iter_rows():
        for word in dict.fromkeys(words):
            other = meant(word)
            if other is None or not _sure(word, other) or re.search(rf"(?i)\b{re.escape(word)}\b", f"{given}\n{text}"):
                continue  # what input or answer say again is a name or a term
            place = re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", instruction)
            yield Hit(row, "instruction", place and place.start(), place and place.end(), excerpt(f"{word} → {other}"))
            break


def _english(instruction: str) -> bool:
    """Tell whether all words of an instruction are English but for one, or four in five of the longer ones."""
    words = re.findall(r"[^\W\d_]+", instruction.lower())
    return (len(words) >= _FEW and sum(map(known, words)) >= len(words) - 1) or reads_english(instruction)


def _sure(word: str, other: str) -> bool:
    """Ask for more than one letter's likeness: a frequent word, the same first letter, and no plural or other form of a name."""
    count = frequencies().get(other, 0)
    return word[0] == other[0] and (count >= _FREQUENT or (count >= _SWAPPED and (swapped(word, other) or len(word) >= 8)))


def _hallucinated_input(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    found = set()
    for hit in _own_pairs(view):
        found.add(hit.row)
        yield hit
    # A prompt that points at nothing: whatever the answer says to be the text was made up.
    pointing = view.filter(pl.col("input").str.strip_chars() == "").filter(points_at_nothing())
    for row, text in lines(pointing, pl.col("prose").str.contains(_STATED.pattern), "prose"):
        if row not in found and (match := _STATED.search(text)):
            yield matched(row, "response", match)


def _own_pairs(view: pl.DataFrame) -> Iterator[Hit]:
    """Find answers that write an input and then answer it."""
    prose, asked = pl.col("prose"), pl.col("instruction")
    here = view.filter(prose.str.contains(_OWN_INPUT.pattern)).filter(pl.col("input").str.strip_chars() == "")
    unasked = ~asked.str.contains(_ASKED_FOR) & ~asked.str.contains("\n") & ~pl.col("response").str.contains(CODE)
    for row, text in lines(here, unasked, "prose"):
        match = _OWN_INPUT.search(text)
        if match and match.start() <= len(text) // 2 and _OWN_ANSWER.search(text, match.end()):
            yield matched(row, "response", match)


SPELLING_INSTRUCTION = Detector(
    name="spelling_instruction",
    severity="information",
    grade="D",
    fields=("instruction",),
    find=_spelling_instruction,
    page=Page(
        finds="A word of at least five lower-case letters in an instruction that is no English word, nor a form or compound of one, "
        "and one "
        "letter or one swap of letters from a frequent word with the same first letter: beacuse → because. Words that input or answer "
        "say again, and tasks about spelling, letters, languages or code, are left alone.",
        harm="Little: users misspell, too. Many of them in one source say that nobody has read it.",
        bad=Example(instruction="Explain why the goverment needs a sickle.", response="To cut the grass."),
        good=Example(instruction="Correct the spelling of goverment.", response="government"),
        false_alarms="Rare words that the list lacks and that are one letter from a frequent one.",
    ),
)

HALLUCINATED_INPUT = Detector(
    name="hallucinated_input",
    severity="review",
    grade="D",
    fields=("response",),
    find=_hallucinated_input,
    page=Page(
        finds='An answer to a prompt without input that writes one itself ("Input: ...", "Text: ...") and then answers it ("Output: '
        '..."), where the prompt asks for no example; or one that says what the text is ("The original sentence is ...", "Here is a sample '
        '...") where the prompt points at a text that is not there.',
        harm="The model learns to make up the material that a user has forgotten to send.",
        bad=Example(instruction="Classify the sentence as happy or sad.", response="Sentence: I lost my kettle.\nAnswer: sad"),
        good=Example(instruction="Give an example of a classification.", response="Sentence: I lost my kettle.\nAnswer: sad"),
        false_alarms="Answers in a form of their own, where the prompt does not name it.",
    ),
)

DETECTORS = (SPELLING_INSTRUCTION, HALLUCINATED_INPUT)
