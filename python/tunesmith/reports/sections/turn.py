"""A turn: the verdict first, then rows, categories, causes, answers before and after, what it cost, and how to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.artefact import is_artefact, read_manifest
from tunesmith.reports import nearby
from tunesmith.reports.blocks import Block, Drawn, Section, Words
from tunesmith.reports.sections import before_after, categories, cost, diagnosis, funnel, verdict
from tunesmith.reports.sections.again import section
from tunesmith.reports.sections.arms import KEY, Arms, keyed
from tunesmith.reports.sections.diagnosis import Diagnosed
from tunesmith.reports.sections.verdict import Judged
from tunesmith.reports.texts import counted

EXPERIMENT, DIAGNOSIS = "arms", "diagnosis"


def draw(folder: Path) -> Drawn:
    """Draw a turn; pieces that are not there are left out."""
    manifest = read_manifest(folder, "turn")
    arms = Arms.of(folder)
    judged = Judged.open(folder / EXPERIMENT, arms, manifest.result)
    config = section(manifest.details.get("loop", {}))
    said = [manifest.details.get("data"), config.get("data")]
    found = Diagnosed.open(folder / DIAGNOSIS, data=said, near=folder) if is_artefact(folder / DIAGNOSIS, "diagnosis") else None
    data = found.data if found else nearby.find("version", manifest.inputs.values(), near=folder, named=said)
    if found is not None and data is None and is_artefact(folder / EXPERIMENT / "current", "version"):
        found = replace(found, data=folder / EXPERIMENT / "current")  # the same rows, as the turn read them from a file
    sections: list[Section] = []
    tables: list[Section] = []
    answered = "current" in arms.names
    if judged is not None:
        sections += _told(judged, links=answered)
    sections += funnel.sections(folder, data, folder / EXPERIMENT)
    names = list(dict.fromkeys([*(judged.categories if judged else ()), *(found.detectors if found else ())]))
    if found is not None:
        made = diagnosis.sections(found, answers=names if answered else ())
        sections.append(replace(made[0], headline=()))
        tables += made[1:]
    if answered:
        targets = judged.targets if judged else []
        both = before_after.BeforeAfter(arms, targets=targets, categories=names, slices=_slices(found))
        sections += [both.section()] if both.judged else []
        tables.insert(0, both.table())
    sections += cost.sections(folder, manifest.details.get("seconds", {}), arms)
    sentence = judged.sentence if judged else diagnosis.sentence(found) if found else "This turn has no verdict yet."
    return Drawn(
        sections=[*sections, *tables],
        verdict=sentence,
        outcome=judged.outcome if judged else "",
        caveats=tuple(caveats(judged, config)) if judged else (),
        parts=tuple(_parts(folder)),
    )


def _slices(found: Diagnosed | None) -> dict[tuple[str, int], list[str]]:
    """Give the slices of each item that was diagnosed, by row id and copy."""
    if found is None or found.items is None:
        return {}
    return dict(zip(keyed(found.items).select(KEY).iter_rows(), found.membership.items, strict=True))


def _told(judged: Judged, *, links: bool) -> list[Section]:
    return [verdict.section(judged), *([categories.section(judged, links=links)] if judged.parts else [])]


def draw_experiment(folder: Path) -> Drawn:
    """Draw an experiment alone: its verdict, and the rows of its arms."""
    arms = Arms.of(folder.resolve().parent)
    judged = Judged.open(folder, arms)
    rows = funnel.sections(folder.resolve().parent, None, folder)
    if judged is None:
        words: list[Block] = [Words(text="No verdict yet: train each arm, evaluate it, and give `tunesmith verdict` the evaluations.")]
        lead = "Three versions to train on, equal in all but the rows."
        made = [Section(id="verdict", title="The experiment", lead=lead, blocks=words), *rows]
        return Drawn(sections=made, verdict=f"{lead} No verdict yet.")
    return Drawn(
        sections=[*_told(judged, links=False), *rows], verdict=judged.sentence, outcome=judged.outcome, caveats=tuple(caveats(judged, {}))
    )


def caveats(made: Judged, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List what one must know to read a verdict rightly."""
    said = []
    edits = sum(made.experiment.get("edits", {}).values())
    proposed = made.experiment.get("proposed", edits if config.get("accept") == "proposed" else 0)
    if proposed:
        whom = "Nobody reviewed the edits." if proposed >= edits else f"Nobody reviewed {proposed:,} of the edits."
        said.append((whom, f"{proposed:,} of {counted(edits, 'edit')} were taken as the diagnosis proposed them."))
    seeds = made.experiment.get("seeds", ())
    if len(seeds) == 1:
        text = "Intervals cover the choice of items alone, not the chance that lies in a training; more seeds would tell."
        said.append(("One seed.", text))
    warning = made.verdict.get("equal", {}).get("warning")
    if warning:
        said.append(("The arms are not equal.", verdict.ended(str(warning))))
    return said


def _parts(folder: Path) -> list[tuple[str, Path]]:
    """List the artefacts of a turn, in the order in which they were made."""
    children = ["packs/*", "runs/*", "base", "evaluations/*", DIAGNOSIS, EXPERIMENT, f"{EXPERIMENT}/*"]
    found = [path for pattern in children for path in sorted(folder.glob(pattern)) if is_artefact(path)]
    return [("turn", folder), *((str(read_manifest(path).kind), path) for path in found)]
