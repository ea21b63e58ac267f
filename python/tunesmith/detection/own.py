"""Detectors of one's own: a Python function that is named, or offered by an installed package.

A function judges one line: ``function(instruction, input, response)`` gives None or False where there is nothing to say,
True, or what was found as a text, or its span ``(start, end)`` in the response (``(start, end, text)`` to say more). Its name
is the detector's, the first line of its docstring says what it finds, and its attribute ``severity`` (fatal, review or
information; review unless set) how bad that is. Or the name leads to a `Detector`.

Nothing in a file of data or a recipe names a function: that takes the command line, an argument, or an installed package
(entry point group ``tunesmith.detectors``).
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, Severity, excerpt, lines
from tunesmith.errors import InputError, OptionError, did_you_mean

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

GROUP: Final = "tunesmith.detectors"
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,60}")

Judge = Callable[[str, str, str], Any]


def named(place: str) -> Detector:
    """Load the detector that ``module:function`` names; the module is looked for in the working directory, too.

    Raises:
        OptionError: If the name is none, the module or the function is not there, or it is no detector.

    >>> named("tunesmith.detection.rules.placeholders:OUTPUT_EMPTY").name
    'output_empty'
    """
    module, sign, attribute = place.partition(":")
    if not sign or not module or not attribute:
        raise OptionError(f'--detector {place}: expected module:function, such as "checks:shouting"')
    before = list(sys.path)
    try:
        sys.path.insert(0, str(Path.cwd()))
        loaded = import_module(module)
    except ImportError as error:
        hint = f'; leave the ending out: "{module.removesuffix(".py")}:{attribute}"' if module.endswith(".py") else ""
        raise OptionError(f"--detector {place}: the module {module} cannot be imported: {error}{hint}") from error
    finally:
        sys.path[:] = before
    try:
        return made(getattr(loaded, attribute), origin=place)
    except AttributeError as error:
        there = [name for name, what in vars(loaded).items() if not name.startswith("_") and (callable(what) or isinstance(what, Detector))]
        raise OptionError(f"--detector {place}: {module} has no {attribute}; {did_you_mean(attribute, there)}") from error


def installed() -> Iterator[Detector]:
    """Load the detectors that installed packages offer.

    Raises:
        InputError: If one cannot be loaded: the package, and why.
    """
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            yield made(point.load(), origin=f"{point.value} of {point.dist.name if point.dist else 'a package'}")
        except (ImportError, AttributeError, OptionError) as error:
            raise InputError(
                f"the detector {point.name} ({point.value}) of an installed package cannot be loaded: {error}; uninstall it"
            ) from error


def made(what: Any, *, origin: str) -> Detector:
    """Make a detector of a function, or take one as it is.

    Raises:
        OptionError: If it is neither, or its name or severity is none.

    >>> def shouting(instruction, input, response):
    ...     "Find answers in capitals."
    ...     return response.isupper()
    >>> made(shouting, origin="here").severity
    'review'
    """
    from dataclasses import replace

    if isinstance(what, Detector):
        return replace(what, origin=origin)
    if not callable(what):
        raise OptionError(f"{origin}: expected a function of (instruction, input, response) or a Detector, found {type(what).__name__}")
    name = getattr(what, "__name__", "")
    if not _NAME.fullmatch(name):
        raise OptionError(f'{origin}: expected a name of small letters, digits and _, found "{name}"')
    severity = getattr(what, "severity", "review")
    if severity not in SEVERITIES:
        raise OptionError(f"{origin}: expected severity {', '.join(SEVERITIES)}, found {severity!r}")
    page = Page(
        finds=(inspect.getdoc(what) or f"What {origin} finds.").strip(),
        harm="",
        bad=Example(instruction=""),
        good=Example(instruction=""),
        false_alarms="Not measured.",
    )
    return Detector(
        name=name, severity=severity, grade="D", fields=("response",), find=_finder(what, name, origin), page=page, origin=origin
    )


def _finder(function: Judge, name: str, origin: str) -> Callable[[pl.DataFrame, Limits], Iterator[Hit]]:
    def find(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
        for row, instruction, given, text in lines(view, pl.lit(value=True), "instruction", "input", "response"):
            try:
                said = function(instruction, given, text)
            except Exception as error:  # whatever it raises: the line that it fails on is what its author needs
                place = f"position {view['position'][row]}"
                raise InputError(f"{origin}: the detector {name} failed at {place}: {type(error).__name__}: {error}") from error
            if (hit := _hit(said, row, text, origin)) is not None:
                yield hit

    return find


def _hit(said: Any, row: int, text: str, origin: str) -> Hit | None:
    match said:
        case None | False | "":
            return None
        case Hit():
            return said._replace(row=row)
        case True:
            return Hit(row, "response", None, None, excerpt(text))
        case str():
            return Hit(row, "response", None, None, excerpt(said))
        case (int() as start, int() as end) if 0 <= start <= end <= len(text):
            return Hit(row, "response", start, end, excerpt(text[start:end]))
        case (int() as start, int() as end, str() as more) if 0 <= start <= end <= len(text):
            return Hit(row, "response", start, end, excerpt(more))
    raise InputError(f"{origin}: expected None, a truth value, a text, or a span (start, end) within the answer, found {said!r}")
