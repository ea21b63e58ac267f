"""what-if equals a run with those options, and says when only a run can tell."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

import pytest

import tunesmith as ts
from tunesmith.curation import curate
from tunesmith.curation.alternatives import NeedsRunError, what_if
from tunesmith.errors import ArtefactError, OptionError
from tunesmith.rows import write_version

WORDS = ["red", "old", "tall", "small", "green", "house", "tree", "ship", "river", "stone", "of", "the", "in", "a", "and", "please"]
TOP = [f"fraction_of_characters_in_most_common_{n}grams" for n in (2, 3, 4)]


_FOLDER = tempfile.TemporaryDirectory()
ITEMS = Path(_FOLDER.name) / "items.jsonl"


def rows(n: int = 80) -> list[dict]:
    rng = random.Random(4)
    made: list[dict] = []
    for _ in range(n):
        row = {"instruction": " ".join(rng.choices(WORDS, k=8)), "output": " ".join(rng.choices(WORDS, k=rng.randint(0, 6)))}
        if made and rng.random() < 0.5:
            words = rng.choice(made)["instruction"].split()
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            row["instruction"] = " ".join(words)
        made.append(row)
    return made


ITEMS.write_text("".join(json.dumps({"instruction": " ".join(row["instruction"].split()[3:] + ["now"] * 4)}) + "\n" for row in rows()[:9]))


def recipe(**near) -> dict:
    return {
        "steps": [
            {"filter": {"name": "short", "words": {"min": 2, "max": 5}}},
            {
                "filter": {
                    "name": "web",
                    "rules": {"set": "gopher:dolma", "bounds": {"word_count_min": 2, "required_word_count": 0}, "skip": TOP},
                }
            },
            {"detect": {"skip": ["repetitive"]}},
            {"exact_duplicates": {"name": "same", "of": "prompt"}},
            {"near_duplicates": {"name": "near", "shingle": 1, "threshold": 0.6, "floor": 0.4, **near}},
            {"decontaminate": {"against": str(ITEMS), "n": 2, "threshold": 0.4}},
        ]
    }


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    folder = tmp_path_factory.mktemp("what_if") / "v"
    curate(rows(), recipe(), out=folder)
    return folder


def changed(path: str, value: object) -> dict:
    raw = recipe()
    name, *options = path.split(".")
    step = next(options_of for each in raw["steps"] for options_of in each.values() if options_of.get("name", next(iter(each))) == name)
    for option in options[:-1]:
        step = step[option]
    step[options[-1]] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value"),
    [("near.threshold", t) for t in (0.4, 0.5, 0.7, 0.85, 1.0)]
    + [("short.words.min", m) for m in (0, 1, 3, 5)]
    + [("short.words.max", 3), ("detect.drop", "none"), ("detect.drop", "all"), ("detect.flag", "none"),
       ("detect.skip", ["repetitive", "output_empty"]),
       ("web.rules.bounds.required_word_count", 1), ("web.rules.bounds.median_word_length_min", 4), ("web.rules.skip", []),
       ("decontaminate.threshold", 0), ("decontaminate.threshold", 0.3), ("decontaminate.threshold", 0.9), ("decontaminate.action", "flag"),
       ("near.keep", "longest"), ("near.action", "flag"), ("same.action", "flag"), ("same.keep", "longest")],
)  # fmt: skip
def test_equals_a_run(version, path, value):
    told = what_if(version, f"{path}={value}")
    was = curate(rows(), recipe())
    ran = curate(rows(), changed(path, value))
    assert (told.kept, told.dropped, told.flagged) == (ran.kept, ran.dropped, ran.flagged)
    before, after = set(was.frame["position"]), set(ran.frame["position"])
    assert (told.newly_kept, told.newly_dropped) == (len(after - before), len(before - after))
    assert [(step.step, step.dropped) for step in told.steps] == [(step["step"], step["dropped"]) for step in ran.steps]


@pytest.mark.parametrize("changes", [["web.rules.set=c4", "web.rules.bounds={}", "web.rules.skip=[]"], ["web.rules.of=prompt"]])
def test_other_rules_need_a_run(version, changes):
    with pytest.raises(NeedsRunError, match="changes what is measured"):
        what_if(version, *changes)


def test_unknown_rules_are_told(version):
    with pytest.raises(OptionError, match='did you mean "word_count_min"'):
        what_if(version, "web.rules.bounds.word_count=3")


def test_several_changes_at_once(version):
    told = what_if(version, "near.threshold=0.8", "short.words.min=4")
    raw = changed("near.threshold", 0.8)
    raw["steps"][0]["filter"]["words"]["min"] = 4
    assert told.kept == curate(rows(), raw).kept


def test_rows_that_change_are_shown(version):
    told = what_if(version, "near.threshold=1.0")
    assert told.newly_kept >= len(told.examples) > 0
    assert {(example["change"], example["step"]) for example in told.examples} == {("kept", "near")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("near.threshold=0.3", "pairs below the floor 0.4 were not recorded"),
        ("near.of=response", "near.of changes what is measured"),
        ("near.unit=character", "near.unit changes what is measured"),
        ("short.words.of=prompt", "short.words.of changes what is measured"),
        ("short.characters.min=2", "short.characters.of changes what is measured"),
        ("detect.skip=[]", "detect: repetitive did not run"),
    ],
)
def test_what_only_a_run_can_tell(version, change, reason):
    with pytest.raises(NeedsRunError, match=f"needs a run: .*{reason}"):
        what_if(version, change)


def test_changes_as_a_mapping(version):
    told = what_if(version, "near.threshold=0.8", "detect.skip=[repetitive]")
    assert what_if(version, {"near.threshold": 0.8, "detect.skip": ("repetitive",)}) == told
    with pytest.raises(OptionError, match=r"threshold=0\.8: expected STEP\.OPTION=VALUE"):
        what_if(version, {"threshold": 0.8})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("nere.threshold=0.7", 'the recipe has no step "nere"; did you mean "near"?'),
        ("near.treshold=0.7", 'unknown option "treshold"; did you mean "threshold"?'),
        ("near.threshold=high", 'threshold: expected a number, found "high"'),
        ("near.threshold", "expected STEP.OPTION=VALUE"),
        ("threshold=0.7", "expected STEP.OPTION=VALUE"),
        ("near.threshold.max=1", "near has no option threshold.max"),
        ("detect.skip=[truncate]", '"truncate" is no detector; did you mean "truncated"?'),
    ],
)
def test_mistakes(version, change, message):
    with pytest.raises(OptionError) as error:
        what_if(version, change)
    assert message in str(error.value)
    assert not isinstance(error.value, NeedsRunError)


def test_a_smaller_selection_is_answered_and_a_larger_one_needs_a_run(tmp_path):
    steps = {"steps": [{"filter": {"name": "short", "words": {"min": 2}}}, {"select": {"rows": 20}}]}
    curate(rows(), steps, out=tmp_path / "v")
    smaller = curate(rows(), {"steps": [steps["steps"][0], {"select": {"rows": 7}}]})
    told = what_if(tmp_path / "v", "select.rows=7")
    assert told.kept == smaller.kept == 7
    with pytest.raises(NeedsRunError, match="ordered 20 rows, and 21 are asked for"):
        what_if(tmp_path / "v", "select.rows=21")
    with pytest.raises(NeedsRunError, match="other rows would reach select"):
        what_if(tmp_path / "v", "short.words.min=3")


def test_a_version_without_a_recipe(tmp_path):
    write_version(tmp_path / "v", frame=ts.read(rows(3)).frame, inputs={}, options={})
    with pytest.raises(ArtefactError, match="curate it first"):
        what_if(tmp_path / "v", "near.threshold=0.5")
