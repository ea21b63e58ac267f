"""Slow twin of the signals kernel: each signal by itself, from its definition, with the `regex` package's properties."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import regex

Gram = tuple[str, ...]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _grams(words: Sequence[str], n: int) -> list[Gram]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _rep(words: Sequence[str], n: int) -> float:
    grams = _grams(words, n)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def _top(words: Sequence[str], n: int, characters: int) -> float:
    counts = Counter(_grams(words, n))
    if not counts or max(counts.values()) < 2:
        return 0.0
    count, length = max((count, len(" ".join(gram))) for gram, count in counts.items())
    return min(1.0, count * length / characters)


def _loop(words: Sequence[str]) -> int:
    longest = 0
    for unit in range(1, 7):
        for start in range(len(words)):
            end = start + unit
            while end < len(words) and words[end] == words[end - unit]:
                end += 1
            if end - start >= 2 * unit:
                longest = max(longest, end - start)
    return longest


def _covered(words: Sequence[str], n: int) -> float:
    grams = _grams(words, n)
    later = [i for i, gram in enumerate(grams) if gram in grams[:i]]
    covered = {place for i in later for place in range(i, i + n)}
    return _share(sum(len(words[place]) for place in covered), sum(map(len, words)))


SCRIPTS = {
    "latin": r"\p{Script=Latin}", "greek": r"\p{Script=Greek}", "cyrillic": r"\p{Script=Cyrillic}", "arabic": r"\p{Script=Arabic}",
    "hebrew": r"\p{Script=Hebrew}", "devanagari": r"\p{Script=Devanagari}", "thai": r"\p{Script=Thai}", "hangul": r"\p{Script=Hangul}",
    "kana": r"[\p{Script=Hiragana}\p{Script=Katakana}]", "han": r"\p{Script=Han}",
}  # fmt: skip


def signals(text: str) -> dict[str, float]:
    """Every signal of one text."""
    words = [word for word in regex.split(r"\p{White_Space}+", text) if word]
    lines = [line for line in (regex.sub(r"^\p{White_Space}+|\p{White_Space}+$", "", line) for line in text.split("\n")) if line]
    pieces = regex.split(r"""[\n。！？｡]|[.!?…।؟۔][.!?…।؟۔"'”’»)\]}*]*\p{White_Space}""", text)
    alphabetic = len(regex.findall(r"\p{Alphabetic}", text))
    size = len(text)
    counts = Counter(text)
    letters = regex.findall(r"\p{Alphabetic}", text)
    scripts = {name: sum(bool(regex.match(script, letter)) for letter in letters) for name, script in SCRIPTS.items()}
    repeated = [line for k, line in enumerate(lines) if line in lines[:k]]
    raw = text.encode()
    rep = {n: _rep(words, n) for n in (1, 2, 3, 4)}
    return {
        "characters": size,
        "words": len(words),
        "sentences": sum(bool(regex.search(r"\p{Alphabetic}", piece)) for piece in pieces),
        "lines": len(lines),
        "longest_run": max((len(list(run)) for _, run in groupby(text)), default=0),
        "longest_loop": _loop(words),
        "mean_word_length": _share(sum(map(len, words)), len(words)),
        "alphabetic_share": _share(alphabetic, size),
        "uppercase_share": _share(len(regex.findall(r"\p{Uppercase}", text)), alphabetic),
        "digit_share": _share(len(regex.findall(r"\p{N}", text)), size),
        "symbol_share": _share(len(regex.findall(r"[^\p{Alphabetic}\p{N}\p{White_Space}]", text)), size),
        "duplicate_line_share": _share(len(lines) - len(set(lines)), len(lines)),
        "rep_2": rep[2],
        "rep_3": rep[3],
        "rep_4": rep[4],
        "distinct_1": 1 - rep[1],
        "distinct_2": 1 - rep[2],
        "diversity": (1 - rep[2]) * (1 - rep[3]) * (1 - rep[4]),
        "top_2_share": _top(words, 2, size),
        "top_3_share": _top(words, 3, size),
        "top_4_share": _top(words, 4, size),
        "entropy": max(0.0, -sum(count / size * math.log2(count / size) for count in counts.values())),
        "duplicate_line_characters": _share(sum(map(len, repeated)), size),
        **{f"duplicate_{n}_share": _covered(words, n) for n in range(5, 11)},
        "compression_ratio": len(raw) / len(zlib.compress(raw, 1)) if raw else 0.0,
        **{f"{name}_share": _share(count, alphabetic) for name, count in scripts.items()},
        "other_script_share": _share(alphabetic - sum(scripts.values()), alphabetic),
    }
