"""The Rust kernels on Series and frames, and their expression twins. Imports nothing of Tunesmith but errors.

Every function takes a Series, a list, a pandas Series or anything with `__arrow_c_stream__`, and works in a forked process
(the expressions and `quality_rules` do not: Polars' own engine waits there for threads that a fork leaves behind).
"""

from __future__ import annotations

from tunesmith.core import expressions as _expressions  # noqa: F401  (registers the expression namespace)
from tunesmith.core.closest import closest
from tunesmith.core.content import canonical_json, content_hash, row_ids
from tunesmith.core.diff import word_diff
from tunesmith.core.dumps import json_dumped, tool_calls
from tunesmith.core.duplicate_stages import band_keys, components, verify_pairs
from tunesmith.core.duplicates import near_duplicates, near_pairs
from tunesmith.core.exact import exact_duplicates
from tunesmith.core.near_options import PRESETS, Preset
from tunesmith.core.overlap import OverlapIndex, overlap
from tunesmith.core.packing import pack, pack_wrapped
from tunesmith.core.quality import quality_rules
from tunesmith.core.records import JSON_TYPES, JsonRecords, json_blocks, parse_json, read_json
from tunesmith.core.rouge import rouge, rouge_corpus
from tunesmith.core.rule_sets import RULE_SETS
from tunesmith.core.signals import signals
from tunesmith.core.substring import substring_duplicates, substring_memory
from tunesmith.core.tokenizer import AddedToken, Tokenizer
from tunesmith.core.unpacking import unzstd

__all__ = [
    "JSON_TYPES",
    "PRESETS",
    "RULE_SETS",
    "AddedToken",
    "JsonRecords",
    "OverlapIndex",
    "Preset",
    "Tokenizer",
    "band_keys",
    "canonical_json",
    "closest",
    "components",
    "content_hash",
    "exact_duplicates",
    "json_blocks",
    "json_dumped",
    "near_duplicates",
    "near_pairs",
    "overlap",
    "pack",
    "pack_wrapped",
    "parse_json",
    "quality_rules",
    "read_json",
    "rouge",
    "rouge_corpus",
    "row_ids",
    "signals",
    "substring_duplicates",
    "substring_memory",
    "tool_calls",
    "unzstd",
    "verify_pairs",
    "word_diff",
]
