"""The formats: one file each, each says which fields it is known by and how its records become rows.

The registry is explicit and its order is the order of inference. Imports `rows` helpers only.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.errors import InputError, OptionError, did_you_mean
from tunesmith.rows import schema
from tunesmith.rows.formats import (
    alpaca,
    dolly,
    messages,
    oasst,
    oasst_messages,
    own,
    preference,
    prompt_completion,
    question_answer,
    self_instruct,
    sharegpt,
    text,
)
from tunesmith.rows.formats.base import Format

FORMATS: dict[str, Format] = {
    chosen.name: chosen
    for chosen in (
        own.FORMAT,
        preference.FORMAT,
        oasst.FORMAT,
        oasst.BEST,
        oasst_messages.FORMAT,
        oasst_messages.BEST,
        messages.FORMAT,
        sharegpt.FORMAT,
        self_instruct.FORMAT,
        dolly.FORMAT,
        alpaca.FORMAT,
        prompt_completion.FORMAT,
        question_answer.FORMAT,
        text.FORMAT,
    )
}


FIELDS: frozenset[str] = frozenset(schema.ROW) | {
    "context", "response", "history", "instances", "prompt", "completion", "question", "answer", "chosen", "conversations",
    "conversation", "functions", "text", "role", "rank", "message_id", "message_tree_id", "parent_id",
}  # fmt: skip
"""Every field that some format looks at: where one of these is first seen late in a file, it says more of what came before."""


def named(name: str) -> Format:
    """Find a format by name.

    Raises:
        OptionError: If there is none.
    """
    if name not in FORMATS:
        raise OptionError(f'unknown format "{name}"; {did_you_mean(name, FORMATS)}')
    return FORMATS[name]


def fitting(keys: Sequence[str]) -> bool:
    """Tell whether some format is known by these fields."""
    return any(chosen.fits(frozenset(keys)) for chosen in FORMATS.values())


def infer(keys: Sequence[str], file: str) -> tuple[Format, list[str]]:
    """Choose a format by the fields that the records have.

    Returns:
        The first format of the registry that fits, and the names of the others that would.
    Raises:
        InputError: If none fits; says which fields were found and what each format is known by.
    """
    known = [chosen for chosen in FORMATS.values() if chosen.fits(frozenset(keys))]
    if not known:
        found = ", ".join(keys[:12]) or "none"
        listed = "; ".join(f"{chosen.name} ({chosen.known_by})" for chosen in FORMATS.values())
        advice = "Rename fields with --map FIELD=NAME (a recipe's `map`), or say --format"
        raise InputError(f"{file}: no known format fits the fields found ({found}). Known: {listed}. {advice}")
    return known[0], [other.name for other in known[1:]]
