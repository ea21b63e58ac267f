"""The verb `arms`: from a patch to an experiment, three versions to be trained alike."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import artefact, core, curation, rows
from tunesmith.artefact import Manifest, read_manifest, writing
from tunesmith.curation.edits import Edit, against, find_patch, fingerprint, read_patch, taken, write_patch
from tunesmith.errors import InputError, OptionError, did_you_mean
from tunesmith.evaluation.scoring import judged
from tunesmith.progress import SILENT, Progress
from tunesmith.turns.answers import ARMS
from tunesmith.turns.placebo import CATEGORY, RULE, make_placebo
from tunesmith.turns.spending import LOG

FILE, PATCH, PLACEBO = "experiment.json", "patch.jsonl", "placebo.jsonl"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Three versions on disk, and how they are to be trained.

    Attributes:
        folder: Where it lies; `current/`, `patch/` and `placebo/` in it are versions.
        manifest: What it says of itself; `result` is `experiment.json`.
        reused: Whether it was there already.
    """

    folder: Path
    manifest: Manifest
    reused: bool = False

    @classmethod
    def open(cls, folder: str | Path) -> Experiment:
        """Open an experiment.

        Raises:
            ArtefactError: If the folder is none.
        """
        return cls(folder=Path(folder), manifest=read_manifest(folder, "experiment"))

    @property
    def result(self) -> dict[str, Any]:
        """What `experiment.json` says."""
        return dict(self.manifest.result)

    @property
    def categories(self) -> list[str]:
        """The detectors that make the outcome."""
        return list(self.result["categories"])


