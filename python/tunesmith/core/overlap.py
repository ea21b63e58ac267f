"""Overlap of training texts with evaluation items (decontamination)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.core.near_options import Unit
from tunesmith.errors import OptionError, did_you_mean

OverlapMode = Literal["tunesmith", "gpt3", "datatrove", "open-r1", "tulu3"]


@dataclass(frozen=True, kw_only=True)
class _Mode:
    n: int
    cut: str
    threshold: float = 0.0
    above: bool = False
    short: bool = False


_MODES: dict[str, _Mode] = {
    "tunesmith": _Mode(n=8, cut="word", short=True),
    "gpt3": _Mode(n=13, cut="gpt3"),
    "datatrove": _Mode(n=12, cut="datatrove"),
    "open-r1": _Mode(n=8, cut="open-r1"),
    "tulu3": _Mode(n=8, cut="word", threshold=0.5, above=True),
}


class OverlapIndex:
    """The n-grams of evaluation items, indexed once, past which any number of texts are streamed.

    Memory is that of the index (`nbytes`: 20 to 60 bytes a token of the items) and of the pairs that are found.

    >>> index = OverlapIndex(["Name the capital of France."], n=8)
    >>> index.find(["Please name the capital of France!", "Name it."]).rows()
    [(0, 0, 1.0)]
    """

    def __init__(
        self,
        against: Any,
        *,
        n: int | None = None,
        mode: OverlapMode = "tunesmith",
        unit: Unit | None = None,
        short: bool | None = None,
        contain: int = 4,
        threshold: float | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> None:
        """Index the items; the options are those of `overlap`, `progress` is called with the number of items read so far."""
        rule = _MODES.get(mode)
        if rule is None:
            raise OptionError(f'mode: found "{mode}"; {did_you_mean(str(mode), _MODES)}')
        if unit is not None and mode != "tunesmith":
            raise OptionError(f'unit: mode "{mode}" has tokens of its own; leave unit out, or use mode "tunesmith"')
        self.n = _count(rule.n if n is None else n, "n")
        """Tokens that must be shared in a run."""
        contained = _count(contain, "contain") if (rule.short if short is None else short) else None
        limit = rule.threshold if threshold is None else threshold
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise OptionError(f"threshold: found {limit!r}, expected a share from 0 to 1")
        above = rule.above and threshold is None
        items = series(against, pl.String, name="against")
        self._index = _native.OverlapIndex(items, unit or rule.cut, self.n, contained, float(limit), above, progress)

    @property
    def nbytes(self) -> int:
        """Bytes that the index holds, about."""
        return self._index.nbytes

    def find(self, texts: Any, *, progress: Callable[[int], object] | None = None) -> pl.DataFrame:
        """List the items that these texts overlap with: as `overlap`.

        Args:
            texts: ``String[n]``.
            progress: Called with the number of texts done so far.
        """
        return pl.DataFrame(self._index.find(series(texts, pl.String, name="texts"), progress))


def overlap(
    texts: Any,
    against: Any,
    *,
    n: int | None = None,
    mode: OverlapMode = "tunesmith",
    unit: Unit | None = None,
    short: bool | None = None,
    contain: int = 4,
    threshold: float | None = None,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Find evaluation items in training texts: the share of each item that one text covers.

    A token of an item is covered by a text when it lies in a run of ``n`` tokens that the text holds too; the share is
    that of the covered tokens in all tokens of the item (the measure of Tülu 3, arXiv 2411.15124). Items of fewer than
    ``n`` tokens have no such run, and peers miss them; here they are found when the text contains all of the item in
    one run (from ``contain`` tokens on) or consists of it alone (below; an item without any token is compared as the
    raw text it is); their share is 1.

    The modes follow the systems' own code; ``n``, ``short`` and ``threshold`` can be set in each:

    - ``tunesmith``: runs of 8 tokens of ``unit``, and short items.
    - ``gpt3``: any run of 13 pieces between spaces, lower-cased, without ASCII punctuation: appendix C of arXiv 2005.14165
      as lm-evaluation-harness runs it (``decontamination/janitor.py``, which breaks a run at a piece of punctuation
      alone; here such a piece is no token).
    - ``datatrove``: any run of 12 of NLTK's words after ``simplify_text``: lower-cased, without punctuation and
      diacritics, numbers folded to 0 (``decont/n_grams.py``; an item is what that code calls a label).
    - ``open-r1``: any run of 8 pieces between spaces, lower-cased (``scripts/decontaminate.py``).
    - ``tulu3``: more than half of the item's tokens, in runs of 8 (open-instruct, ``decontamination/search.py``; there
      runs are of spaCy's tokens, marks included, and Elasticsearch compares their words; here both sides are words).

    Args:
        texts: ``String[n]``, the training side.
        against: ``String[m]``, the evaluation items.
        n: Tokens that must be shared in a run; the mode's where absent.
        mode: Whose rule.
        unit: Mode ``tunesmith``: as for `near_duplicates`; ``word`` where absent.
        short: Look for items of fewer than ``n`` tokens; the mode's habit where absent.
        contain: The smallest number of tokens of an item that is looked for inside longer texts. An item of one or
            two words would be found everywhere.
        threshold: List pairs with at least this share, of those with a shared run (or a short item found). 0 lists
            all, above 0.5 is what Tülu 3 calls a leak.
        progress: Called with the number of texts done so far, which is 0 while the items are indexed.
    Returns:
        ``row: UInt32``, ``item: UInt32``, ``share: Float64`` in (0, 1], one line per text and item that overlap, sorted.
        Nulls overlap with nothing. Tokens are known by a 64-bit hash.
    Raises:
        OptionError: If an option is out of range, or ``unit`` is given with a mode that has its own.
        InputError: If the columns are not text.

    >>> items = ["one two three four five six", "What is it?", "Yes"]
    >>> overlap(["Say: two three four five!", "what is it", "yes", "oh yes"], items, n=4).rows()
    [(0, 0, 0.6666666666666666), (1, 1, 1.0), (2, 2, 1.0)]
    """
    none_yet = None if progress is None else lambda _items: progress(0)
    index = OverlapIndex(against, n=n, mode=mode, unit=unit, short=short, contain=contain, threshold=threshold, progress=none_yet)
    return index.find(texts, progress=progress)


def _count(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_536:
        raise OptionError(f"{name}: found {value!r}, expected a whole number from 1 to 65536")
    return value
