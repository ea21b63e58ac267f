"""OpenAI messages: role, content (text or text parts), tool calls, reasoning, weight."""

from __future__ import annotations

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.conversations import converse
from tunesmith.rows.records import Records


def _fits(keys: frozenset[str]) -> bool:
    return "messages" in keys


def _parse(records: Records) -> Parsed:
    return converse(records, ("messages", "conversations", "conversation"))


FORMAT = Format(name="messages", known_by="messages", fits=_fits, parse=_parse)
