"""All detectors, in the order in which they are listed and their fixes are applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith.detection.measured import MEASURED
from tunesmith.detection.rules import characters, echo, ending, form, leaks, media, placeholders, refusal, repetition, spelling, task_form
from tunesmith.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tunesmith.detection.detector import Detector

# Damaged characters first: the other rules, and the fixes after these, read mended text.
_FAMILIES = (characters, placeholders, media, leaks, echo, repetition, ending, refusal, task_form, form, spelling)


def _measured(detector: Detector) -> Detector:
    return replace(detector, page=replace(detector.page, measured=MEASURED.get(detector.name, ())))


DETECTORS: Mapping[str, Detector] = {detector.name: _measured(detector) for family in _FAMILIES for detector in family.DETECTORS}


def chosen(only: Iterable[str] | None = None, skip: Iterable[str] | None = None) -> list[Detector]:
    """Choose detectors by name, in registry order.

    Raises:
        OptionError: If a name is unknown.

    >>> [detector.name for detector in chosen(["output_empty"])]
    ['output_empty']
    """
    names = set(DETECTORS) if only is None else set(only)
    without = set(skip or ())
    for name in sorted(names | without):
        if name not in DETECTORS:
            raise OptionError(f'unknown detector "{name}"; {did_you_mean(name, DETECTORS)}')
    return [detector for name, detector in DETECTORS.items() if name in names and name not in without]
