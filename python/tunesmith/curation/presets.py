"""Recipes to begin with: `recipe show` prints them, `recipe new` writes the commented one."""

from __future__ import annotations

from typing import Any

from tunesmith.curation.recipe import Rules, Source
from tunesmith.curation.steps import STEPS

PRESETS: dict[str, tuple[str, str]] = {
    "default": (
        "safe fixes; drop fatal findings and exact copies; flag the rest (what curate does without a recipe)",
        """\
steps:
  - fix: {}
  - detect: {drop: fatal, flag: all}
  - exact_duplicates: {of: [prompt, response]}
  - near_duplicates: {of: prompt, threshold: 0.7, action: flag}
""",
    ),
    "strict": (
        "the default, and near copies of whole rows are dropped, the longest one kept",
        """\
steps:
  - fix: {}
  - detect: {drop: fatal, flag: all}
  - exact_duplicates: {of: [prompt, response]}
  - near_duplicates: {of: [prompt, response], threshold: 0.7, keep: longest}
""",
    ),
    "look": (
        "change and drop nothing: every finding and every copy becomes a flag in the ledger",
        """\
steps:
  - detect: {drop: none, flag: all}
  - exact_duplicates: {of: [prompt, response], action: flag}
  - near_duplicates: {of: prompt, threshold: 0.7, action: flag}
""",
    ),
}

TEMPLATE = """\
# A recipe of Tunesmith: `tunesmith curate SOURCE -o VERSION --recipe FILE`. Paths are relative to this file.
# `tunesmith recipe schema` prints the JSON schema, for an editor.

# Where rows come from; left out here, because SOURCE is given on the command line.
# sources:
#   - {path: data/rows.json}
#   - {name: agent, path: "data/agent-*.parquet", format: sharegpt, weight: 1, map: {messages: conversations}}

# What every row must hold besides being a row; the others are rejected, and counted.
# schema: {required: [topic], max_characters: 100000}

# Steps decide in this order. A dropped row is in removed.parquet, every reason in ledger.parquet.
steps:
  # Safe fixes of the detectors (`tunesmith detectors` lists them), each an edit in the ledger.
  - fix: {}

  # Lengths: characters | words | tokens, of the response unless `of` says otherwise.
  # - filter: {name: short, words: {min: 3}}
  # - filter: {name: length, tokens: {tokenizer: path/to/model, max: 8192}}
  # Rules made for web pages; look before you drop (docs, "Judge by the rules of the web").
  # - filter: {name: web, rules: {set: gopher:datatrove, bounds: {gopher_short_doc: 3}}}
  # A condition in Polars SQL over a row's columns; rows for which it is not true are dropped.
  # - filter: {name: mine, where: "topic <> 'spam'"}

  # Defects: drop at one severity (none | fatal | review | all), flag at another.
  - detect: {drop: fatal, flag: all}

  # One of each group of equal rows stays.
  - exact_duplicates: {of: [prompt, response]}

  # Near copies, by exact Jaccard similarity of word 5-grams; pairs are recorded down to threshold - 0.1,
  # so that `tunesmith what-if VERSION near_duplicates.threshold=0.65` answers without a run.
  - near_duplicates: {of: prompt, threshold: 0.7, action: flag}
  # Rows like those of a test set:
  # - near_duplicates: {name: leaked, of: prompt, against: test.jsonl}
  # Rows that hold test items, by shared runs of 8 words; short items as a whole:
  # - decontaminate: {against: test.jsonl, n: 8}

  # A smaller set that covers the whole: a count, or a share below 1.
  # - select: {by: k-center, rows: 9000}

  # The accepted edits of a patch (`tunesmith diagnose` proposes one, `tunesmith patch show` shows it); rows it adds pass every step.
  # - patch: {file: patch.jsonl}
"""


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a recipe file, from the models that read it."""
    definitions: dict[str, Any] = {}

    def of(model: Any) -> dict[str, Any]:
        schema = model.model_json_schema()
        definitions.update(schema.pop("$defs", {}))
        return dict(schema)

    steps = [
        {"type": "object", "properties": {name: {"anyOf": [of(step), {"type": "null"}]}}, "required": [name], "additionalProperties": False}
        for name, step in STEPS.items()
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tunesmith recipe",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "sources": {"type": "array", "items": of(Source)},
            "schema": of(Rules),
            "steps": {"type": "array", "items": {"anyOf": [*steps, {"enum": list(STEPS)}]}},
        },
        "$defs": definitions,
    }
