"""Which prediction answers which item: by row id, position or prompt, else line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import polars as pl

from tunesmith.errors import InputError
from tunesmith.evaluation.formats import Predicted
from tunesmith.evaluation.items import Items
from tunesmith.evaluation.schema import PREDICTION
from tunesmith.rows import fields


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Predictions in their places.

    Attributes:
        frame: ``schema.PREDICTION``, by item and seed.
        by: row_id, position, prompt or line.
        unmatched: Items without a prediction.
        duplicates: Predictions for an item and seed that had one already; the first counts.
        foreign: Predictions that name no item.
        shared: Items whose prompt another item has too, so that a prompt cannot name them.
        first_unmatched: Position of the first item without a prediction.
    """

    frame: pl.DataFrame
    by: str
    unmatched: int
    duplicates: int
    foreign: int
    shared: int
    first_unmatched: int | None


def match(items: Items, predictions: Sequence[Predicted], *, name: str) -> Matched:
    """Put predictions to items: by `row_id`, else `position`, else a prompt that only one item has, else line by line.

    Row ids name contents: of rows that are copies, the k-th gets the k-th prediction of that id, and those that are left
    over get the first, for they ask the same.

    Args:
        items: What was asked.
        predictions: In the order of their file.
        name: What the model is called where the predictions do not say.
    Raises:
        InputError: If nothing names the items and the counts differ, or there are several models.
    """
    models = {made.model for made in predictions if made.model is not None}
    if len(models) > 1:
        raise InputError(f"expected the predictions of one model, found {', '.join(sorted(models))}; evaluate each by itself")
    model = next(iter(models), name)
    by, keys = _keys(items, predictions)
    places: dict[Hashable, list[int]] = defaultdict(list)
    for item, value in enumerate(keys):
        places[value].append(item)
    shared = sum(len(found) for found in places.values() if by == "prompt" and len(found) > 1)
    if shared:
        places = defaultdict(list, {value: found for value, found in places.items() if len(found) == 1})
    given: dict[tuple[int, int], Predicted] = {}
    taken: dict[tuple[Hashable, int], int] = defaultdict(int)
    duplicates = foreign = 0
    for line, made in enumerate(predictions):
        value, seed = _name(made, by, line), made.seed or 0
        found = places.get(value)
        if not found:
            foreign += 1
            continue
        which = taken[value, seed]
        taken[value, seed] += 1
        if which >= len(found):
            duplicates += 1
            continue
        given[found[which], seed] = made
    for (value, seed), count in taken.items():
        for item in places[value][count:]:
            given[item, seed] = given[places[value][0], seed]
    rows = [
        (item, model, seed, None, made.output, made.finish, None, made.tokens, None)
        for (item, seed), made in sorted(given.items(), key=lambda entry: entry[0])
    ]
    answered = {item for item, _ in given}
    missing = [item for item in range(items.table.height) if item not in answered]
    return Matched(
        frame=pl.DataFrame(rows, schema=PREDICTION, orient="row"),
        by=by,
        unmatched=len(missing),
        duplicates=duplicates,
        foreign=foreign,
        shared=shared,
        first_unmatched=items.table["position"][missing[0]] if missing else None,
    )


def _keys(items: Items, predictions: Sequence[Predicted]) -> tuple[str, Sequence[Hashable]]:
    """Choose by what to match, and name every item by it."""
    if any(made.row_id is not None for made in predictions):
        return "row_id", items.table["row_id"].to_list()
    if any(made.position is not None for made in predictions):
        return "position", items.table["position"].to_list()
    if any(made.prompt is not None for made in predictions):
        return "prompt", [text.strip() for text in fields.prompt(items.rows)]
    count, height = len(predictions), items.table.height
    if count == items.read and items.rejected:  # a line a record, rejected ones too: positions count them
        return "line", items.table["position"].to_list()
    if count == height:
        return "line", range(height)
    if count == items.read - items.rejected:
        return "line", items.lines.to_list()
    raise InputError(
        f"expected predictions with row_id, position or prompt, or as many lines as items, found {count:,} predictions "
        f"without any of these and {height:,} items"
    )


def _name(made: Predicted, by: str, line: int) -> Hashable:
    if by == "line":
        return line
    if by == "prompt":
        return made.prompt.strip() if made.prompt is not None else None
    value: Hashable = made.row_id if by == "row_id" else made.position
    return value
