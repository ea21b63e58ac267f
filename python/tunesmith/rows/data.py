"""What reading returns: the valid rows, the rejects, and what both were made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tunesmith.errors import InputError, at


@dataclass(frozen=True, kw_only=True)
class Data:
    """Rows in memory.

    Attributes:
        frame: The valid rows: the columns of ``schema.ROW`` in order, then the user's own.
        rejected: One line a problem (``schema.REJECT``); a rejected record has all its problems here.
        format: The format that was read (several, when files differ, joined by ``", "``).
        inputs: Source name to logical content hash, for manifests.
        notes: Facts worth telling: which format was taken where two fit, fields that no row can hold.
    """

    frame: pl.DataFrame
    rejected: pl.DataFrame
    format: str
    inputs: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Valid rows and rejected records together; a tree counts once for every path."""
        return self.frame.height + self.rejected["position"].n_unique()

    def some(self) -> Data:
        """Return itself, unless every record was rejected: then there is nothing that a verb could work on.

        Raises:
            InputError: If so; tells what is wrong with the first record.
        """
        if self.frame.height or self.rejected.is_empty():
            return self
        first = self.rejected.sort("position", maintain_order=True).row(0, named=True)
        place = at(first["file"], record=first["record"], line=first["line"], field=first["field"])
        raise InputError(
            f"{place}: expected {first['expected']}, found {first['found']}; no record of the source is a row ({self.rows:,} rejected), "
            f"`tunesmith check SOURCE --rejects FILE` lists them"
        )
