"""Tunesmith: every row of an instruction data set made accountable.

Importing this is light: a verb imports its room, and with it polars or torch, when it is first used.
"""

from __future__ import annotations

from tunesmith._lazy import lazy
from tunesmith._version import __version__
from tunesmith.errors import TunesmithError

_VERBS = {
    "read": ".rows",
    "convert": ".rows",
    "split": ".rows",
    "check": ".detection",
    "detect": ".detection",
    "detectors": ".detection",
    "profile": ".slices",
    "curate": ".curation",
    "explain": ".curation",
    "what_if": ".curation",
    "restore": ".curation",
    "diff": ".curation",
    "preview": ".templates",
    "pack": ".packing",
    "export": ".packing",
    "train": ".training",
    "evaluate": ".evaluation",
    "compare": ".evaluation",
    "diagnose": ".diagnosis",
    "patch_show": ".diagnosis",
    "patch_apply": ".diagnosis",
    "patch_undo": ".diagnosis",
    "arms": ".turns",
    "verdict": ".turns",
    "loop": ".turns",
    "report": ".reports",
    "demo": ".cli.demo",
}

__getattr__, _verbs = lazy(__name__, _VERBS)


def __dir__() -> list[str]:
    return [*globals(), *_verbs()]


__all__ = ["TunesmithError", "__version__", *_VERBS]  # noqa: PLE0604  (the verbs are listed once, above)
