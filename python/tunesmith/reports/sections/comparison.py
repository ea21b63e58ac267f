"""Two evaluations of the same items: before and after, paired."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith import evaluation
from tunesmith.reports import charts
from tunesmith.reports.blocks import Block, Cell, Figure, Grid, Plot, Section, Shown, Words
from tunesmith.reports.definitions import DETECTOR, SHARES, metric, rule
from tunesmith.reports.sections.answers import answers, samples
from tunesmith.reports.sections.answers import section as table
from tunesmith.reports.sections.evaluation import INTERVAL, amount, asked, intervals, rates_plot
from tunesmith.reports.texts import chance, counted, judged, listed, share, signed

SURE = 0.05
MOST = 5
TOP = 2
"""Metrics, and defects, at the top of the page."""


def sections(base: Path, other: Path, *, finetuned: bool) -> tuple[list[Section], str]:
    """Draw a comparison.

    Args:
        base: What came before.
        other: What came after.
        finetuned: Whether the second is of a run that is known to have started from the first.
    Returns:
        Its sections and the one sentence of the page.
    """
    result = evaluation.compare(base, other)
    labels = _labels(base, other)
    sides = dict(zip(labels, (evaluation.summary(base), evaluation.summary(other)), strict=True))
    made = answers(list(zip(labels, (base, other), strict=True)))
    blocks: list[Block] = [*_metrics(result, sides, labels), *_defects(result, sides, labels)]
    few = samples(made)
    blocks += [few] if few else []
    blocks += _slices(result, labels)
    blocks.append(asked(list(zip(labels, (base, other), strict=True))))
    blocks += [Words(text=f"Note: {note}.") for note in result["notes"]]
    lead = (
        f"{counted(result['items'], 'item')}, the same prompts for {labels[0]} and {labels[1]}, compared item by item. {_changes(result)}"
    )
    top = _headline(result, labels)
    story = Section(id="comparison", title="Before and after", lead=lead.strip(), blocks=blocks, headline=top)
    return [story, table(made)], sentence(result, labels, finetuned=finetuned)


def sentence(result: Mapping[str, Any], labels: tuple[str, str], *, finetuned: bool) -> str:
    """Say in one sentence what happened to rougeL (or to the first metric)."""
    name = main_metric(result)
    if name is None:
        why = "the items hold no references, so that no metric says which is better"
        return f"{labels[0]} and {labels[1]} on {counted(result['items'], 'item')}: {why}."
    row = result["metrics"][name]
    up = better(row)
    before, after = (amount(name, row[key]) for key in ("base", "other"))
    if finetuned:
        did = "did not measurably change" if up is None else "raised" if up else "lowered"
        said = f"Finetuning {did} {name} from {before} to {after}" if up is not None else f"Finetuning {did} {name} ({before} to {after})"
    else:
        did = "did not measurably change" if up is None else "rose" if up else "fell"
        said = f"{name} {did} from {before} ({labels[0]}) to {after} ({labels[1]})"
    points = name in SHARES
    low, high = (signed(row[key], points=points) for key in ("low", "high"))
    return f"{said} on {counted(result['items'], 'item')}: {signed(row['difference'], points=points)}, {INTERVAL} {low} to {high}."


def main_metric(result: Mapping[str, Any]) -> str | None:
    """Choose what the headline is about."""
    return "rougeL" if "rougeL" in result["metrics"] else next(iter(result["metrics"]), None)


def better(row: Mapping[str, Any]) -> bool | None:
    """Tell whether a metric's difference is better or worse; None when its interval holds 0."""
    return True if row["low"] > 0 else False if row["high"] < 0 else None


def fewer(row: Mapping[str, Any]) -> bool | None:
    """Tell whether a defect became rarer or more frequent; None when the test does not show it."""
    return None if row["p"] >= SURE or row["fixed"] == row["broken"] else row["fixed"] > row["broken"]


def _labels(base: Path, other: Path) -> tuple[str, str]:
    return base.resolve().name, other.resolve().name


def _metrics(result: Mapping[str, Any], sides: Mapping[str, Any], labels: tuple[str, str]) -> list[Block]:
    if not result["metrics"]:
        return [Words(text="The items hold no references, so that no metric could be computed.")]
    rows = [[Shown(text=name, under=metric(name)), *_difference(name, row)] for name, row in result["metrics"].items()]
    made = result["interval"]
    columns = ("metric", *labels, "difference", "p")
    frame = intervals({label: side["metrics"] for label, side in sides.items()}, list(result["metrics"]), "value")
    return [
        Grid(
            title="Metrics",
            columns=columns,
            rows=rows,
            numbers=columns[1:],
            definitions={
                "difference": f"Mean over the items of {labels[1]} minus {labels[0]}; below it its 95% interval ({made['means']}; near "
                f"duplicates of a prompt count as one, {made['clusters']:,} clusters). Better or worse where the interval does not hold 0.",
                "p": "Two-sided test that the mean paired difference is 0; not adjusted, since the metrics measure nearly the same thing.",
            },
        ),
        Plot(
            title="",
            picture=charts.intervals(frame, axis="mean over the items"),
            alt="; ".join(f"{name} from {row['base']:.3f} to {row['other']:.3f}" for name, row in result["metrics"].items()),
            caption="Mean over the items with its own 95% interval. The paired difference above is the sharper comparison.",
        ),
    ]


