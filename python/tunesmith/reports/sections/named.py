"""The rows that a diagnosis names, with what was found marked in their text, and what the patch does to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.curation.edits import Edit
from tunesmith.reports.blocks import TABLES, Column, Parts, Rows, Section
from tunesmith.reports.differences import difference, found, same
from tunesmith.reports.texts import clip, counted

if TYPE_CHECKING:
    from tunesmith.reports.sections.diagnosis import Diagnosed

TABLE = "named-rows"
LIMIT = 2_000
"""Rows that a report holds."""
_NAMES = pl.List(pl.String)
NAMED = pl.Schema([("position", pl.UInt64), ("row_id", pl.String), ("category", _NAMES), ("slice", _NAMES), ("evidence", pl.String)])


def sections(made: Diagnosed, patch: Sequence[Edit]) -> list[Section]:
    """Draw the rows that the diagnosis names or the patch changes; none, if there are none."""
    lines = _lines(made, patch)
    if not lines.height:
        return []
    edits = {(edit.position, edit.row_id): edit for edit in patch if edit.position is not None}
    texts = made.rows.join(lines.head(LIMIT), on="position", how="semi") if made.rows is not None else pl.DataFrame()
    rows = {line["position"]: line for line in texts.iter_rows(named=True)}
    records = []
    for line in lines.head(LIMIT).iter_rows(named=True):
        edit = edits.get((line["position"], line["row_id"]))
        row = rows.get(line["position"])
        slices_ = list(dict.fromkeys([*line["slice"], *made.membership.rows.get(line["position"], ())]))
        action = edit.action if edit else "none"
        evidence = line["evidence"] or (edit.reason if edit else "") or ""
        records.append([line["position"], line["category"], slices_, action, edit.status if edit else "", clip(evidence), _text(row, edit)])
    added = [edit for edit in patch if edit.position is None]
    for edit in added[: max(LIMIT - len(records), 0)]:
        fields = edit.fields or {}
        text = same(
            "\n".join(
                part
                for part in (str(fields.get("instruction") or ""), str(fields.get("input") or ""), f"→ {fields.get('output') or ''}")
                if part
            )
        )
        records.append([None, [edit.category or ""], [], "add", edit.status, clip(edit.reason or ""), text])
    columns = (
        Column(name="position", type="id"), Column(name="category", type="tags", filter=True, shared=True),
        Column(name="slice", type="tags", filter=True, shared=True), Column(name="action", filter=True), Column(name="status", filter=True),
        Column(name="evidence"), Column(name="row", type="diff"),
    )  # fmt: skip
    without = "" if made.rows is not None else " The data lie elsewhere, so that their texts are not shown."
    lead = (
        f"{counted(lines.height + len(added), 'row')}: the instruction, the input and → the answer, with what the detector found in it "
        f"marked. Action: what the patch does to the row.{without}"
    )
    table = Rows(id=TABLE, title="", columns=columns, records=records, total=lines.height + len(added))
    return [Section(id="named", title="The rows behind the errors", lead=lead, blocks=[table], rank=TABLES)]


def _lines(made: Diagnosed, patch: Sequence[Edit]) -> pl.DataFrame:
    """Give a line a row: those that the patch changes first, then by rank."""
    causes = made.opened.causes.sort("rank", maintain_order=True)
    texts = ("row_id", "detector", "slice", "evidence")
    once = {name: pl.col(name).drop_nulls().unique(maintain_order=True) for name in texts}
    grouped = causes.group_by("position", maintain_order=True).agg(
        once["row_id"].first(), category=once["detector"], slice=once["slice"], evidence=once["evidence"].str.join("; ")
    )
    grouped = grouped.select(NAMED.names()).cast(dict(NAMED))  # type: ignore[arg-type]
    there = set(grouped["position"])
    others = [
        {"position": edit.position, "row_id": edit.row_id, "category": [edit.category or ""], "slice": [], "evidence": edit.reason}
        for edit in {edit.position: edit for edit in patch if edit.position is not None and edit.position not in there}.values()
    ]
    changed = [edit.position for edit in patch if edit.position is not None]
    return pl.concat([grouped, pl.DataFrame(others, schema=NAMED)]).sort(~pl.col("position").is_in(changed), maintain_order=True)


def _text(row: Mapping[str, Any] | None, edit: Edit | None) -> Parts:
    """Write a row with its finding marked; one whose text the patch edits, with its differing words."""
    if row is None:
        return []
    head = "".join(f"{part}\n" for part in (row["instruction"], row["input"]) if part) + "→ "
    output = row["output"] or ""
    changed = (edit.fields or {}).get("output") if edit is not None and edit.action == "edit" else None
    if isinstance(changed, str):
        return [["same", clip(head)], *difference(output, changed)]
    return [["same", clip(head)], *found(output, _span(row, edit))]


def _span(row: Mapping[str, Any], edit: Edit | None) -> list[tuple[int, int]]:
    """Give where in the answer the detector found it, as the edit's evidence says; an edit of another turn marks nothing."""
    evidence = edit.evidence if edit is not None else {}
    turn = evidence.get("turn")
    if "detector" not in evidence or (turn is not None and turn != len(row["messages"] or ()) - 1):
        return []
    start, end = evidence.get("start"), evidence.get("end")
    return [(int(start), int(end))] if start is not None and end is not None else [(0, len(row["output"] or ""))]
