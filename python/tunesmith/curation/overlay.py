"""Edits on rows: which text is meant, how a new one takes its place, and what follows from it (mirrors, ids)."""

from __future__ import annotations

from typing import Any

import polars as pl

from tunesmith.rows import ids

COLUMN = {"instruction": "instruction", "input": "input", "response": "output"}
"""A finding's field to the row's column, for rows without messages."""


def edit(frame: pl.DataFrame, edits: pl.DataFrame) -> pl.DataFrame:
    """Give the edited rows, whole, as they are afterwards.

    Args:
        frame: Rows.
        edits: `position, field, turn, text`; of several edits of one place the last stands.
    Returns:
        The rows whose content changed, in the order of `frame`, with new ids.

    >>> rows = pl.DataFrame({"position": [0, 1], "row_id": ["", ""], "instruction": ["Add", "Sum"], "input": ["none", "1"]})
    >>> change = pl.DataFrame({"position": [0], "field": ["input"], "turn": [None], "text": [""]})
    >>> edit(rows, change)["input"].to_list()
    ['']
    """
    touched = frame.filter(pl.col("position").is_in(edits["position"].unique().implode()))
    if touched.is_empty():
        return touched
    before = ids(touched)["row_id"]
    plain, turns = edits.filter(pl.col("turn").is_null()), edits.filter(pl.col("turn").is_not_null())
    for field, column in COLUMN.items():
        texts = (
            plain.filter(field=field).unique("position", keep="last", maintain_order=True).select("position", pl.col("text").alias("_text"))
        )
        if not texts.is_empty():
            joined = touched.join(texts, on="position", how="left", maintain_order="left")
            touched = joined.with_columns(pl.coalesce("_text", column).alias(column)).drop("_text")
    if not turns.is_empty():
        touched = _edit_turns(touched, turns)
    touched = ids(touched)
    return touched.filter(touched["row_id"] != before)


def _edit_turns(rows: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """Edit the contents of messages; `instruction` and `output` mirror the last user and assistant turn."""
    wanted: dict[int, dict[int, str]] = {}
    for position, turn, text in turns.select("position", "turn", "text").iter_rows():
        wanted.setdefault(position, {})[turn] = text
    changed: list[list[dict[str, Any]] | None] = []
    for position, messages in rows.select("position", "messages").iter_rows():
        of_row = wanted.get(position, {})
        turned = [{**message, "content": of_row.get(k, message["content"])} for k, message in enumerate(messages or [])]
        changed.append(turned if messages is not None else None)
    made = rows.with_columns(pl.Series("messages", changed, dtype=rows.schema["messages"]))
    is_edited = pl.col("position").is_in(list(wanted))
    return made.with_columns(
        pl.when(is_edited).then(_last("user")).otherwise("instruction").alias("instruction"),
        pl.when(is_edited).then(_last("assistant")).otherwise("output").alias("output"),
    )


def _last(role: str) -> pl.Expr:
    of_role = pl.element().filter(pl.element().struct.field("role") == role)
    return pl.col("messages").list.eval(of_role.struct.field("content")).list.last()


def texts_at(frame: pl.DataFrame, places: pl.DataFrame) -> list[str | None]:
    """Read the texts at places (`position, field, turn`) of rows, one a place."""
    positions = places["position"].unique().implode()
    rows = {row["position"]: row for row in frame.filter(pl.col("position").is_in(positions)).iter_rows(named=True)}
    found: list[str | None] = []
    for position, field, turn in places.select("position", "field", "turn").iter_rows():
        row = rows[position]
        found.append(row[COLUMN[field]] if turn is None else row["messages"][turn]["content"])
    return found


def laid_over(frame: pl.DataFrame, edited: pl.DataFrame) -> pl.DataFrame:
    """Put edited rows in the place of the rows of the same position; columns in which they are equal stay as they are, uncopied.

    >>> laid_over(pl.DataFrame({"position": [0, 1], "a": [1, 2]}), pl.DataFrame({"position": [1], "a": [3]}))["a"].to_list()
    [1, 3]
    """
    if edited.is_empty():
        return frame
    if not frame["position"].is_sorted():
        raise ValueError("rows are not in the order of their positions")
    index = frame["position"].search_sorted(edited["position"])
    there = frame[index]
    changed = [name for name in frame.columns if not there[name].equals(edited[name], null_equal=True)]
    lines = pl.int_range(edited.height, eager=True, dtype=pl.UInt32)
    line = pl.repeat(None, frame.height, dtype=pl.UInt32, eager=True).scatter(index, lines)
    laid = (pl.when(line.is_not_null()).then(edited[name].gather(line)).otherwise(pl.col(name)).alias(name) for name in changed)
    return frame.with_columns(laid)
