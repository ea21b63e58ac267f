"""One turn: train, evaluate, diagnose, make the arms, train and evaluate these alike, and judge. Every step is an artefact.

A step whose artefact is there, made from the same inputs and options, is not done again: that is how an interrupted turn goes on.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith import artefact, diagnosis, evaluation, packing, training
from tunesmith.artefact import Manifest
from tunesmith.curation.edits import PATCH, read_patch, taken
from tunesmith.evaluation import Evaluation
from tunesmith.evaluation.items import PARTS
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import clusters
from tunesmith.training import TrainOptions
from tunesmith.training.jobs import open_job
from tunesmith.turns import judging
from tunesmith.turns.arming import arms
from tunesmith.turns.settings import Settings

DONE = ".steps.json"
"""What is done of an unfinished turn, and the seconds it took."""
WAITING, NOTHING = "waiting for review", "nothing to change"


class Turn:
    """The folder of a turn, and what makes it.

    Attributes:
        number: From 1.
        folder: `OUT/turn-N`.
        data: The rows to train on.
        before: The folders of the turns before it.
        plan: Steps and bins a step of every arm, where an earlier turn fixed them.
    """

    def __init__(
        self,
        settings: Settings,
        number: int,
        *,
        data: str | Path,
        before: Sequence[Path] = (),
        plan: tuple[int, int] | None = None,
        seed: int = 0,
        progress: Progress = SILENT,
    ) -> None:
        self.number, self.data, self.before, self.plan = number, data, before, plan
        self.folder = Path(settings.loop.out) / f"turn-{number}"
        self._settings, self._seed, self._progress = settings, seed, progress
        self._seeds = settings.loop.seeds
        self._adapter = settings.train.method != "full"
        self._seconds: dict[str, float] = {}
        self._at, self._of = 0, 0

    def go(self) -> dict[str, Any]:
        """Walk the turn.

        Returns:
            As `verdict`; where no patch is to be tried, only ``verdict`` ("nothing to change", or "waiting for review"), ``sentence``,
            ``reasons`` and ``notes`` are filled in.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._seconds = self._done()
        self._of = 6 + 6 * len(self._seeds) + (self._settings.loop.validation is not None) + (not self._adapter)
        plan = self._current()
        found = self._diagnosed()
        edits = read_patch(found / PATCH)
        proposed = self._settings.loop.accept == "proposed"
        if not taken(edits, proposed):
            waiting = [edit for edit in edits if edit.status == "proposed"] if not proposed else []
            return self._untried(found / PATCH, len(waiting))
        with self._step("arms", "make the arms: patch and placebo"):
            made = arms(
                found, self.data, self.folder / "arms", all=proposed, run=self._run("current", self._seeds[0]), steps=plan[0], bins=plan[1],
                seeds=self._seeds, outcome=self._settings.arms.outcome, seed=self._seed, progress=self._progress,
            )  # fmt: skip
        counts = self._deciding_items()
        if min(counts.values()) < clusters.SMALLEST_PART:
            return judging.undecided(made, counts)
        for arm in ("patch", "placebo"):
            with self._step(f"pack {arm}", f"pack {arm}"):
                self._pack(made.folder / arm, arm)
            for seed in self._seeds:
                self._train(arm, seed, plan)
            for seed in self._seeds:
                self._evaluate(arm, seed)
        with self._step("verdict", "judge patch against placebo"):
            named = [(arm, seed) for arm in ("current", "patch", "placebo") for seed in self._seeds]
            return judging.verdict(
                made.folder,
                {"base": self.folder / "base", **{f"{arm}:{seed}": self._answers(arm, seed) for arm, seed in named}},
                runs={f"{arm}:{seed}": self._run(arm, seed) for arm, seed in named},
                margin=self._settings.verdict.margin,
                earlier=[turn / "arms" for turn in self.before],
                seed=self._seed,
            )

    def finish(self, result: dict[str, Any], inputs: dict[str, str]) -> Manifest:
        """Write the manifest, last: the turn is whole now."""
        there = ("arms", "base", "diagnosis", "evaluations", "packs", "runs")
        paths = {name: str(self.folder / name) for name in there if (self.folder / name).is_dir()}
        seconds: dict[str, float] = {}
        for step, spent in self._seconds.items():
            name = step.partition("-")[0]
            seconds[name] = round(seconds.get(name, 0.0) + spent, 3)
        details = {"loop": self._settings.as_dict(), "seconds": seconds, "data": str(self.data)}
        manifest = Manifest(
            kind="turn",
            inputs=inputs,
            options=self.options,
            hash=judging.fingerprint(result),
            result={**result, "paths": paths},
            details=details,
        )
        artefact.seal(self.folder, manifest)
        (self.folder / DONE).unlink(missing_ok=True)
        return manifest

    @property
    def options(self) -> dict[str, Any]:
        """What decides the turn, besides its inputs."""
        return {**self._settings.deciding(), "seed": self._seed, "plan": self.plan}

    def next_plan(self) -> tuple[int, int]:
        """Say how every arm of this turn was trained, for the next."""
        said = json.loads((self.folder / "arms" / "experiment.json").read_text(encoding="utf-8"))
        return said["steps"], said["bins"]

    # --- steps ---

    def _current(self) -> tuple[int, int]:
        """Train and evaluate the current arm; the base answers from the same load, or by itself."""
        settings = self._settings
        self._take_over()
        with self._step("pack current", "pack the rows as they are"):
            self._pack(self.data, "current")
        if settings.loop.validation is not None:
            with self._step("pack validation", "pack the validation rows"):
                self._pack(settings.loop.validation, "validation")
        plan = self.plan or self._planned()
        self._progress.say(f"every arm: {plan[0]:,} steps of {plan[1]} bins, seeds {', '.join(map(str, self._seeds))}")
        for seed in self._seeds:
            self._train("current", seed, plan)
        if not self._adapter:
            with self._step("evaluate base", "let the base answer all items"):
                self._ask(self.folder / "base", model=settings.loop.model)
        for seed in self._seeds:
            self._evaluate("current", seed)
        return plan

    def _take_over(self) -> None:
        """Use the patched runs of the turn before as current ones: they were trained on these rows, with these steps."""
        if not self.before:
            return
        last = self.before[-1]
        taken_over = [(last / "runs" / f"patch-{seed}", self._run("current", seed)) for seed in self._seeds]
        if not self._adapter:  # beside an adapter, the base's evaluation names the adapter
            taken_over.append((last / "base", self.folder / "base"))
        for there, here in taken_over:
            if not here.exists():
                beside = here.with_name(here.name + ".copy")
                shutil.rmtree(beside, ignore_errors=True)
                shutil.copytree(there, beside)
                beside.rename(here)

    def _planned(self) -> tuple[int, int]:
        """Turn epochs into steps, by the current arm's pack: every arm is trained for as many."""
        job = open_job(self.folder / "packs" / "current", model=self._settings.loop.model, validation=None, options=self._settings.train)
        course = job.course("cpu")
        return course.steps, course.step_bins

    def _diagnosed(self) -> Path:
        out, first = self.folder / "diagnosis", self._seeds[0]
        with self._step("diagnose", "diagnose on the dev items"):
            diagnosis.diagnose(
                self._answers("current", first), data=self.data, out=out, base=self.folder / "base",
                losses=self._run("current", first) / "losses.parquet", part=self._settings.diagnose.part, seed=self._seed,
                progress=self._progress,
            )  # fmt: skip
        return out

    def _untried(self, patch: Path, waiting: int) -> dict[str, Any]:
        said: dict[str, Any] = dict.fromkeys(("difference", "low", "high", "p", "detectable", "gate", "confirm")) | {"notes": []}
        if waiting:
            reason = (
                f"{waiting:,} edits are proposed in {patch}, and none is accepted: set their `status`, then give the same command "
                f"(or loop.accept: proposed)"
            )
            return {"verdict": WAITING, "sentence": f"Waiting for a review: {reason}.", **said, "reasons": [reason]}
        reason = "the diagnosis of the dev items proposes no edit that is not rejected"
        return {"verdict": NOTHING, "sentence": f"Nothing to change: {reason}.", **said, "reasons": [reason]}

    def _deciding_items(self) -> dict[str, int]:
        parts = Evaluation.open(self._answers("current", self._seeds[0])).items["part"]
        return {part: int((parts == part).sum()) for part in ("gate", "confirm")}

    def _pack(self, source: str | Path, name: str) -> None:
        options = self._settings.pack
        packing.pack(
            source, self.folder / "packs" / name, tokenizer=options.tokenizer or self._settings.loop.model, template=options.template,
            context=options.context, overflow=options.overflow, turns=options.turns, progress=self._progress,
        )  # fmt: skip

    def _train(self, arm: str, seed: int, plan: tuple[int, int]) -> None:
        packs = self.folder / "packs"
        options: TrainOptions = self._settings.train.changed(steps=plan[0], bins=plan[1], seed=seed)
        validation = packs / "validation" if self._settings.loop.validation is not None else None
        with self._step(f"train {arm}-{seed}", f"train {arm}, seed {seed}"):
            training.train(
                packs / arm,
                self._run(arm, seed),
                model=self._settings.loop.model,
                validation=validation,
                options=options,
                progress=self._progress,
            )

    def _evaluate(self, arm: str, seed: int) -> None:
        out, run = self._answers(arm, seed), self._run(arm, seed)
        parts = PARTS if arm == "current" else PARTS[1:]
        which = "all items" if arm == "current" else "the gate and confirm items"
        with self._step(f"evaluate {arm}-{seed}", f"let {arm}, seed {seed}, answer {which}"):
            if not self._adapter:
                self._ask(out, model=run, parts=parts)
                return
            beside = {"base_output": self.folder / "base"} if arm == "current" and seed == self._seeds[0] else {}
            self._ask(out, model=self._settings.loop.model, adapter=run, parts=parts, **beside)

    def _ask(self, out: Path, **subject: Any) -> None:
        options = self._settings.evaluate.model_dump()
        options["template"] = options["template"] or self._settings.pack.template
        evaluation.evaluate(self._settings.loop.items, out, **subject, **options, seed=self._seed, progress=self._progress)

    def _run(self, arm: str, seed: int) -> Path:
        return self.folder / "runs" / f"{arm}-{seed}"

    def _answers(self, arm: str, seed: int) -> Path:
        return self.folder / "evaluations" / f"{arm}-{seed}"

    # --- what is done ---

    @contextmanager
    def _step(self, name: str, text: str) -> Iterator[None]:
        """Tell of a step, and keep how long it took; a step that finds its artefact there keeps the time of the first run."""
        self._at += 1
        self._progress.say(f"\nturn {self.number}, step {self._at} of {self._of}: {text}")
        start = time.perf_counter()
        yield
        if name not in self._seconds:
            self._seconds[name] = time.perf_counter() - start
            beside = self.folder / f"{DONE}.part"
            beside.write_text(json.dumps(self._seconds), encoding="utf-8")
            beside.replace(self.folder / DONE)

    def _done(self) -> dict[str, float]:
        try:
            read: dict[str, float] = json.loads((self.folder / DONE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return read
