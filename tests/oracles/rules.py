"""Slow twin of the rule sets: each filter restated in plain Python, in the words and order of its system."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from statistics import median

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
# What datatrove counts as punctuation, besides the characters that end a sentence.
SYMBOLS = set("\"#$%&'()*+,-/:;<=>@[\\]^_`{|}~«´»–—’“”„…∶━►、〈〉《》「」【】％（），１：；～") | {
    chr(code) for code in [*range(9), *range(11, 32), *range(127, 160)]
}
# Enough of `Sentence_Terminal` for what the tests make.
TERMINAL = set(".!?。！？｡．۔؟।")


Asked = Iterator[tuple[str, bool]]
"""Rules in the order in which they are asked, and whether each fails."""


def first(asked: Asked, skip: Collection[str] = ()) -> str | None:
    """The first rule that fails, those in `skip` aside."""
    return next((name for name, fails in asked if fails and name not in skip), None)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _later(parts: Sequence[str]) -> tuple[int, int]:
    repeats = [part for k, part in enumerate(parts) if part in parts[:k]]
    return len(repeats), sum(map(len, repeats))


def _windows(words: Sequence[str], n: int) -> list[Sequence[str]]:
    return [words[k : k + n] for k in range(len(words) - n + 1)]


def _top(words: Sequence[str], n: int) -> int:
    grams = [" ".join(window) for window in _windows(words, n)]
    if not grams:
        return 0
    counts = Counter(grams)
    return next(count * len(gram) for gram, count in counts.items() if count == max(counts.values()))


def _without_overlap(words: Sequence[str], n: int) -> int:
    known: set[str] = set()
    characters = at = 0
    while at + n <= len(words):
        gram = "".join(words[at : at + n])
        if gram in known:
            characters += len(gram)
            at += n
        else:
            known.add(gram)
            at += 1
    return characters


def gopher_datatrove(text: str, words: Sequence[str]) -> Asked:
    """datatrove's two filters after Gopher, repetition first."""
    yield "empty", not text
    paragraphs = re.split(r"\n{2,}", text.strip())
    lines = re.split(r"\n+", text)
    for name, parts in (("para", paragraphs), ("line", lines)):
        number, characters = _later(parts)
        yield f"dup_{name}_frac", number / len(parts) > 0.3
        yield f"dup_{name}_char_frac", _share(characters, len(text)) > 0.2
    for n, bound in ((2, 0.2), (3, 0.18), (4, 0.16)):
        yield f"top_{n}_gram", _share(_top(words, n), len(text)) > bound
    for n, bound in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10)):
        yield f"duplicated_{n}_n_grams", _share(_without_overlap(words, n), len(text)) > bound
    real = [word for word in words if set(word) - SYMBOLS - TERMINAL]
    yield "gopher_short_doc", len(real) < 50
    yield "gopher_long_doc", len(real) > 100_000
    mean = _share(sum(map(len, real)), len(real))
    yield "gopher_below_avg_threshold", mean < 3
    yield "gopher_above_avg_threshold", mean > 10
    yield "gopher_too_many_hashes", _share(text.count("#"), len(words)) > 0.1
    yield "gopher_too_many_ellipsis", _share(text.count("...") + text.count("…"), len(words)) > 0.1
    lines = text.splitlines()
    yield "gopher_too_many_bullets", _share(sum(line.lstrip()[:1] in ("•", "-") for line in lines), len(lines)) > 0.9
    dotted = sum(line.rstrip().endswith(("...", "…")) for line in lines)
    yield "gopher_too_many_end_ellipsis", _share(dotted, len(lines)) > 0.3
    letters = sum(any(map(str.isalpha, word)) for word in words)
    yield "gopher_below_alpha_threshold", _share(letters, len(words)) < 0.8
    yield "gopher_enough_stop_words", len(STOP_WORDS & set(words)) < 2


def gopher_dolma(text: str, words: Sequence[str] | None = None) -> dict[str, float]:
    """What dolma's tagger writes; n-grams that are not there count as 0."""
    words = text.split() if words is None else words
    if not text:
        words = []
    size, characters = len(words), sum(map(len, words))
    lines = text.split("\n")
    repeated = {line: count for line, count in Counter(lines).items() if count > 1}
    found = {
        "word_count": size,
        "median_word_length": median(map(len, words)) if words else 0.0,
        "symbol_to_word_ratio": _share(sum("#" in word or "…" in word for word in words), size),
        "fraction_of_words_with_alpha_character": _share(sum(any(map(str.isalpha, word)) for word in words), size),
        "required_word_count": sum(word in STOP_WORDS for word in words),
        "fraction_of_lines_starting_with_bullet_point": sum(line[:1] in ("*", "-") for line in lines) / len(lines),
        "fraction_of_lines_ending_with_ellipsis": sum(line.endswith("…") for line in lines) / len(lines),
        "fraction_of_duplicate_lines": sum(repeated.values()) / len(lines),
        "fraction_of_characters_in_duplicate_lines": sum(len(line) * n for line, n in repeated.items()) / max(characters, 1),
    }
    for n in range(2, 11):
        counts = Counter(map(tuple, _windows(words, n)))
        weights = {gram: count * len("".join(gram)) for gram, count in counts.items()}
        if n < 5:
            best = next((gram for gram, count in counts.items() if count == max(counts.values())), None)
            found[f"fraction_of_characters_in_most_common_{n}grams"] = _share(weights[best], characters) if best else 0.0
        else:
            part = sum(weight for gram, weight in weights.items() if counts[gram] > 1)
            found[f"fraction_of_characters_in_duplicate_{n}grams"] = _share(part, sum(weights.values()))
    return {name: round(float(value), 5) for name, value in found.items()} if text else dict.fromkeys(found, 0.0)


def c4_lines(text: str) -> list[str]:
    """The lines that C4's sentences are counted in."""
    return [re.sub(r"\[\d*]|\[edit]|\[citation needed]", "", line.strip()) for line in text.splitlines()]


def c4(text: str, sentences: Callable[[str], int]) -> Asked:
    """datatrove's C4 filter, line by line."""
    total = 0
    for raw, line in zip(text.splitlines(), c4_lines(text), strict=True):
        words = raw.strip().split()
        if any(len(word) > 1000 for word in words) or len(words) < 3:
            continue
        if line.endswith("...") or line[-1:] not in (".", "?", "!", '"', "'"):
            continue
        lower = line.lower()
        policy = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
        if "lorem ipsum" in lower:
            yield "lorem_ipsum", True
        elif "javascript" in lower:
            continue
        elif "{" in line:
            yield "curly_bracket", True
        elif not any(phrase in lower for phrase in policy):
            total += sentences(line)
    yield "too_few_sentences", total < 5


def fineweb(text: str, words: Sequence[str]) -> Asked:
    """datatrove's FineWeb filter."""
    lines = [line for line in text.split("\n") if line.strip()]
    yield "empty", not lines
    yield "line_punct_ratio", _share(sum(line[-1] in TERMINAL for line in lines), len(lines)) < 0.12
    yield "short_line_ratio", _share(sum(len(line) <= 30 for line in lines), len(lines)) > 0.67
    yield "char_dup_ratio", _share(_later(lines)[1], len(text.replace("\n", ""))) > 0.01
    yield "list_ratio", _share(text.count("\n"), len(words)) > 0.3
