"""A slow, plain twin of `curation.decision.decide`: rows as dicts, steps as dicts, one row at a time."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Edge = tuple[int, int, float]


def decide(rows: dict[int, Row], edges: dict[str, list[Edge]], steps: list[dict[str, Any]]) -> tuple[list[tuple[Any, ...]], list[int]]:
    """Give decisions (position, step, rule, action, twin) and the positions kept.

    `rows` maps a position to its values by `step.measure`; a step is {type, name, options}.
    """
    alive = sorted(rows)
    made: list[tuple[Any, ...]] = []
    k = 0
    while k < len(steps):
        end = k + 1
        while steps[k]["type"] in ROW and end < len(steps) and steps[end]["type"] in ROW:
            end += 1
        lost: set[int] = set()
        for step in steps[k:end]:
            for position, rule, action, twin in RESOLVE[step["type"]](step, rows, edges.get(step["name"], []), alive):
                made.append((position, step["name"], rule, action, twin))
                if action == "drop":
                    lost.add(position)
        alive = [position for position in alive if position not in lost]
        k = end
    order = {step["name"]: number for number, step in enumerate(steps)}
    return sorted(made, key=lambda entry: (entry[0], order[entry[1]], entry[2])), alive


def _fix(step: Row, rows: dict[int, Row], edges: list[Edge], alive: list[int]) -> list[tuple[Any, ...]]:
    rule = step["only"][0]
    return [(position, rule, "edit", None) for position in alive if rows[position][f"{step['name']}.{rule}"] > 0]


def _filter(step: Row, rows: dict[int, Row], edges: list[Edge], alive: list[int]) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []
    for position in alive:
        count = rows[position][f"{step['name']}.words"]
        if step["min"] is not None and count < step["min"]:
            made.append((position, "words.min", "drop", None))
        if step["max"] is not None and count > step["max"]:
            made.append((position, "words.max", "drop", None))
    return made


def _detect(step: Row, rows: dict[int, Row], edges: list[Edge], alive: list[int]) -> list[tuple[Any, ...]]:
    rank = {"none": 0, "fatal": 1, "review": 2, "all": 3}
    severity = {"fatal": 1, "review": 2, "information": 3}
    made: list[tuple[Any, ...]] = []
    for position in alive:
        for name, value in rows[position].items():
            if not name.startswith(step["name"] + ".") or not value:
                continue
            _, detector, level = name.split(".")
            if severity[level] <= rank[step["drop"]]:
                made.append((position, detector, "drop", None))
            elif severity[level] <= rank[step["flag"]]:
                made.append((position, detector, "flag", None))
    return made


def _duplicates(step: Row, rows: dict[int, Row], edges: list[Edge], alive: list[int]) -> list[tuple[Any, ...]]:
    """All similarities of all pairs first: equality is closed over all rows, and a row is as similar as its equals are."""
    everything = sorted(rows)
    similarity = {(a, b): 0.0 for a in everything for b in everything}
    for a, b, value in edges:
        if value >= step["threshold"]:
            similarity[a, b] = similarity[b, a] = max(value, similarity[a, b])
    equal = _closed({(a, b) for (a, b), value in similarity.items() if value == 1.0}, everything)
    full = dict(similarity)
    for a in everything:
        for b in everything:
            same = [similarity[x, y] for x in everything for y in everything if (x, a) in equal and (y, b) in equal]
            full[a, b] = 1.0 if (a, b) in equal else max(same, default=0.0)
    tied = _closed({(a, b) for a in alive for b in alive if full[a, b] > 0}, alive)
    made: list[tuple[Any, ...]] = []
    for position in alive:
        group = [other for other in alive if (position, other) in tied]
        root = min(group, key=lambda p: (-rows[p][f"{step['name']}.length"], p) if step["keep"] == "longest" else (0, p))
        if position != root:
            twin = min((other for other in group if other != position), key=lambda p: (-full[position, p], p != root, p))
            made.append((position, step["rule"], step["action"], twin))
    return made


def _select(step: Row, rows: dict[int, Row], edges: list[Edge], alive: list[int]) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []
    for position in alive:
        place = rows[position][f"{step['name']}.order"]
        if place is None or place >= min(step["rows"], len(alive)):
            made.append((position, "not_selected", "drop", None))
    return made


def _closed(pairs: set[tuple[int, int]], over: list[int]) -> set[tuple[int, int]]:
    closed = pairs | {(b, a) for a, b in pairs} | {(a, a) for a in over}
    while True:
        more = {(a, d) for a, b in closed for c, d in closed if b == c} - closed
        if not more:
            return closed
        closed |= more


ROW = {"fix", "filter", "detect"}
RESOLVE = {
    "fix": _fix,
    "filter": _filter,
    "detect": _detect,
    "exact_duplicates": _duplicates,
    "near_duplicates": _duplicates,
    "select": _select,
}
