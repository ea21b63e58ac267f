"""OpenAssistant's messages one by one, as the hub has them: trees are put together by parent_id, then read as trees are."""

from __future__ import annotations

from typing import Any

from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.formats.conversations import talk_frame
from tunesmith.rows.formats.oasst import Paths, best, paths
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem, shorten
from tunesmith.rows.turns import Message, Turns, mirror

NAMES = frozenset({"message_id", "parent_id", "text", "role"})


def _fits(keys: frozenset[str]) -> bool:
    return keys >= NAMES


def _read(records: Records, walk: Paths) -> Parsed:
    turns = Turns()
    nodes = _nodes(records, turns.problems)
    known = {node["message_id"]: node for node in nodes}
    roots: list[Message] = []
    for node in nodes:
        if node["parent_id"] is None:
            roots.append(node)
        elif (parent := known.get(node["parent_id"])) is not None:
            parent["replies"].append(node)
    _lost(nodes, roots, turns.problems)
    rows: list[dict[str, Any]] = []
    for root in roots:
        for path in walk(root):
            row = path[-1]["row"]
            messages = turns.read(row, "role", [{"role": node["role"], "content": node["text"]} for node in path])
            rows.append({"row": row, "kind": "chat", **mirror(messages), "messages": messages})
    content = talk_frame(rows).sort("row", maintain_order=True)
    return Parsed(content=content, problems=turns.problems, used=frozenset({"text", "role"}))


def _nodes(records: Records, problems: list[Problem]) -> list[Message]:
    """Read each message; what lacks a name, a text or a role is none, and its replies hang in the air."""
    nodes: list[Message] = []
    fields = {name: (records.types(name), records.texts(name)) for name in sorted(NAMES)}
    ranks = records.values("rank").to_list() if "rank" in records.keys else [None] * records.height
    seen: set[str] = set()
    for row in range(records.height):
        node: Message = {"row": row, "rank": ranks[row], "replies": []}
        known = len(problems)
        for name, (types, texts) in fields.items():
            node[name] = texts[row]
            if types[row] != "string" and not (name == "parent_id" and types[row] in ("null", "missing")):
                found = f"{types[row]} {shorten(texts[row] or '')}".strip()
                problems.append(Problem(row=row, field=name, code="wrong_type", found=found, expected="text"))
        if node["message_id"] in seen:
            found = shorten(node["message_id"])
            problems.append(Problem(row=row, field="message_id", code="used_twice", found=found, expected="a name of its own"))
        if len(problems) == known:
            seen.add(node["message_id"])
            nodes.append(node)
    return nodes


def _lost(nodes: list[Message], roots: list[Message], problems: list[Problem]) -> None:
    """Reject messages that no chain of parents leads from to a prompt."""
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        found.add(node["row"])
        waiting += node["replies"]
    for node in nodes:
        if node["row"] not in found:
            said = shorten(node["parent_id"] or "")
            problems.append(Problem(row=node["row"], field="parent_id", code="no_parent", found=said, expected="a message of the file"))


FORMAT = Format(
    name="oasst-messages",
    known_by="message_id, parent_id, text, role",
    fits=_fits,
    parse=lambda records: _read(records, paths),
    together=True,
)
BEST = Format(
    name="oasst-messages-best", known_by="oasst-messages, when asked for", fits=lambda _keys: False,
    parse=lambda records: _read(records, best), together=True,
)  # fmt: skip
