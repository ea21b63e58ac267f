"""The steps of a recipe, one file a type; `STEPS` maps the name in a recipe to the class.

A new step is a file here with a subclass of `RowStep`, `KeyedStep` or `RankedStep`, and a line below.
"""

from __future__ import annotations

from tunesmith.curation.steps.base import Step
from tunesmith.curation.steps.decontaminate import Decontaminate
from tunesmith.curation.steps.detect import Detect
from tunesmith.curation.steps.exact_duplicates import ExactDuplicates
from tunesmith.curation.steps.filter import Filter
from tunesmith.curation.steps.fix import Fix
from tunesmith.curation.steps.near_duplicates import NearDuplicates
from tunesmith.curation.steps.patch import Patch
from tunesmith.curation.steps.select import Select

STEPS: dict[str, type[Step]] = {
    step.type: step for step in (Fix, Filter, Detect, ExactDuplicates, NearDuplicates, Decontaminate, Select, Patch)
}

__all__ = ["STEPS", "Decontaminate", "Detect", "ExactDuplicates", "Filter", "Fix", "NearDuplicates", "Patch", "Select", "Step"]
