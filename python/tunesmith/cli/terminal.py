"""How progress and tables look: bars on a terminal, a line every 30 s in a log, nothing with `--json`.

Data is never markup: rich would read `[/b]` in a cell as a tag, so cells are `Text`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tunesmith.progress import SILENT, Lines, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.table import Table


_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


_NAME = 40
"""Characters of a name at most."""


class _Bars:
    """One bar a task."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        task = self._bars.add_task(label, total=total)
        yield lambda done: self._bars.update(task, completed=done)
        self._bars.update(task, total=total or 1, completed=total or 1)

    def say(self, message: str) -> None:
        self._bars.console.print(message, markup=False, highlight=False)


@contextmanager
def progress_for(*, silent: bool) -> Iterator[Progress]:
    """Choose how progress looks on this standard error."""
    if silent:
        yield SILENT
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bars(*columns, console=Console(stderr=True)) as bars:
            yield _Bars(bars)
    else:
        yield Lines()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Draw a table; numbers are right-aligned, floats get four digits, cells are never markup.

    Args:
        title: Above the table.
        columns: Headings; none where all are empty.
        rows: One sequence of cells a row; None is shown as nothing.
    """
    from rich.table import Table
    from rich.text import Text

    rows = [list(row) for row in rows]
    texts = [[_cell(value) for value in row] for row in rows]
    drawn = Table(title=Text(title), title_justify="left", header_style="bold", show_header=any(columns))
    for k, column in enumerate(columns):
        numeric = any(isinstance(row[k], int | float) for row in rows)
        # Names are there to be typed: where room is short, sentences make way for them.
        name = all(len(row[k]) <= _NAME and " " not in row[k] for row in texts)
        drawn.add_column(Text(column), justify="right" if numeric else "left", no_wrap=name, overflow="fold")
    for row in texts:
        drawn.add_row(*map(Text, row))
    return drawn


def visible(text: str) -> str:
    r"""Show characters that a terminal would obey (escapes, overrides of direction) as escapes: data never steers it.

    >>> visible("red \x1b[31m, \u202e back\n")
    'red \\x1b[31m, \\u202e back\n'
    """
    return _OBEYED.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return visible(str(value))
