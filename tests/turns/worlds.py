"""Small experiments and simulated answers: what the tests of this room share."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import tunesmith as ts
from tunesmith.curation.edits import Edit, edit_id, write_patch
from tunesmith.turns.answers import ANY, EVERY, Answers

TOPICS = ("mill", "forge", "harbour")
THINGS = "anvil barrel candle dagger engine feather garland hammer inkwell jacket kettle lantern mirror needle oar pillow".split()  # noqa: SIM905
REFUSAL = "As an AI language model, I cannot name that."


def records(n: int, *, refuse: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Rows; those listed hold a refusal."""
    return [
        {
            "instruction": f"{('Name', 'Describe')[k % 2]} the {THINGS[k % 16]} number {k} of the {TOPICS[k % 3]}.",
            "output": REFUSAL if k in refuse else f"It is the {THINGS[k % 16]} of the {TOPICS[k % 3]}, {k}.",
            "topic": TOPICS[k % 3],
        }
        for k in range(n)
    ]


def version(folder: Path, n: int = 60, *, refuse: Sequence[int] = range(0, 20, 2)) -> Path:
    """A version on disk."""
    ts.curate(records(n, refuse=refuse), {"steps": []}, out=folder)
    return folder


def patch(file: Path, data: Path, positions: Sequence[int] = range(0, 20, 2), *, status: str = "accepted", category: str | None = "refusal",
          action: str = "drop", **more: Any) -> Path:  # fmt: skip
    """A patch of one action on some rows of a version."""
    frame = pl.read_parquet(data / "rows.parquet")
    ids = dict(frame.select("position", "row_id").iter_rows())
    edits = [
        Edit(
            edit_id=edit_id(k, ids[k], action, category), position=k, row_id=ids[k], action=action, category=category, status=status, **more
        )  # type: ignore[arg-type]
        for k in positions
    ]
    write_patch(file, edits)
    return file


def evaluation(out: Path, *, refused: float, seed: int = 0, n: int = 180, **options: Any) -> Path:
    """An evaluation of n items, of which about a share is answered by a refusal; which ones, the seed says."""
    rng = random.Random(f"{seed} {refused}")
    items = [
        {"instruction": f"Say what {THINGS[k % 16]} {k} is for, in the {TOPICS[k % 3]}.", "output": f"It is for work {k}."}
        for k in range(n)
    ]
    answers = [{"position": k, "output": REFUSAL if rng.random() < refused else f"It is for work {k}."} for k in range(n)]
    ts.evaluate(items, out, predictions=answers, metrics=["rougeL"], **options)
    return out


def simulated(
    n: Mapping[str, int], rates: Mapping[str, Mapping[str, float]], *, rng: np.random.Generator, seeds: int = 1, noise: float = 0.02,
    run_spread: float = 0.0, cluster: int = 1, targets: Sequence[str] = ("refusal",),
) -> Answers:  # fmt: skip
    """Answers whose findings are drawn: each item fails alike in all arms but for `noise`, and by each arm's own rate.

    Args:
        n: Items by part.
        rates: Arm to detector to rate.
        rng: Of everything.
        seeds: Training runs an arm.
        noise: Share of the items whose outcome is drawn anew in every arm and run.
        run_spread: Standard deviation of a run's own rate.
        cluster: Items a cluster.
        targets: Categories of the outcome.
    """
    total = sum(n.values())
    level = np.repeat(rng.random(-(-total // cluster)), cluster)[:total]
    findings: dict[str, dict[str, NDArray[np.float64]]] = {}
    for arm, names in rates.items():
        findings[arm] = {}
        for k, (name, rate) in enumerate(names.items()):
            runs = []
            for _ in range(seeds):
                mine = np.clip(rate + rng.normal(0, run_spread), 0, 1) if run_spread else rate
                shared = (level + 0.37 * k) % 1.0
                runs.append(np.where(rng.random(total) < noise, rng.random(total), shared) < mine)
            findings[arm][name] = np.stack(runs, axis=1).astype(float)
        every = np.max(list(findings[arm].values()), axis=0)
        findings[arm] |= {ANY: np.max([findings[arm][name] for name in targets], axis=0), EVERY: every}
    part = pl.Series("part", [name for name, count in n.items() for _ in range(count)])
    items = pl.DataFrame({"part": part, "row_id": [str(k) for k in range(total)]}).with_columns(
        copy=pl.lit(0), cluster=pl.int_range(pl.len()) // cluster
    )
    return Answers(
        items=items, seeds=list(range(seeds)), findings=findings, scores={arm: {} for arm in rates}, unanswered=0, targets=targets
    )
