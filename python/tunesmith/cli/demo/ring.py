"""The walk of the demo: rows, check, curate, split, then one turn of the loop, and its report.

Every step is the public function that the command of the same name calls, with the options a user would type;
the recipe, the loop's file and the commands are written beside the results, so that any step can be repeated by hand.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.cli.demo import DATA
from tunesmith.cli.demo.base import base_model
from tunesmith.errors import ArtefactError, MissingExtraError
from tunesmith.progress import SILENT, Progress

RECIPE = """\
# The default recipe, and one step more: no row may be the near twin of an evaluation item.
steps:
  - fix: {}
  - detect: {drop: fatal, flag: all}
  - exact_duplicates: {of: [prompt, response]}
  - near_duplicates: {name: near, of: prompt, threshold: 0.7, action: flag}
  - near_duplicates: {name: leaked, of: prompt, threshold: 0.7, against: items.json}
"""

LOOP = """\
# One turn: finetune, let base and finetuned answer, diagnose on a third of the items, patch the rows, train patch and placebo
# alike, and judge both on the other items. `accept: proposed` takes the patch as it is proposed: nobody has reviewed it.
loop:
  data: split/train
  validation: split/validation
  items: items.json
  model: model
  out: turns
  accept: proposed
pack: {template: plain, context: 512}
train: {method: full, epochs: 6, bins: 1, lr: 1.5e-3}
evaluate: {max-new-tokens: 72}
"""

COMMANDS = """\
tunesmith check rows.json --rejects rejects.jsonl
tunesmith curate rows.json -o clean --recipe recipe.yaml
tunesmith split clean -o split --test 0 --validation 0.05
tunesmith loop loop.yaml
tunesmith report turns/turn-1
"""

TURN = "turns/turn-1"
ARMS = ("base", "current", "patch", "placebo")


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demo made.

    Attributes:
        folder: Where everything lies.
        report: The HTML file.
        verdict: One sentence, computed.
        accepted: Whether the patch was.
        metrics: What finetuning did, on all items. Name to base, finetuned, difference, low, high.
        categories: What the patch did, on the gate items. Category to the share of the outputs that have it, by arm.
        seconds: Wall time of each step; those of the turn as `turn.STEP`.
    """

    folder: Path
    report: Path
    verdict: str
    accepted: bool
    metrics: dict[str, dict[str, float]]
    categories: dict[str, dict[str, float]]
    seconds: dict[str, float]


def demo(out: str | Path = "tunesmith-demo", *, seed: int = 0, force: bool = False, progress: Progress = SILENT) -> Demo:
    """Walk the whole ring on the embedded data, offline. What is already there is used again.

    Args:
        out: A folder of its own.
        seed: Of the split, the parts of the items, the placebo and the resampling.
        force: Make everything in the folder anew.
        progress: Where to report.
    Raises:
        ArtefactError: If the folder holds something that the demo did not make.
        MissingExtraError: Without the train, evaluate and report extras.
    """
    from tunesmith import curation, detection, evaluation, reports, rows, turns
    from tunesmith.artefact import read_manifest

    _require_extras()
    folder = Path(out)
    _own(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("rows.json", "items.json"):
        shutil.copyfile(DATA / name, folder / name)
    for name, text in (("recipe.yaml", RECIPE), ("loop.yaml", LOOP), ("commands.sh", COMMANDS)):
        (folder / name).write_text(text, encoding="utf-8")
    seconds: dict[str, float] = {}

    @contextmanager
    def step(name: str, text: str) -> Iterator[None]:
        progress.say(f"\n{len(seconds) + 1}. {text}")
        start = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - start

    with step("base", "A base model that has only read: it goes on writing, and never stops"):
        base_model(json.loads((DATA / "documents.json").read_text(encoding="utf-8")), folder / "model", force=force, progress=progress)
    with step("check", "Check the rows"):
        checked = detection.check(folder / "rows.json", progress=progress).result
        found = sorted(checked["findings"].items(), key=lambda pair: -pair[1])
        most = ", ".join(f"{name} {count:,}" for name, count in found[:6])
        progress.say(f"   {checked['rows']:,} rows, {checked['rejected']:,} rejected; most frequent findings: {most}")
    with step("curate", "Curate: mend what is safe to mend, drop what is fatal, and say so of every row"):
        recipe = folder / "recipe.yaml"
        made = curation.curate(folder / "rows.json", out=folder / "clean", recipe=recipe, force=force, progress=progress)
        summary = made.summary
        progress.say("   " + ", ".join(f"{name} {summary[name]:,}" for name in ("rows_in", "kept", "dropped", "edited", "flagged")))
    with step("split", "Split off a validation part, whole groups of near-duplicate prompts together"):
        rows.split(folder / "clean", folder / "split", test=0, validation=0.05, seed=seed, force=force, progress=progress)
    with step("loop", "One turn: finetune, let base and finetuned answer, diagnose, patch, and prove it against a placebo"):
        judged = turns.loop(folder / "loop.yaml", seed=seed, force=force, progress=progress)
    turn = folder / TURN
    with step("report", "Draw the report"):
        drawn = reports.report(turn, title="Tunesmith demo: a turn of the ring", force=force, progress=progress)
        compared = evaluation.compare(turn / "base", turn / "evaluations" / "current-0")
    manifest = read_manifest(turn, "turn")
    seconds |= {f"turn.{name}": spent for name, spent in manifest.details["seconds"].items()}
    return Demo(
        folder=folder,
        report=Path(drawn["report"]),
        verdict=judged["sentence"],
        accepted=judged["verdict"] == "accepted",
        metrics={name: {"base": row["base"], "finetuned": row["other"], **row} for name, row in compared["metrics"].items()},
        categories=_categories(manifest.result),
        seconds=seconds,
    )


def _categories(result: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Lay out the shares of the gate items by category and arm, those that the patch is about."""
    gate = result["gate"]
    if gate is None:
        return {}
    found = {name: row["arms"] for name, row in gate["categories"].items() if row["role"] == "target"}
    return {name: {arm: arms[arm] for arm in ARMS if arm in arms} for name, arms in found.items()}


def _own(folder: Path) -> None:
    """Refuse a folder with other things in it: the demo writes files of common names."""
    if folder.exists() and not folder.is_dir():
        raise ArtefactError(f"{folder}: expected a folder for the demo, found a file; choose another with -o")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "commands.sh").is_file():
        raise ArtefactError(
            f"{folder}: expected a new or empty folder, or one that the demo made, found other things; choose another with -o"
        )


def _require_extras() -> None:
    """Miss what is not installed now, and not after two minutes of work."""
    for package in ("torch", "transformers", "peft", "pyarrow", "altair", "vl_convert"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "train,evaluate,report", "The demo")
