"""Tokenized, masked, packed segments on disk, and the one plan of which segment lies in which bin.

`pack` makes them from a version; `reader` opens them with pyarrow and the standard library alone. `export` writes rows and packs as
other trainers read them.
May import: core, rows, templates and the foundation; `reader` only the foundation and pyarrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from tunesmith.packing.exporting import Export as Export
    from tunesmith.packing.exporting import export as export
    from tunesmith.packing.making import Pack as Pack
    from tunesmith.packing.making import pack as pack
    from tunesmith.packing.reader import PackedData as PackedData
    from tunesmith.packing.reader import read_pack as read_pack

__getattr__, __dir__ = lazy(
    __name__,
    {
        "pack": ".making",
        "Pack": ".making",
        "export": ".exporting",
        "Export": ".exporting",
        "read_pack": ".reader",
        "PackedData": ".reader",
    },
)
