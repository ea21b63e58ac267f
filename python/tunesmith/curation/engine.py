"""What an engine promises: to run the three shapes of step over rows, with the same results whatever its chunks and threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.curation.held import Rows
    from tunesmith.curation.steps.base import KeyedStep, Measured, RankedStep, RowStep
    from tunesmith.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What one pass of row steps leaves.

    Attributes:
        rows: All rows, as the pass leaves them (fixes apply to dropped rows too).
        measured: What each step measured, in order.
    """

    rows: Rows
    measured: tuple[Measured, ...]


class Engine(Protocol):
    """Runs measures; decides nothing."""

    def rows(self, rows: Rows, steps: Sequence[RowStep], progress: Progress) -> Pass:
        """Run consecutive row steps in one pass; each sees the edits of those before it. The rows are handed over."""
        ...

    def keyed(self, rows: Rows, step: KeyedStep, progress: Progress) -> Measured:
        """Find the pairs of all rows."""
        ...

    def ranked(self, rows: Rows, step: RankedStep, alive: pl.Series, progress: Progress) -> Measured:
        """Order the rows alive; the others get null."""
        ...
