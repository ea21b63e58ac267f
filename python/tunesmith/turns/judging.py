"""The verb `verdict`: is the patch better than a placebo on items that it was not chosen on?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from math import comb
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import read_manifest
from tunesmith.errors import OptionError
from tunesmith.evaluation import Evaluation
from tunesmith.rows import clusters
from tunesmith.turns import training_runs, weighing, wording
from tunesmith.turns.answers import Answers, opened, side_by_side
from tunesmith.turns.arming import Experiment
from tunesmith.turns.spending import spend

VERDICT = "verdict.json"
MARGIN = 0.10


def verdict(
    folder: str | Path,
    evaluations: Mapping[str, str | Path | Evaluation],
    *,
    runs: Mapping[str, str | Path] | None = None,
    margin: float = MARGIN,
    earlier: Iterable[str | Path] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """Judge an experiment by the evaluations of its arms; writes `verdict.json` into it.

    The outcome is the share of items whose answer has a finding in any of the patch's categories, by the detectors; items
    are paired by row id and averaged over seeds, intervals draw clusters of items (and seeds, where there are several). Accepted is
    a patch that

    - on the **gate** items is better than the placebo: p < .05 (sign flips) and the 95% interval below 0;
    - does not trade them for others: the share of items with a finding of any detector is lower, too (95% interval below 0);
    - breaks nothing: over the items whose placebo answers have none of its categories, no other category is significantly worse
      (Holm) and each is shown not to be worse by `margin`; so is the main metric, over all items;
    - on the **confirm** items is better too: interval below 0. They are looked at only when all of the above holds, and the
      look is logged in `confirm.jsonl`.

    Anything else is "not shown", with the effect that would have been found.

    Args:
        folder: An experiment, as `arms` makes it.
        evaluations: ``ARM`` or ``ARM:SEED`` to an evaluation; patch and placebo are needed, current and base are shown.
        runs: The runs behind them, named alike. Those that are not given are looked for near the experiment and the evaluations.
        margin: How much worse another category (a share of the items) or the main metric (rougeL) may be, 0 to 1.
        earlier: Experiments whose looks at the confirm items count, too.
        seed: Of the resampling.
    Returns:
        ``verdict`` (accepted, or not shown), ``sentence``, ``outcome``, ``difference``, ``low``, ``high``, ``p`` (patch - placebo on the
        gate items; a share), ``detectable`` (the effect that would be found with power .8), ``gate`` and ``confirm``
        (`weighing.weigh`; None where not looked at), ``equal`` (`training_runs.compare_runs`), ``reasons`` (why not), ``notes``.
    Raises:
        ArtefactError: If a folder is not what it should be.
        OptionError: If arms are missing, unknown or given twice, or a category is no detector.
        InputError: If the evaluations are of different items, or an arm was not trained as the experiment says.
    """
    if not 0 < margin < 1:
        raise OptionError(f"margin: expected a number between 0 and 1, found {margin:g}")
    made = Experiment.open(folder)
    experiment, targets = made.result, made.categories
    answered = opened(evaluations, experiment["seeds"])
    given = opened_runs(runs or {}, experiment["seeds"], answered)
    found_runs = training_runs.find_runs(made.folder, answered, given)
    equal = training_runs.compare_runs(made.folder, experiment, found_runs)
    answers = side_by_side(answered, targets)
    candidate = _candidate(answered)

    def look(items: pl.DataFrame) -> list[str]:
        return _looked(spend(made.folder, items, candidate, earlier=earlier))

    result = judge(answers, margin=margin, look=look, seed=seed)
    result["equal"] = equal
    result["notes"] = [*_notes(experiment, answers, margin), *result["notes"]]
    if unknown := sorted({f"{arm}:{key}" for arm, key in answered if arm != "base"} - {f"{arm}:{key}" for arm, key in found_runs}):
        result["notes"].append(f"the runs of {', '.join(unknown)} were not found: whether their steps are equal is not checked (--run)")
    return _written(made, result, seeds=len(answers.seeds))


def _written(made: Experiment, result: dict[str, Any], *, seeds: int) -> dict[str, Any]:
    experiment = {**made.result, "evaluated_seeds": seeds}
    result = {"verdict": result["verdict"], "sentence": wording.sentence(result, experiment, made.categories), **result}
    beside = made.folder / f"{VERDICT}.part"
    beside.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(made.folder / VERDICT)
    return result


def opened_runs(
    runs: Mapping[str, str | Path], seeds: list[int], evaluations: Mapping[tuple[str, int], Evaluation]
) -> dict[tuple[str, int], str | Path]:
    """Name runs by arm and seed, as evaluations are."""
    found: dict[tuple[str, int], str | Path] = {}
    for name, run in runs.items():
        arm, sign, number = name.partition(":")
        key = (arm, int(number) if sign and number.isdigit() else seeds[0])
        if key not in evaluations:
            named = ", ".join(f"{arm}:{seed}" for arm, seed in evaluations)
            raise OptionError(f"--run {name}: expected the run of an evaluation that is given ({named}), found none of that name")
        read_manifest(run, "run")
        found[key] = run
    return found


def _candidate(evaluations: Mapping[tuple[str, int], Evaluation]) -> str:
    """Name what is looked at: the answers of patch and placebo."""
    hashes = sorted((arm, seed, each.manifest.hash) for (arm, seed), each in evaluations.items() if arm in ("patch", "placebo"))
    return sha256(json.dumps(hashes).encode()).hexdigest()[:32]


def judge(
    answers: Answers, *, margin: float = MARGIN, look: Callable[[pl.DataFrame], list[str]] = lambda _: [], seed: int = 0
) -> dict[str, Any]:
    """Decide, from the answers alone.

    Args:
        answers: Of all arms, side by side.
        margin: As in `verdict`.
        look: Called with the confirm items before they are looked at, if they are; returns what is to be told of it.
        seed: Of the resampling.
    Returns:
        As `verdict`, without ``sentence`` and ``equal``.
    """
    gate_items, confirm_items = answers.part("gate"), answers.part("confirm")
    counts = {"gate": gate_items.items.height, "confirm": confirm_items.items.height}
    result = _open(answers.targets)
    if min(counts.values()) < clusters.SMALLEST_PART:
        result["reasons"].append(too_few(counts))
        return result
    gate = weighing.weigh(gate_items, margin=margin, seed=seed)
    result |= {"gate": gate, "detectable": weighing.detectable(gate_items)}
    result |= {name: gate[name] for name in ("difference", "low", "high", "p")}
    result["reasons"] = _against(gate, margin)
    if result["reasons"]:
        result["notes"].append("the confirm items were not looked at")
        return result
    result["notes"] += look(confirm_items.items)
    confirm = result["confirm"] = weighing.weigh(confirm_items, margin=margin, seed=seed)
    if confirm["high"] < 0:
        result["verdict"] = "accepted"
    else:
        result["reasons"].append(
            f"what the gate items show is not confirmed on {confirm['items']:,} others (patch against placebo: {wording.interval(confirm)})"
        )
    return result


def _open(targets: Sequence[str]) -> dict[str, Any]:
    return {
        "verdict": "not shown", "outcome": wording.outcome(targets), "difference": None, "low": None, "high": None, "p": None,
        "detectable": None, "gate": None, "confirm": None, "reasons": [], "notes": [],
    }  # fmt: skip


def too_few(counts: Mapping[str, int]) -> str:
    """Say that there are too few items to decide on.

    >>> too_few({"gate": 12, "confirm": 0})
    'too few items: 12 in gate and 0 in confirm, at least 30 in each are needed'
    """
    told = " and ".join(f"{count:,} in {part}" for part, count in counts.items())
    return f"too few items: {told}, at least {clusters.SMALLEST_PART} in each are needed"


def _looked(looks: list[dict[str, Any]]) -> list[str]:
    if not looks:
        return []
    others = len({look["candidate"] for look in looks})
    told = f"{others:,} other candidate{'s' if others > 1 else ''} (first on {looks[0]['time'][:10]})"
    return [f"the confirm items had been looked at for {told}: they are not fresh, and what they confirm is weaker than its interval says"]


def _against(gate: Mapping[str, Any], margin: float) -> list[str]:
    """List what speaks against a patch on the gate items."""
    reasons = []
    if not (gate["p"] < weighing.SIGNIFICANT and gate["high"] < 0):
        told = f"p {gate['p']:.2g}" if gate["p"] >= weighing.SIGNIFICANT else f"95% interval to {wording.points(gate['high'])} points"
        better = "worse" if gate["difference"] > 0 and gate["p"] < weighing.SIGNIFICANT else "not better"
        reasons.append(f"the patch is {better} than the placebo ({told})")
    elif gate["any_finding"]["high"] >= 0:
        told = wording.interval(gate["any_finding"])
        reasons.append(f"answers with a finding of any detector are not fewer than with the placebo ({told}): other defects take the place")
    for name, found in gate["categories"].items():
        sound = found.get("sound", found)
        if found["worse"]:
            reasons.append(f"`{name}` is worse than with the placebo ({wording.interval(sound)})")
        elif found["inconclusive"]:
            reasons.append(wording.needed(name, {**sound, "needs": found["needs"]}, margin, sound["items"], share=True))
    for name, found in gate["metrics"].items():
        if found["worse"]:
            told = f"{found['difference']:+.3f}, 95% interval {found['low']:+.3f} to {found['high']:+.3f}"
            reasons.append(f"{name} is worse than with the placebo ({told})")
        elif found["inconclusive"]:
            reasons.append(wording.needed(name, found, margin, gate["items"], share=False))
    return reasons


def _notes(experiment: Mapping[str, Any], answers: Answers, margin: float) -> list[str]:
    notes = []
    seeds = len(answers.seeds)
    if seeds == 1:
        notes.append("one seed: the interval covers items alone, not what another training run would give")
    else:
        alone = f"{seeds} against {seeds} training runs alone could give no p below 1/{comb(2 * seeds, seeds):,}"
        notes.append(f"{seeds} seeds: intervals draw items and seeds, p-values items; {alone}")
    if seeds < len(experiment["seeds"]):
        notes.append(f"{seeds} of the {len(experiment['seeds'])} seeds that the experiment names were evaluated")
    if experiment["proposed"]:
        notes.append(f"{experiment['proposed']:,} edits were taken as proposed: nobody reviewed them")
    if answers.unanswered:
        notes.append(f"{answers.unanswered:,} items lack an output in some arm and are left out")
    notes.append(f"other categories and {weighing.MAIN} may be worse than the placebo by less than {margin:g}")
    return notes


def undecided(made: Experiment, counts: Mapping[str, int]) -> dict[str, Any]:
    """Give the verdict on an experiment whose items are too few to decide anything, so that nobody trains for nothing; writes it."""
    equal: dict[str, Any] = {"steps": {}, "supervised_tokens": {}, "warning": None}
    return _written(made, {**_open(made.categories), "reasons": [too_few(counts)], "equal": equal}, seeds=len(made.result["seeds"]))


def fingerprint(result: Mapping[str, Any]) -> str:
    """Hash what a verdict says (32 hex digits)."""
    return sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()[:32]
