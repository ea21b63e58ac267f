"""Recipes: defaults, names, and mistakes told with their place."""

from __future__ import annotations

import json

import pytest
import yaml

from tunesmith.curation.presets import PRESETS, TEMPLATE, json_schema
from tunesmith.curation.recipe import load_recipe, parse, stored
from tunesmith.errors import OptionError


def test_the_default_is_the_surface():
    raw = load_recipe(None).as_dict()["steps"]
    assert [next(iter(step)) for step in raw] == ["fix", "detect", "exact_duplicates", "near_duplicates"]
    assert raw[1]["detect"]["drop"] == "fatal"
    assert raw[1]["detect"]["flag"] == "all"
    assert raw[2]["exact_duplicates"]["of"] == ["prompt", "response"]
    near = raw[3]["near_duplicates"]
    assert (near["of"], near["threshold"], near["floor"], near["action"]) == ("prompt", 0.7, 0.6, "flag")


def test_default_preset_is_the_default():
    assert load_recipe(yaml.safe_load(PRESETS["default"][1])) == load_recipe(None)


@pytest.mark.parametrize("text", [*(text for _, text in PRESETS.values()), TEMPLATE])
def test_presets_and_the_template_are_recipes(text):
    assert load_recipe(yaml.safe_load(text)).steps


def test_every_commented_line_of_the_template_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "patch.jsonl").touch()
    lines = [line.strip().removeprefix("# ") for line in TEMPLATE.splitlines() if line.strip().startswith("# - ")]
    steps = [line for line in lines if not line.startswith("- {")]
    assert len(steps) == 8
    for line in steps:
        assert load_recipe({"steps": yaml.safe_load(line)}).steps


def test_steps_are_named_and_numbered():
    recipe = load_recipe(
        {"steps": ["fix", {"filter": {"words": {"min": 1}}}, {"filter": {"words": {"min": 2}}}, {"fix": {"name": "again"}}]}
    )
    assert [step.label for step in recipe.steps] == ["fix", "filter", "filter_2", "again"]


def test_a_stored_recipe_is_the_same(tmp_path):
    (tmp_path / "patch.jsonl").touch()
    near = {"near_duplicates": {"each": True, "of": ["prompt", "response"], "threshold": 0.9}}
    recipe = load_recipe({"steps": [near, {"select": {"rows": 0.5}}, {"patch": {"file": str(tmp_path / "patch.jsonl"), "all": True}}]})
    assert stored(json.loads(json.dumps(recipe.as_dict())), "manifest") == recipe


def test_paths_are_relative_to_the_recipe(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_text("sources: [{path: rows.json}]\nsteps:\n  - near_duplicates: {against: test.jsonl}\n")
    recipe = load_recipe(file)
    assert recipe.sources[0].path == str(tmp_path / "rows.json")
    assert recipe.steps[0].against == str(tmp_path / "test.jsonl")


MISTAKES = {
    "unknown section": ({"step": []}, 'unknown section "step"; did you mean "steps"?'),
    "unknown step": ({"steps": [{"near_duplicate": {}}]}, 'step 1: unknown step "near_duplicate"; did you mean "near_duplicates"?'),
    "unknown option": ({"steps": ["fix", {"near_duplicates": {"treshold": 0.5}}]},
                       'step 2 (near_duplicates): unknown option "treshold"; did you mean "threshold"?'),
    "unknown nested option": ({"steps": [{"filter": {"words": {"mn": 1}}}]}, 'unknown option "words.mn"; did you mean "min"?'),
    "out of range": ({"steps": [{"near_duplicates": {"threshold": 7}}]}, "threshold: expected at most 1, found 7"),
    "one name": ({"steps": [{"detect": {"skip": "truncated"}}]}, 'skip: expected a list ([truncated]), found "truncated"'),
    "a name": ({"steps": [{"detect": {"name": "a b"}}]}, 'name: expected letters, digits, _ and -, a letter first, found "a b"'),
    "wrong type": ({"steps": [{"near_duplicates": {"threshold": "high"}}]}, 'threshold: expected a number, found "high"'),
    "wrong choice": ({"steps": [{"detect": {"drop": "fatl"}}]}, 'drop: expected \'none\', \'fatal\', \'review\' or \'all\', found "fatl"'),
    "unknown detector": ({"steps": [{"detect": {"skip": ["truncate"]}}]}, 'skip: "truncate" is no detector; did you mean "truncated"?'),
    "no fix": ({"steps": [{"fix": {"only": ["output_empty"]}}]}, 'only: "output_empty" has no safe fix'),
    "floor above": ({"steps": [{"near_duplicates": {"threshold": 0.5, "floor": 0.6}}]}, "floor 0.6 is above threshold 0.5"),
    "missing": ({"steps": [{"select": {}}]}, 'step 1 (select): "rows" is missing; expected: How many rows stay'),
    "nothing to do": ({"steps": [{"filter": {}}]}, "nothing to filter by"),
    "empty range": ({"steps": [{"filter": {"words": {"min": 5, "max": 2}}}]}, "min 5 is above max 2"),
    "two keys": ({"steps": [{"fix": {}, "only": []}]}, "expected one step (`- fix: {}`), found 2 keys (fix, only)"),
    "a mapping of steps": ({"steps": {"fix": {}}}, "steps: expected a list (lines that begin with a dash), found a mapping"),
    "twice the name": ({"steps": [{"fix": {"name": "a"}}, {"detect": {"name": "a"}}]}, 'two steps are called "a"'),
    "a dotted name": ({"steps": [{"fix": {"name": "a.b"}}]}, "step 1 (fix), name: expected"),
    "a list": ([], "expected sections (sources, schema, steps), found a list"),
    "both": ({"steps": [{"detect": {"only": ["truncated"], "skip": ["truncated"]}}]}, "only and skip exclude each other"),
    "no rows": ({"steps": [{"select": {"rows": 1.5}}]}, "expected a whole number above 0, or a share between 0 and 1"),
    "source": ({"sources": [{"pat": "x"}]}, 'source 1: unknown option "pat"; did you mean "path"?'),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_with_their_place(raw, message):
    with pytest.raises(OptionError) as error:
        parse(raw, where="recipe")
    assert message in str(error.value)


def test_a_broken_file_names_the_line(tmp_path):
    (tmp_path / "r.yaml").write_text("steps:\n  - fix: {\n")
    with pytest.raises(OptionError, match=r"r\.yaml, line 3: expected YAML"):
        load_recipe(tmp_path / "r.yaml")


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(OptionError, match="recipe new"):
        load_recipe(tmp_path / "nope.yaml")


def test_the_schema_knows_all_steps_and_their_options():
    schema = json_schema()
    steps = {name: step for each in schema["properties"]["steps"]["items"]["anyOf"] for name, step in each.get("properties", {}).items()}
    assert set(steps) == {"fix", "filter", "detect", "exact_duplicates", "near_duplicates", "decontaminate", "select", "patch"}
    assert "threshold" in steps["near_duplicates"]["anyOf"][0]["properties"]
    assert steps["near_duplicates"]["anyOf"][0]["additionalProperties"] is False
