"""The verb `loop`: turn after turn, each from the data that the last one proved."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import artefact, core
from tunesmith.artefact import read_manifest
from tunesmith.errors import ArtefactError
from tunesmith.models.loading import find_model
from tunesmith.models.weights import model_hash
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read
from tunesmith.turns.settings import Settings, read_settings
from tunesmith.turns.turning import DONE, WAITING, Turn


def loop(file: str | Path, *, turns: int | None = None, seed: int = 0, force: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
    """Walk turns: train, evaluate, diagnose, patch, train patch and placebo alike, evaluate, judge.

    An interrupted loop goes on by the same call, whatever interrupted it; nothing is trained twice. A turn begins from the
    rows of the last accepted patch; one that is not accepted is the last.

    Args:
        file: A `tunesmith.yaml`; its section `loop` names data, items, model and out (`settings.LoopSection`), the sections pack, train,
            evaluate, diagnose, arms and verdict hold the options of these verbs. Paths are relative to the file.
        turns: Turns at most, instead of the file's.
        seed: Of the parts of the items, the placebo and all resampling; the seeds of training are `loop.seeds`.
        force: Begin anew: the turns that lie there are deleted.
        progress: Where to report.
    Returns:
        ``turns`` [{turn, folder, verdict, sentence, difference, low, high, detectable, reasons, notes, reused}], and of the last
        ``verdict`` (accepted, not shown, nothing to change, waiting for review) and ``sentence``.
    Raises:
        InputError: If the file, or something it names, cannot be used.
        OptionError: With section and key of every mistake in the file.
        ArtefactError: If something else lies where a turn would.
    """
    settings = read_settings(file, turns=turns)
    out = Path(settings.loop.out)
    told: list[dict[str, Any]] = []
    with artefact.alone(out, out):
        if force:
            _clear(out, settings)
        data: str | Path = settings.loop.data
        before: list[Path] = []
        plan: tuple[int, int] | None = None
        while len(told) < settings.loop.turns:
            turn = Turn(settings, len(told) + 1, data=data, before=tuple(before), plan=plan, seed=seed, progress=progress)
            result, reused = _turned(turn, settings)
            told.append({
                "turn": turn.number, "folder": str(turn.folder), "verdict": result["verdict"], "sentence": result["sentence"],
                **{name: result[name] for name in ("difference", "low", "high", "detectable", "reasons")},
                "notes": [note for note in (result.get("equal", {}).get("warning"), *result["notes"]) if note], "reused": reused,
            })  # fmt: skip
            progress.say(f"\nturn {turn.number}: {result['sentence']}")
            if result["verdict"] != "accepted":
                break
            data, plan = turn.folder / "arms" / "patch", turn.next_plan()
            before.append(turn.folder)
    return {"turns": told, "verdict": told[-1]["verdict"], "sentence": told[-1]["sentence"], "reused": all(turn["reused"] for turn in told)}


def _turned(turn: Turn, settings: Settings) -> tuple[dict[str, Any], bool]:
    """Walk a turn, or take it as it is there."""
    inputs = _inputs(turn, settings)
    if artefact.is_artefact(turn.folder, "turn"):
        made = read_manifest(turn.folder, "turn")
        if made.same_work("turn", inputs, turn.options):
            return dict(made.result), True
        raise ArtefactError(
            f"{turn.folder} was made from other data, items, model or settings; choose another `out` in {settings.file}, "
            f"or --force to begin anew"
        )
    result = turn.go()
    if result["verdict"] != WAITING:
        if turn.before and result["gate"] is not None:
            result["notes"] = [
                *result["notes"],
                f"the gate items have decided {len(turn.before)} turns before this one: they are not fresh",
            ]
        turn.finish(result, inputs)
    return result, False


def _inputs(turn: Turn, settings: Settings) -> dict[str, str]:
    named = {"data": turn.data, "items": settings.loop.items, "validation": settings.loop.validation}
    formats = {"items": settings.evaluate.format}
    found = {name: _content(source, formats.get(name)) for name, source in named.items() if source is not None}
    return {**found, "model": model_hash(find_model(settings.loop.model))}


def _content(source: str | Path, format: str | None) -> str:  # noqa: A002  (the option's name on the surface)
    given = sorted(read(source, format=format).inputs.values())
    return given[0] if len(given) == 1 else core.content_hash(pl.DataFrame({"source": given}))


def _clear(out: Path, settings: Settings) -> None:
    """Delete the turns that a loop made here, and nothing else."""
    folders = sorted(out.glob("turn-*"))
    for folder in folders:
        if not (artefact.is_artefact(folder, "turn") or (folder / DONE).is_file()):
            raise ArtefactError(
                f"{folder}: expected a turn of an earlier loop, found something else; choose another `out` in {settings.file}"
            )
        for source in (settings.loop.data, settings.loop.items, settings.loop.model, settings.loop.validation):
            if source is not None and Path(source).resolve().is_relative_to(folder.resolve()):
                raise ArtefactError(f"{folder} cannot be replaced: {source}, which it would be made from, lies in it; choose another `out`")
    for folder in folders:
        shutil.rmtree(folder)
