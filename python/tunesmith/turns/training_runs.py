"""The runs behind the evaluations: found by the hash of their weights, and checked against the experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.artefact import Manifest, is_artefact, read_manifest
from tunesmith.errors import InputError
from tunesmith.evaluation import Evaluation

SHARE = 0.02
"""A larger difference in supervised tokens is told beside the verdict."""


def find_runs(
    folder: Path, evaluations: Mapping[tuple[str, int], Evaluation], given: Mapping[tuple[str, int], str | Path]
) -> dict[tuple[str, int], tuple[Path, Manifest]]:
    """Find the run of each evaluation: as given, else a folder near the experiment or the evaluations that holds its weights.

    Args:
        folder: The experiment.
        evaluations: By arm and seed.
        given: Runs that are known, by arm and seed.
    Raises:
        ArtefactError: If what is given is no run.
        InputError: If it is not the run whose answers were evaluated.
    """
    places = [Path(told["run"]) for each in evaluations.values() if (told := each.manifest.details.get("trained")) and told.get("run")]
    near = {manifest.hash: (path, manifest) for path, manifest in _near(folder, [each.folder for each in evaluations.values()], places)}
    found = {}
    for key, evaluation in evaluations.items():
        if key[0] == "base":
            continue
        weights = evaluation.manifest.inputs.get("--adapter", evaluation.manifest.inputs.get("--model"))
        if key in given:
            run = read_manifest(given[key], "run")
            if weights is not None and run.hash != weights:
                raise InputError(f"{evaluation.folder}: expected answers of the run {given[key]}, found those of other weights")
            found[key] = (Path(given[key]), run)
        elif weights in near:
            found[key] = near[str(weights)]
    return found


def _near(folder: Path, evaluations: list[Path], places: list[Path]) -> Iterator[tuple[Path, Manifest]]:
    """Look where evaluations say, beside the experiment and the evaluations, and in folders called `runs` there; nowhere else."""
    around = {place.resolve().parent for place in (folder, *evaluations)}
    around |= {place.parent for place in around}
    beside = [path for place in sorted(around | {each / "runs" for each in around}) if place.is_dir() for path in sorted(place.iterdir())]
    for path in (*places, *beside):
        if (path / "losses.parquet").is_file() and is_artefact(path, "run"):
            yield path, read_manifest(path, "run")


def compare_runs(folder: Path, experiment: Mapping[str, Any], runs: Mapping[tuple[str, int], tuple[Path, Manifest]]) -> dict[str, Any]:
    """Say whether the arms were trained alike, as far as their runs are known.

    Returns:
        ``steps`` and ``supervised_tokens`` {arm: mean over seeds}, ``warning`` (text or None).
    Raises:
        InputError: If an arm was trained for other steps or on the rows of another arm, or arms with other options.
    """
    for (arm, seed), (path, run) in runs.items():
        _as_planned(experiment, run, f"{arm}, seed {seed} ({path})")
        _on_its_rows(folder, arm, run, path)
    _alike(runs)
    steps, tokens = (
        {arm: _mean(runs, arm, name) for arm in dict.fromkeys(arm for arm, _ in runs)} for name in ("steps", "supervised_tokens")
    )
    return {"steps": steps, "supervised_tokens": tokens, "warning": _warning(tokens)}


def _mean(runs: Mapping[tuple[str, int], tuple[Path, Manifest]], arm: str, name: str) -> int:
    values: list[int] = [run.result[name] for (of, _), (_, run) in runs.items() if of == arm]
    return round(sum(values) / len(values))


def _as_planned(experiment: Mapping[str, Any], run: Manifest, what: str) -> None:
    steps, bins = run.result.get("steps"), run.details.get("resolved", {}).get("bins")
    if experiment["estimated"]:
        return
    for name, planned, found in (("steps", experiment["steps"], steps), ("bins a step", experiment["bins"], bins)):
        if None not in (planned, found) and planned != found:
            raise InputError(
                f"{what}: expected a run of {planned:,} {name}, as the experiment says, found {found:,}; arms must be equal in steps: "
                f"train it with --steps {experiment['steps']}" + (f" --bins {experiment['bins']}" if experiment["bins"] else "")
            )


def _alike(runs: Mapping[tuple[str, int], tuple[Path, Manifest]]) -> None:
    """Refuse arms of one seed that were trained with other options than patch."""
    for (_, seed), (path, run) in runs.items():
        other = runs.get(("patch", seed))
        if other is None or other[1] is run:
            continue
        mine, theirs = (_options(each) for each in (run, other[1]))
        for name in sorted(mine.keys() & theirs.keys()):
            if mine[name] != theirs[name]:
                raise InputError(
                    f"{path} and {other[0]}: expected arms that differ in their rows alone, found {name} {mine[name]} and {theirs[name]}; "
                    f"train them with the same options"
                )


def _options(run: Manifest) -> dict[str, Any]:
    """Take what decided the weights besides the rows; how many steps there were is checked against the experiment."""
    chosen = {name: run.details.get("resolved", {}).get(name) for name in ("lr", "bins", "dtype")}
    left_out = {"epochs", "steps", "patience", "score_rows"}
    return {name: value for name, value in {**run.options, **chosen}.items() if name not in left_out}


def _on_its_rows(folder: Path, arm: str, run: Manifest, path: Path) -> None:
    """Refuse a run on the rows of another arm, where its pack is still there."""
    pack = Path(str(run.details.get("pack")))
    if not is_artefact(pack, "pack") or read_manifest(pack).hash != run.inputs.get("pack"):
        return
    sources = set(read_manifest(pack).inputs.values())
    rows = {name: read_manifest(folder / name, "version").hash for name in ("current", "patch", "placebo")}
    others = [name for name in rows if name != arm and rows[name] in sources]
    if rows[arm] not in sources and others:
        raise InputError(f"{path}: expected a run on the rows of {folder / arm}, found one on those of {folder / others[0]}")


def _warning(tokens: Mapping[str, int]) -> str | None:
    if len(tokens) < 2 or max(tokens.values()) <= (1 + SHARE) * min(tokens.values()):
        return None
    share = max(tokens.values()) / min(tokens.values()) - 1
    counts = ", ".join(f"{arm} {count:,}" for arm, count in tokens.items())
    return f"the arms saw different numbers of supervised tokens, by up to {share:.1%}: {counts}"