def _difference(name: str, row: Mapping[str, Any]) -> list[Cell]:
    points = name in SHARES
    low, high = (signed(row[key], points=points) for key in ("low", "high"))
    difference = Shown(
        text=f"{signed(row['difference'], points=points)} {judged(better(row))}", under=f"{low.removesuffix(' points')} to {high}"
    )
    return [amount(name, row["base"]), amount(name, row["other"]), difference, chance(row["p"])]


def _defects(result: Mapping[str, Any], sides: Mapping[str, Any], labels: tuple[str, str]) -> list[Block]:
    found = _by_change(result)
    if not found:
        return [Words(text="No detector found a defect in an output of either side.")]
    rows: list[list[Cell]] = []
    for name, row in found.items():
        change = signed(row["other"] - row["base"], points=True)
        moved = f"{row['fixed']:,} fixed, {row['broken']:,} broken"
        difference = Shown(text=f"{change} {judged(fewer(row))}", under=moved)
        rows.append([Shown(text=name, under=rule(name)), share(row["base"]), share(row["other"]), difference, chance(row["p"])])
    columns = ("detector", *labels, "difference", "p")
    return [
        Grid(
            title="Defects of the outputs",
            columns=columns,
            rows=rows,
            numbers=columns[1:],
            definitions={
                labels[0]: f"Share of the items whose output of {labels[0]} has a finding of the detector.",
                labels[1]: f"The same of {labels[1]}.",
                "difference": "In percentage points; fewer are better. Fixed: a finding before and none after; broken: the reverse.",
                "p": f"Exact McNemar test on fixed and broken, Holm-adjusted over the {counted(len(found), 'detector')} listed; better or "
                f"worse below {SURE}.",
                "detector": DETECTOR,
            },
        ),
        rates_plot({label: side["findings"] for label, side in sides.items()}, list(found)),
    ]


def _by_change(result: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = {name: row for name, row in result["findings"].items() if row["base"] or row["other"]}
    return dict(sorted(found.items(), key=lambda pair: -abs(pair[1]["other"] - pair[1]["base"])))


def _changes(result: Mapping[str, Any]) -> str:
    """Say which defects became rarer and which more frequent."""
    parts = []
    for word, wanted in (("Fewer", True), ("More", False)):
        names = [
            f"{name} ({share(row['base'])} to {share(row['other'])})" for name, row in _by_change(result).items() if fewer(row) is wanted
        ]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        if names:
            parts.append(f"{word} outputs with {listed(names[:4]) if not more else ', '.join(names[:4])}{more}.")
    return " ".join(parts)


def _headline(result: Mapping[str, Any], labels: tuple[str, str]) -> list[Figure]:
    first = main_metric(result)
    metrics = [name for name in dict.fromkeys((first, "exact_match", *result["metrics"])) if name in result["metrics"]][:TOP]
    change = f"{labels[0]} → {labels[1]}"
    top = []
    for name in metrics:
        row = result["metrics"][name]
        says = f"{signed(row['difference'], points=name in SHARES)} {judged(better(row))}. {metric(name)}"
        value = f"{amount(name, row['base'])} → {amount(name, row['other'])}"
        top.append(Figure(label=f"{name}, {change}", value=value, definition=says))
    for name, row in list(_by_change(result).items())[: 2 * TOP - len(top) - 1]:
        says = f"{signed(row['other'] - row['base'], points=True)} {judged(fewer(row))}. Items whose output has this defect."
        top.append(Figure(label=f"{name}, {change}", value=f"{share(row['base'])} → {share(row['other'])}", definition=says))
    return top


def _slices(result: Mapping[str, Any], labels: tuple[str, str]) -> list[Block]:
    """Draw the main metric by slice: what rose on the whole can have fallen somewhere."""
    name = main_metric(result)
    of: dict[str, list[Mapping[str, Any]]] = {}
    for row in result["slices"]:
        if row["metric"] == name:
            of.setdefault(row["slice"], []).append(row)
    of = {column: rows for column, rows in of.items() if len(rows) > 1}
    if name is None or not of:
        return []
    every = [(column, row) for column, rows in of.items() for row in rows]
    higher, lower = (sum(better(row) is way for _, row in every) for way in (True, False))
    fell = listed([f"{column} {row['value']}" for column, row in every if better(row) is False][:MOST]) if lower else ""
    said = f"By {listed(list(of))}, {name} is higher in {higher} of {counted(len(every), 'slice')} and lower in {lower}"
    rest = f"; in the other {len(every) - higher - lower} the interval of the difference holds 0" if higher + lower < len(every) else ""
    blocks: list[Block] = [Words(text=f"{said}{f' ({fell})' if fell else ''}{rest}.")]
    columns = ("items", *labels, "difference", "p")
    definitions = {"difference": f"Of {name}, as above.", "p": "As above, Holm-adjusted over all slices."}
    for column, rows in of.items():
        cells: list[list[Cell]] = [[row["value"], row["items"], *_difference(name, row)] for row in rows]
        head = (column, *columns)
        blocks.append(Grid(title=f"{name} by {column}", columns=head, rows=cells, numbers=columns, definitions=definitions, folded=True))
    return blocks
