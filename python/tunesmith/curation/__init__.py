"""Curation: the recipe, its steps, the one pure function that decides, the engine that applies, and what is asked afterwards.

A step measures and decides; an engine runs the measures; `decision.decide` says who is dropped. Imports core, rows, templates,
models, detection and slices. A new step is one file in `steps/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .alternatives import WhatIf as WhatIf
    from .alternatives import what_if as what_if
    from .curated import Curated as Curated
    from .curated import curate as curate
    from .difference import diff as diff
    from .explanation import explain as explain
    from .recipe import Recipe as Recipe
    from .recipe import load_recipe as load_recipe
    from .restoration import restore as restore

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Curated": ".curated",
        "Recipe": ".recipe",
        "WhatIf": ".alternatives",
        "curate": ".curated",
        "diff": ".difference",
        "explain": ".explanation",
        "load_recipe": ".recipe",
        "restore": ".restoration",
        "what_if": ".alternatives",
    },
)
