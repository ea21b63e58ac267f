"""Turns: the arms of an experiment, the verdict on it, and the loop that walks from a diagnosis to the next data.

`arms`, `verdict` and `loop` are the verbs; an experiment is a patch against a placebo, and its evidence is what `verdict` says.
Imports every room to its left; `reports` draws what it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .arming import Experiment as Experiment
    from .arming import arms as arms
    from .judging import verdict as verdict
    from .looping import loop as loop

__getattr__, __dir__ = lazy(__name__, {"Experiment": ".arming", "arms": ".arming", "verdict": ".judging", "loop": ".looping"})
