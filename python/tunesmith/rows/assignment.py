"""Which group of rows goes to which part: whole groups, in hash order, until a part is full."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import polars as pl

from tunesmith.errors import OptionError
from tunesmith.rows import clusters
from tunesmith.rows.rejects import shorten

SHARE, COUNT = 0.1, 1_000
"""Unless said, a part is the smaller of this share and this count."""
LARGEST_GROUP = 0.05
"""A group with a larger share of all rows cannot be moved without bending the parts."""


def size(given: float | None, rows: int, *, name: str) -> int:
    """Give the rows of a part: N below 1 is a share, else a count; unsaid, the smaller of 10% and 1,000.

    Raises:
        OptionError: If N is negative, or a count with a fraction.

    >>> size(0.25, 200, name="test"), size(30, 200, name="test"), size(None, 200, name="test")
    (50, 30, 20)
    """
    if given is None:
        return min(round(SHARE * rows), COUNT)
    if not math.isfinite(given) or given < 0 or (given >= 1 and given != int(given)):
        raise OptionError(f"{name}: found {given:g}, expected a share below 1 or a whole count of rows")
    return round(given * rows) if given < 1 else int(given)


def refuse_giants(frame: pl.DataFrame, group: pl.Series) -> None:
    """Stop where one group holds more than 5% of all rows.

    Raises:
        OptionError: Names the group by its first row, its size and what to do.
    """
    counts = group.value_counts()
    count = max(counts["count"], default=0)
    if count <= max(1, LARGEST_GROUP * frame.height):
        return
    giant = counts.filter(pl.col("count") == count)[group.name].sort()[0]
    first = frame.filter(group == giant)
    text = shorten(clusters.compared(first)[0] or "")
    share = f"{count:,} of {frame.height:,} rows ({count / frame.height:.0%})"
    advice = "remove near duplicates first (`tunesmith curate` with near_duplicates and action: drop), or leave out rows of it"
    raise OptionError(
        f"{share} are one group, that of position {giant} ({text!r}); a group above {LARGEST_GROUP:.0%} cannot move as a whole: {advice}"
    )


def assign(
    group: pl.Series,
    names: pl.Series,
    *,
    sizes: Mapping[str, int],
    seed: int,
    fixed: Mapping[int, str] | None = None,
    strata: pl.Series | None = None,
) -> pl.Series:
    """Send whole groups to parts.

    Groups are taken in the hash order of the smallest row id in each, so that it is their content that decides,
    not where they stand in the file. A group goes to the first part, in the order of ``sizes``, that it does not
    overfill; else to train. With strata, it must not overfill the part's share of any of its strata either; what
    room that leaves is filled in a second round, so that sizes hold and shares are as near as whole groups allow.

    Args:
        group: ``UInt64[n]``.
        names: ``String[n]``, row ids.
        sizes: Part to the rows that it should hold.
        seed: Draws the order.
        fixed: Groups whose part is known already; they count towards its size.
        strata: ``String[n]``, whose shares the parts should have.
    Returns:
        ``part: String[n]``.

    >>> group, names = pl.Series([0, 0, 2, 3], dtype=pl.UInt64), pl.Series(["a", "b", "c", "d"])
    >>> assign(group, names, sizes={"test": 2}, seed=0).value_counts()["count"].sort().to_list()
    [2, 2]
    """
    whole = strata if strata is not None else pl.repeat("", group.len(), dtype=pl.String, eager=True)
    table = pl.DataFrame({"group": group, "name": names, "stratum": whole})
    order = table.group_by("group").agg(pl.len(), pl.col("name").min(), pl.col("stratum"))
    order = order.with_columns(order=clusters.hash_order(order["name"], seed)).sort("order", "group")
    alike: dict[tuple[str, ...], Counter[str]] = {}  # most groups are one row: millions of them share a few counts
    groups = [(root, alike.setdefault(tuple(held), Counter(held))) for root, held in order.select("group", "stratum").iter_rows()]
    sides = dict(fixed or {})
    counted = Counter(dict(whole.value_counts().iter_rows()))
    left = {part: _quotas(counted, room) for part, room in sizes.items()}
    for root, held in groups:
        if sides.get(root) in left:
            left[sides[root]].subtract(held)
    for strict in (True, False) if strata is not None else (False,):
        for root, held in groups:
            if root not in sides and (side := next((part for part, room in left.items() if _fits(held, room, strict=strict)), None)):
                sides[root] = side
                left[side].subtract(held)
    table = pl.DataFrame({"group": list(sides), "part": list(sides.values())}, schema={"group": group.dtype, "part": pl.String})
    return pl.DataFrame({"group": group}).join(table, on="group", how="left", maintain_order="left")["part"].fill_null("train")


def _fits(held: Counter[str], room: Counter[str], *, strict: bool) -> bool:
    """Tell whether a group fits: into every one of its strata's room, or into the part as a whole."""
    return held.total() <= room.total() and (not strict or all(count <= room[stratum] for stratum, count in held.items()))


def _quotas(counts: Counter[str], size: int) -> Counter[str]:
    """Divide a part's rows by the strata's shares, largest remainders first.

    >>> _quotas(Counter(a=6, b=3, c=1), 5)
    Counter({'a': 3, 'b': 2, 'c': 0})
    """
    total = max(1, counts.total())
    exact = {stratum: size * count / total for stratum, count in counts.items()}
    quotas = Counter({stratum: int(share) for stratum, share in exact.items()})
    rest = sorted(exact, key=lambda stratum: (quotas[stratum] - exact[stratum], stratum))
    quotas.update(rest[: size - quotas.total()])
    return quotas
