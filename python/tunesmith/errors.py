"""The errors a user can meet. Each says what was found, what was expected and what to do; all derive from one."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class TunesmithError(Exception):
    """Base of every error that Tunesmith raises on purpose. The command line ends with exit code 2."""


class TunesmithWarning(UserWarning):
    """Something that does not stop the work but that its owner should know."""


class InputError(TunesmithError):
    """A file or table that cannot be used as it is."""


class OptionError(TunesmithError):
    """An option, recipe or argument that cannot be honoured."""


class ArtefactError(TunesmithError):
    """A folder that is not the artefact it should be, or an output that is already there."""


class MissingExtraError(TunesmithError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install 'tunesmith[{extra}]'")


class ModelError(TunesmithError):
    """A model or tokenizer that cannot be loaded or used."""


def at(path: str | Path, *, record: int | None = None, line: int | None = None, field: str | None = None) -> str:
    """Name a place in a file the way every message does.

    >>> at("rows.json", record=3, field="output")
    'rows.json, record 3, field "output"'
    """
    parts = [str(path)]
    if record is not None:
        parts.append(f"record {record}")
    if line is not None:
        parts.append(f"line {line}")
    if field is not None:
        parts.append(f'field "{field}"')
    return ", ".join(parts)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Complete an error about an unknown name with the closest known one, else with all of them.

    >>> did_you_mean("recal", ["precision", "recall"])
    'did you mean "recall"?'
    """
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f'did you mean "{close[0]}"?' if close else f"known: {', '.join(known)}"


_PLAINLY = (
    ("Value error, |Input should be ", ""),
    ("^a valid (array|list|tuple)$", "a list"),
    ("^(a valid dictionary|an object)$", "keys and values (`name: value`)"),
    ("^a valid number$", "a number"),
    ("^a valid integer.*", "a whole number"),
    ("^a valid string$", "a text"),
    ("^a valid boolean.*", "true or false"),
    ("less than or equal to", "at most"),
    ("greater than or equal to", "at least"),
    ("greater than", "more than"),
    ("^String should match pattern.*", "letters, digits, _ and -, a letter first"),
)


def unfit(detail: Mapping[str, Any]) -> str:
    """Say in our words what pydantic found in a file that a person wrote.

    Args:
        detail: One of ``ValidationError.errors()``.

    >>> unfit({"type": "tuple_type", "msg": "Input should be a valid array", "input": "topic"})
    'expected a list ([topic]), found "topic"'
    """
    message = str(detail["msg"])
    for pattern, words in _PLAINLY:
        message = re.sub(pattern, words, message)
    if detail["type"] == "value_error":
        return message
    found = detail["input"]
    hint = f" ([{found}])" if message == "a list" and isinstance(found, str | int | float) else ""
    return f"expected {message}{hint}, found {json.dumps(found, ensure_ascii=False, default=str)}"
