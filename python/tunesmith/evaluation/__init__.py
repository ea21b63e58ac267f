"""Evaluation: metrics, intervals and tests, predictions from a model or from elsewhere, and the paired comparison of two.

`evaluate` and `compare` are the verbs, `Evaluation` opens what the first wrote; `statistics` holds every interval and test.
Imports the rooms to its left (core, rows, templates, models, detection, slices); a new metric is an entry in `metrics.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .comparing import compare as compare
    from .comparing import markdown as markdown
    from .evaluating import evaluate as evaluate
    from .evaluation import Evaluation as Evaluation
    from .evaluation import summary as summary
    from .items import slice_columns as slice_columns

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Evaluation": ".evaluation",
        "compare": ".comparing",
        "evaluate": ".evaluating",
        "markdown": ".comparing",
        "slice_columns": ".items",
        "summary": ".evaluation",
    },
)
