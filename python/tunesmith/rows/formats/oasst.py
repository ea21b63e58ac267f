"""OpenAssistant's message trees: a row for every path from the prompt to a last answer, or for the best path alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import polars as pl

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.conversations import talk_frame
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem, excerpt
from tunesmith.rows.turns import Message, Turns, mirror

Paths = Callable[[Message], Iterator[list[Message]]]
"""The paths of a tree that become rows."""


def _fits(keys: frozenset[str]) -> bool:
    return {"message_tree_id", "prompt"} <= keys and "completion" not in keys


def _parse(records: Records, walk: Paths) -> Parsed:
    turns = Turns()
    rows: list[dict[str, Any]] = []
    parts: list[str] = []
    for row, root in enumerate(records.objects("prompt")):
        problems = list(_wrong(row, "prompt", root))
        if problems:
            turns.problems += problems
            continue
        for path in walk(root):
            messages = turns.read(row, "prompt", [{"role": node["role"], "content": node["text"]} for node in path])
            rows.append({"row": row, "kind": "chat", **mirror(messages), "messages": messages})
            parts.append(str(path[-1].get("message_id")))
    content = talk_frame(rows).with_columns(part=pl.Series(parts, dtype=pl.String))
    return Parsed(content=content, problems=turns.problems, used=frozenset({"prompt"}))


def _wrong(row: int, name: str, node: Any) -> Iterator[Problem]:
    """Find every node that is none: one damaged node rejects the tree, since paths share it."""
    if not isinstance(node, dict):
        yield Problem(row=row, field=name, code="wrong_type", found=excerpt(node), expected="a message with text, role and replies")
        return
    for key in ("text", "role"):
        if not isinstance(node.get(key), str):
            yield Problem(row=row, field=f"{name}.{key}", code="wrong_type", found=excerpt(node.get(key)), expected="text")
    replies = node.get("replies") or []
    if not isinstance(replies, list):
        yield Problem(row=row, field=f"{name}.replies", code="wrong_type", found=excerpt(replies), expected="a list of messages")
        return
    for k, reply in enumerate(replies):
        yield from _wrong(row, f"{name}.replies[{k}]", reply)


def paths(root: Message) -> Iterator[list[Message]]:
    """Walk to every last answer: an assistant's message below which no assistant answers again.

    A user's message that nobody answered ends no path; a tree without any answer gives its prompt alone.
    """
    found = False
    waiting = [[root]]
    while waiting:
        path = waiting.pop()
        below = path[-1].get("replies") or []
        if path[-1]["role"] == "assistant" and not any(_answered(reply) for reply in below):
            found = True
            yield path
        waiting += [[*path, reply] for reply in reversed(below)]
    if not found:
        yield [root]


def best(root: Message) -> Iterator[list[Message]]:
    """Walk down the tree by the reply of the best rank (0 is the best; replies without one come last, the first of equals counts)."""
    path = [root]
    while replies := [reply for reply in path[-1].get("replies") or [] if _answered(reply)]:
        path.append(min(replies, key=_rank))
    yield path


def _rank(node: Message) -> float:
    rank = node.get("rank")
    return float(rank) if isinstance(rank, int | float) else float("inf")


def _answered(node: Message) -> bool:
    return node["role"] == "assistant" or any(_answered(reply) for reply in node.get("replies") or [])


FORMAT = Format(name="oasst", known_by="message_tree_id, prompt", fits=_fits, parse=partial(_parse, walk=paths))
BEST = Format(name="oasst-best", known_by="oasst, when asked for", fits=lambda _keys: False, parse=partial(_parse, walk=best))
"""Never inferred: it leaves answers out."""
