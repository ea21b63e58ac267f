"""Differing words of two texts, as the page draws them."""

from __future__ import annotations

from collections.abc import Iterable

from tunesmith import core
from tunesmith.reports.blocks import Parts
from tunesmith.reports.texts import CLIP, clip


def same(text: str) -> Parts:
    """Show a text without marks.

    >>> same("a kettle")
    [['same', 'a kettle']]
    """
    return [["same", clip(text)]]


def difference(old: str, new: str) -> Parts:
    """Mark what `new` lacks of `old` as missing and what it has besides as added.

    >>> difference("a red kettle", "a blue kettle")
    [['same', 'a '], ['missing', 'red'], ['added', 'blue'], ['same', ' kettle']]
    """
    old, new = clip(old), clip(new)
    parts: list[list[str]] = []
    for span in core.word_diff([old], [new]).to_list()[0]:
        removed, added = old[span["a_start"] : span["a_end"]], new[span["b_start"] : span["b_end"]]
        if span["op"] == "equal":
            parts.append(["same", added])
        else:
            parts += [[kind, text] for kind, text in (("missing", removed), ("added", added)) if text]
    return parts


def found(text: str, spans: Iterable[tuple[int, int]]) -> Parts:
    """Mark spans of a text, such as what a detector found; spans that touch or overlap become one.

    >>> found("a cat sat", [(2, 5), (4, 9)])
    [['same', 'a '], ['found', 'cat sat']]
    """
    shown = text[:CLIP]
    parts: list[list[str]] = []
    at = 0
    for first, last in sorted(spans):
        start, end = max(first, at), min(last, len(shown))
        if start < end:
            parts += [["same", shown[at:start]]] * (at < start)
            if start == at and parts:
                parts[-1] = ["found", parts[-1][1] + shown[start:end]]
            else:
                parts.append(["found", shown[start:end]])
            at = end
    rest = clip(text)[at:]
    return [*parts, ["same", rest]] if rest or not parts else parts
