"""`tunesmith demo`: the whole ring on the embedded data, offline.

`base` makes the small base model by reading plain documents; `ring` walks from the rows to the report.
The data in `workshop/` links to `datasets/workshop/`, where the script that writes it lives.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from tunesmith.cli.demo.ring import demo as demo

DATA = Path(__file__).parent / "workshop"

__getattr__, __dir__ = lazy(__name__, {"demo": ".ring"})
