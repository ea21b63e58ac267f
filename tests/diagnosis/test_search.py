"""The search: nothing where nothing is, and what is planted in the slice in which it is planted."""

import numpy as np
import polars as pl
import pytest

from diagnosis.ground import PLACES, VERBS, items_of, rows_of, sides_of, told
from tunesmith.diagnosis.candidates import candidates
from tunesmith.diagnosis.search import Ground
from tunesmith.diagnosis.sides import ALL

REPEATS = 40


def drawn(rng: np.random.Generator, height: int, share: np.ndarray) -> np.ndarray:
    return rng.random((height, len(ALL))) < share


@pytest.mark.parametrize("topic", [True, False])
@pytest.mark.parametrize("also", ["nothing", "references", "targets"])
def test_random_defects_are_blamed_on_nothing(topic: bool, also: str) -> None:
    """Family-wise: of `REPEATS` diagnoses at most one in twenty (and its chance) claims any cause anywhere."""
    rng = np.random.default_rng(1)
    items, rows = items_of(300, rng, topic=topic, dev=0.6), rows_of(1200, rng, topic=topic)
    slices = candidates(items, rows, (items["part"] == "dev").to_numpy())
    verbs = rows["instruction"].str.split(" ").list.first().str.to_lowercase().to_numpy()
    claimed = 0
    for seed in range(REPEATS):
        rng = np.random.default_rng(seed)
        share = rng.uniform(0.02, 0.05, len(ALL))
        targets = drawn(rng, rows.height, share)
        if also == "targets":  # bad rows in a slice of each category, of which the outputs show nothing
            for k, verb in enumerate(VERBS):
                targets[:, k] |= (verbs == verb) & (rng.random(rows.height) < 0.75)
        references = drawn(rng, items.height, share) if also == "references" else None
        causes = told(sides_of(items, rows, outputs=drawn(rng, items.height, share), targets=targets, references=references), slices)
        claimed += any(cause != "unknown" for cause in causes.values())
    assert claimed <= 5  # P(more than 5 of 40 at .05) is .014; measured: 0 to 2


def planted(seed: int, *, verb: str, place: str | None) -> dict[tuple[str, str], str]:
    """Refusals in three of four targets and outputs of a slice, and in two of a hundred anywhere."""
    rng = np.random.default_rng(seed)
    items, rows = items_of(600, rng, dev=1.0), rows_of(2500, rng)
    sides = []
    for frame in (items, rows):
        asked = frame["instruction"].str.to_lowercase()
        inside = asked.str.starts_with(verb).to_numpy() & (True if place is None else asked.str.contains(place).to_numpy())
        found = drawn(rng, frame.height, np.full(len(ALL), 0.0))
        found[:, ALL.index("refusal")] = (inside & (rng.random(frame.height) < 0.75)) | (rng.random(frame.height) < 0.02)
        sides.append(found)
    found = told(sides_of(items, rows, outputs=sides[0], targets=sides[1]))
    return {where: cause for where, cause in found.items() if cause != "unknown"}  # the two of a hundred


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_verb_is_named(seed: int) -> None:
    assert planted(seed, verb="list", place=None) == {("refusal", "verb=list"): "bad_rows"}


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_cell_is_named_by_itself_or_by_what_holds_it(seed: int) -> None:
    assert planted(seed, verb="list", place="forge") in (
        {("refusal", name): "bad_rows"} for name in ("verb=list & topic=forge", "verb=list", "topic=forge")
    )


def test_without_a_topic_words_name_the_place() -> None:
    rng = np.random.default_rng(0)
    items, rows = items_of(900, rng, topic=False), rows_of(2500, rng, topic=False)
    sides = []
    for frame in (items, rows):
        found = np.zeros((frame.height, len(ALL)), dtype=bool)
        found[:, 0] = frame["instruction"].str.contains("stable").to_numpy() & (rng.random(frame.height) < 0.6)
        sides.append(found)
    assert told(sides_of(items, rows, outputs=sides[0], targets=sides[1])) == {(ALL[0], "word=stable"): "bad_rows"}


