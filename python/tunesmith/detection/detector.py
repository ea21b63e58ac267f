"""What a detector is: a name, a promise, a page, a way to find, and sometimes a safe fix.

A detector reads lines of a *prepared view* (`supervised.prepare`): one line per supervised turn with the
columns ``row, instruction, input, response, prose, reference, finish``, text never null. It does not know
who wrote the response, so the same one judges training targets, references and model outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import re

    import polars as pl

    from tunesmith.detection.limits import Limits
    from tunesmith.models.embed import Embedder

Severity = Literal["fatal", "review", "information"]
Field = Literal["instruction", "input", "response"]
Grade = Literal["A", "B", "C", "D"]

EVIDENCE = 80
"""Characters of evidence kept with a finding."""

PROMISES = {
    "A": "recall and precision at least 95%",
    "B": "precision at least 95%, recall at least 90% of what can be parsed",
    "C": "recall and precision at least 90%",
    "D": "for review only: precision 75 to 85%",
}


class Hit(NamedTuple):
    """One finding before it knows its detector.

    Attributes:
        row: Line of the prepared view.
        field: Where it is.
        start: First character (code point) of the span; None: the whole field.
        end: One past the last character.
        evidence: What was found, short enough for a table.
    """

    row: int
    field: Field
    start: int | None
    end: int | None
    evidence: str


class Judged(NamedTuple):
    """What a verifier says of one line whose prompt asks for what it verifies.

    Attributes:
        row: Line of the prepared view.
        parsed: Whether prompt and answer could be read; where not, nothing is said of the line.
        hit: What is wrong; None where the answer is right, or could not be read.
    """

    row: int
    parsed: bool
    hit: Hit | None = None


Judge = Callable[["pl.DataFrame", "Limits"], Iterable[Judged]]


def hits(judge: Judge) -> Callable[[pl.DataFrame, Limits], Iterable[Hit]]:
    """Keep what a verifier finds wrong: the ``find`` of its detector."""

    def find(view: pl.DataFrame, limits: Limits) -> Iterator[Hit]:
        yield from (judged.hit for judged in judge(view, limits) if judged.hit)

    return find


@dataclass(frozen=True, kw_only=True)
class Example:
    """One line that a page shows; tests run every detector on its own examples."""

    instruction: str
    input: str = ""
    response: str = ""
    finish: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One measured figure with the sample it comes from."""

    figure: str
    sample: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """A detector's documentation; the terminal, `--json` and the docs print this text.

    Attributes:
        finds: The rule in words.
        harm: Why it is bad for a finetune.
        bad: A line it finds.
        good: A look-alike that it leaves alone.
        false_alarms: Known ones.
        fix: What the safe fix does and why it is safe; "" where there is none.
        measured: Figures with their samples.
    """

    finds: str
    harm: str
    bad: Example
    good: Example
    false_alarms: str
    fix: str = ""
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Detector:
    """One defect.

    Attributes:
        name: One name for one defect, on both sides.
        severity: ``fatal`` rows are dropped by the default recipe, ``review`` ones flagged, ``information`` counted.
        grade: The promise, a key of `PROMISES`.
        fields: Where it looks.
        find: Yields the hits of a prepared view, at most one per line and field.
        page: Its documentation.
        columns: What it needs of the prepared view beyond what every detector gets.
        fix: Rewrites one text where the detector fires; returns it unchanged where no safe fix exists.
        judge: What a verifier says of every line that asks for what it verifies; ``find`` is then `hits` of it.
        embeds: Finds with a model of sentence embeddings; ``find`` then finds nothing.
        drops: Strata (`strata.STRATA`) in which its findings are fatal; elsewhere they are for review. Only fatal ones have any.
        origin: Where a user's own detector comes from; "" for those of the package.
    """

    name: str
    severity: Severity
    grade: Grade
    fields: tuple[Field, ...]
    find: Callable[[pl.DataFrame, Limits], Iterable[Hit]]
    page: Page
    columns: tuple[Literal["circling"], ...] = ()
    fix: Callable[[str], str] | None = field(default=None)
    judge: Judge | None = field(default=None)
    embeds: Callable[[pl.DataFrame, Embedder], Iterable[Hit]] | None = field(default=None)
    drops: tuple[str, ...] = ()
    origin: str = ""

    @property
    def consequence(self) -> str:
        """What the default recipe does with rows that have it."""
        if self.severity != "fatal":
            return f"{self.severity}: the default recipe flags rows with it."
        if self.origin:
            return "fatal: the default recipe drops rows with it."
        return (
            f"fatal: the default recipe drops rows with it, of the kinds for which that is shown to be right ({', '.join(self.drops)}); "
            "rows of other kinds are flagged."
        )

    def as_dict(self) -> dict[str, Any]:
        """Say it all in JSON values."""
        page = self.page
        return {
            "name": self.name,
            "severity": self.severity,
            "drops": list(self.drops),
            "consequence": self.consequence,
            "class": "own" if self.origin else self.grade,
            "promise": f"{self.origin}; whoever wrote it makes the promise" if self.origin else PROMISES[self.grade],
            "fields": list(self.fields),
            "finds": page.finds,
            "harm": page.harm,
            "bad": vars(page.bad),
            "good": vars(page.good),
            "false_alarms": page.false_alarms,
            "fix": page.fix,
            "measured": [vars(each) for each in page.measured],
        }


def excerpt(text: str) -> str:
    """Fold white space and cut to `EVIDENCE` characters.

    >>> excerpt("a  b")
    'a b'
    """
    folded = " ".join(text[: 4 * EVIDENCE].split())
    return folded if len(folded) <= EVIDENCE else folded[: EVIDENCE - 1] + "…"


def any_of(*alternatives: str) -> str:
    r"""Build a pattern for any of these whole words, whatever their case (white space separates, a dot stands for it).

    >>> any_of("poems?", "role.?play")
    '(?i)\\b(?:poems?|role.?play)\\b'
    """
    return rf"(?i)\b(?:{'|'.join(' '.join(alternatives).split())})\b"


def words(text: str) -> frozenset[str]:
    """Make a set of the words of a text.

    >>> sorted(words("a an the"))
    ['a', 'an', 'the']
    """
    return frozenset(text.split())


def lines(view: pl.DataFrame, where: pl.Expr, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Iterate over the lines for which a cheap expression holds: ``(row, *columns)``.

    The expression runs over all lines in Polars; what it cannot decide runs per line in Python.
    """
    yield from view.filter(where).select("row", *columns).iter_rows()


def whole(row: int, name: Field, text: str) -> Hit:
    """Make a hit that is the whole field."""
    return Hit(row, name, None, None, excerpt(text))


def matched(row: int, name: Field, match: re.Match[str]) -> Hit:
    """Make a hit from a match."""
    return Hit(row, name, match.start(), match.end(), excerpt(match.group()))
