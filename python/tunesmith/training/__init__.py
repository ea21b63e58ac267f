"""Training: a pack and a model in; a finetune, its loss row by row, and its manifest out.

May import: packing.reader, models and the foundation; nothing of polars, pydantic, click, rich or the Rust core, so that
`python -m tunesmith.training` runs on a machine with torch, transformers, peft and pyarrow alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .calibration import Preflight as Preflight
    from .calibration import preflight as preflight
    from .options import TrainOptions as TrainOptions
    from .runs import Run as Run
    from .runs import train as train

__getattr__, __dir__ = lazy(
    __name__,
    {"TrainOptions": ".options", "Preflight": ".calibration", "preflight": ".calibration", "Run": ".runs", "train": ".runs"},
)
