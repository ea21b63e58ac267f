"""ShareGPT: conversations of from / value turns, with tools, function_call and observation."""

from __future__ import annotations

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.conversations import converse
from tunesmith.rows.records import Records


def _fits(keys: frozenset[str]) -> bool:
    return not keys.isdisjoint({"conversations", "conversation"})


def _parse(records: Records) -> Parsed:
    return converse(records, ("conversations", "conversation", "messages"))


FORMAT = Format(name="sharegpt", known_by="conversations", fits=_fits, parse=_parse)
