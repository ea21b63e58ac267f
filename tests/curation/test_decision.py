"""The pure function against a slow twin, on measures made by hand and at random."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import decide as oracle
from tunesmith.curation.decision import decide, fused
from tunesmith.curation.recipe import load_recipe
from tunesmith.rows.schema import EDGES

POSITIONS = [0, 1, 2, 3, 5, 8, 13]


def steps_of(*steps: dict) -> tuple:
    return load_recipe({"steps": list(steps)}).steps


def edges_of(step: str, *pairs: tuple[int, int, float]) -> pl.DataFrame:
    return pl.DataFrame([(step, a, b, s) for a, b, s in pairs], schema=EDGES, orient="row")


def lengths(step: str, values: dict[int, int]) -> pl.DataFrame:
    return pl.DataFrame({"position": list(values), f"{step}.length": list(values.values())}, schema_overrides={"position": pl.UInt64})


def test_a_dropped_row_is_never_a_root():
    steps = steps_of({"filter": {"name": "short", "words": {"min": 2}}}, {"exact_duplicates": {"name": "same"}})
    values = lengths("same", {0: 5, 1: 5, 2: 5}).with_columns(pl.Series("short.words", [1, 3, 3]))
    fate = decide(values, edges_of("same", (1, 0, 1.0), (2, 0, 1.0)), steps)
    assert fate.kept.to_list() == [1]
    assert fate.decisions.select("position", "rule", "twin_position").rows() == [(0, "words.min", None), (2, "exact_duplicate", 1)]


def test_near_rows_are_not_tied_through_a_row_that_is_gone():
    steps = steps_of({"filter": {"name": "short", "words": {"min": 2}}}, {"near_duplicates": {"name": "near", "threshold": 0.7}})
    values = lengths("near", {0: 5, 1: 5, 2: 5}).with_columns(pl.Series("short.words", [3, 1, 3]))
    fate = decide(values, edges_of("near", (1, 0, 0.8), (2, 1, 0.8)), steps)
    assert fate.kept.to_list() == [0, 2]


def test_a_fused_group_records_all_reasons_and_counts_the_first():
    a, b, d = ({"filter": {"name": name, "words": {"min": least}}} for name, least in (("a", 2), ("b", 3), ("d", 9)))
    steps = steps_of(a, b, {"exact_duplicates": {"name": "c"}}, d)
    values = lengths("c", {0: 1, 1: 1}).with_columns(pl.Series(f"{name}.words", [1, 9]) for name in "abd")
    fate = decide(values, pl.DataFrame(schema=EDGES), steps)
    assert fate.decisions.filter(position=0)["step"].to_list() == ["a", "b"]
    assert [(count.step, count.rows_in, count.dropped) for count in fate.steps] == [("a", 2, 1), ("b", 1, 0), ("c", 1, 0), ("d", 1, 0)]


def test_the_longest_row_stays_and_the_first_of_these():
    steps = steps_of({"near_duplicates": {"name": "near", "keep": "longest"}})
    fate = decide(lengths("near", {4: 5, 6: 9, 7: 9}), edges_of("near", (6, 4, 0.8), (7, 6, 0.9)), steps)
    assert fate.kept.to_list() == [6]
    assert fate.decisions["twin_position"].to_list() == [6, 6]
    assert fate.decisions["evidence"].to_list() == ["row 6 is kept of a group of 3"] * 2


def test_pairs_below_the_threshold_do_not_count():
    steps = steps_of({"near_duplicates": {"name": "near", "threshold": 0.7}})
    assert decide(lengths("near", {0: 1, 1: 1}), edges_of("near", (1, 0, 0.65)), steps).kept.len() == 2


def test_no_rows_and_no_steps():
    empty = lengths("near", {}).with_columns(pl.col("near.length").cast(pl.UInt32))
    assert decide(empty, pl.DataFrame(schema=EDGES), steps_of({"near_duplicates": {"name": "near"}})).kept.is_empty()
    assert decide(lengths("x", {3: 1}), pl.DataFrame(schema=EDGES), ()).kept.to_list() == [3]


def test_row_steps_are_fused_and_others_stand_alone():
    steps = steps_of({"fix": {}}, {"detect": {}}, {"exact_duplicates": {}}, {"filter": {"words": {"min": 1}}}, {"select": {"rows": 3}})
    assert [[step.label for step in group] for group in fused(steps)] == [["fix", "detect"], ["exact_duplicates"], ["filter"], ["select"]]


def measured_step(kind: str, name: str, draw: st.DrawFn, rows: dict[int, dict], edges: dict) -> tuple[dict, dict]:
    """Draw a step with its measures; gives it for the oracle and for a recipe."""

    def put(measure: str, values: st.SearchStrategy) -> None:
        for of_row in rows.values():
            of_row[f"{name}.{measure}"] = draw(values)

    action, keep = draw(st.sampled_from(["drop", "flag"])), draw(st.sampled_from(["first", "longest"]))
    if kind == "fix":
        put("html_entity", st.integers(0, 1))
        return {"only": ["html_entity"]}, {"only": ["html_entity"]}
    if kind == "filter":
        put("words", st.integers(0, 9))
        low, high = draw(st.none() | st.integers(0, 4)), draw(st.integers(5, 9))
        return {"min": low, "max": high}, {"words": {"max": high} if low is None else {"min": low, "max": high}}
    if kind == "detect":
        for measure in ("output_empty.fatal", "truncated.review", "list_count.information"):
            put(measure, st.sampled_from([0, 0, 1, 2]))
        options = {"drop": draw(st.sampled_from(["none", "fatal", "review"])), "flag": draw(st.sampled_from(["none", "review", "all"]))}
        return options, options
    if kind == "select":
        for position, place in zip(rows, draw(st.permutations(range(len(rows)))), strict=True):
            rows[position][f"{name}.order"] = place if place < 5 else None
        budget = draw(st.integers(1, 5))
        return {"rows": budget}, {"rows": budget}
    put("length", st.integers(1, 3))
    pair = st.tuples(st.sampled_from(POSITIONS), st.sampled_from(POSITIONS)).filter(lambda two: two[0] > two[1])
    similarity = st.just(1.0) if kind == "exact_duplicates" else st.sampled_from([0.6, 0.7, 0.8, 0.9, 1.0])
    edges[name] = draw(st.lists(st.tuples(pair, similarity).map(lambda e: (*e[0], e[1])), max_size=8, unique_by=lambda e: e[:2]))
    common = {"keep": keep, "action": action}
    if kind == "exact_duplicates":
        return {**common, "threshold": 1.0, "rule": "exact_duplicate"}, common
    threshold = draw(st.sampled_from([0.65, 0.7, 0.85, 1.0]))
    return {**common, "threshold": threshold, "rule": "near_duplicate"}, {**common, "threshold": threshold}


@st.composite
def questions(draw: st.DrawFn) -> tuple:
    """Draw rows, edges and steps, for the oracle and for a recipe."""
    rows: dict[int, dict] = {position: {} for position in POSITIONS}
    edges: dict[str, list] = {}
    plain, recipe = [], []
    kinds = draw(st.lists(st.sampled_from(["fix", "filter", "detect", "exact_duplicates", "near_duplicates", "select"]), max_size=5))
    for number, kind in enumerate(kinds):
        for_oracle, for_recipe = measured_step(kind, f"s{number}", draw, rows, edges)
        plain.append({"type": kind, "name": f"s{number}", **for_oracle})
        recipe.append({kind: {"name": f"s{number}", **for_recipe}})
    return rows, edges, plain, recipe


@settings(max_examples=200, deadline=None)
@given(questions())
def test_equals_the_oracle(question):
    rows, edges, plain, recipe = question
    expected, kept = oracle.decide(rows, edges, plain)
    overrides = {name: pl.UInt32 for values in rows.values() for name in values}
    values = pl.DataFrame([{"position": p, **v} for p, v in rows.items()], schema_overrides={"position": pl.UInt64, **overrides})
    pairs = pl.concat([pl.DataFrame(schema=EDGES), *(edges_of(step, *of) for step, of in edges.items())])
    # Neither the order of the rows nor that of the edges may matter.
    fate = decide(values.sample(fraction=1, shuffle=True, seed=1), pairs.reverse(), load_recipe({"steps": recipe}).steps)
    assert fate.kept.to_list() == kept
    assert fate.decisions.select("position", "step", "rule", "action", "twin_position").rows() == expected
    assert fate.decisions["rule"].null_count() == 0
    handed_on = len(rows)
    for count in fate.steps:
        assert count.rows_in == handed_on
        handed_on -= count.dropped
    assert handed_on == len(kept) == len(rows) - fate.dropped.len()


@pytest.mark.parametrize("action", ["drop", "flag"])
def test_values_and_thresholds_stand_beside_decisions(action):
    steps = steps_of({"near_duplicates": {"name": "near", "threshold": 0.75, "action": action}})
    fate = decide(lengths("near", {0: 1, 1: 1}), edges_of("near", (1, 0, 0.8)), steps)
    row = fate.decisions.row(0, named=True)
    assert (row["action"], row["value"], row["threshold"], row["similarity"]) == (action, 0.8, 0.75, 0.8)
