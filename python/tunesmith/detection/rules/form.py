"""The form that a prompt asks for: a list, JSON, a table, code, one word, yes or no."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, lines
from tunesmith.detection.rules.refusal import refuses

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_OPENING = r"(?i)^\W*(?:(?:please|kindly|can you|could you)\s+)?([a-z]+)"
_OFTEN, _LEAST = 0.9, 20
_MAKE = r"(?:write|create|make|give|generate|provide|produce|prepare|construct|build|compose|develop|design|output|return|draw|show|put)"
_IN = r"(?:in|into|to|as|using|with)"
_LANGUAGE = (
    r"(?:python|java|javascript|typescript|c\+\+|c#|ruby|php|sql|html|css|bash|shell|regex|regular expression|rust|golang|swift|"
    r"kotlin|perl)"
)
_CODE_NOUN = r"(?:function|program|script|code|query|class|method|snippet|statement|for loop|while loop|(?:web ?)?page|algorithm)"
_ANSWER = r"(?:answer|respond|reply|output|say|indicate|state|return)"


@dataclass(frozen=True, kw_only=True)
class _Form:
    """A form that can be told.

    Attributes:
        name: What is asked for.
        asked: Instructions that ask for it.
        other: Instructions that only speak of it.
        given: What an answer of this form holds.
        found: What is found instead.
    """

    name: str
    asked: str
    other: str
    given: pl.Expr
    found: str


_text: Final = pl.col("response").str.strip_chars()
_lines: Final = _text.str.count_matches(r"(?m)^.*\S.*$")
_FORMS: Final = (
    _Form(
        name="a list",
        asked=rf"(?i)\b(?:{_IN}|{_MAKE})\s+(?:\S+\s+){{0,3}}"
        r"(?:bullet(?:ed)?[ -]?points?|bullets|bullet(?:ed)?[ -](?:point )?(?:list|form|format)|numbered (?:list|steps))\b",
        other=r"(?i)\b(?:one|single|an?) (?:\w+ )?bullet[ -]?point(?:\W|$)(?:[^lf]|$)|\b(?:example input|function|program|app\w*|html)\b|"
        r"\bbullet\w*\b.*\b(?:story|paragraph|essay|sentences?|text)\b",
        given=(_lines >= 2) | _text.str.contains(r"(?:[-*•]|\d[.)])\s.+(?:[-*•]|\d[.)])\s"),
        found="one line",
    ),
    _Form(
        name="JSON",
        asked=rf"(?i)\b(?:{_IN}|{_MAKE}|an?|valid|the form of)\s+(?:\w+[- ]){{0,2}}JSON\b",
        other=r"(?i)\b(?:from|parse|process|between|provided with|the|this|following|given) (?:an? |valid |following |given )*json\b|"
        r"\bjson\b(?: \w+)? (?:in)?to (?:an? )?(?:\w+ )?(?:yaml|xml|csv|table|html|list|dictionar|object)|"
        r"\b(?:essay|article|explain|what is|difference|function|script|program|query|endpoint|api)\b",
        given=_text.str.contains(r"[{\[]"),
        found="no brackets",
    ),
    _Form(
        name="a table",
        asked=rf"(?i)\b{_IN} (?:an? |the form of an? |tabular )(?:\w+ )?(?:table|tabular format)\b|"
        rf"\b{_MAKE} an? (?:[\w-]+ ){{0,2}}table\b"
        r"(?: (?:of|with|that|to|for|summari|compar|show|list|illustrat|contain|display|includ|map)|[.\s]*$)",
        other=r"(?i)\b(?:explain|periodic|frequency distribution|insert|plan|sql|quer(?:y|ies)|database|pivot|html|css|wood\w*|furniture|"
        r"dining|coffee|set|tables? of contents?|relational|schema|columns? called|xml|table (?:\w+ )?into)\b",
        given=_text.str.contains(r"\||\t|<t[dr]|\S {2,}\S|,.*\n.*,") | (_lines >= 3),
        found="neither columns nor lines",
    ),
    _Form(
        name="code",
        asked=rf"(?i)^\W*(?:please\s+)?(?:in {_LANGUAGE},? )?"
        r"(?:write|create|generate|develop|construct|code|compose|implement|build|formulate)\b"
        rf"[^.?!\n]*(?:{_LANGUAGE}\s+(?:\w+\s+){{0,2}}?{_CODE_NOUN}|{_CODE_NOUN}\b[^.?!\n]*\b(?:in|using|with|for an?) {_LANGUAGE})\b",
        other=r"(?i)\b(?:essay|article|tutorial|explain\w*|describ\w*|story|review|title|names?|questions?|slogan|tweet|email|letter|plan|"
        r"poem|output of|result of)\b",
        given=_text.str.contains(r"[(){}\[\]=;<>]|(?i)\b(?:select|print|def|import|echo|puts|say)\b"),
        found="no line of code",
    ),
    _Form(
        name="one word",
        asked=r"(?i)\b(?:in|into|with|using|use|answer|reply|find|output) (?:just |only |exactly )?(?:one|a single) word\b|"
        r"\b(?:one|single)[ -]word (?:answer|response|reply|synonym)\b|"
        r"\b(?:output|answer|response) (?:should|must) be (?:one|a single) word\b",
        other=r"(?i)\b(?:word or|replace|fill|blank|insert|title|sentence with|each|every|per|at least|sentences? (?:us|contain)ing)\b",
        given=_text.str.count_matches(r"\S+") <= 2,
        found="several",
    ),
    _Form(
        name="yes or no",
        asked=rf"(?i)\b{_ANSWER}\b[^.?!]{{0,40}}\b(?:yes or no|yes/no)\b|\bas a yes or no (?:answer|response)\b",
        other=r"(?i)\bquestions? (?:that|which)\b|\b(?:a|into a|create|write) (?:yes/no|yes or no) question\b",
        given=_text.str.head(60).str.contains(r"(?i)\b(?:yes|no|y|n|true|false)\b"),
        found="neither",
    ),
)


def list_openings(view: pl.DataFrame) -> tuple[str, ...]:
    """Fit which first words of a prompt are answered by lists, an item a line."""
    counted = view.select(_opening(), (_lines >= 2).alias("lines")).drop_nulls("opening")
    often = counted.group_by("opening").agg(pl.len(), pl.col("lines").mean())
    return tuple(sorted(often.filter(pl.col("len") >= _LEAST, pl.col("lines") >= _OFTEN)["opening"]))


def _opening() -> pl.Expr:
    return pl.col("instruction").str.extract(_OPENING, 1).str.to_lowercase().alias("opening")


def _wrong_format(view: pl.DataFrame, limits: Limits) -> Iterator[Hit]:
    answered = view.filter(_text != "")
    for form in _FORMS:
        asking = answered.filter(pl.col("instruction").str.contains(form.asked))
        missing = asking.filter(~pl.col("instruction").str.contains(form.other)).filter(~form.given)
        for (row,) in lines(missing, ~refuses(_text)):
            yield Hit(row, "response", None, None, f"asked for {form.name}; {form.found} given")
    if limits.list_openings:
        listed = answered.filter(_opening().is_in(list(limits.list_openings)) & (_lines < 2))
        for row, opening in lines(listed.with_columns(_opening()), ~refuses(_text), "opening"):
            yield Hit(row, "response", None, None, f'one line; references of prompts that begin with "{opening}" are lists, an item a line')


WRONG_FORMAT = Detector(
    name="wrong_format",
    severity="review",
    grade="D",
    fields=("response",),
    find=_wrong_format,
    page=Page(
        finds="An answer that plainly lacks the form that the instruction asks for: bullet points or a numbered list (one line "
        "given), JSON (no bracket), a table (neither columns nor lines), code in a named language (nothing of it), one word (three or "
        "more), yes or no (neither). With limits also a single line where the references of prompts with this first word are lists, "
        "an item a line (9 of 10, of at least 20). Refusals are not counted here.",
        harm="What reads the answer cannot parse it; the model learns that the form asked for does not bind.",
        bad=Example(instruction="Describe the sky in one word.", response="The sky is blue today."),
        good=Example(instruction="List three rivers.", response="Rhine, Elbe and Oder."),
        false_alarms="Instructions that speak of a form without asking for it.",
    ),
)

DETECTORS = (WRONG_FORMAT,)
