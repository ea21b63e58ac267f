"""Slow twins of the duplicate kernels: tuples and sets instead of hashes, every pair instead of candidates."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import combinations

import regex

Shingles = frozenset[tuple[str, ...]]
MARKS = frozenset(".,;:!?'\"`´¡¿«»‹›…、。「」『』・।۔؟،؛" + "".join(map(chr, range(0x2018, 0x2020))))
UNSPACED = regex.compile("[\u0e00-\u0eff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u4e00-\u9fff]")


KINDS = {"'": "mid", ".": "mid", ":": "mid-letter", ",": "mid-number", ";": "mid-number", "_": "join"}


def _kind(c: str) -> str:
    """Word_Break property, as far as the tests' alphabet goes."""
    if c in KINDS:
        return KINDS[c]
    if "\u30a1" <= c <= "\u30fc" and c != "\u30fb":
        return "katakana"
    category = unicodedata.category(c)[0]
    if UNSPACED.match(c) and category != "M":
        return "other"
    return {"L": "letter", "N": "number", "M": "mark"}.get(category, "other")


def _joined(units: Sequence[tuple[str, str]], i: int) -> bool:
    """Whether no word border lies before unit `i` (rules WB5 to WB13b of UAX 29)."""
    kind = [units[k][1] if 0 <= k < len(units) else "other" for k in (i - 2, i - 1, i, i + 1)]
    before2, before, here, after = kind
    word = ("letter", "number")
    return (
        (before in word and here in word)
        or (before == "letter" and here in ("mid", "mid-letter") and after == "letter")
        or (before2 == "letter" and before in ("mid", "mid-letter") and here == "letter")
        or (before == "number" and here in ("mid", "mid-number") and after == "number")
        or (before2 == "number" and before in ("mid", "mid-number") and here == "number")
        or (before == here == "katakana")
        or (before in (*word, "katakana", "join") and here == "join")
        or (before == "join" and here in (*word, "katakana"))
    )


def words(text: str) -> list[str]:
    """Word segments that hold a letter or digit, lower-cased; characters of unspaced scripts one by one."""
    units: list[tuple[str, str]] = []  # a character and the marks that follow it count as that character
    for c in text.lower():
        if _kind(c) == "mark" and units and not units[-1][0].isspace():
            units[-1] = (units[-1][0] + c, units[-1][1])
        else:
            units.append((c, _kind(c)))
    segments: list[list[str]] = []
    for i, (unit, _) in enumerate(units):
        if i and _joined(units, i):
            segments[-1].append(unit)
        else:
            segments.append([unit])
    found: list[str] = []
    for segment in segments:
        whole = "".join(segment)
        if regex.search(r"[\p{Alphabetic}\p{N}]", whole):
            found += segment if UNSPACED.search(whole) else [whole]
    return found


def pieces(text: str) -> list[str]:
    """What lies between characters outside `\\w`; nothing where nothing does."""
    found = regex.split(r"[^\p{L}\p{N}_]", text.lower())
    return found if any(found) else []


def tokens(text: str, unit: str) -> list[str]:
    """Tokens by unit."""
    by = {"word": words, "space": lambda text: text.lower().split(), "piece": pieces, "character": list}
    return by[unit](text)


def folded(text: str, numbers: bool, marks: bool) -> str:
    """Numbers as 0; punctuation as spaces, without accents, in lower case."""
    if marks:
        text = text.lower()
    if numbers:
        text = regex.sub(r"\p{Nd}+([.,،٫⎖⎗⎘]\p{Nd}+)?", "0", text)
    if marks:
        text = regex.sub(r"[\p{P}\p{Cc}$+<=>^`|~]", " ", text)
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return text


def shingles(text: str, width: int, unit: str, *, fold_numbers: bool = False, fold_marks: bool = False) -> Shingles:
    """Neighbouring tokens; a short text is whole, one without tokens is raw."""
    parts = tokens(folded(text, fold_numbers, fold_marks), unit)
    if not parts:
        return frozenset({("raw\0", text)})
    width = min(width, len(parts))
    return frozenset(tuple(parts[i : i + width]) for i in range(len(parts) - width + 1))


def jaccard(a: Shingles, b: Shingles) -> float:
    """Shared / all."""
    return len(a & b) / len(a | b)


def near_pairs(texts: Sequence[str | None], threshold: float, width: int, unit: str) -> dict[tuple[int, int], float]:
    """Every pair at or above the threshold."""
    sets = {row: shingles(text, width, unit) for row, text in enumerate(texts) if text is not None}
    pairs = {(a, b): jaccard(sets[a], sets[b]) for a, b in combinations(sorted(sets), 2)}
    return {pair: similarity for pair, similarity in pairs.items() if similarity >= threshold}


def near_rows(rows: Sequence[tuple[str | None, ...]], threshold: float, width: int, unit: str) -> dict[tuple[int, int], float]:
    """Every pair of rows at or above the threshold in all fields, with the smallest similarity of a field."""
    sets = [[None if field is None else shingles(field, width, unit) for field in row] for row in rows]
    pairs = {}
    for a, b in combinations([at for at, row in enumerate(rows) if any(field is not None for field in row)], 2):
        alike = [float(x is y) if x is None or y is None else jaccard(x, y) for x, y in zip(sets[a], sets[b], strict=True)]
        if min(alike) >= threshold:
            pairs[a, b] = min(alike)
    return pairs


def roots(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Smallest row that can be reached, by spreading labels until nothing changes."""
    label = list(range(count))
    changed = True
    while changed:
        changed = False
        for a, b in pairs:
            low = min(label[a], label[b])
            changed |= label[a] != low or label[b] != low
            label[a] = label[b] = low
    return label


def normalized(text: str, level: str) -> str:
    """What exact duplicates compare."""
    if level == "none":
        return text
    if level == "unicode":
        text = unicodedata.normalize("NFKC", text)
        kept = []
        for i, c in enumerate(text):
            inside = 0 < i < len(text) - 1 and text[i - 1].isalnum() and text[i + 1].isalnum()
            if c not in MARKS:
                kept.append(c)
            elif inside:
                kept.append("'" if c in "‘’‛`´" else c)
        text = "".join(kept)
    return " ".join(text.split()).lower()


def exact_roots(rows: Sequence[tuple[str | None, ...]], level: str) -> list[int]:
    """First row with the same normalized fields."""
    first: dict[tuple[str, ...], int] = {}
    return [
        at if all(field is None for field in row) else first.setdefault(tuple(normalized(field or "", level) for field in row), at)
        for at, row in enumerate(rows)
    ]
