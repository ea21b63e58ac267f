"""ROUGE as its definitions read: counters, a full table, recursion-free backtracking. The slow twin of the kernel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from oracles.porter import stem

Score = tuple[float, float, float]


def google(text: str, *, stemmed: bool) -> list[str]:
    words = re.findall("[a-z0-9]+", text.lower())
    return [word for word in (stem(word) if stemmed and len(word) > 3 else word for word in words) if word]


def score(hits: int, predicted: int, referred: int) -> Score:
    precision, recall = hits / max(predicted, 1), hits / max(referred, 1)
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def table(a: Sequence[str], b: Sequence[str]) -> list[list[int]]:
    t = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            t[i][j] = t[i - 1][j - 1] + 1 if x == y else max(t[i - 1][j], t[i][j - 1])
    return t


def back(a: Sequence[str], b: Sequence[str]) -> set[int]:
    """Positions in `a` of the one subsequence that rouge_score's ties choose."""
    t, i, j, found = table(a, b), len(a), len(b), set()
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            found.add(i)
        elif t[i][j - 1] > t[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return found


def rouge(prediction: str, reference: str, metric: str, *, stemmed: bool = False, tokens: Callable[..., list[str]] = google) -> Score:
    p, r = tokens(prediction, stemmed=stemmed), tokens(reference, stemmed=stemmed)
    if metric == "rougeL":
        return score(table(r, p)[-1][-1], len(p), len(r))
    if metric == "rougeLsum":
        lines_p, lines_r = ([tokens(line, stemmed=stemmed) for line in text.split("\n")] for text in (prediction, reference))
        left, hits = Counter(p), 0
        for line in lines_r:
            for at in set().union(*(back(line, other) for other in lines_p)):
                hits += left[line[at]] > 0
                left[line[at]] -= 1
        return score(hits, len(p), len(r))
    n = int(metric.removeprefix("rouge"))
    grams_p, grams_r = (Counter(tuple(x[k : k + n]) for k in range(len(x) - n + 1)) for x in (p, r))
    return score((grams_p & grams_r).total(), grams_p.total(), grams_r.total())
