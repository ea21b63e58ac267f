"""Question / answer pairs, as in GSM8K."""

from __future__ import annotations

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.pairs import pair
from tunesmith.rows.records import Records


def _fits(keys: frozenset[str]) -> bool:
    return "question" in keys


def _parse(records: Records) -> Parsed:
    return pair(records, "question", ("answer", "response"))


FORMAT = Format(name="question-answer", known_by="question, answer", fits=_fits, parse=_parse)
