"""Category by category: the arms side by side on the gate items, with their metrics; an answer can lose a defect and still become worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tunesmith.evaluation.statistics import Interval
from tunesmith.reports import charts
from tunesmith.reports.blocks import Block, Cell, Grid, Plot, Section, Shown, Words
from tunesmith.reports.definitions import SHARES, TURN, metric, rule
from tunesmith.reports.sections.arms import LABELS, MEANS
from tunesmith.reports.sections.verdict import Judged, difference_cell, rate_cell
from tunesmith.reports.texts import address, chance, judged, listed, share, signed


def section(made: Judged, *, links: bool) -> Section:
    """Draw a line a category; those without a finding anywhere are named below."""
    categories = made.parts.get("gate", {}).get("categories", {})
    rates = {(name, arm): made.single(arm, "gate", name) for name in made.categories for arm in made.names}
    seen = [name for name in made.categories if any(_value(rates[name, arm]) for arm in made.names)]
    confirm = made.parts.get("confirm", {}).get("categories", {})
    columns = ("category", *(LABELS[arm] for arm in made.names), "patched − placebo", "p", *(("on confirm",) if confirm else ()))
    rows: list[list[Cell]] = []
    for name in seen:
        row = categories.get(name, {})
        role = row.get("role", "target" if name in made.targets else "other")
        head = Shown(text=name, under=role, to=address("answers-table", part="gate", category=name) if links else "")
        line: list[Cell] = [head, *(rate_cell(rates[name, arm]) for arm in made.names)]
        line += [_difference(row), chance(row["p"]) if row.get("p") is not None else None]
        if confirm:
            line.append(_difference(confirm.get(name, {})))
        rows.append(line)
    none = [name for name in made.categories if name not in seen]
    blocks: list[Block] = []
    if rows:
        definitions = {
            **{LABELS[arm]: MEANS[arm] for arm in made.names},
            "rates": f"Share of the gate items with a finding of the category. {TURN['interval']}",
            "patched − placebo": TURN["difference"],
            "p": TURN["p"],
            **({"on confirm": "The same difference on the items that were kept aside."} if confirm else {}),
            "category": TURN["role"],
        }
        blocks += [
            Grid(title="Findings by category, gate items", columns=columns, rows=rows, numbers=columns[1:], definitions=definitions),
            _category_plot(made, seen, rates),
            Grid(title="What each category finds", columns=("category", "finds"), rows=[[name, rule(name)] for name in seen], folded=True),
        ]
    if none:
        blocks.append(Words(text=f"No answer of any arm has a finding of {listed(none)}."))
    blocks += _metrics(made)
    worse = [name for name, row in categories.items() if row.get("worse")]
    lead = f"Worse than the placebo: {listed(worse)}." if worse else "No category became worse than under the placebo."
    return Section(id="categories", title="Category by category", lead=lead if categories else "Rates of each arm.", blocks=blocks)


def _category_plot(made: Judged, seen: Sequence[str], rates: Mapping[tuple[str, str], Interval | float | None]) -> Plot:
    rows = []
    for name in seen:
        for arm in made.names:
            rate = rates[name, arm]
            if rate is not None:
                value, low, high = rate if isinstance(rate, Interval) else (rate, rate, rate)
                rows.append({"name": name, "series": LABELS[arm], "value": value, "low": low, "high": high})
    return Plot(
        title="",
        picture=charts.intervals(pl.DataFrame(rows), axis="share of the gate items", percent=True, whole=False),
        alt="; ".join(f"{row['name']}, {row['series']}: {row['value']:.1%}" for row in rows),
        caption="Share of the gate items whose answer has a finding of the category, with its 95% interval (Wilson).",
    )


def _metrics(made: Judged) -> list[Block]:
    """Draw the metrics of the arms: answers can lose a defect and still become worse."""
    found = made.parts.get("gate", {}).get("metrics", {})
    rows: list[list[Cell]] = []
    for name, row in found.items():
        arms = row.get("arms", {})
        points = name in SHARES
        line: list[Cell] = [Shown(text=name, under=metric(name))]
        for arm in made.names:
            value = arms.get(arm)
            value = value.get("value", value.get("rate")) if isinstance(value, Mapping) else value
            line.append(None if value is None else share(value) if points else f"{value:.3f}")
        if row.get("difference") is not None:
            better = None if row["low"] <= 0 <= row["high"] else row["low"] > 0
            low, high = (signed(row[key], points=points).removesuffix(" points") for key in ("low", "high"))
            line.append(Shown(text=f"{signed(row['difference'], points=points)} {judged(better)}", under=f"{low} to {high}"))
        else:
            line.append(None)
        rows.append(line)
    if not rows:
        return []
    columns = ("metric", *(LABELS[arm] for arm in made.names), "patched − placebo")
    definitions = {"metrics": "Mean over the gate items.", "patched − placebo": "With its 95% interval, paired over items; more is better."}
    return [Grid(title="Metrics, gate items", columns=columns, rows=rows, numbers=columns[1:], definitions=definitions)]


def _difference(row: Mapping[str, Any]) -> Cell:
    return difference_cell(row, unit=False) if row.get("difference") is not None else None  # so that all columns fit a desk's page


def _value(rate: Interval | float | None) -> float:
    return 0.0 if rate is None else rate.value if isinstance(rate, Interval) else rate
