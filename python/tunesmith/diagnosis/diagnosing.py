"""The verb `diagnose`: sort the errors of an evaluation, find where they lie and why, and propose a patch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import artefact, core
from tunesmith.artefact import Manifest, writing
from tunesmith.curation.edits import PATCH, write_patch
from tunesmith.diagnosis.candidates import candidates
from tunesmith.diagnosis.causes import Court
from tunesmith.diagnosis.checks import check
from tunesmith.diagnosis.diagnosis import CATEGORIES, CAUSES, SUMMARY, Diagnosis
from tunesmith.diagnosis.judging import Judged, judge
from tunesmith.diagnosis.losses import last_losses
from tunesmith.diagnosis.proposing import propose
from tunesmith.diagnosis.search import Ground
from tunesmith.diagnosis.sides import Part, inputs, sides
from tunesmith.errors import InputError, OptionError
from tunesmith.evaluation import Evaluation
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read


def diagnose(
    evaluation: str | Path | Evaluation,
    *,
    data: Any,
    out: str | Path,
    base: str | Path | Evaluation | None = None,
    losses: str | Path | None = None,
    part: Part = "dev",
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Diagnosis:
    """Diagnose a finetuned model: what fails, in which slices, why, which training rows, and what to change.

    Args:
        evaluation: The finetuned model's evaluation.
        data: The rows it was trained on: whatever `tunesmith.read` takes. A patch names them by position and id.
        out: The diagnosis to write.
        base: The base model's evaluation of the same items.
        losses: The run's `losses.parquet`, or the run.
        part: ``dev`` looks at the items drawn for diagnosis alone, so that the others can prove a patch; ``all`` at every item.
        format: The format of `data`, where it is not to be inferred.
        mapping: Names of the source's fields to the names they are read under.
        seed: Draws the training prompts that density is compared with.
        force: Replace what lies at `out`.
        progress: Where to report.
    Returns:
        The diagnosis, opened.
    Raises:
        ArtefactError: If an evaluation is none, or something else lies at `out`.
        InputError: If the evaluation has no references, the base is of other items, or data or losses cannot be used.
        OptionError: If `part` is neither.
    """
    if part not in ("dev", "all"):
        raise OptionError(f'part: expected dev or all, found "{part}"')
    tuned, before = (each if isinstance(each, Evaluation) or each is None else Evaluation.open(each) for each in (evaluation, base))
    assert tuned is not None
    given = read(data, format=format, mapping=mapping, progress=progress).some()
    if given.frame.is_empty():
        raise InputError("expected the rows that the model was trained on (--data), found none")
    last = None if losses is None else last_losses(losses, given.frame)
    made_of = inputs(tuned, before, given.inputs) | ({} if last is None else {"--losses": last[1]})
    options = {"part": part, "seed": seed}
    sources = [each for each in (tuned.folder, before and before.folder, data, losses) if each is not None]
    done = artefact.finished(out, kind="diagnosis", inputs=made_of, options=options, sources=sources, force=force)
    if done is not None:
        return Diagnosis(Path(out), done, reused=True)
    with writing(out) as work:
        looked = sides(tuned, given.frame, base=before, part=part, progress=progress)
        with progress.task("Searching slices", None):
            ground = Ground(sides=looked, candidates=candidates(looked.items, looked.rows, looked.chosen))
            checks = check(tuned, looked.rows, given.inputs)
            judged = judge(Court(ground=ground, checks=checks, losses=None if last is None else last[0], seed=seed), tuned)
        edits = propose(looked, judged.claims)
        notes = [*looked.notes, *checks.notes, *judged.notes]
        if last is not None and last[2]:
            notes.append(f"{last[2]:,} of {given.frame.height:,} rows have no loss")
        if given.rejected.height:
            notes.append(f"{given.rows - given.frame.height:,} of {given.rows:,} records of --data are rejected (tunesmith check)")
        summary = {
            "items": int(looked.chosen.sum()),
            "part": part,
            "rows": looked.rows.height,
            "categories": judged.summary,
            "patch": dict(Counter(edit.action for edit in edits)),
            "checks": checks.as_dict(),
            "tests": ground.tests,
            "notes": notes,
        }
        _write(work.folder, judged, summary)
        write_patch(work.folder / PATCH, edits)
        folders = {
            "evaluation": str(tuned.folder),
            "base": before and str(before.folder),
            "data": data if isinstance(data, str | Path) else None,
        }
        work.finish(
            Manifest(
                kind="diagnosis",
                inputs=made_of,
                options=options,
                hash=core.content_hash(pl.DataFrame({"table": [core.content_hash(each) for each in (judged.categories, judged.causes)]})),
                result=summary,
                details={name: str(value) for name, value in folders.items() if value is not None},
            )
        )
    return Diagnosis.open(out)


def _write(folder: Path, judged: Judged, summary: dict[str, Any]) -> None:
    judged.categories.write_parquet(folder / CATEGORIES)
    judged.causes.write_parquet(folder / CAUSES)
    (folder / SUMMARY).write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
