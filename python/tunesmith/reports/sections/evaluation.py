"""One evaluation: metrics with intervals, defects of the outputs beside those of the references, and the answers themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import evaluation
from tunesmith.artefact import read_manifest
from tunesmith.reports import charts
from tunesmith.reports.blocks import Block, Cell, Figure, Grid, Plot, Section, Shown, Words
from tunesmith.reports.definitions import ANSWERED, SHARES, metric, rule
from tunesmith.reports.sections.answers import answers, samples
from tunesmith.reports.sections.answers import section as table
from tunesmith.reports.texts import counted, share

INTERVAL = "95% interval"


def sections(folder: Path) -> list[Section]:
    """Draw an evaluation: what it says, and all answers."""
    summary = evaluation.summary(folder)
    label = folder.resolve().name
    made = answers([(label, folder)])
    blocks: list[Block] = [metrics(summary), *defects(summary)]
    few = samples(made)
    blocks += [few] if few else []
    blocks += slices(summary)
    blocks.append(asked([(label, folder)]))
    blocks += [Words(text=f"Note: {note}.") for note in summary.get("notes", ())]
    name = made.metric
    top = []
    if name is not None:
        value = summary["metrics"][name]
        top = [Figure(label=name, value=amount(name, value["value"]), definition=f"{metric(name)} {spread(name, value)}.")]
    model = summary.get("model") or label
    lead = f"{counted(summary['items'], 'item')}, answered by {model}."
    return [Section(id="evaluation", title="The evaluation", lead=lead, blocks=blocks, headline=top), table(made)]


def amount(name: str, value: float) -> str:
    """Write a value of a metric: a share in per cent, another with three digits."""
    return share(value) if name in SHARES else f"{value:.3f}"


def spread(name: str, row: Mapping[str, Any]) -> str:
    """Write an interval."""
    return f"{INTERVAL} {amount(name, row['low'])} to {amount(name, row['high'])}"


def means(summary: Mapping[str, Any]) -> str:
    """Say how the intervals of means were made."""
    made = summary["interval"]
    clusters = f"near duplicates of a prompt count as one ({made['clusters']:,} clusters)"
    return f"95% interval of the mean over the items: {made['means']}; {clusters}."


def metrics(summary: Mapping[str, Any]) -> Block:
    """Draw the metrics of one side."""
    if not summary["metrics"]:
        return Words(text="The items hold no references, so that no metric could be computed.")
    rows: list[list[Cell]] = [
        [
            Shown(text=name, under=metric(name)),
            amount(name, m["value"]),
            f"{amount(name, m['low'])} to {amount(name, m['high'])}",
            m["items"],
        ]
        for name, m in summary["metrics"].items()
    ]
    definitions = {INTERVAL: means(summary), "items": "Items that have a reference and an output."}
    return Grid(
        title="Metrics", columns=("metric", "value", INTERVAL, "items"), rows=rows, numbers=("value", INTERVAL), definitions=definitions
    )


def defects(summary: Mapping[str, Any]) -> list[Block]:
    """Draw the defects of the outputs beside those of the references."""
    sides = {"outputs": summary["findings"], "references": summary["reference_findings"]}
    names = [name for name in summary["findings"] if any(side.get(name, {}).get("rate") for side in sides.values())]
    names.sort(key=lambda name: -float(summary["findings"][name]["rate"]))
    if not names:
        return [Words(text=f"None of the {len(summary['findings'])} detectors found a defect in an output or a reference.")]
    rows: list[list[Cell]] = []
    for name in names:
        out = summary["findings"][name]
        reference = summary["reference_findings"].get(name)
        interval = f"{share(out['low'])} to {share(out['high'])}"
        rows.append([Shown(text=name, under=rule(name)), share(out["rate"]), interval, share(reference["rate"]) if reference else None])
    grid = Grid(
        title="Defects",
        columns=("detector", "outputs", INTERVAL, "references"),
        rows=rows,
        numbers=("outputs", INTERVAL, "references"),
        definitions={
            "outputs": "Share of the items whose output has a finding.",
            INTERVAL: f"{summary['interval']['rates']}.",
            "references": "Share of the items whose reference has one.",
        },
    )
    return [grid, rates_plot({"outputs": summary["findings"]}, names)]


def rates_plot(sides: Mapping[str, Mapping[str, Any]], names: list[str]) -> Plot:
    """Draw shares with a finding, a mark a side."""
    frame = intervals(sides, names, "rate")
    return Plot(
        title="",
        picture=charts.intervals(frame, axis="share of the items", percent=True),
        alt="; ".join(f"{row['name']}, {row['series']}: {row['value']:.1%}" for row in frame.iter_rows(named=True)),
        caption="Share of the items whose output has a finding of the detector, with its 95% interval (Wilson).",
    )


def intervals(sides: Mapping[str, Mapping[str, Any]], names: list[str], key: str) -> pl.DataFrame:
    """Frame `name, series, value, low, high` of what the sides hold."""
    rows = [
        {"name": name, "series": side, "value": float(row[key]), "low": float(row["low"]), "high": float(row["high"])}
        for name in names
        for side, found in sides.items()
        if (row := found.get(name)) is not None
    ]
    return pl.DataFrame(rows)


def slices(summary: Mapping[str, Any]) -> list[Block]:
    """Draw metrics by slice, one table a slice column."""
    made: list[Block] = []
    for column, values in summary.get("slices", {}).items():
        if len(values) < 2:
            continue
        names = list(summary["metrics"])
        rows: list[list[Cell]] = [
            [value, part["items"], *(_sliced(name, part["metrics"].get(name)) for name in names)] for value, part in values.items()
        ]
        made.append(Grid(title=f"By {column}", columns=(column, "items", *names), rows=rows, numbers=names, folded=True))
    return made


def _sliced(name: str, row: Mapping[str, Any] | None) -> Cell:
    return (
        None if row is None else Shown(text=amount(name, row["value"]), under=f"{amount(name, row['low'])} to {amount(name, row['high'])}")
    )


def asked(sides: list[tuple[str, Path]]) -> Grid:
    """Say how the answers were made: the same budget and decoding, or not."""
    rows: list[list[Cell]] = []
    for label, folder in sides:
        manifest, summary = read_manifest(folder, "evaluation"), evaluation.summary(folder)
        finish = summary["finish"]
        options = manifest.options
        new = summary.get("max_new_tokens")
        how: list[Cell] = (
            [new, options.get("temperature"), options.get("template")] if options.get("side") != "predictions" else [None, None, None]
        )
        rows.append(
            [label, str(summary.get("model") or "–"), *how, finish.get("stop", 0), finish.get("length", 0), finish.get("unknown", 0)]
        )
    columns = ("side", "model", "new tokens", "temperature", "template", "stopped", "cut", "not known")
    definitions = {**ANSWERED, "not known": "Outputs made elsewhere that do not say how they ended."}
    return Grid(title="How the answers were made", columns=columns, rows=rows, definitions=definitions, folded=True)
