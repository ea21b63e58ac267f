"""`tunesmith profile`: what is in a data set, counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console
    from rich.table import Table

    from tunesmith.slices import Profile

WIDTH = 30
SHOWN = 12


@verb(
    "profile",
    example="tunesmith profile alpaca.json\ntunesmith profile alpaca.json -o profile.html --topics 30\ntunesmith profile clean --json",
)
@click.argument("source")
@click.option("-o", "--out", metavar="REPORT.html", help="Write it as a report too: one self-contained HTML file.")
@click.option("--force", is_flag=True, help="Replace a file that is no report.")
@reading
@click.option("--tokenizer", metavar="MODEL", help="Count lengths in tokens of this one, too: a folder or a model's name.")
@click.option("--parser", metavar="PIPELINE", help="Find verb and object by a spaCy pipeline: its name or folder.")
@click.option("--topics", type=click.IntRange(min=1), default=20, show_default=True, help="Clusters of prompts, at most.")
def command(
    session: Session,
    source: str,
    out: str | None,
    force: bool,
    format_: str | None,
    mapping: dict[str, str] | None,
    tokenizer: str | None,
    parser: str | None,
    topics: int,
) -> Outcome:
    """Count what is in a SOURCE: lengths, languages, verbs, topics, turns, duplicates, boilerplate, signals, findings.

    Words are letters and digits that belong together; in scripts without spaces every character counts. The verb is
    the first imperative of an instruction, and its object what is to be written or listed, by a light rule for English;
    with --parser they are the root and the direct object of the first sentence, as a parser sees them.
    Clusters are prompts that share words, named by the words that mark them. Near duplicates are prompts whose word
    5-grams have an exact Jaccard similarity of at least .7, without the openings that over 1% of the rows share.
    """
    from tunesmith.slices import profile

    if out is not None:
        from tunesmith.reports import ready

        ready(out, force=force)
    made = profile(
        source,
        format=format_,
        mapping=mapping,
        tokenizer=tokenizer,
        parser=parser,
        topics=topics,
        seed=session.seed,
        progress=session.progress,
    )
    data = dict(made.result)
    if out is not None:
        from tunesmith.reports import profile_report

        drawn = profile_report(made, out, title=f"Profile of {Path(source).name or source}", force=force, progress=session.progress)
        data |= {"report": drawn["report"], "bytes": drawn["bytes"]}

    def show(console: Console) -> None:
        _show(console, made, source)
        if out is not None:
            console.print(f"{data['report']} ({data['bytes'] / 1e6:.2f} MB)", markup=False, soft_wrap=True)

    return Outcome(data=data, show=show)


def _show(console: Console, made: Profile, source: str) -> None:
    result = made.result
    head = f"{source}: {result['format']}, {result['rows']:,} rows, {result['valid']:,} valid, {result['rejected']:,} rejected"
    console.print(head, markup=False, soft_wrap=True)
    for note in result["notes"]:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    if not result["valid"]:
        return
    for drawn in _tables(made):
        console.print(drawn)
    same = result["duplicates"]
    console.print(
        f"Duplicates: {same['exact']:,} rows repeat a prompt and its answer; {same['near']:,} prompts are near duplicates of an "
        f"earlier one (largest group: {same['largest']:,})."
    )


def _tables(made: Profile) -> Iterator[Table]:
    from tunesmith.cli.terminal import table
    from tunesmith.detection import DETECTORS

    result = made.result
    marks = ("min", "p1", "p10", "p50", "p90", "p99", "max")
    lines = [
        [f"{name}, {unit}", *(spread[mark] for mark in marks)]
        for name, units in result["lengths"].items()
        for unit, spread in units.items()
    ]
    yield table("Lengths", ("field", *marks), lines)
    yield _tally("Words of the response", result["length"], result["valid"], shown=len(result["length"]))
    yield _tally("Verbs", result["verbs"], result["valid"])
    if result["objects"]:
        yield _tally("What is asked for", result["objects"], result["valid"])
    yield _tally("Prompts that share words", result["clusters"], result["valid"], shown=len(result["clusters"]))
    if "topics" in result:
        yield _tally("Topics", result["topics"], result["valid"])
    yield _tally("Languages", result["languages"], result["valid"])
    if len(result["scripts"]) > 1:
        yield _tally("Scripts of the prompts", result["scripts"], result["valid"])
    if len(result["turns"]) > 1:
        yield _tally("Answers a row", result["turns"], result["valid"])
    if result["boilerplate"]:
        same = [(each["field"], each["rows"], f"{each['share']:.1%}", each["text"][:100]) for each in result["boilerplate"][:SHOWN]]
        yield table("Shared by over 1% of rows", ("field", "rows", "share", "text"), same)
    if result["signals"]:
        spread = [(name, *(marks[mark] for mark in ("p1", "p50", "p99"))) for name, marks in result["signals"].items()]
        yield table("Signals of the responses", ("signal", "p1", "p50", "p99"), spread)
    if result["findings"]:
        found = [(DETECTORS[name].severity, name, rows, f"{rows / result['valid']:.2%}") for name, rows in result["findings"].items()]
        yield table("Findings", ("severity", "detector", "rows", "share"), found)


def _tally(title: str, counted: Mapping[str, int], rows: int, shown: int = SHOWN) -> Table:
    """Draw counts with a bar each; what is not shown is summed up."""
    from tunesmith.cli.terminal import table

    head = list(counted.items())[:shown]
    rest = sum(counted.values()) - sum(count for _, count in head)
    lines: list[list[Any]] = [[name, count, f"{count / rows:.1%}"] for name, count in head]
    most = max(head, key=lambda each: each[1])[1]
    width = min(WIDTH, 60 - max(len(name) for name, _ in head))
    drawn = [[*line, "█" * max(1, round(width * line[1] / most))] for line in lines]
    if rest:
        drawn.append([f"{len(counted) - shown:,} more", rest, f"{rest / rows:.1%}", ""])
    return table(title, ("value", "rows", "share", ""), drawn)
