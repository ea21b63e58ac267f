"""explain: the whole story of a row, found by position or id."""

from __future__ import annotations

import pytest

from tunesmith.curation import curate, explain
from tunesmith.errors import InputError
from tunesmith.rows import Version

PROMPT = "Please describe the old red house at the corner of the street in the town"
DATA = [
    {"instruction": PROMPT, "output": "It is red."},
    {"instruction": PROMPT + " now", "output": "It is old."},
    {"instruction": "Sing", "input": "n/a", "output": "La la la"},
    {"instruction": "", "output": "x"},
    {"instruction": "Sing", "input": "N/A", "output": ""},
    {"instruction": PROMPT, "output": "It is red."},
]
STEPS = {"steps": ["fix", "detect", {"near_duplicates": {"name": "near"}}]}


@pytest.fixture(scope="module")
def version(tmp_path_factory) -> Version:
    folder = tmp_path_factory.mktemp("explain") / "v"
    curate(DATA, STEPS, out=folder)
    return Version.open(folder)


def test_a_near_duplicate_with_its_twin(version):
    (story,) = explain(version, 1).rows
    assert story.fate == "dropped"
    (entry,) = story.entries
    assert (entry["step"], entry["rule"], entry["threshold"], entry["twin_position"]) == ("near", "near_duplicate", 0.7, 0)
    assert entry["twin"] == f"{PROMPT}\n→ It is red."
    assert entry["value"] == entry["similarity"] > 0.7
    assert story.pairs[0]["twin_position"] == 0
    assert story.origin["record"] == 1


def test_an_edited_row_shows_both_texts(version):
    (story,) = explain(version, "2").rows
    assert story.fate == "kept"
    assert story.changes == ({"field": "input", "before": "n/a", "after": ""},)
    assert story.values["fix.input_placeholder"] == 1


def test_a_dropped_row_that_was_fixed(version):
    (story,) = explain(version, 4).rows
    assert story.fate == "dropped"
    assert [entry["action"] for entry in story.entries] == ["edit", "drop"]
    assert story.changes == ({"field": "input", "before": "N/A", "after": ""},)


def test_a_reject(version):
    (story,) = explain(version, 3).rows
    assert (story.fate, story.entries[0]["rule"]) == ("rejected", "empty_prompt")


def test_a_row_that_nothing_happened_to(version):
    (story,) = explain(version, 0).rows
    assert (story.fate, story.entries, story.changes) == ("kept", (), ())


def test_ids_old_and_new_and_of_copies(version):
    entry = explain(version, 2).rows[0].entries[0]
    for row_id in (entry["row_id"], entry["new_id"], entry["row_id"][:8].upper()):
        assert [story.position for story in explain(version, row_id).rows] == [2]
    shared = version.frame["row_id"][0]
    assert [story.position for story in explain(version, shared[:12]).rows] == [0, 5]


@pytest.mark.parametrize(
    ("row", "message"),
    [("99", "no row has the position 99; positions go up to 5"), ("abcdef0", "expected a position"),
     ("f" * 32, "no row's id begins with"), ("x" * 9, "expected a position")],
)  # fmt: skip
def test_rows_that_are_not_there(version, row, message):
    with pytest.raises(InputError, match=message):
        explain(version, row)


def test_turns_that_changed(tmp_path):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "1 &lt; 2"}]
    curate([{"messages": turns}], {"steps": ["fix"]}, out=tmp_path / "v")
    (story,) = explain(tmp_path / "v", 0).rows
    assert {"field": "messages[1].content", "before": "1 &lt; 2", "after": "1 < 2"} in story.changes
