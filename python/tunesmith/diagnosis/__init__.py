"""Diagnosis: from the errors of an evaluation to their causes, the training rows behind them, and a proposed patch.

`diagnose` is the verb, `Diagnosis` opens what it wrote, `CATEGORIES` names the detectors that judge both sides; `patch_show`,
`patch_apply` and `patch_undo` look at a patch, apply it and take it back. Imports the rooms to its left, evaluation the nearest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .diagnosing import diagnose as diagnose
    from .diagnosis import Diagnosis as Diagnosis
    from .patching import patch_apply as patch_apply
    from .patching import patch_show as patch_show
    from .patching import patch_undo as patch_undo
    from .sides import CATEGORIES as CATEGORIES
    from .sides import OFF_REFERENCE as OFF_REFERENCE

__getattr__, __dir__ = lazy(
    __name__,
    {
        "CATEGORIES": ".sides",
        "Diagnosis": ".diagnosis",
        "OFF_REFERENCE": ".sides",
        "diagnose": ".diagnosing",
        "patch_apply": ".patching",
        "patch_show": ".patching",
        "patch_undo": ".patching",
    },
)
