"""The funnel of a turn: from the records that were read to the rows that each arm was trained on, balanced at every border."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import Manifest, is_artefact, read_manifest
from tunesmith.reports import nearby
from tunesmith.reports.blocks import Block, Cell, Figure, Grid, Section, Shown
from tunesmith.reports.definitions import BALANCE
from tunesmith.reports.sections.arms import LABELS, MEANS
from tunesmith.reports.texts import counted

ARMS = ("current", "patch", "placebo")


def sections(turn: Path, data: Path | None, experiment: Path) -> list[Section]:
    """Draw the funnel of a turn.

    Args:
        turn: Its folder.
        data: The version that it began with, where it lies near.
        experiment: The folder of the arms.
    """
    chain = [*_chain(turn, data), *_patched(turn, experiment)] if data is not None else []
    arms = [_arm(turn, experiment, arm) for arm in ARMS if is_artefact(experiment / arm, "version")]
    blocks: list[Block] = []
    if chain:
        blocks.append(_grid(chain))
    if arms:
        columns = ("arm", *BALANCE)
        blocks.append(Grid(title="The rows of each arm", columns=columns, rows=arms, numbers=columns[1:], definitions=BALANCE))
    if not blocks:
        return []
    lead = "Every record that was read is accounted for, down to the rows that the model saw."
    return [Section(id="funnel", title="The rows", lead=lead, blocks=blocks, headline=_headline(turn, experiment))]


def _headline(turn: Path, experiment: Path) -> list[Figure]:
    kept = {arm: _trained(turn, experiment, arm) for arm in ("current", "patch")}
    if any(value is None for value in kept.values()) or not is_artefact(experiment / "patch", "version"):
        return []
    result = read_manifest(experiment / "patch", "version").result
    done = [
        f"{result[key]:,} {name}" for key, name in (("dropped", "dropped"), ("edited", "edited"), ("added", "added")) if result.get(key)
    ]
    says = f"By the patch: {', '.join(done) or 'nothing changed'}. Rows in the packs."
    return [Figure(label="rows trained on, finetuned → patched", value=f"{kept['current']:,} → {kept['patch']:,}", definition=says)]


def _trained(turn: Path, experiment: Path, arm: str) -> int | None:
    if is_artefact(turn / "packs" / arm, "pack"):
        return int(read_manifest(turn / "packs" / arm, "pack").result["rows"])
    return _rows(experiment / arm) if is_artefact(experiment / arm, "version") else None


def _arm(turn: Path, experiment: Path, arm: str) -> list[Cell]:
    """Account for an arm's rows, from its version's manifest and its pack's."""
    result = read_manifest(experiment / arm, "version").result
    left = _rows(experiment / arm)
    rows_in, added = int(result.get("rows_in", left)), int(result.get("added", 0))
    dropped, rejected = int(result.get("dropped", 0)), int(result.get("rejected", 0))
    head = Shown(text=LABELS[arm], under=MEANS[arm])
    out, trained = None, None
    if is_artefact(turn / "packs" / arm, "pack"):
        trained = int(read_manifest(turn / "packs" / arm, "pack").result["rows"])
        out = left - trained
    fits = rows_in + added == dropped + rejected + left and (out is None or out >= 0)
    return [head, rows_in, added, dropped, int(result.get("edited", 0)), left, out, trained, "✓ yes" if fits else "✗ no"]


def _chain(turn: Path, data: Path) -> list[tuple[str, str, int, int]]:
    """Follow the data back to the records that were read: name, what it is, rows in, rows left."""
    manifest = read_manifest(data, "version")
    rows = _rows(data)
    steps = _steps(manifest)
    if steps:
        return steps
    origin = nearby.find("version", manifest.inputs.values(), near=data) or nearby.find("version", manifest.inputs.values(), near=turn)
    if origin is None:
        return [("the turn's data", f"{data.name}", rows, rows)]
    before = _steps(read_manifest(origin, "version")) or [(origin.name, "a version", _rows(origin), _rows(origin))]
    aside = f"other parts than {data.name} are set aside, to stop early or to test on"
    return [*before, ("split", aside, before[-1][3], rows)]


def _patched(turn: Path, experiment: Path) -> list[tuple[str, str, int, int]]:
    """Go on to what the patched model was trained on."""
    if not is_artefact(experiment / "patch", "version"):
        return []
    steps = _steps(read_manifest(experiment / "patch", "version"))[1:]
    if not steps or not is_artefact(turn / "packs" / "patch", "pack"):
        return steps
    trained = int(read_manifest(turn / "packs" / "patch", "pack").result["rows"])
    return [*steps, ("pack", "rows that fit the context and have an answer: what the patched model was trained on", steps[-1][3], trained)]


def _steps(manifest: Manifest) -> list[tuple[str, str, int, int]]:
    result = manifest.result
    lines: list[tuple[str, str, int, int]] = []
    if "rows_in" not in result:
        return lines
    rows_in, rejected = int(result["rows_in"]), int(result.get("rejected", 0))
    lines.append(("read", "records of the sources; those that are no rows are rejected", rows_in, rows_in - rejected))
    for step in result.get("steps", ()):
        left = int(step["rows_in"]) + int(step.get("added", 0)) - int(step["dropped"])
        said = [f"{step[key]:,} {key}" for key in ("edited", "flagged", "added") if step.get(key)]
        lines.append((str(step["step"]), ", ".join(said), int(step["rows_in"]), left))
    return lines


def _grid(chain: list[tuple[str, str, int, int]]) -> Grid:
    first = max(chain[0][2], 1)
    rows: list[list[Cell]] = [
        [Shown(text=name, under=said), rows_in, rows_in - left if rows_in > left else 0, Shown(text=f"{left:,}", share=left / first)]
        for name, said, rows_in, left in chain
    ]
    definitions = {
        "rows in": "Rows on entering the step.",
        "out": "Rows that it took out.",
        "left": "Rows after it; the bar is their share of what was read.",
    }
    title = f"From {counted(chain[0][2], 'record')} to {counted(chain[-1][3], 'training row')}"
    return Grid(
        title=title, columns=("step", "rows in", "out", "left"), rows=rows, numbers=("rows in", "out", "left"), definitions=definitions
    )


def _rows(version: Path) -> int:
    count: Any = pl.scan_parquet(version / "rows.parquet", glob=False).select(pl.len()).collect().item()
    return int(count)
