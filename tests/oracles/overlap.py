"""Overlap, plainly: every run of every item looked for in every text."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence

from oracles import duplicates

# What simplify_text of datatrove 0.10 deletes besides ASCII punctuation and control characters.
FOREIGN_MARKS = set("—”％１〈━、【」「，】；《„’“∶´．（–？！：～«〉》）。…►»")
CONTRACTIONS = {word: (word[:3], word[3:]) for word in ("cannot", "gimme", "gonna", "gotta", "lemme", "wanna")}


def simplified(text: str) -> list[str]:
    """datatrove's tokens."""
    text = re.sub(r"\s+", " ", text.lower().strip())
    control = {chr(c) for c in range(160) if unicodedata.category(chr(c)) == "Cc"} - {"\t", "\n"}
    text = "".join(c for c in text if c not in FOREIGN_MARKS and c not in string.punctuation and c not in control)
    text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    text = re.sub(r"\d+", "0", text)
    words = text.replace("‘", " ‘ ").split()
    return [part for word in words for part in CONTRACTIONS.get(word, (word,))]


def bare(text: str) -> list[str]:
    """The tokens of lm-evaluation-harness, without those that are nothing but punctuation."""
    kept = "".join(c for c in text if c not in string.punctuation)
    return "".join(c.lower() if c.isascii() else c for c in kept).split()


def tokens(text: str, cut: str) -> list[str]:
    """Tokens by mode or unit."""
    return {"datatrove": simplified, "gpt3": bare, "open-r1": lambda text: text.lower().split()}.get(
        cut, lambda text: duplicates.tokens(text, cut)
    )(text)


def contains(whole: list[str], part: list[str]) -> bool:
    """Whether `part` stands in `whole` in one run."""
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


def share(text: str, item: str, *, cut: str, n: int, contain: int | None) -> float:
    """Covered tokens of the item, of all its tokens."""
    row, wanted = tokens(text, cut), tokens(item, cut)
    if len(wanted) >= n:
        covered = set()
        for i in range(len(wanted) - n + 1):
            if contains(row, wanted[i : i + n]):
                covered.update(range(i, i + n))
        return len(covered) / len(wanted)
    if contain is None:
        return 0.0
    if not wanted:
        return float(not row and text.strip() == item.strip() != "")
    return float(contains(row, wanted) if len(wanted) >= min(contain, n) else row == wanted)


def overlap(
    texts: Sequence[str | None], items: Sequence[str | None], *, cut: str, n: int, contain: int | None
) -> list[tuple[int, int, float]]:
    """Every text and item with a share above 0."""
    found = []
    for row, text in enumerate(texts):
        for at, item in enumerate(items):
            covered = 0.0 if text is None or item is None else share(text, item, cut=cut, n=n, contain=contain)
            if covered > 0:
                found.append((row, at, covered))
    return found
