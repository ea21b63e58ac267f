"""One detector per defect; the same ones judge training targets, references and model outputs.

For use by rooms to the right: `view, find, fix, DETECTORS, Limits, fit, check, detect, detectors`.
May be imported here: core, rows, templates, models and the foundation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .checking import Checked as Checked
    from .checking import check as check
    from .checking import counts as counts
    from .detecting import Detected as Detected
    from .detecting import detect as detect
    from .detecting import detectors as detectors
    from .detector import Detector as Detector
    from .detector import Example as Example
    from .detector import Hit as Hit
    from .detector import Page as Page
    from .detector import lines as lines
    from .findings import find as find
    from .findings import fix as fix
    from .language import languages as languages
    from .limits import Limits as Limits
    from .limits import fit as fit
    from .registry import DETECTORS as DETECTORS
    from .summary import markdown as markdown
    from .supervised import view as view

_NAMES = {
    "Checked": ".checking",
    "check": ".checking",
    "counts": ".checking",
    "Detected": ".detecting",
    "detect": ".detecting",
    "detectors": ".detecting",
    "DETECTORS": ".registry",
    "Detector": ".detector",
    "Example": ".detector",
    "Hit": ".detector",
    "Limits": ".limits",
    "find": ".findings",
    "fit": ".limits",
    "fix": ".findings",
    "languages": ".language",
    "lines": ".detector",
    "markdown": ".summary",
    "Page": ".detector",
    "view": ".supervised",
}

__getattr__, __dir__ = lazy(__name__, _NAMES)
