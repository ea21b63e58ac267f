"""A verdict: the arms side by side, on the gate items and, beside them, on those of confirm; and what it takes to be accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.evaluation.statistics import Interval
from tunesmith.reports import charts
from tunesmith.reports.blocks import Block, Cell, Figure, Grid, Plot, Section, Shown, Words
from tunesmith.reports.definitions import TURN
from tunesmith.reports.sections.arms import LABELS, MEANS, Arms
from tunesmith.reports.texts import chance, counted, judged, listed, share, signed

VERDICT, EXPERIMENT = "verdict.json", "experiment.json"
_ON_TOP = re.compile(r"^one seed|nobody reviewed")
"""Notes that stand at the top of the page already."""
SURE = 0.05
MANY = 3
"""More categories than these are counted, not named, where there is little room."""
SIGNS = {"accepted": "✓"}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verdict with what it was made of.

    Attributes:
        verdict: `verdict.json`.
        experiment: `experiment.json`.
        arms: The evaluations, where they lie near; without them rates have no interval of their own.
    """

    verdict: Mapping[str, Any]
    experiment: Mapping[str, Any]
    arms: Arms

    @classmethod
    def open(cls, folder: Path, arms: Arms, said: Mapping[str, Any] | None = None) -> Judged | None:
        """Open an experiment's verdict; None where there is none yet.

        Args:
            folder: The experiment.
            arms: The evaluations.
            said: What the turn's manifest says, where no arms were made.
        """
        verdict = read(folder / VERDICT) or said or {}
        return cls(verdict=verdict, experiment=read(folder / EXPERIMENT), arms=arms) if verdict.get("verdict") else None

    @property
    def outcome(self) -> str:
        """The verdict in a sign and a word."""
        said = str(self.verdict["verdict"])
        return f"{SIGNS.get(said, '○')} {said[:1].upper()}{said[1:]}."

    @property
    def sentence(self) -> str:
        """The verdict in a sentence, which does not say again what `outcome` says."""
        said = str(self.verdict["sentence"]).replace("`", "")  # marks of a terminal
        again = f"{self.verdict['verdict']}: "
        rest = said[len(again) :] if said.lower().startswith(again) else said
        return f"{rest[:1].upper()}{rest[1:]}"

    @property
    def outcome_name(self) -> str:
        """Name what is counted; many categories by their number."""
        many = len(self.targets) > MANY
        return f"any of {len(self.targets)} defects" if many else str(self.verdict.get("outcome", "findings"))

    @property
    def parts(self) -> dict[str, Mapping[str, Any]]:
        """Gate, and confirm where it was spent."""
        return {name: self.verdict[name] for name in ("gate", "confirm") if self.verdict.get(name)}

    @property
    def targets(self) -> list[str]:
        """The categories that the patch is about."""
        named = [name for name, row in self._categories("gate").items() if row.get("role") == "target"]
        return named or [str(name) for name in self.experiment.get("categories", ())]

    @property
    def categories(self) -> list[str]:
        """All categories, those of the patch first."""
        return list(dict.fromkeys([*self.targets, *self._categories("gate")]))

    @property
    def names(self) -> list[str]:
        """The arms of which something is known."""
        known = {*self.arms.names, *self.parts.get("gate", {}).get("arms", {})}
        return [arm for arm in LABELS if arm in known]

    def whole(self, arm: str, part: str) -> Interval | None:
        """Give an arm's rate of the outcome: as the verdict says, else from its evaluation (the base is not judged)."""
        row = self.parts.get(part, {}).get("arms", {}).get(arm)
        return _interval(row) if row else self.arms.rate(arm, self.targets, part)

    def single(self, arm: str, part: str, category: str) -> Interval | float | None:
        """Give an arm's rate of a category, with its interval where the evaluation is there."""
        row = self._categories(part).get(category, {}).get("arms", {}).get(arm)
        own = self.arms.rate(arm, [category], part)
        if isinstance(row, Mapping):
            return _interval(row)
        return own if own is not None else row

    def _categories(self, part: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.parts.get(part, {}).get("categories", {})
        return found


def read(path: Path) -> dict[str, Any]:
    """Read a JSON object; an absent file holds nothing."""
    if not path.is_file():
        return {}
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def headline(made: Judged) -> list[Figure]:
    """Give the figures at the top: before and after, against the placebo, and confirmed."""
    figures = []
    gate = made.parts.get("gate")
    before, after = (made.whole(arm, "gate") if gate else None for arm in ("current", "patch"))
    outcome = made.outcome_name
    if gate and before and after:
        says = f"Share of {counted(gate['items'], 'gate item')} whose answer has such a finding. Before and after the patch."
        figures.append(
            Figure(label=f"{outcome}, finetuned → patched", value=f"{share(before.value)} → {share(after.value)}", definition=says)
        )
    for name, part in made.parts.items():
        row = made.verdict if name == "gate" else part
        if row.get("difference") is None:
            continue
        says = f"{_better(row)}. {_span(row)}, {_p(row)}, {counted(part['items'], 'item')}."
        says += " The placebo changes as many random rows." if name == "gate" else " Items that were kept aside for this once."
        label = "patched − placebo" if name == "gate" else "the same on confirm"
        figures.append(Figure(label=label, value=signed(row["difference"], points=True), definition=says))
    if made.verdict.get("detectable") is not None and made.verdict["verdict"] != "accepted":
        value = f"{abs(made.verdict['detectable']) * 100:.1f} points"
        figures.append(Figure(label="could have been seen", value=value, definition=TURN["detectable"]))
    return figures


def section(made: Judged) -> Section:
    """Draw the verdict, its headline and what it rests on."""
    verdict = made.verdict
    blocks: list[Block] = [Words(text=f"Why not: {ended(reason)}") for reason in verdict.get("reasons", ())]
    if made.parts:
        blocks += [_arms(made), _outcome_plot(made), _conditions(made)]
    if verdict.get("detectable") is not None:
        blocks.append(
            Words(
                text=f"What these items could have shown: a change of {abs(verdict['detectable']) * 100:.1f} points. {TURN['detectable']}"
            )
        )
    placebo = made.experiment.get("placebo", {})
    if placebo.get("slices"):
        blocks.append(_placebo(placebo))
    blocks += [Words(text=f"Note: {ended(note)}") for note in verdict.get("notes", ()) if not _ON_TOP.search(note)]
    gate = made.parts.get("gate")
    lead = "There was nothing to judge."
    if gate:
        clusters = (
            f" in {counted(gate['clusters'], 'cluster')} of near-duplicate prompts"
            if gate.get("clusters") not in {None, gate["items"]}
            else ""
        )
        lead = f"Judged on {counted(gate['items'], 'gate item')}{clusters}: the patched model against the placebo. {TURN['gate']}"
    return Section(id="verdict", title="The verdict", lead=lead, blocks=blocks, headline=headline(made))


def _arms(made: Judged) -> Grid:
    outcome = made.outcome_name
    equal = made.verdict.get("equal", {})
    rows: list[list[Cell]] = []
    for arm in made.names:
        line: list[Cell] = [Shown(text=LABELS[arm], under=MEANS[arm])]
        line += [rate_cell(made.whole(arm, part), bar=True) for part in made.parts]
        line += [made.experiment.get("rows", {}).get(arm), equal.get("steps", {}).get(arm), equal.get("supervised_tokens", {}).get(arm)]
        rows.append(line)
    for row, what in zip(_differences(made), ("patched − placebo",), strict=False):
        rows.append([Shown(text=what, under="What the patch did beyond what any such change does."), *row, None, None, None])
    columns = ["arm", *made.parts, "rows", "steps", "supervised tokens"]
    known = [k for k, _ in enumerate(columns) if any(row[k] is not None for row in rows)]
    columns, rows = [columns[k] for k in known], [[row[k] for k in known] for row in rows]
    definitions = {
        **{part: f"{TURN['outcome']} {TURN[part]}" for part in made.parts},
        "intervals": TURN["interval"],
        "rows": "Rows that the arm was trained on, before packing.",
        "steps": TURN["steps"],
        "supervised tokens": TURN["tokens"],
    }
    return Grid(title=f"The arms: {outcome}", columns=columns, rows=rows, numbers=columns[1:], definitions=definitions)


def _differences(made: Judged) -> list[list[Cell]]:
    cells: list[Cell] = []
    for name, part in made.parts.items():
        row = made.verdict if name == "gate" else part
        cells.append(difference_cell(row) if row.get("difference") is not None else None)
    return [cells] if any(cells) else []


def _outcome_plot(made: Judged) -> Block:
    rows = [
        {"name": LABELS[arm], "series": part, "value": rate.value, "low": rate.low, "high": rate.high}
        for arm in made.names
        for part in made.parts
        if (rate := made.whole(arm, part)) is not None
    ]
    if not rows:
        return Words(text="No arm has answers yet.")
    return Plot(
        title="",
        picture=charts.intervals(pl.DataFrame(rows), axis="share of the items", percent=True, whole=False),
        alt="; ".join(f"{row['name']}, {row['series']}: {row['value']:.1%}" for row in rows),
        caption=f"{ended(str(made.verdict.get('outcome', 'findings'))).rstrip('.')}: share of the items, with its 95% interval (Wilson).",
    )


def _conditions(made: Judged) -> Grid:
    """List what it takes to be accepted, and whether it was met."""
    gate, confirm = made.parts["gate"], made.parts.get("confirm")
    others = {**gate.get("categories", {}), **gate.get("metrics", {})}
    worse = [name for name, row in others.items() if row.get("worse")]
    unclear = [name for name, row in others.items() if row.get("inconclusive")]
    harm = f"worse: {listed(worse)}" if worse else f"cannot be told of {listed(unclear)}" if unclear else "none became worse"
    not_looked = "not looked at: these items are kept for a patch that meets the others"
    rows: list[list[Cell]] = [
        ["better than the placebo on the gate items", _met(_wins(gate)), f"{_change(gate)}, {_p(gate)}"],
        ["answers with a finding of any detector are fewer, too: no defect takes another's place", *_fewer(gate.get("any_finding"))],
        ["no other category, and not the main metric, is worse than under the placebo", _met(not worse and not unclear), harm],
        ["better on the confirm items too", _met(_wins(confirm)) if confirm else _met(None), _change(confirm) if confirm else not_looked],
    ]
    return Grid(title="What it takes to be accepted", columns=("condition", "met", "what was seen"), rows=rows)


def _fewer(row: Mapping[str, Any] | None) -> tuple[str, str]:
    return (_met(row["high"] < 0), _change(row)) if row else (_met(None), "–")


def _wins(row: Mapping[str, Any]) -> bool:
    return bool(row["high"] < 0 and (row.get("p") is None or row["p"] < SURE))


def _met(met: bool | None) -> str:
    return "○ not known" if met is None else "✓ yes" if met else "✗ no"


def _change(row: Mapping[str, Any]) -> str:
    return f"{signed(row['difference'], points=True)}, {_span(row)}"


def _placebo(placebo: Mapping[str, Any]) -> Grid:
    rows: list[list[Cell]] = [
        [str(row.get("slice")), row.get("rows"), row.get("patch_rows"), row.get("placebo_rows"), str(row.get("from", ""))]
        for row in placebo["slices"]
    ]
    definitions = {
        "rows": "Training rows of the slice.",
        "patch": "Rows of the slice that the patch changes.",
        "placebo": "Rows of the slice that the placebo changes.",
        "drawn from": "The slice; where the patch takes over 80% of a slice, the whole data.",
    }
    columns = ("slice", "rows", "patch", "placebo", "drawn from")
    title = f"How the placebo was drawn: {placebo.get('rule', 'random rows')}"
    return Grid(title=title, columns=columns, rows=rows, definitions=definitions, folded=True)


def _interval(row: Mapping[str, Any]) -> Interval:
    value = float(row["rate"])
    return Interval(value, float(row.get("low", value)), float(row.get("high", value)))


def rate_cell(rate: Interval | float | None, *, bar: bool = False) -> Cell:
    """Write a rate with its interval."""
    if rate is None:
        return None
    if not isinstance(rate, Interval):
        return share(rate)
    return Shown(text=share(rate.value), under=f"{share(rate.low)} to {share(rate.high)}", share=rate.value if bar else None)


def difference_cell(row: Mapping[str, Any], *, unit: bool = True) -> Shown:
    """Write a difference of rates with its interval, and how it is to be read."""
    points = signed(row["difference"], points=True)
    return Shown(text=f"{points if unit else points.removesuffix(' points')} {_better(row)}", under=_span(row, short=True))


def _better(row: Mapping[str, Any]) -> str:
    """Say how a difference of rates is to be read; fewer findings are better."""
    shown = not row["low"] <= 0 <= row["high"] and (row.get("p") is None or row["p"] < SURE)
    return judged(row["high"] < 0 if shown else None)


def _span(row: Mapping[str, Any], *, short: bool = False) -> str:
    low, high = (signed(row[key], points=True) for key in ("low", "high"))
    return (
        f"{low.removesuffix(' points')} to {high.removesuffix(' points') if short else high}"
        if short
        else f"95% interval {low.removesuffix(' points')} to {high}"
    )


def _p(row: Mapping[str, Any]) -> str:
    if row.get("p") is None:
        return "no test"
    said = chance(row["p"])
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def ended(text: str) -> str:
    """Write a remark as a sentence.

    >>> ended("one seed alone")
    'One seed alone.'
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
