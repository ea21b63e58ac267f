"""The placebo: as many rows of the same slices, drawn without looking at what is in them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith import slices
from tunesmith.curation.edits import Edit, edit_id
from tunesmith.errors import InputError
from tunesmith.rows import read
from tunesmith.turns.placebo import WHOLE, make_placebo

VERBS, TOPICS = ("Name", "List", "Explain"), ("forge", "mill")


def rows(n: int, *, topics: bool = True) -> pl.DataFrame:
    """Rows of verb x topic slices of uneven sizes."""
    records = [
        {
            "instruction": f"{VERBS[k * 7 // 3 % 3]} thing number {k} of the place.",
            "output": f"Thing {k}." * (1 + k % 5),
            **({"topic": TOPICS[k % 5 == 0]} if topics else {}),
        }
        for k in range(n)
    ]
    return read(records).frame


def slice_of(frame: pl.DataFrame) -> dict[int, tuple[str, ...]]:
    names = [name for name in ("verb", "topic") if name in slices.columns(frame).columns]
    return {row[0]: row[1:] for row in slices.columns(frame).select("position", *names).iter_rows()}


def edit(frame: pl.DataFrame, position: int, action: str) -> Edit:
    row_id = frame["row_id"][position]
    more: dict[str, Any] = {"edit": {"fields": {"output": "Mended."}}, "weight": {"weight": 0.1}}.get(action, {})
    if action == "add":
        fields = {"instruction": f"{VERBS[position % 3]} one more.", "output": "Yes.", "topic": TOPICS[0]}
        return Edit(edit_id=f"add{position}", action="add", fields=fields, category="refusal")
    made = edit_id(position, row_id, action, "refusal")
    return Edit(edit_id=made, position=position, row_id=row_id, action=action, category="refusal", **more)  # type: ignore[arg-type]


@st.composite
def patches(draw: st.DrawFn) -> tuple[pl.DataFrame, list[Edit]]:
    frame = rows(draw(st.integers(8, 60)), topics=draw(st.booleans()))
    positions = draw(st.lists(st.integers(0, frame.height - 1), unique=True, min_size=1))
    actions = draw(st.lists(st.sampled_from(["drop", "edit", "weight", "mask"]), min_size=len(positions), max_size=len(positions)))
    return frame, [edit(frame, position, action) for position, action in zip(positions, actions, strict=True)]


@given(patches(), st.integers(0, 3))
def test_as_many_rows_of_the_same_slices(given_patch: tuple[pl.DataFrame, list[Edit]], seed: int) -> None:
    frame, edits = given_patch
    made = make_placebo(frame, edits, seed=seed)
    assert Counter(each.action for each in made.edits) == Counter(each.action for each in edits)
    positions = [each.position for each in made.edits]
    assert len(set(positions)) == len(positions)
    ids = dict(frame.select("position", "row_id").iter_rows())
    assert all(each.position is not None and ids[each.position] == each.row_id for each in made.edits)
    of = slice_of(frame)
    sizes, theirs = Counter(of.values()), Counter(of[each.position] for each in edits if each.position is not None)
    mine = Counter(of[position] for position in positions if position is not None)
    within = {name for name in theirs if theirs[name] <= WHOLE * sizes[name]}
    for name in within:
        assert mine[name] >= theirs[name], "what the patch takes of a slice, the placebo takes of it"
    if within == set(theirs):
        assert mine == theirs
    told = {each["slice"]: each for each in made.slices}
    assert sum(each["placebo_rows"] for each in told.values()) == sum(each["patch_rows"] for each in told.values()) == len(edits)
    assert make_placebo(frame, edits, seed=seed) == made


def test_it_does_not_depend_on_what_rows_hold_nor_on_the_order_of_the_edits() -> None:
    frame = rows(60)
    edits = [edit(frame, position, "drop") for position in range(0, 30, 2)]
    drawn = {each.position for each in make_placebo(frame, edits).edits}
    assert {each.position for each in make_placebo(frame, edits[::-1]).edits} == drawn
    longer = frame.with_columns(output=pl.lit("other " * 20))
    assert {each.position for each in make_placebo(longer, edits).edits} == drawn
    assert {each.position for each in make_placebo(frame, edits, seed=1).edits} != drawn


def test_all_rows_of_a_slice_are_drawn_alike_the_patch_s_included() -> None:
    """Over seeds, each row of the slice is drawn as often as another."""
    frame = read([{"instruction": f"Name thing {k}.", "output": f"Thing {k}."} for k in range(20)]).frame
    edits = [edit(frame, position, "drop") for position in range(10)]
    drawn = Counter(each.position for seed in range(400) for each in make_placebo(frame, edits, seed=seed).edits)
    assert set(drawn) == set(range(20))
    assert all(150 < count < 250 for count in drawn.values())  # 200 expected, standard deviation 10
    patched = sum(drawn[position] for position in range(10))
    assert abs(patched - 2000) < 150


def test_where_the_patch_takes_nearly_all_of_a_slice_the_whole_data_is_drawn_from() -> None:
    records = [{"instruction": f"Name thing {k}.", "output": f"{k}."} for k in range(10)]
    records += [{"instruction": f"Explain thing {k}.", "output": f"{k}."} for k in range(90)]
    frame = read(records).frame
    made = make_placebo(frame, [edit(frame, position, "drop") for position in range(9)])
    assert made.slices[0] == {
        "slice": "verb=name",
        "rows": 10,
        "patch_rows": 9,
        "placebo_rows": made.slices[0]["placebo_rows"],
        "from": "data",
    }
    assert made.slices[0]["placebo_rows"] < 5
    assert {each.reason for each in made.edits} == {"a random row of the whole data, for verb=name"}
    eight = make_placebo(frame, [edit(frame, position, "drop") for position in range(8)])
    assert [each["from"] for each in eight.slices] == ["slice"]
    assert all(each.position is not None and each.position < 10 for each in eight.edits)


def test_an_edit_s_placebo_is_a_whole_other_row() -> None:
    frame = rows(40)
    made = make_placebo(frame, [edit(frame, position, "edit") for position in range(20)])
    content = {row[1:]: row[0] for row in frame.select("position", "instruction", "output").iter_rows()}
    of = slice_of(frame)
    for each in made.edits:
        assert each.fields is not None
        donor = content[each.fields["instruction"], each.fields["output"]]
        assert donor != each.position
        assert of[donor] == of[int(each.position or 0)] or "whole data" in str(each.reason)


def test_new_rows_are_matched_by_copies_and_a_slice_without_rows_by_any() -> None:
    frame = rows(30)
    made = make_placebo(frame, [edit(frame, position, "add") for position in range(6)])
    assert all(each.fields is not None and each.fields["topic"] for each in made.edits)
    assert {each["from"] for each in made.slices} == {"slice"}
    missing = Edit(edit_id="m", action="add", fields={"instruction": "Reverse this.", "output": "siht"}, category="refusal")
    only = make_placebo(frame, [missing])
    assert (only.slices[0]["slice"], only.slices[0]["rows"], only.slices[0]["from"]) == ("verb=reverse & topic=unknown", 0, "data")
    assert len(only.edits) == 1


def test_rows_that_would_not_change_are_passed_over() -> None:
    frame = rows(20, topics=False).with_columns(weight=pl.when(pl.col("position") < 15).then(0.1).otherwise(1.0).cast(pl.Float32))
    changed = [edit(frame, position, "weight") for position in (16, 17)]
    assert {each.position for each in make_placebo(frame, changed).edits} <= set(range(15, 20))
    with pytest.raises(InputError, match="too few rows for a placebo"):
        make_placebo(frame.head(4), [edit(frame, position, "weight") for position in (0, 1)])


def test_conversations_keep_their_form(tmp_path: Path) -> None:
    talks = [
        {"messages": [{"role": "user", "content": f"Name bird {k}."}, {"role": "assistant", "content": f"Bird {k}."},
                      {"role": "user", "content": "Another."}, {"role": "assistant", "content": f"Bird {k + 1}."}]}
        for k in range(12)
    ]  # fmt: skip
    frame = read(talks).frame
    edits = [
        Edit(edit_id="a", position=0, row_id=frame["row_id"][0], action="edit", fields={"output": "A bird."}, category="refusal"),
        Edit(edit_id="b", position=1, row_id=frame["row_id"][1], action="mask", turn=1, category="refusal"),
        Edit(edit_id="c", position=2, row_id=frame["row_id"][2], action="mask", category="refusal"),
    ]
    made = {each.action + str(each.turn is not None): each for each in make_placebo(frame, edits).edits}
    assert [turn["role"] for turn in made["editFalse"].fields["messages"]] == ["user", "assistant"] * 2  # type: ignore[index]
    assert made["maskTrue"].turn in (1, 3)
    assert made["maskFalse"].turn is None
