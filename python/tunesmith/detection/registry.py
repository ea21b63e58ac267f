"""All detectors, in the order in which they are listed and their fixes are applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith.detection.measured import MEASURED, shown
from tunesmith.detection.own import installed
from tunesmith.detection.rules import (
    algebra,
    arithmetic,
    characters,
    counting,
    echo,
    ending,
    foreign,
    form,
    leaks,
    lengths,
    listed,
    measures,
    media,
    placeholders,
    prompts,
    refusal,
    repeats,
    repetition,
    spelling,
    syntax,
    task_form,
    tasks,
    topic,
    wording,
)
from tunesmith.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tunesmith.detection.detector import Detector

# Damaged characters first: the other rules, and the fixes after these, read mended text.
_FAMILIES = (
    characters,
    placeholders,
    media,
    leaks,
    echo,
    repetition,
    ending,
    refusal,
    task_form,
    foreign,
    form,
    spelling,
    arithmetic,
    listed,
    counting,
    algebra,
    measures,
    wording,
    syntax,
    lengths,
    repeats,
    tasks,
    prompts,
)


def _measured(detector: Detector) -> Detector:
    drops = shown(detector.name) if detector.severity == "fatal" else ()
    return replace(detector, drops=drops, page=replace(detector.page, measured=MEASURED.get(detector.name, ())))


DETECTORS: dict[str, Detector] = {detector.name: _measured(detector) for family in _FAMILIES for detector in family.DETECTORS}
WITH_MODEL: dict[str, Detector] = {detector.name: _measured(detector) for detector in topic.DETECTORS}
"""Those that need a model of sentence embeddings; they run where they are named and one is given."""
BUILT_IN: frozenset[str] = frozenset(DETECTORS)


def register(detector: Detector) -> Detector:
    """Put a detector of one's own beside the others, for this process.

    Raises:
        OptionError: If another one has its name.

    >>> from tunesmith.detection.own import made
    >>> def polite(instruction, input, response):
    ...     return "please" in response
    >>> register(made(polite, origin="here")).name, "polite" in DETECTORS
    ('polite', True)
    >>> del DETECTORS["polite"]
    """
    there = DETECTORS.get(detector.name)
    if there is not None and there.origin != detector.origin:
        raise OptionError(f'{detector.origin}: the name "{detector.name}" is taken by {there.origin or "a detector of the package"}')
    DETECTORS[detector.name] = detector
    return detector


for _detector in installed():
    register(_detector)


def chosen(only: Iterable[str] | None = None, skip: Iterable[str] | None = None) -> list[Detector]:
    """Choose detectors by name, in registry order; those that need a model only where they are named.

    Raises:
        OptionError: If a name is unknown.

    >>> [detector.name for detector in chosen(["output_empty"])]
    ['output_empty']
    """
    names = set(DETECTORS) if only is None else set(only)
    without = set(skip or ())
    every = DETECTORS | WITH_MODEL
    for name in sorted(names | without):
        if name not in every:
            raise OptionError(f'unknown detector "{name}"; {did_you_mean(name, every)}')
    return [detector for name, detector in every.items() if name in names and name not in without]
