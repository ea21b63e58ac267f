"""The row: formats in and out, validation row by row, the version on disk with its ledger, leak-safe splits.

`schema` has the contracts, `read` makes rows of anything, `Version` opens what was curated, `split` divides it.
Imports `core` and the foundation; every room to the right may import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .converting import convert as convert
    from .data import Data as Data
    from .identity import ids as ids
    from .reading import read as read
    from .rejects import write_rejects as write_rejects
    from .splitting import split as split
    from .versions import Version as Version
    from .versions import write_version as write_version

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Data": ".data",
        "Version": ".versions",
        "convert": ".converting",
        "ids": ".identity",
        "read": ".reading",
        "split": ".splitting",
        "write_rejects": ".rejects",
        "write_version": ".versions",
    },
)
