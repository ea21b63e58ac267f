"""A profile: what is in a data set, counted, and what the detectors found in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.reports import charts
from tunesmith.reports.blocks import TABLES, Block, Cell, Column, Figure, Figures, Grid, Plot, Rows, Section, Shown, Words
from tunesmith.reports.definitions import DETECTOR, PROFILE, SIGNALS, TALLIES, rule
from tunesmith.reports.differences import same
from tunesmith.reports.sections import profiled_rows
from tunesmith.reports.texts import address, clip, counted, share

if TYPE_CHECKING:
    from tunesmith.slices import Profile

SHOWN = 15
LIMIT = 2_000
"""Findings that a report holds."""
MARKS = ("min", "p1", "p10", "p50", "p90", "p99", "max")


def sections(made: Profile) -> tuple[list[Section], str]:
    """Draw a profile; returns its sections and its one sentence."""
    result = made.result
    verdict = _verdict(made)
    head: list[Block] = [Figures(figures=_figures(result)), *(Words(text=f"Note: {note}.") for note in result["notes"])]
    if not result["valid"]:
        return [Section(id="profile", title="The rows", lead=f"Format: {result['format']}.", blocks=head)], verdict
    drawn = [
        Section(id="profile", title="The rows", lead=f"Format: {result['format']}.", blocks=head),
        _findings(made),
        _lengths(made),
        _tallies(result),
        *_signals(result),
    ]
    return [*drawn, profiled_rows.section(made), *_examples(made)], verdict


def _verdict(made: Profile) -> str:
    from tunesmith.detection import DETECTORS

    result = made.result
    said = f"{counted(result['rows'], 'row')}, {result['rejected']:,} of them rejected"
    if not result["valid"]:
        return f"{said}."
    fatal = made.findings.filter(pl.col("detector").is_in([name for name, each in DETECTORS.items() if each.severity == "fatal"]))
    rows = fatal["position"].n_unique()
    return (
        f"{said}; {rows:,} ({share(rows / result['valid'])}) have a fatal defect, {result['duplicates']['exact']:,} repeat an earlier row."
    )


def _figures(result: Mapping[str, Any]) -> list[Figure]:
    shown = {"rows": result["rows"], "valid": result["valid"], "rejected": result["rejected"]}
    if result["valid"]:
        shown |= {"exact duplicates": result["duplicates"]["exact"], "near duplicates": result["duplicates"]["near"]}
        shown["largest group"] = result["duplicates"]["largest"]
    return [Figure(label=name, value=f"{value:,}", definition=PROFILE[name]) for name, value in shown.items()]


def _findings(made: Profile) -> Section:
    from tunesmith.detection import DETECTORS

    found, valid = made.result["findings"], made.result["valid"]
    rank = {"fatal": 0, "review": 1, "information": 2}
    names = sorted((name for name, rows in found.items() if rows), key=lambda name: (rank[DETECTORS[name].severity], -found[name]))
    most = max((found[name] for name in names), default=1)
    rows: list[list[Cell]] = [
        [
            Shown(text=name, under=rule(name), to=address("findings-table", detector=name)),
            DETECTORS[name].severity,
            Shown(text=f"{found[name]:,}", share=found[name] / most),
            share(found[name] / valid),
        ]
        for name in names
    ]
    definitions = {
        "severity": "The default recipe drops fatal rows (of the kinds for which that is shown to be right) and flags all others.",
        "rows": "Rows with a finding; a row with several counts once in each.",
        "share": "Of the valid rows.",
        "detector": DETECTOR,
    }
    columns = ("detector", "severity", "rows", "share")
    blocks: list[Block] = [Grid(title="Findings", columns=columns, rows=rows, numbers=("share",), definitions=definitions)]
    if not rows:
        blocks = [Words(text=f"None of the {len(DETECTORS)} detectors found anything.")]
    lead = "What the detectors found, fatal defects first; the rows themselves are at the end."
    return Section(id="findings", title="What is wrong with them", lead=lead, blocks=blocks)


def _lengths(made: Profile) -> Section:
    spread = made.result["lengths"]
    rows: list[list[Cell]] = [
        [f"{name}, {unit}", *(marks[mark] for mark in MARKS)] for name, units in spread.items() for unit, marks in units.items()
    ]
    definitions = {"p1 … p99": "That share of the rows (1% … 99%) is at most this long; p50 is the median."}
    blocks: list[Block] = [Grid(title="Lengths", columns=("field", *MARKS), rows=rows, definitions=definitions)]
    for name in ("prompt", "response"):
        median = spread[name]["words"]["p50"]
        blocks.append(
            Plot(
                title=f"Words of the {name}",
                picture=charts.histogram(made.lengths[name], axis="words", to=partial(profiled_rows.bar, name)),
                alt=f"Median {median} words, 99% of the rows at most {spread[name]['words']['p99']}.",
                caption=f"Rows by words; median {median:,}. The last bar holds all longer ones. A bar leads to its rows.",
            )
        )
    lead = "A word is letters and digits that belong together; in scripts without spaces every character counts."
    return Section(id="lengths", title="How long they are", lead=lead, blocks=blocks)


def _tallies(result: Mapping[str, Any]) -> Section:
    blocks: list[Block] = []
    for key, title in (
        ("verbs", "Verbs"), ("objects", "Verb and object"), ("topics", "Topics"), ("clusters", "Prompts that share words"),
        ("languages", "Languages"), ("scripts", "Scripts"), ("turns", "Answers a row"),
    ):  # fmt: skip
        if result.get(key) and (key != "scripts" or len(result[key]) > 1):
            blocks.append(_tally(key, title, result[key], result["valid"]))
    if result["boilerplate"]:
        most = max(each["rows"] for each in result["boilerplate"])
        rows: list[list[Cell]] = [
            [clip(each["text"]), each["field"], Shown(text=f"{each['rows']:,}", share=each["rows"] / most), share(each["share"])]
            for each in result["boilerplate"][:SHOWN]
        ]
        more = len(result["boilerplate"]) - SHOWN
        definitions = {"text": PROFILE["boilerplate"], **({"not shown": f"{more:,} more, rarer ones."} if more > 0 else {})}
        columns = ("text", "field", "rows", "share")
        blocks.append(Grid(title="Boilerplate", columns=columns, rows=rows, numbers=("share",), definitions=definitions))
    lead = "What the rows ask for, and in which language. A value leads to its rows."
    return Section(id="slices", title="What they are about", lead=lead, blocks=blocks)


def _signals(result: Mapping[str, Any]) -> list[Section]:
    """Draw the spread of signals, each with what it is."""
    if not result["signals"]:
        return []
    rows: list[list[Cell]] = [
        [Shown(text=name, under=SIGNALS[name]), *(f"{marks[mark]:.3f}" for mark in ("p1", "p50", "p99"))]
        for name, marks in result["signals"].items()
    ]
    columns = ("signal", "p1", "p50", "p99")
    definitions = {"p1, p50, p99": "1%, half and 99% of the responses have at most this value; empty responses are left out."}
    grid = Grid(title="Signals", columns=columns, rows=rows, numbers=columns[1:], definitions=definitions)
    return [Section(id="signals", title="What the responses are made of", lead="Characters, words and repetition.", blocks=[grid])]


def _tally(key: str, title: str, found: Mapping[str, int], valid: int) -> Grid:
    """Draw counts, the most frequent first, each leading to its rows; what is not shown is summed up."""
    head = list(found.items())[:SHOWN]
    most = max(count for _, count in head)
    rows: list[list[Cell]] = [
        [Shown(text=name, to=profiled_rows.leading(key, name)), Shown(text=f"{count:,}", share=count / most), share(count / valid)]
        for name, count in head
    ]
    rest = sum(found.values()) - sum(count for _, count in head)
    if rest:
        rows.append([f"{len(found) - SHOWN:,} more", Shown(text=f"{rest:,}"), share(rest / valid)])
    name = title.lower()
    return Grid(title=title, columns=(name, "rows", "share"), rows=rows, numbers=("share",), definitions={name: TALLIES[key]})


def _examples(made: Profile) -> list[Section]:
    """Draw the findings as a table of rows: every detector gets its share."""
    if made.findings.is_empty():
        return []
    rank = pl.col("severity").replace_strict({"fatal": 0, "review": 1}, default=2, return_dtype=pl.Int8)
    chosen = made.findings.with_columns(nth=pl.int_range(pl.len()).over("detector")).sort("nth", maintain_order=True).head(LIMIT)
    chosen = chosen.sort(rank, "detector", "position", maintain_order=True)
    texts = made.data.frame.select("position", "instruction", "input", "output")
    records = []
    for line in chosen.join(texts, on="position", how="left", maintain_order="left").iter_rows(named=True):
        output = line["output"] or ""
        text = "\n".join(part for part in (line["instruction"], line["input"], f"→ {output}") if part)
        where = line["field"] if line["turn"] is None else f"{line['field']}, turn {line['turn']}"
        records.append([line["position"], line["detector"], line["severity"], where, clip(line["evidence"] or ""), same(text)])
    columns = (
        Column(name="position", type="id"),
        Column(name="detector", filter=True),
        Column(name="severity", filter=True),
        Column(name="field", filter=True),
        Column(name="evidence"),
        Column(name="row", type="diff"),
    )
    lead = "One line a finding, fatal ones first, with what was found and where; of a conversation the last exchange."
    table = Rows(id="findings-table", title="", columns=columns, records=records, total=made.findings.height)
    return [Section(id="examples", title="The rows with findings", lead=lead, blocks=[table], rank=TABLES)]
