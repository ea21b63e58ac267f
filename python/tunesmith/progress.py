"""What long work tells about itself. Rooms report to a `Progress`; the command line decides how it looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Takes what a room reports: tasks with a total, and lines worth keeping."""

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Open a task; the callable it yields takes the units done **so far** (not the increment)."""
        ...

    def say(self, message: str) -> None:
        """Tell a fact worth a line (a default chosen, a count, a warning)."""
        ...


class Silent:
    """Reports nothing: the default of every Python function."""

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:  # noqa: ARG002
        """Open a task that nobody sees."""
        yield lambda _done: None

    def say(self, message: str) -> None:
        """Drop the message."""


SILENT: Progress = Silent()

EVERY = 30.0


class Lines:
    """A line on standard error when a task starts and ends, and one every 30 s in between: logs stay readable, and alive."""

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Open a task that is told in lines."""
        start = last = time.monotonic()

        def advance(done: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= EVERY:
                last = now
                of = f" of {total:,}" if total else ""
                self.say(f"{label}: {done:,}{of}, {now - start:.0f} s")

        self.say(f"{label} ...")
        yield advance
        self.say(f"{label}: done in {time.monotonic() - start:.1f} s")

    def say(self, message: str) -> None:
        """Print the message."""
        print(message, file=sys.stderr, flush=True)
