"""What a turn cost: seconds a step, tokens an arm, answers made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tunesmith.artefact import is_artefact, read_manifest
from tunesmith.reports.blocks import Block, Cell, Figure, Figures, Grid, Section, Shown
from tunesmith.reports.definitions import COST
from tunesmith.reports.sections.arms import LABELS, Arms
from tunesmith.reports.texts import counted


def sections(turn: Path, seconds: Mapping[str, float], arms: Arms) -> list[Section]:
    """Draw what a turn cost.

    Args:
        turn: Its folder.
        seconds: Wall time of each of its steps.
        arms: Its evaluations.
    """
    blocks: list[Block] = []
    total = sum(seconds.values())
    runs = _runs(turn)
    made = [evaluation for evaluations in arms.opened.values() for evaluation in evaluations]
    answers = sum(evaluation.predictions.height for evaluation in made)
    tokens = sum(int(evaluation.predictions["output_tokens"].sum() or 0) for evaluation in made)
    figures = []
    if seconds:
        figures.append(
            Figure(label="wall time", value=duration(total), definition=f"Of {counted(len(seconds), 'step')}. {COST['seconds']}")
        )
    if runs:
        trained = sum(int(row[3]) for row in runs if isinstance(row[3], int))
        figures.append(
            Figure(label="tokens trained", value=f"{trained:,}", definition=f"Over {counted(len(runs), 'run')}. {COST['tokens']}")
        )
    if answers:
        says = f"{tokens:,} tokens generated for them." if tokens else "Items answered, over all arms and seeds."
        figures.append(Figure(label="answers", value=f"{answers:,}", definition=says))
    if figures:
        blocks.append(Figures(figures=figures))
    if runs:
        columns = ("run", "steps", "epochs", "tokens", "supervised tokens", "tokens per second")
        definitions = {"tokens": COST["tokens"], "supervised tokens": COST["supervised tokens"]}
        blocks.append(Grid(title="The trainings", columns=columns, rows=runs, numbers=columns[1:], definitions=definitions))
    if seconds:
        longest = max(seconds.values()) or 1.0
        rows: list[list[Cell]] = [[name, Shown(text=duration(value), share=value / longest)] for name, value in seconds.items()]
        blocks.append(Grid(title="Step by step", columns=("step", "wall time"), rows=rows, numbers=("wall time",), folded=True))
    return [Section(id="cost", title="What it cost", lead=COST["seconds"], blocks=blocks)] if blocks else []


def _runs(turn: Path) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    folder = turn / "runs"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_artefact(path, "run"):
            result = read_manifest(path, "run").result
            arm, _, seed = path.name.rpartition("-")
            name = Shown(text=f"{LABELS.get(arm, arm)}, seed {seed}", under=path.name)
            speed = result.get("tokens_per_second")
            numbers = [result.get(key) for key in ("steps", "epochs", "tokens", "supervised_tokens")]
            rows.append([name, *numbers, None if speed is None else round(speed)])
    return rows


def duration(seconds: float) -> str:
    """Write a time span.

    >>> duration(0.42), duration(61.4), duration(5000)
    ('0.4 s', '1 min 1 s', '1 h 23 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
