"""Word differences, plainly: the whole table of longest common subsequences, and one way back through it."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from oracles.substring import PIECE

Spans = list[tuple[str, str, str]]
SEGMENT = regex.compile(PIECE.pattern.removesuffix(r"|\S") + r"| +|\s|\S")


def segments(text: str) -> list[str]:
    """Words, spaces and marks of the tests' alphabet."""
    return SEGMENT.findall(text)


def common(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """One longest common subsequence, ties as in `rouge_score`: what both begin and end with is common in any case."""
    head = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest = list(zip(reversed(a[head:]), reversed(b[head:]), strict=False))
    tail = next((k for k, (x, y) in enumerate(rest) if x != y), len(rest))
    inner_a, inner_b = a[head : len(a) - tail], b[head : len(b) - tail]
    table = [[0] * (len(inner_b) + 1) for _ in range(len(inner_a) + 1)]
    for i, x in enumerate(inner_a):
        for j, y in enumerate(inner_b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    i, j, pairs = len(inner_a), len(inner_b), []
    while i and j:
        if inner_a[i - 1] == inner_b[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((head + i, head + j))
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    ends = [(len(a) - tail + k, len(b) - tail + k) for k in range(tail)]
    return [(k, k) for k in range(head)] + pairs[::-1] + ends


def spans(left: str, right: str) -> Spans:
    """What is equal, deleted and inserted; white space alone between two changes belongs to them."""
    a, b = segments(left), segments(right)
    runs: list[list[tuple[int, int]]] = []
    for i, j in common(a, b):
        if runs and runs[-1][-1] == (i - 1, j - 1):
            runs[-1].append((i, j))
        else:
            runs.append([(i, j)])
    borders = {(0, 0)}, {(len(a) - 1, len(b) - 1)}
    kept = [run for run in runs if run[0] in borders[0] or run[-1] in borders[1] or any(not a[i].isspace() for i, _ in run)]
    made: Spans = []
    i = j = 0
    for run in [*kept, [(len(a), len(b))]]:
        deleted, inserted = "".join(a[i : run[0][0]]), "".join(b[j : run[0][1]])
        made += [span for span in (("delete", deleted, ""), ("insert", "", inserted)) if span[1] or span[2]]
        i, j = run[-1][0] + 1, run[-1][1] + 1
        if run[0][0] < len(a) and run[0][1] < len(b):
            same = "".join(a[run[0][0] : i])
            made.append(("equal", same, same))
    return made
