"""Losses of training rows, as a run wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tunesmith.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "losses.parquet"
_NEEDED = ("position", "row_id", "epoch", "phase", "loss")


def last_losses(path: str | Path, rows: pl.DataFrame) -> tuple[NDArray[np.float64], str, int]:
    """Read each training row's last loss: measured under the finished weights where the run scored rows, else in the last epoch.

    Args:
        path: A run's `losses.parquet`, or the run.
        rows: The training rows.
    Returns:
        ``float64[rows]``, nan where a row has none; the content hash of what was read; rows without one.
    Raises:
        InputError: If the file cannot be read, or is of other rows.
    """
    from tunesmith import core

    place = Path(path) / FILE if Path(path).is_dir() else Path(path)
    try:
        table = pl.read_parquet(place, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{place}: expected the {FILE} of a run, found {str(error).splitlines()[0] or type(error).__name__}") from error
    if missing := [name for name in _NEEDED if name not in table.columns]:
        raise InputError(f"{place}: expected the columns {', '.join(_NEEDED)}, found no {', '.join(missing)}; name the {FILE} of a run")
    scored = table.filter(pl.col("phase") == "scored")
    last = scored if scored.height else table.filter(pl.col("epoch") == pl.col("epoch").max())
    each = last.group_by("position", "row_id").agg(pl.col("loss").mean())
    found = rows.select("position", "row_id").join(each, on=["position", "row_id"], how="left", maintain_order="left")["loss"]
    without = found.null_count()
    if without == rows.height:
        raise InputError(
            f"{place}: expected losses of the rows of --data, found none of its {each.height:,} rows there (by position and id)"
        )
    return found.fill_null(float("nan")).to_numpy(), core.content_hash(table), without
