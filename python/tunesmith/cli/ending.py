"""How a command ends: its exit code, one line where something is wrong, one JSON object; never a traceback.

A defect of Tunesmith itself ends in one line, too; the traceback goes to a file that the line names.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tunesmith.cli.terminal import visible
from tunesmith.errors import TunesmithError

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.cli.manners import Outcome

FINE, FAILED, MISUSE, INTERRUPTED = 0, 1, 2, 130

GOES_ON = "interrupted; the same command goes on with what is done so far"
STARTS_OVER = "interrupted; the same command starts over"

_ADVICE = {
    errno.ENOSPC: "make room, or write elsewhere",
    errno.EDQUOT: "make room, or write elsewhere",
    errno.EFBIG: "allow larger files (ulimit -f), or write elsewhere",
    errno.EROFS: "write elsewhere",
    errno.EACCES: "choose a place that you may use, or change its permissions",
    errno.EPERM: "choose a place that you may use, or change its permissions",
    errno.ENOENT: "check the name; its folder must be there",
    errno.ENOTDIR: "check the name; a part of it is a file, not a folder",
    errno.EEXIST: "a file of that name is there: choose another",
    errno.EISDIR: "name a file, not a folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


@contextmanager
def plainly(*, resumes: bool = False) -> Iterator[None]:
    """Let whatever goes wrong in the block end the process with one line on standard error and its exit code.

    Args:
        resumes: What to say of an interruption that says nothing itself: whether the same command goes on, or starts over.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise  # click has its own lines for misuse
    except TunesmithError as error:
        _end(f"error: {error}")
    except KeyboardInterrupt as stop:
        # Python remembers an interruption that met an `exec` of text (libraries make classes so), and would die by the
        # signal instead of exiting with 130; the next such `exec` forgets it.
        exec("")
        _end(f"interrupted; {stop}" if stop.args else GOES_ON if resumes else STARTS_OVER, INTERRUPTED)
    except BrokenPipeError:
        _leave_quietly()
    except OSError as error:
        _end(f"error: {_told(error)}")
    except MemoryError:
        _end("error: there is not enough memory; take fewer rows at a time, or a machine with more")
    except Exception as error:
        _end(f"error: {_told(error)}" if _code(error) else _defect(error))
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how pyo3 hands on what a Rust library did not foresee
            raise
        _end(_defect(error))


def open_streams() -> None:
    """Put the null device where the caller closed a standard stream (`>&-`), so that no other file gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def printed(outcome: Outcome, *, as_json: bool) -> None:
    """Print a result: one JSON object, or what it shows on a terminal. A reader who has seen enough (`| head`) is no error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 gets escapes
    try:
        if as_json:
            ascii_alone = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            click.echo(json.dumps(outcome.data, ensure_ascii=ascii_alone, allow_nan=False))
        else:
            outcome.show(_console())
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly(outcome.code)
    except OSError as error:
        _close(sys.stdout.fileno)
        _end(f"error: standard output: {_told(error)}")


def _console() -> Console:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to `printed`; rich would end the process with exit code 1."""
            raise BrokenPipeError

        def print(self, *objects: Any, **options: Any) -> None:
            """Print; data and names of files never steer the terminal."""
            super().print(*(visible(each) if isinstance(each, str) else each for each in objects), **options)

    return Plain(highlight=False, markup=False)


def _end(line: str, code: int = MISUSE) -> NoReturn:
    with suppress(OSError):  # whoever closed standard error wants no line
        click.echo(visible(line), err=True)
    try:
        sys.stdout.flush()
    except OSError:
        _close(sys.stdout.fileno)
    sys.exit(code)


def _leave_quietly(code: int = FINE) -> NoReturn:
    _close(sys.stdout.fileno)
    sys.exit(code)


def _close(descriptor: Callable[[], int]) -> None:
    """Send what is still buffered nowhere, so that Python does not try again, and complain, on its way out."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor())
    except (OSError, io.UnsupportedOperation):
        return


def _code(error: Exception) -> int:
    """Find the system's error number; Polars hands it on as text alone."""
    said = re.search(r"\(os error (\d+)\)", str(error))
    return getattr(error, "errno", None) or (int(said[1]) if said else 0)


def _told(error: Exception) -> str:
    code, name = _code(error), getattr(error, "filename", None)
    place, advice = f"{name}: " if name else "", _ADVICE.get(code)
    return f"{place}{os.strerror(code) if code else error}" + (f"; {advice}" if advice else "")


def _defect(error: BaseException) -> str:
    from tempfile import NamedTemporaryFile

    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""  # noqa: PTH119
    with NamedTemporaryFile("w", prefix="tunesmith-", suffix=".log", delete=False, encoding="utf-8", errors="replace") as file:
        file.write(" ".join(sys.argv) + "\n")
        traceback.print_exception(error, file=file)
    lines = str(error).strip().splitlines()
    told = f"{type(error).__name__}{place}: {lines[0] if lines else 'no message'}"
    return f"error: this is a defect of tunesmith, not of your input: {told}; please report it with {file.name}"
