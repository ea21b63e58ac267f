"""What `restore` undoes in the tables of a version: which rows it means, what they come back as, and which entries still hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tunesmith.rows import Version
from tunesmith.rows.schema import CONTENT, LEDGER

RESTORE = "restore"
"""The step that restored rows are booked under."""
_MIRRORS = ("instruction", "output", "system")
_LATER = "; a step that came after the drop changed its text too, and the text between is not kept: this is the later one"


@dataclass(frozen=True, kw_only=True)
class Undone:
    """The tables of a version after restoring, and what was undone. Positions are sorted, counts have the most first.

    Attributes:
        frame: The rows kept.
        removed: The rows still out, and those still edited as they were.
        ledger: The entries that still hold, and those of the step `restore`.
        values: What was measured; null for rows that got back another text.
        edges: Pairs, without those of rows that got back another text.
        acts: The entries that can be undone: drops of rows that are out, edits of rows that are kept.
        returned: Positions of the rows that came back.
        reverted: Positions of the rows that got back their text.
        undone: `step.rule` to restored rows on which it stands no longer.
        also_dropped: Of these, drops by other rules than what was asked for.
        also_edited: Of these, edits by other rules than what was asked for.
        stay_out: Drops, by `step.rule`, of rows that what was asked for edited, but did not drop.
        stay_out_rows: How many rows these are.
        returned_edited: Rows that came back and are not as they were read.
    """

    frame: pl.DataFrame
    removed: pl.DataFrame
    ledger: pl.DataFrame
    values: pl.DataFrame
    edges: pl.DataFrame
    acts: pl.DataFrame
    returned: pl.Series
    reverted: pl.Series
    undone: Mapping[str, int]
    also_dropped: Mapping[str, int]
    also_edited: Mapping[str, int]
    stay_out: Mapping[str, int]
    stay_out_rows: int
    returned_edited: int

    @property
    def restored(self) -> int:
        """Rows that came back or got back their text."""
        return self.returned.len() + self.reverted.len()


def acts_of(what: str, name: str) -> pl.Expr:
    """Choose the acts of a ``rule`` (its name, or `step.rule`) or of a ``step``; `name` is their `step.rule`."""
    return pl.col("step") == name if what == "step" else (pl.col("rule") == name) | (pl.col("name") == name)


def undo(version: Version, *, rows: Sequence[int] = (), rules: Sequence[str] = (), steps: Sequence[str] = ()) -> Undone:
    """Undo what was done to some rows of a version: all that one of the selections means.

    Args:
        version: It is read, and not changed.
        rows: Positions; every drop and every edit of these rows is meant.
        rules: Each a rule, or `step.rule`.
        steps: Each a step.
    """
    meant = {"named by row": _among(pl.Series(rows, dtype=pl.UInt64))} if rows else {}
    meant |= {f"rule {rule}": acts_of("rule", rule) for rule in rules} | {f"step {step}": acts_of("step", step) for step in steps}
    by = pl.concat_list(pl.when(chosen).then(pl.lit(asked)) for asked, chosen in meant.items()).list.drop_nulls()
    kept, removed = version.frame["position"], version.removed
    book = version.ledger.with_row_index("entry").with_columns(name=pl.concat_str("step", "rule", separator="."))
    book = book.with_columns(by=by).with_columns(asked=pl.col("by").list.len() > 0)
    acts = book.filter(pl.col("action").is_in(["drop", "edit"]), pl.col("step") != RESTORE, _among(removed["position"]))
    # What edited a row that is out is no reason to bring it back; it can be undone once the row is there.
    drops, edits = acts.filter(~_among(kept), action="drop"), acts.filter(_among(kept), action="edit")
    behind = acts.filter(~_among(kept), action="edit")
    returned, reverted = (_positions(each.filter("asked")) for each in (drops, edits))
    stay = _positions(behind.filter("asked", ~_among(returned)))
    undone = {"drop": drops.filter(_among(returned)), "edit": edits.filter(_among(reverted))}
    gone = removed.filter(_among(returned))
    back, first, later = _as_dropped(gone, behind["position"], book)
    now = version.frame.filter(_among(reverted)).sort("position")
    was = removed.filter(_among(reverted)).unique("position", keep="first", maintain_order=True).sort("position")
    holds = book.filter(~pl.col("entry").is_in(pl.concat([undone["drop"], undone["edit"]])["entry"].implode())).select(LEDGER.names())
    made = [_returns(undone["drop"], back, later), _reverts(undone["edit"], now, was)]
    texts = [name for name in version.values.columns if name != "position"]
    return Undone(
        frame=pl.concat([version.frame.filter(~_among(reverted)), back, was]).sort("position"),
        removed=pl.concat([removed.filter(~_among(reverted), ~_among(returned)), first]).sort("position", maintain_order=True),
        ledger=pl.concat([holds, *made]).sort("position", maintain_order=True),
        values=version.values.with_columns(pl.when(~_among(reverted)).then(pl.col(name)).alias(name) for name in texts),
        edges=version.edges.filter(~_among(reverted), ~_among(reverted, "twin_position")),
        acts=pl.concat([drops, edits]),
        returned=returned, reverted=reverted, undone=_counted(pl.concat([*undone.values()])),
        also_dropped=_counted(undone["drop"].filter(~pl.col("asked"))), also_edited=_counted(undone["edit"].filter(~pl.col("asked"))),
        stay_out=_counted(drops.filter(_among(stay))), stay_out_rows=stay.len(), returned_edited=first.height,
    )  # fmt: skip


def _as_dropped(gone: pl.DataFrame, edited: pl.Series, book: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.Series]:
    """Choose among the lines that `removed` has of a row that is out: as it was read, and as the last step left it.

    Steps measure rows that are out too, so that the last line may hold edits that came after the drop and are in no ledger.

    Args:
        gone: The lines.
        edited: Positions of the rows that were edited before they were dropped.
        book: The ledger with `entry`, in order.
    Returns:
        The rows as they were when dropped; those of them that were edited before, as they were read; the positions of rows
        that were edited both before and after, of which the text between is not kept: they come as the last step left them.
    """
    first, last = (gone.unique("position", keep=keep, maintain_order=True) for keep in ("first", "last"))
    back = pl.concat([last.filter(_among(edited)), first.filter(~_among(edited))]).sort("position")
    left = book.filter(_among(gone["position"])).select("position", pl.coalesce("new_id", "row_id").alias("left"))
    left = left.unique("position", keep="last", maintain_order=True)
    later = back.join(left, on="position", how="left", maintain_order="left").filter(pl.col("left") != pl.col("row_id"))["position"]
    several = gone.filter(pl.len().over("position") > 1)["position"]  # one line alone: the edits came to nothing
    return back, first.filter(_among(edited), _among(several)), later


def _returns(drops: pl.DataFrame, back: pl.DataFrame, later: pl.Series) -> pl.DataFrame:
    """Book the rows that came back: the rule, value, threshold and twin are those of the drop that was asked for."""
    said = pl.format("came back ({}); was dropped by {}", "asked_by", "names")
    note = pl.when(_among(later)).then(pl.lit(_LATER)).otherwise(pl.lit(""))
    reason = pl.when(pl.col("evidence").is_null()).then(pl.lit("")).otherwise(pl.format(": {}", pl.col("evidence").fill_null("")))
    rows = back.select("position", pl.col("row_id").alias("now_id"))
    made = _grouped(drops).join(rows, on="position", how="left", maintain_order="left")
    return _entries(made.with_columns(
        row_id=pl.col("now_id"), rule="name", action=pl.lit("keep"), evidence=pl.concat_str(said, reason, note), new_id=pl.lit(None),
    ))  # fmt: skip


def _reverts(edits: pl.DataFrame, now: pl.DataFrame, was: pl.DataFrame) -> pl.DataFrame:
    """Book the rows that got back their text: fields that change, and the ids before and after."""
    ids = pl.DataFrame({"position": now["position"], "now_id": now["row_id"], "was_id": was["row_id"], "fields": _changed(now, was)})
    made = _grouped(edits).join(ids, on="position", how="left", maintain_order="left")
    said = pl.format("as it was before ({}); was edited by {}", "asked_by", "names")
    other = pl.when(pl.col("was_id") != pl.col("now_id")).then("was_id")
    return _entries(made.with_columns(
        row_id=pl.col("now_id"), rule="name", action=pl.lit("edit"), evidence=said, field="fields", new_id=other,
    ))  # fmt: skip


def _grouped(acts: pl.DataFrame) -> pl.DataFrame:
    """Take the first act of each row, those that were asked for before others, with `names` of all and by what they were asked for."""
    every = acts.group_by("position", maintain_order=True).agg(
        pl.col("name").unique(maintain_order=True).str.join(", ").alias("names"),
        pl.col("by").explode().drop_nulls().unique(maintain_order=True).str.join(", ").alias("asked_by"),
    )
    first = acts.sort(~pl.col("asked"), maintain_order=True).unique("position", keep="first", maintain_order=True)
    return first.join(every, on="position", how="left", maintain_order="left")


def _entries(made: pl.DataFrame) -> pl.DataFrame:
    made = made.with_columns(step=pl.lit(RESTORE), turn=pl.lit(None))
    return made.select(pl.col(name).cast(dtype) for name, dtype in LEDGER.items())


def _changed(now: pl.DataFrame, was: pl.DataFrame) -> pl.Series:
    """Name the fields in which rows differ, line by line; columns that mirror turns are left out where the turns differ."""
    differs: dict[str, list[bool]] = {}
    for name in (*CONTENT, "weight"):
        old, new = now[name], was[name]
        nested = isinstance(old.dtype, pl.List)
        differs[name] = [a != b for a, b in zip(old.to_list(), new.to_list(), strict=True)] if nested else old.ne_missing(new).to_list()
    said = []
    for k in range(now.height):
        fields = [name for name, changed in differs.items() if changed[k]]
        said.append(", ".join(name for name in fields if not ("messages" in fields and name in _MIRRORS)))
    return pl.Series("fields", said, dtype=pl.String)


def _among(positions: pl.Series, name: str = "position") -> pl.Expr:
    return pl.col(name).is_in(positions.unique().implode())


def _positions(acts: pl.DataFrame) -> pl.Series:
    return acts["position"].unique().sort()


def _counted(acts: pl.DataFrame) -> dict[str, int]:
    counts = acts.group_by("name").agg(pl.col("position").n_unique().alias("rows")).sort("rows", "name", descending=[True, False])
    return dict(counts.iter_rows())
