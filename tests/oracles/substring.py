"""Repeated passages, plainly: every run of pieces looked for before itself."""

from __future__ import annotations

from collections.abc import Sequence

import regex

Piece = tuple[int, int]
Span = tuple[int, int, int, int, int]

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}"
_LETTER = rf"[[\p{{L}}]--[{_UNSPACED}]]"
_RUN = rf"[[\p{{L}}\p{{N}}_]--[{_UNSPACED}]]+"
_WORD = rf"{_RUN}(?:(?<={_LETTER})['.](?={_LETTER}){_RUN}|(?<=\p{{N}})['.,](?=\p{{N}}){_RUN})*"
PIECE = regex.compile(rf"(?V1)[{_UNSPACED}]\p{{M}}*|{_WORD}|\S")


def words(text: str) -> list[Piece]:
    """Words and marks of the tests' alphabet: letters, digits and `_`, joined by a mark between two letters or two digits."""
    return [match.span() for match in PIECE.finditer(text)]


def length(text: str, unit: str) -> int:
    """What the least length counts."""
    return len(text) if unit == "character" else sum(any(c.isalnum() for c in text[a:b]) for a, b in words(text))


def runs(texts: Sequence[str | None], least: int, unit: str) -> dict[tuple[int, int, int], str]:
    """Every run of pieces that is long enough, by row, start and end."""
    found = {}
    for row, text in enumerate(texts):
        pieces = words(text or "")
        for first in range(len(pieces)):
            for last in range(first, len(pieces)):
                start, end = pieces[first][0], pieces[last][1]
                if text is not None and length(text[start:end], unit) >= least:
                    found[row, start, end] = text[start:end]
    return found


def repeats(texts: Sequence[str | None], least: int, unit: str) -> dict[tuple[int, int, int], tuple[int, int]]:
    """The runs that stand earlier between borders, without overlap, and where they do first."""
    everything = runs(texts, least, unit)
    first: dict[str, tuple[int, int]] = {}
    for (row, start, _), text in sorted(everything.items()):
        first.setdefault(text, (row, start))
    return {
        (row, start, end): first[text]
        for (row, start, end), text in everything.items()
        if first[text][0] < row or first[text][1] + end - start <= start
    }


def covered(texts: Sequence[str | None], least: int, unit: str) -> set[tuple[int, int]]:
    """The pieces, by row and start, that lie in a repeat."""
    found = repeats(texts, least, unit)
    return {
        (row, start)
        for row, text in enumerate(texts)
        for start, end in words(text or "")
        if any(at == row and first <= start and end <= last for at, first, last in found)
    }


def windows(texts: Sequence[str | None], least: int, unit: str) -> list[tuple[tuple[int, int, int], tuple[int, int]]]:
    """The repeats that are the shortest from their start, or to their end, sorted."""
    everything = runs(texts, least, unit)
    from_start, to_end = {}, {}
    for row, start, end in sorted(everything, key=lambda run: run[2] - run[1]):
        from_start.setdefault((row, start), end)
        to_end.setdefault((row, end), start)
    return sorted(
        ((row, start, end), first)
        for (row, start, end), first in repeats(texts, least, unit).items()
        if from_start[row, start] == end or to_end[row, end] == start
    )


def spans(texts: Sequence[str | None], least: int, unit: str) -> list[Span]:
    """The windows that are repeats, joined from left to right: each goes on as long as its copy does, up to a border there."""
    made: list[Span] = []
    for (row, begin, end), (root, root_start) in windows(texts, least, unit):
        text, start, copy = str(texts[row]), begin, root_start
        if made and made[-1][0] == row:
            _, before, last, other, other_start = made[-1]
            if end <= last:
                continue
            if not text[last:begin].strip():
                stop = other_start + end - before
                if str(texts[other])[other_start:stop] == text[before:end] and stop in {b for _, b in words(str(texts[other]))}:
                    made[-1] = (row, before, end, other, other_start)
                    continue
            if begin < last:
                start = last + len(text[last:]) - len(text[last:].lstrip())
                copy += start - begin
        made.append((row, start, end, root, copy))
    return made
