"""Which group of rows goes to which part: whole groups, in hash order, until a part is full."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import polars as pl

from tunesmith.errors import OptionError
from tunesmith.rows import clusters
from tunesmith.rows.pieces import pieces
from tunesmith.rows.rejects import shorten

SHARE, COUNT = 0.1, 1_000
"""Unless said, a part is the smaller of this share and this count."""
_FIRST = 50_000
"""Groups that are looked at before all of them are sorted."""
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
    sides = dict(fixed or {})
    counted = Counter(dict(whole.value_counts().iter_rows()))
    left = {part: _quotas(counted, room) for part, room in sizes.items()}
    groups = _Groups(group, names, strata, seed)
    for root, held in groups.some(sides):
        if sides[root] in left:
            left[sides[root]].subtract(held)
    for strict in (True, False) if strata is not None else (False,):
        if _full(left):
            break
        for root, held in groups.in_order():
            if root not in sides and (side := next((part for part, room in left.items() if _fits(held, room, strict=strict)), None)):
                sides[root] = side
                left[side].subtract(held)
                if _full(left):
                    break
    table = pl.DataFrame({"group": list(sides), "part": list(sides.values())}, schema={"group": group.dtype, "part": pl.String})
    return pl.DataFrame({"group": group}).join(table, on="group", how="left", maintain_order="left")["part"].fill_null("train")


class _Groups:
    """Groups in hash order, with the rows that they hold of each stratum; a few at a time, since most are never asked for."""

    def __init__(self, group: pl.Series, names: pl.Series, strata: pl.Series | None, seed: int) -> None:
        table = pl.DataFrame({"group": group, "name": names, **({} if strata is None else {"stratum": strata})})
        held = pl.len() if strata is None else pl.col("stratum")
        groups = table.group_by("group").agg(pl.col("name").min(), held.alias("held"))
        self._groups = groups.select("group", "held", key=clusters.hash_keys(groups["name"], seed))
        self._alike: dict[tuple[str, ...] | int, Counter[str]] = {}  # millions of groups share a few counts

    def some(self, roots: Collection[int]) -> Iterator[tuple[int, Counter[str]]]:
        """Give those of these groups that there are."""
        return self._counted(self._groups.filter(pl.col("group").is_in(list(roots))))

    def in_order(self) -> Iterator[tuple[int, Counter[str]]]:
        """Give all groups. The first ones are found without sorting them all: parts are mostly full before the rest is needed."""
        first, by = _FIRST, ["key", "group"]
        if self._groups.height <= first:
            yield from self._counted(self._groups.sort(by))
            return
        head = self._groups.bottom_k(first, by=by).sort(by)
        yield from self._counted(head)
        last = head.tail(1).select(by).row(0)
        behind = (pl.col("key") > last[0]) | ((pl.col("key") == last[0]) & (pl.col("group") > last[1]))
        yield from self._counted(self._groups.filter(behind).sort(by))

    def _counted(self, groups: pl.DataFrame) -> Iterator[tuple[int, Counter[str]]]:
        for piece in pieces(groups):
            for root, held in piece.select("group", "held").iter_rows():
                known = held if isinstance(held, int) else tuple(held)
                yield root, self._alike.setdefault(known, Counter({"": held} if isinstance(held, int) else held))


def _full(left: Mapping[str, Counter[str]]) -> bool:
    return all(room.total() <= 0 for room in left.values())


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
