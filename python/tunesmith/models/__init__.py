"""Models: load them, embed with them, generate with them, and keep what they say in a cache by content.

Imports the foundation only (`errors, progress, artefact`); torch, transformers and peft are imported when a
model is first used, so that `python -m tunesmith.models.generate` runs on a machine that has nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .cache import Cache as Cache
    from .embed import Embedder as Embedder
    from .generation import Generation as Generation
    from .generation import Generator as Generator
    from .loading import load_model as load_model
    from .weights import model_hash as model_hash

# The functions `generate` and `embed` are reached through their modules, whose names they share.
__getattr__, __dir__ = lazy(
    __name__,
    {
        "Cache": ".cache",
        "Embedder": ".embed",
        "Generation": ".generation",
        "Generator": ".generation",
        "load_model": ".loading",
        "model_hash": ".weights",
    },
)
