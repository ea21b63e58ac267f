"""A conversation as texts: for every answer the prompt before it, the supervised text, and what follows in its turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tunesmith.templates.conversation import Conversation, conversation
from tunesmith.templates.rendering import CLOSE, RENDER_ERRORS
from tunesmith.templates.template import plain

if TYPE_CHECKING:
    from tunesmith.templates.template import Template


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One supervised turn.

    Attributes:
        prompt: The template's rendering of the messages before it, up to where the model begins.
        text: The answer with its end of turn: supervised.
        tail: What the template writes after the end of turn: not supervised.
    """

    prompt: str
    text: str
    tail: str


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A row's answers, in order.

    Attributes:
        answers: At least one.
        masked: Whether the texts hold marks for special tokens that the user spelled.
        linear: Whether each prompt continues the one before it and its answer; if not, the template rewrites history.
    """

    answers: tuple[Answer, ...]
    masked: bool
    linear: bool


class UnusableRowError(Exception):
    """A row that cannot be rendered: why, as a rule and its evidence."""

    def __init__(self, rule: str, evidence: str) -> None:
        super().__init__(rule, evidence)
        self.rule, self.evidence = rule, evidence


def read(row: Mapping[str, Any], template: Template) -> tuple[Conversation, bool]:
    """Read a row for a template, special tokens that it spells masked.

    Returns:
        The conversation, and whether anything was masked.
    Raises:
        UnusableRowError: If tools or tool calls hold no JSON, or the template writes another text when a spelled token is masked.
    """
    try:
        made = conversation(row, own_input=template.own_input)
    except ValueError as error:
        raise UnusableRowError("template.json", f"tools or tool calls: {error}") from error
    return made, template.controls.spelled([made.messages, made.tools])


def rendered(row: Mapping[str, Any], template: Template, *, last: bool) -> Rendered:
    """Render a row's supervised turns.

    Args:
        row: The columns of `conversation.COLUMNS`.
        template: What to render with.
        last: Only the last supervised turn.
    Raises:
        UnusableRowError: With rule `template.unsupervised` (no answer to learn), `template.render` (the template refuses the
            row), `template.parity` (the answer does not follow the prompt as the template itself writes it),
            `template.special` or `template.json`.
    """
    talk, masked = read(row, template)
    if not talk.supervised:
        raise UnusableRowError("template.unsupervised", "no answer to learn")
    answers = [_answer(talk, k, template, masked=masked) for k in (talk.supervised[-1:] if last else talk.supervised)]
    linear = all(b.prompt.startswith(a.prompt + a.text) for a, b in pairwise(answers))
    return Rendered(answers=tuple(answers), masked=masked, linear=linear)


def asked(row: Mapping[str, Any], template: Template) -> tuple[str, bool]:
    """Render what a model is prompted with: everything before the last answer.

    Returns:
        The text, and whether it holds marks.
    Raises:
        UnusableRowError: As `rendered`.
    """
    talk, masked = read(row, template)
    return _render(talk, len(talk.asking()), template, asking=True, masked=masked), masked


def _answer(talk: Conversation, k: int, template: Template, *, masked: bool) -> Answer:
    prompt = plain(_render(talk, k, template, asking=True, masked=masked))
    whole = _render(talk, k + 1, template, asking=False, masked=masked)
    marks = whole.rfind(CLOSE)
    generated = len(plain(whole[:marks])) if marks >= 0 else -1  # where the template itself says the answer ends
    whole = plain(whole)
    if not whole.startswith(prompt):
        raise UnusableRowError("template.parity", f"message {k}: the prompt is not how its rendering begins: {_apart(prompt, whole)}")
    end = template.controls.end(whole, template.end_of_turn, after=len(prompt))
    if end is None:
        raise UnusableRowError("template.parity", f"message {k}: no {template.end_of_turn} after the answer")
    end = max(end, generated)
    return Answer(prompt=prompt, text=whole[len(prompt) : end], tail=whole[end:])


def _render(talk: Conversation, upto: int, template: Template, *, asking: bool, masked: bool) -> str:
    messages, tools = talk.messages[:upto], talk.tools
    try:
        text = template.render(messages, tools=tools, asking=asking) if not masked else ""
        if masked:
            controls = template.controls
            text = template.render(controls.mask(messages), tools=controls.mask(tools), asking=asking)
            if controls.unmask(plain(text)) != plain(template.render(messages, tools=tools, asking=asking)):
                raise UnusableRowError("template.special", "the template treats a special token that the text spells as its own")
    except RENDER_ERRORS as error:
        raise UnusableRowError("template.render", f"{type(error).__name__}: {error}") from error
    return text if not asking else plain(text)


def _apart(a: str, b: str) -> str:
    """Show where two texts part."""
    k = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return f"{a[max(0, k - 10) : k + 20]!r} against {b[max(0, k - 10) : k + 20]!r}"