def arms(
    patch: str | Path,
    version: Any,
    out: str | Path,
    *,
    all: bool = False,  # noqa: A002  (named as the option is)
    run: str | Path | None = None,
    steps: int | None = None,
    bins: int | None = None,
    seeds: Sequence[int] = (0,),
    outcome: Sequence[str] = (),
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Experiment:
    """Make the arms of an experiment: the rows as they are, with the patch, and with a placebo.

    Args:
        patch: A `patch.jsonl`, or the folder of a diagnosis.
        version: What the patch was made for: a version, or whatever `tunesmith.read` takes.
        out: The folder to write.
        all: Take the proposed edits too, not the accepted ones alone.
        run: How the current model was trained: steps and bins a step are this run's.
        steps: Optimizer steps of every arm.
        bins: Bins of a pack an optimizer step takes.
        seeds: Of the training runs that are planned; every arm is trained with each.
        outcome: The detectors that the verdict counts; those that the edits name as their category unless said.
        seed: Of the placebo.
        force: Replace what lies at `out`; its log of looks at the confirm items is kept.
        progress: Where to report.
    Returns:
        The experiment, opened.
    Raises:
        InputError: If no edit is taken, or the patch is not for this version.
        OptionError: If a category is no detector, or options do not go together.
    """
    chosen = list(dict.fromkeys(seeds))
    if not chosen or min(chosen) < 0:
        raise OptionError(f"seeds: expected whole numbers from 0, found {', '.join(map(str, seeds)) or 'none'}")
    for name, value in (("steps", steps), ("bins", bins)):
        if value is not None and value < 1:
            raise OptionError(f"{name}: expected at least 1, found {value}")
    file = find_patch(patch)
    edits = read_patch(file)
    data = rows.read(version, progress=progress).some()
    wanted = taken(edits, all)
    if not wanted:
        raise InputError(_none_taken(file, edits))
    against(wanted, data.frame, patch=file, version=str(version) if isinstance(version, str | Path) else "these rows")
    categories = _outcome(wanted, outcome, file)
    plan = _plan(data.frame, run, steps, bins)
    inputs = {**data.inputs, "--patch": fingerprint(edits), **({"--run": read_manifest(run, "run").hash} if run is not None else {})}
    options = {"all": all, "steps": steps, "bins": bins, "seeds": chosen, "outcome": list(outcome), "seed": seed}
    made = artefact.finished(out, kind="experiment", inputs=inputs, options=options, sources=(patch, version, run), force=force)
    if made is not None:
        return Experiment(folder=Path(out), manifest=made, reused=True)
    with writing(out) as work:
        _clear(work.folder)
        write_patch(work.folder / PATCH, edits)
        current = curation.curate(version, {"steps": []}, out=work.folder / "current", progress=progress)
        patched = curation.curate(
            version, {"steps": [{"patch": {"file": str(work.folder / PATCH), "all": all}}]}, out=work.folder / "patch", progress=progress
        )
        applied = _applied(wanted, data.frame, patched.frame)
        placebo = make_placebo(data.frame, applied, seed=seed)
        write_patch(work.folder / PLACEBO, placebo.edits)
        step = {"name": CATEGORY, "file": str(work.folder / PLACEBO)}
        control = curation.curate(version, {"steps": [{"patch": step}]}, out=work.folder / "placebo", progress=progress)
        _check_equal(current.frame, patched.frame, control.frame)
        for name in ARMS:
            _say_where(work.folder / name, work.folder, Path(out))
        experiment = {
            "format": 1,
            "seed": seed,
            "seeds": chosen,
            **plan,
            "edits": dict(Counter(edit.action for edit in applied)),
            "accepted": sum(edit.status == "accepted" for edit in applied),
            "proposed": sum(edit.status == "proposed" for edit in applied),
            "categories": categories,
            "placebo": {"rule": RULE, "rows": len(placebo.edits), "slices": placebo.slices},
            "rows": {"current": current.kept, "patch": patched.kept, "placebo": control.kept},
        }
        (work.folder / FILE).write_text(json.dumps(experiment, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if (Path(out) / LOG).is_file():
            shutil.copyfile(Path(out) / LOG, work.folder / LOG)
        hashes = [read_manifest(work.folder / name, "version").hash for name in ARMS]
        whole = core.content_hash(pl.DataFrame({"part": [*hashes, json.dumps(experiment, sort_keys=True)]}))
        manifest = work.finish(Manifest(kind="experiment", inputs=inputs, options=options, hash=whole, result=experiment))
    return Experiment(folder=Path(out), manifest=manifest)


def _clear(folder: Path) -> None:
    """Take away what an interrupted run left: an experiment is made in seconds."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ".lock":
            path.unlink()


def _none_taken(file: Path, edits: Sequence[Edit]) -> str:
    counts = Counter(edit.status for edit in edits)
    told = ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "none at all"
    advice = "accept some (`status` in the file), or take the proposed ones with --all" if counts["proposed"] else "there is nothing to try"
    return f"{file}: expected edits to take, found {told}; {advice}"


def _outcome(edits: Sequence[Edit], outcome: Sequence[str], file: Path) -> list[str]:
    """Name the detectors of the outcome, in registry order.

    Raises:
        OptionError: If one is none that judges answers, or there is none.
    """
    known = judged()
    for name in outcome:
        if name not in known:
            raise OptionError(f'--outcome: no detector of answers is called "{name}"; {did_you_mean(name, known)}')
    named = {edit.category for edit in edits if edit.category is not None}
    if not outcome:
        for name in sorted(named):
            if name not in known:
                raise OptionError(
                    f'{file}: the category "{name}" is no detector of answers, so a verdict could not measure it '
                    f"({did_you_mean(name, known)}); name the defects to measure with --outcome"
                )
        if not named:
            raise OptionError(f"{file}: no edit names a category; name the defects to measure with --outcome (known: {', '.join(known)})")
    return [name for name in known if name in (outcome or named)]


def _plan(frame: pl.DataFrame, run: str | Path | None, steps: int | None, bins: int | None) -> dict[str, Any]:
    """Say how every arm is to be trained: steps, bins a step, where the numbers come from, whether they are an estimate."""
    if run is not None:
        made = read_manifest(run, "run")
        own = {"steps": made.result["steps"], "bins": made.details.get("resolved", {}).get("bins")}
        told = f"the run {Path(run).resolve().name}: {own['steps']:,} steps" + (f" of {own['bins']:,} bins" if own["bins"] else "")
        other = {name: value for name, value in (("steps", steps), ("bins", bins)) if value is not None and value != own[name]}
        if other:
            told += f"; given instead: {', '.join(f'{name} {value:,}' for name, value in other.items())}"
        return {**own, **other, "steps_from": told, "estimated": False}
    if steps is not None:
        return {"steps": steps, "bins": bins, "steps_from": "given", "estimated": False}
    tokens = (
        int(
            frame.select(
                pl.sum_horizontal(pl.col(name).str.len_chars().fill_null(0) for name in ("instruction", "input", "output")).sum()
            ).item()
        )
        // 4
    )
    whole = max(1, math.ceil(tokens / _CONTEXT))
    chosen = bins or min(max(whole // 100, 1), 16)
    return {
        "steps": max(1, math.ceil(_EPOCHS * whole / chosen)),
        "bins": chosen,
        "steps_from": f"an estimate: {_EPOCHS} epochs of about {tokens:,} tokens (characters / 4) in bins of {_CONTEXT:,}; "
        f"say how the current model was trained with --run, or --steps and --bins",
        "estimated": True,
    }


_EPOCHS, _CONTEXT = 3, 2048


def _applied(edits: Sequence[Edit], before: pl.DataFrame, after: pl.DataFrame) -> list[Edit]:
    """Take the edits that changed something: what a placebo has to match."""
    changed = _changed(before, after)
    applied = [edit for edit in edits if edit.action == "add" or edit.position in changed]
    if not applied:
        raise InputError(f"the patch changes nothing: all {len(edits):,} edits leave their rows as they are")
    return applied


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> set[int]:
    """Name the positions of rows that are gone or other than they were."""
    key = ["position", "row_id", "weight"]
    return set(before.select(key).join(after.select(key), on=key, how="anti")["position"].to_list())


def _check_equal(current: pl.DataFrame, patch: pl.DataFrame, placebo: pl.DataFrame) -> None:
    """Make sure that patch and placebo change, drop and add equally many rows."""
    counts = [(len(_changed(current, arm)), arm.height, len(_changed(arm, current))) for arm in (patch, placebo)]
    if counts[0] != counts[1]:
        raise RuntimeError(f"patch and placebo differ in rows (changed, left, new): {counts}; this is a bug in Tunesmith")


def _say_where(version: Path, work: Path, out: Path) -> None:
    """Let a version name its patch by the place where it will lie."""
    path = version / artefact.MANIFEST
    said = json.loads(path.read_text(encoding="utf-8"))
    for step in said["details"]["recipe"]["steps"]:
        for options in step.values():
            options["file"] = str(out.resolve() / Path(options["file"]).relative_to(work.resolve()))
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def summary(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """Give the `--json` fields: `arms` {arm: rows}, and the experiment."""
    return {"arms": experiment["rows"], **experiment}