def test_where_everything_is_bad_all_is_named() -> None:
    rng = np.random.default_rng(0)
    items, rows = items_of(900, rng), rows_of(2500, rng)
    outputs, targets = (np.zeros((frame.height, len(ALL)), dtype=bool) for frame in (items, rows))
    outputs[:, 2], targets[:, 2] = rng.random(items.height) < 0.8, rng.random(rows.height) < 0.7
    assert told(sides_of(items, rows, outputs=outputs, targets=targets)) == {(ALL[2], "all"): "bad_rows"}


def test_rows_are_not_blamed_where_outputs_fail_far_more_often() -> None:
    rng = np.random.default_rng(0)
    items, rows = items_of(900, rng), rows_of(2500, rng)
    outputs, targets = (np.zeros((frame.height, len(ALL)), dtype=bool) for frame in (items, rows))
    outputs[:, 2] = (items["verb"] == "list").to_numpy()
    lists = rows["instruction"].str.starts_with("List").to_numpy()
    targets[:, 2] = lists & (rng.random(rows.height) < 0.08)
    assert told(sides_of(items, rows, outputs=outputs, targets=targets)) == {(ALL[2], "verb=list"): "unknown"}


def test_clusters_count_as_one() -> None:
    """Twelve failing copies of one item are one failing item."""
    rng = np.random.default_rng(0)
    items, rows = items_of(300, rng, dev=1.0), rows_of(1000, rng)
    outputs, targets = (np.zeros((frame.height, len(ALL)), dtype=bool) for frame in (items, rows))
    copies = np.flatnonzero((items["verb"] == "list").to_numpy())[:12]
    outputs[copies, 2] = True
    targets[:, 2] = rows["instruction"].str.starts_with("List").to_numpy()
    alone = told(sides_of(items, rows, outputs=outputs, targets=targets))
    together = items.with_columns(
        cluster=pl.when(pl.col("item").is_in(copies.tolist())).then(int(copies[0])).otherwise("cluster").cast(pl.UInt64)
    )
    assert alone == {(ALL[2], "verb=list"): "bad_rows"}
    assert told(sides_of(together, rows, outputs=outputs, targets=targets)) == {}


def test_only_pairs_that_could_matter_are_counted() -> None:
    rng = np.random.default_rng(0)
    items, rows = items_of(300, rng, dev=1.0), rows_of(1000, rng)
    nothing, targets = np.zeros((items.height, len(ALL)), dtype=bool), np.zeros((rows.height, len(ALL)), dtype=bool)
    slices = candidates(items, rows, np.ones(items.height, dtype=bool))
    one, many = nothing.copy(), nothing.copy()
    one[0, 0], many[:40, 0] = True, True
    counts = [Ground(sides=sides_of(items, rows, outputs=each, targets=targets), candidates=slices).tests for each in (nothing, one, many)]
    assert counts[0] == 1
    assert counts[1] <= 4
    assert len(slices) / 2 < counts[2] <= len(slices) + 1


def test_slices_are_those_of_prompts_and_of_both_sides() -> None:
    rng = np.random.default_rng(0)
    items, rows = items_of(300, rng), rows_of(800, rng, topic=False)
    slices = candidates(items, rows, np.ones(items.height, dtype=bool))
    columns = {part.partition("=")[0] for name in slices.names for part in name.split(" & ")}
    assert "topic" not in columns  # the rows have none
    assert {"verb", "word"} <= columns
    assert not columns & {"length", "language"}
    for number, name in enumerate(slices.names):
        assert slices.of_items(number).sum() >= 5
        if name == "verb=list":
            assert slices.of_rows(number).tolist() == rows["instruction"].str.starts_with("List").to_list()
    places = {f"word={place}" for place in PLACES}
    assert places <= set(slices.names)
