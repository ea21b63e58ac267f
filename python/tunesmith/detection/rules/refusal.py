"""Refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, lines, matched

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_MODEL = (
    r"(?:an?\s+)?(?:artificial intelligence|(?:large |text.based )?(?:ai|language)[ -]?(?:language )?(?:model"
    r"|assistant)?|ai|gpt[\w-]*|chatbot|"
    r"virtual assistant|text.based (?:ai|model|assistant))"
)
_CANNOT = r"(?:cannot|can['’]t|can not|unable to|not able to|am unable to|won['’]t be able to)"
_SERVICE = (
    r"(?:assist|help|provide|fulfill?|complete|comply|answer|generate|create|access|browse|do that|perform|process"
    r"|produce|write|give|offer|"
    r"support|engage|draw|display|view|see|open|retrieve|search|translate)"
)
_SORRY = r"(?:^|[.!,:]\s+|\b(?:sorry|apologi[sz]e|unfortunately|apologies|afraid|regret)\W+(?:\w+\W+){0,4})"
_OPENS = r"(?:^|[.!]\s+|\b(?:sorry|apologies|unfortunately)\W+(?:but\W+)?)"
_REFUSAL = (
    rf"(?i)\b(?:as|i am|i'm|i’m|since i am|because i am)\s+(?:just |only )?{_MODEL}(?:[\s,.]|$)[^.\n]{{0,120}}\b"
    r"(?:can(?:no|['’])?t|unable|not able|do(?:es)? not|don['’]t|not capable|not have|beyond)\b"
    rf"|{_SORRY}I(?:\s+am|['’]m)?\s+{_CANNOT}\s+{_SERVICE}\b"
    r"|\bI\s+(?:can['’]?t|cannot)[^.\n]{0,40}\b(?:don['’]t|do not) have access\b"
    rf"|{_OPENS}I\s+(?:(?:must|have to)\s+(?:respectfully\s+)?(?:decline|refuse)|(?:do not|don['’]t)\s+(?:have\s+(?:the\s+)?(?:ability|"
    r"capability|capacity|enough\s+information)\s+to|feel\s+comfortable))\b"
    r"|\bbeyond my (?:capabilit|abilit|power)|\bnot (?:be )?appropriate for me to\b|\bsomething (?:that )?I (?:cannot|can['’]t) do\b"
    r"|\b(?:the|this) (?:ai |language )?model (?:cannot|can['’]t|can not|is unable|is not able)\b"
    r"|\b(?:cannot|can['’]t|not possible to|unable to)\s+be\s+(?:answered|completed|fulfilled|generated|performed)\b"
)
_NEEDED = (
    "cannot", "can't", "can’t", "cant", "can not", "unable", "not able", "not capable", "not have", "not possible", "beyond",
    "don't", "don’t", "do not", "does not", "won't", "won’t", "decline", "refuse", "not be appropriate", "not appropriate",
)  # fmt: skip
"""Every alternative of the pattern holds one of these: cheap to look for, and rare."""
_REFUSAL_TASK = any_of(
    r"apolog\w+ rewrit\w* re-?phras\w* paraphras\w* letters? e-?mails? dialog(?:ue)?s? conversations? stor(?:y|ies) translat\w* scripts?",
    r"chatbots? role.?play language.models? gpt\S* refus\w+ declin\w+ reply.to complaints? inappropriate ai.assistants?",
    r"you.can[’']?t you.cannot can[’']?t.you cannot.you",
)


_FIGURE = re.compile(r" (?:but|the way|feeling|thinking|myself|it if|falling|loving|smiling)\b")
"""What goes on from "I can't help" to something else than a refusal."""


def refuses(text: pl.Expr) -> pl.Expr:
    """Tell whether a text refuses in its first 400 characters."""
    head = text.str.head(400)
    return head.str.contains_any(list(_NEEDED), ascii_case_insensitive=True) & head.str.contains(_REFUSAL)


def _refusal(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    pattern = re.compile(_REFUSAL)
    head = pl.col("prose").str.head(400)
    here = view.filter(head.str.contains_any(list(_NEEDED), ascii_case_insensitive=True)).filter(head.str.contains(_REFUSAL))
    for row, text in lines(here, ~pl.col("instruction").str.contains(_REFUSAL_TASK), "prose"):
        match = pattern.search(text[:400])
        if match and not _FIGURE.match(text, match.end()):
            yield matched(row, "response", match)


REFUSAL = Detector(
    name="refusal",
    severity="review",
    grade="D",
    fields=("response",),
    find=_refusal,
    page=Page(
        finds='"As an AI language model, I cannot ..." or "I am unable to assist / provide / access ..." in the first '
        "400 characters, in a task that "
        "is not itself about apologies, letters, dialogues or rewriting.",
        harm="Refusals of harmless tasks spread to others like them; a few per cent are enough.",
        bad=Example(instruction="Name a good bakery.", response="I'm sorry, but I cannot provide recommendations."),
        good=Example(instruction="Write an apology to a guest.", response="I am sorry, but I cannot provide a room tonight."),
        false_alarms="Answers about language models. Refusals that are right (real-time data, pictures) are found, too.",
    ),
)

DETECTORS = (REFUSAL,)
