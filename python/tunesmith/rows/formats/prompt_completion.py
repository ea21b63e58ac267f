"""Prompt / completion pairs: FLAN, P3, OpenAI's old finetuning files."""

from __future__ import annotations

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.pairs import pair
from tunesmith.rows.records import Records


def _fits(keys: frozenset[str]) -> bool:
    return "prompt" in keys and ("completion" in keys or keys.isdisjoint({"message_tree_id", "chosen"}))


def _parse(records: Records) -> Parsed:
    return pair(records, "prompt", ("completion", "response", "output"))


FORMAT = Format(name="prompt-completion", known_by="prompt, completion", fits=_fits, parse=_parse)
