"""What a format is, and what it makes of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem, shorten

TEXT = frozenset({"string", "null", "missing"})
"""The types of a field that is a text, or nothing."""


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a format made of records.

    Attributes:
        content: Columns of ``schema.ROW`` that the format fills (``kind`` at least), with ``row`` (UInt32,
            index of the record) and, where a record gives several rows, ``part``. Rows of records that have
            a problem are left out later.
        problems: Everything that is wrong, all problems of a record.
        used: Fields that went into the row; all others are the user's own.
        lost: Fields of turns that no row can hold, with how many turns have them.
    """

    content: pl.DataFrame
    problems: Sequence[Problem]
    used: frozenset[str]
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way in.

    Attributes:
        name: As typed after ``--format``.
        known_by: The fields that tell it, for messages.
        fits: Whether records with these fields may be of this format.
        parse: Makes rows of records.
        together: Whether rows are made of several records, so that a file cannot be read in blocks.
    """

    name: str
    known_by: str
    fits: Callable[[frozenset[str]], bool]
    parse: Callable[[Records], Parsed]
    together: bool = False


@dataclass(kw_only=True)
class TextColumns:
    """Reads text fields column by column and gathers what is wrong with them."""

    records: Records
    columns: dict[str, pl.Series] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, name: str, *others: str) -> pl.Series:
        """Read the first of several names that the records have, as text; wrong types and NUL are problems."""
        keys = self.records.keys
        theirs = next((key for key in (name, *others) if key in keys), None)
        if theirs is None:
            return pl.repeat(None, self.records.height, dtype=pl.String, eager=True).alias(name)
        column = self.records.texts(theirs).alias(name)
        self.columns[theirs] = column
        if not self.records.kinds(theirs) <= TEXT:
            types = self.records.types(theirs)
            for row in (~types.is_in(TEXT)).arg_true():
                found = f"{types[row]} {shorten(column[row] or '')}"
                self.problems.append(Problem(row=row, field=theirs, code="wrong_type", found=found, expected="text"))
        if self.records.table.nul:
            for row in column.str.contains("\0", literal=True).fill_null(value=False).arg_true():
                self.problems.append(nul(row, theirs, column[row]))
        return column

    def require_prompt(self, prompt: str, *parts: pl.Series) -> None:
        """Demand that one of `parts` says something; records with none of the known fields are told so."""
        empty = pl.int_range(self.records.height, dtype=pl.UInt32, eager=True)
        for part in parts:
            empty = empty.gather(blank_rows(part if len(empty) == len(part) else part.gather(empty)))
            if empty.is_empty():
                return
        present = [~self.records.types(key).is_in(["missing", "null"]) for key in self.columns]
        known = pl.select(pl.any_horizontal(present)).to_series() if present else pl.repeat(value=False, n=self.records.height, eager=True)
        for row in empty:
            if known[row]:
                problem = Problem(row=row, field=prompt, code="empty_prompt", found="nothing", expected="a prompt")
            else:
                expected = f"at least one of {', '.join(self.columns) or prompt}"
                problem = Problem(row=row, field=None, code="no_known_field", found=shorten(self.records.raw(row)), expected=expected)
            self.problems.append(problem)


def nul(row: int, name: str, text: str) -> Problem:
    """Report a NUL character: no tokenizer and few tools survive one."""
    at = text.index("\0")
    found = f"NUL at character {at}: {shorten(text[max(0, at - 20) : at + 20])!r}"
    return Problem(row=row, field=name, code="nul_character", found=found, expected="text without NUL")


def blank_rows(texts: pl.Series) -> pl.Series:
    r"""Name the rows in which a text is null or white space.

    >>> blank_rows(pl.Series(["a", " b", "", None, " \u3000"])).to_list()
    [2, 3, 4]
    """
    # White space, and so a text of nothing else, is below "!" or beyond ASCII: most texts need not be looked at.
    rows = (~texts.is_between(pl.lit("!"), pl.lit("\x7f"))).fill_null(value=True).arg_true()
    return rows.filter(texts.gather(rows).fill_null("").str.strip_chars() == "")
