"""Groups of new rows, alone or together with those of an earlier split whose parts they must respect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tunesmith.artefact import read_manifest
from tunesmith.progress import Progress
from tunesmith.rows import assignment, clusters
from tunesmith.rows.sources import parts_of
from tunesmith.rows.tables import read_table
from tunesmith.stores import as_place

ASIDE = "set aside"
"""Where a new row goes that would join two parts."""

_COMPARED = ("position", "row_id", "kind", "instruction", "input", "output", "messages")


def open_previous(folder: str | Path) -> pl.DataFrame:
    """Open an earlier split's rows with the part they are in (`side`).

    Raises:
        ArtefactError: If the folder is no split.
    """
    read_manifest(folder, "split")
    parts = parts_of(as_place(folder))
    frames = [read_table(place, "rows").with_columns(side=pl.lit(part)) for part, place in parts.items()]
    return pl.concat(frames, how="diagonal_relaxed")


def grouped(frame: pl.DataFrame, earlier: pl.DataFrame | None, group: str | None, progress: Progress) -> tuple[pl.Series, pl.DataFrame]:
    """Group rows by near-duplicate prompts and openings (and a column of the user's), among themselves and with earlier rows.

    Args:
        frame: The rows to split.
        earlier: Rows of an earlier split, with ``side``.
        group: A user's column whose equal values belong together.
        progress: Where to tell how far it is.
    Returns:
        ``cluster: UInt64[n]``, the smallest position of each row's group within ``frame``; and
        ``own, sides``, one line a row: the part that the row had, and all parts that its group has.
    """
    names = list(dict.fromkeys([*_COMPARED, *([group] if group else [])]))
    both = frame.select(names)
    if earlier is not None:
        both = pl.concat([both, earlier.select(name for name in names if name in earlier.columns)], how="diagonal_relaxed")
    # Earlier rows have positions of another reading: all are numbered for the search alone.
    both = both.with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt64))
    cluster = clusters.prompt_clusters(both, progress=progress)
    if group is not None:
        cluster = clusters.joined(cluster, both[group])
    count = frame.height
    table = pl.DataFrame({"root": cluster.head(count), "position": frame["position"], "row_id": frame["row_id"]})
    smallest = clusters.smallest(table["position"], table["root"])
    if earlier is None:
        none = pl.Series("sides", [[]], dtype=pl.List(pl.String)).new_from_index(0, count)
        return smallest, pl.DataFrame([pl.repeat(None, count, dtype=pl.String, eager=True).alias("own"), none])
    old = pl.DataFrame({"root": cluster.tail(both.height - count), "row_id": earlier["row_id"], "side": earlier["side"]})
    own = old.group_by("row_id").agg(own=pl.col("side").first())
    sides = old.group_by("root").agg(sides=pl.col("side").unique().sort())
    known = table.join(own, on="row_id", how="left", maintain_order="left").join(sides, on="root", how="left", maintain_order="left")
    return smallest, known.select("own", pl.col("sides").fill_null([]))


def place(
    cluster: pl.Series,
    names: pl.Series,
    known: pl.DataFrame,
    *,
    sizes: Mapping[str, int],
    seed: int,
    strata: pl.Series | None = None,
) -> pl.Series:
    """Give every row its part: an old row keeps its own, a new one joins its group's, a new group is assigned.

    Args:
        cluster: ``UInt64[n]``.
        names: ``String[n]``, row ids.
        known: As `grouped` gives it.
        sizes: Part to the rows that it should hold.
        seed: Draws the order.
        strata: ``String[n]``, whose shares the parts should have.
    Returns:
        ``side: String[n]``: a part, or `ASIDE` for a new row whose group stands in two parts.
    """
    sides = known["sides"]
    one = sides.list.len() == 1
    settled = dict(zip(cluster.filter(one), sides.filter(one).list.first(), strict=True))
    assigned = assignment.assign(cluster, names, sizes=sizes, seed=seed, fixed=settled, strata=strata)
    torn = sides.list.len() > 1
    return pl.select(
        pl.when(known["own"].is_not_null()).then(known["own"]).when(torn).then(pl.lit(ASIDE)).otherwise(assigned).alias("side")
    ).to_series()
