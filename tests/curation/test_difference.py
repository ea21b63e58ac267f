"""diff: what came, went and changed, and which rule did it."""

from __future__ import annotations

import json

import pytest

from tunesmith.curation import curate, diff

DATA = [
    {"instruction": "Sing", "input": "n/a", "output": "La"},
    {"instruction": "Say hi", "output": ""},
    {"instruction": "Name a tree", "output": "oak"},
    {"instruction": "Name a tree", "output": "oak"},
    {"instruction": "Count", "output": "one two three"},
]


@pytest.fixture
def make(tmp_path):
    (tmp_path / "rows.json").write_text(json.dumps(DATA))

    def made(name: str, *steps, data: list | None = None):
        if data is not None:
            (tmp_path / "rows.json").write_text(json.dumps(data))
        curate(tmp_path / "rows.json", {"steps": list(steps)}, out=tmp_path / name)
        return tmp_path / name

    return made


def test_reasons(make):
    made = diff(make("a", {"filter": {"words": {"max": 2}}}), make("b", "fix", "detect", "exact_duplicates"))
    assert (made.added, made.removed, made.edited, made.same) == (1, 2, 1, 1)
    assert made.why == {
        "added": {"was dropped: filter.words.max": 1},
        "removed": {"detect.output_empty": 1, "exact_duplicates.exact_duplicate": 1},
        "edited": {"fix.input_placeholder": 1},
    }
    assert made.rows.select("change", "position", "other_position").rows() == [
        ("added", 4, 4), ("removed", 1, 1), ("removed", 3, 3), ("edited", 0, 0),
    ]  # fmt: skip


def test_the_other_way_round(make):
    a, b = make("a"), make("b", "fix", "detect")
    assert diff(b, a).why == {
        "added": {"was dropped: detect.output_empty": 1},
        "removed": {},
        "edited": {"no longer edited: fix.input_placeholder": 1},
    }


def test_a_version_equals_itself(make):
    a = make("a", "exact_duplicates")
    made = diff(a, a)
    assert (made.added, made.removed, made.edited, made.same) == (0, 0, 0, 4)
    assert made.rows.is_empty()


def test_new_rows_and_changed_sources(make):
    a = make("a")
    changed = [*DATA[:2], {"instruction": "Name a tree", "output": "elm"}, *DATA[3:], {"instruction": "New", "output": "row"}]
    made = diff(a, make("b", data=changed))
    assert made.why == {"added": {"new": 1}, "removed": {}, "edited": {"another source text": 1}}


def test_other_sources_are_matched_by_content(make, tmp_path):
    a = make("a")
    (tmp_path / "other.json").write_text(json.dumps(DATA[::-1]))
    curate(tmp_path / "other.json", {"steps": []}, out=tmp_path / "c")
    made = diff(a, tmp_path / "c")
    assert (made.added, made.removed, made.edited, made.same) == (0, 0, 0, 5)


def test_another_weight_is_an_edit_and_says_so(make, tmp_path):
    a = make("a")
    sources = [{"path": str(tmp_path / "rows.json"), "weight": 2.0}]
    curate(None, {"sources": sources, "steps": []}, out=tmp_path / "b")
    made = diff(a, tmp_path / "b")
    assert (made.edited, made.same) == (5, 0)
    assert made.why["edited"] == {"another weight": 5}
