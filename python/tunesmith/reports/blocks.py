"""What a report is made of: figures, grids, plots, samples, and tables of rows to look through. Plain data; `page` draws them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Parts = Sequence[Sequence[str]]
"""A text in pieces, each [same | added | missing | found, text]."""
Tags = Mapping[str, Sequence[str]]
"""Name of a filter of the page to the values that a thing stands under, such as its categories and slices."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A cell that says more than a value.

    Attributes:
        text: What it says.
        under: Smaller, below it: a definition, an interval.
        share: Draw a bar this long, 0 to 1, under the text.
        to: Where the text leads: a part of this page and what it shows (`texts.address`).
    """

    text: str
    under: str = ""
    share: float | None = None
    to: str = ""


Cell = str | int | float | None | Shown


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number with its name and its definition."""

    label: str
    value: str
    definition: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Numbers side by side."""

    kind: Literal["figures"] = field(default="figures", init=False)
    figures: Sequence[Figure]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table that is read as a whole. On a phone each row becomes a card.

    Attributes:
        title: Above it.
        columns: Headings; the first column names the row.
        rows: Cells; numbers are drawn with four significant digits.
        numbers: Headings of columns that are set to the right: those of numbers, and these.
        definitions: Heading to definition, shown below the table.
        folded: Show the title alone until it is opened.
        id: Names the table in the address: letters and dashes; needed where it has tags.
        tags: What each row stands under; the filters of the page leave those that stand under what is chosen.
    """

    kind: Literal["grid"] = field(default="grid", init=False)
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: Collection[str] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    folded: bool = False
    id: str = ""
    tags: Sequence[Tags] = ()

    @property
    def right(self) -> tuple[bool, ...]:
        """Tell which columns are set to the right."""
        return tuple(
            name in self.numbers or (bool(self.rows) and all(row[k] is None or isinstance(row[k], int | float) for row in self.rows))
            for k, name in enumerate(self.columns)
        )


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing in two widths, so that its letters are as large on a phone."""

    wide: str
    narrow: str


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture with words for those who do not see it."""

    kind: Literal["plot"] = field(default="plot", init=False)
    title: str
    picture: Picture
    alt: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Words:
    """A paragraph."""

    kind: Literal["words"] = field(default="words", init=False)
    text: str


@dataclass(frozen=True, kw_only=True)
class Code:
    """Shell lines or a file, as they are typed."""

    kind: Literal["code"] = field(default="code", init=False)
    title: str
    text: str
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One item, its texts side by side.

    Attributes:
        title: Why this one.
        prompt: What was asked.
        texts: Name, note and text of each.
        tags: What it stands under.
    """

    title: str
    prompt: str
    texts: Sequence[tuple[str, str, Parts]]
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Samples:
    """A few items in full.

    Attributes:
        title: Above them.
        lead: By which rule they were chosen.
        samples: In order.
        id: Names them in the address; needed where they have tags.
    """

    kind: Literal["samples"] = field(default="samples", init=False)
    title: str
    lead: str
    samples: Sequence[Sample]
    id: str = ""

    @property
    def tags(self) -> Sequence[Tags]:
        """What each sample stands under; none where no sample has any."""
        tags = [sample.tags for sample in self.samples]
        return tags if any(tags) else ()


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of `Rows`.

    Attributes:
        name: Heading and key.
        type: `text`, `number`, `id` (a number that names something), `tags` (list of str) or `diff` (`Parts`).
        filter: Offer a choice of its values.
        shared: The choice is the page's: every table, grid and sample that knows the name follows it.
    """

    name: str
    type: Literal["text", "number", "id", "tags", "diff"] = "text"
    filter: bool = False
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows to search, filter, sort and save; pages of 100, the state in the address.

    Attributes:
        id: Names the table in the address: letters and dashes.
        title: Above it.
        columns: What each record holds.
        records: One list of values a row, in the order of the columns.
        total: Rows there are; more than `records` when sampled, and then the page says so.
    """

    kind: Literal["rows"] = field(default="rows", init=False)
    id: str
    title: str
    columns: Sequence[Column]
    records: Sequence[Sequence[Any]]
    total: int


Block = Figures | Grid | Plot | Words | Code | Samples | Rows

STORY, ORIGIN, TABLES = 0, 1, 2
"""Ranks of sections: what happened, where it comes from, and all rows to look through."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report, with an address of its own.

    Attributes:
        id: Its address.
        title: Its heading.
        lead: What it says, in a sentence.
        blocks: What it shows.
        headline: Its most important figures, shown at the top of the page.
        rank: Sections of a lower rank come first.
    """

    id: str
    title: str
    lead: str
    blocks: Sequence[Block]
    headline: Sequence[Figure] = ()
    rank: int = STORY


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What is drawn of some artefacts.

    Attributes:
        sections: In reading order.
        verdict: The one sentence.
        outcome: Accepted or not shown, in a sign and a word.
        caveats: What one must know to read it rightly.
        parts: Kind and folder of the artefacts in it.
    """

    sections: Sequence[Section]
    verdict: str = ""
    outcome: str = ""
    caveats: Sequence[tuple[str, str]] = ()
    parts: Sequence[tuple[str, Path]] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report.

    Attributes:
        title: What it is about.
        verdict: The one sentence that somebody with ten seconds reads.
        sections: In reading order.
        outcome: The verdict in a sign and a word or two, before the sentence.
        caveats: What one must know to read it rightly, each with its heading; right below the figures.
    """

    title: str
    verdict: str
    sections: Sequence[Section]
    outcome: str = ""
    caveats: Sequence[tuple[str, str]] = ()

    @property
    def headline(self) -> list[Figure]:
        """The figures at the top: those of all sections; a single one says no more than the verdict."""
        figures = [figure for section in self.sections for figure in section.headline]
        return figures if len(figures) > 1 else []
