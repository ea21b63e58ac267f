"""Fields of absurd length: one such row would cost more than all others together, and is damage more often than data."""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem

MAX_CHARACTERS = 10_000_000
"""Characters that a field may have unless a recipe's schema says otherwise: some twenty novels."""


def too_long(records: Records, limit: int) -> Iterator[Problem]:
    """Find fields that have more than `limit` characters; of lists and objects, those of their JSON text count."""
    rows = records.longer(limit)
    if not rows:
        return
    for name in records.keys:
        texts = records.texts(name)
        for row in rows:
            length = len(texts[row] or "")
            if length > limit:
                found = f"{length:,} characters"
                expected = f"at most {limit:,} characters (a recipe's schema, max_characters, sets the limit)"
                yield Problem(row=row, field=name, code="too_long", found=found, expected=expected)
