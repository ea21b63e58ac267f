"""`train`: a pack and a model in, a run folder out, which transformers or peft load without us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.artefact import Manifest, Work, finished, writing
from tunesmith.models.loading import fitting_threads
from tunesmith.models.weights import model_hash
from tunesmith.progress import SILENT, Progress
from tunesmith.training.checkpoints import History, claim, clear, newest
from tunesmith.training.collate import Course
from tunesmith.training.jobs import Job, open_job
from tunesmith.training.losses import LossTable
from tunesmith.training.methods import LEARNING_RATES, Trainee, load_weights_into, prepare, save_surroundings, save_weights
from tunesmith.training.options import TrainOptions

_BEST = "best"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished finetune.

    Attributes:
        folder: The run.
        manifest: `result` has `steps`, `epochs`, `tokens` (all that went through the model), `supervised_tokens`
            (those with a loss), `loss` (nats, mean over the supervised tokens of the last epoch's worth of steps, each
            measured before its step), `tokens_per_second` (tokens by the wall time of the steps), `validation_loss`
            (of the weights kept) where there was validation.
        reused: Whether it was already there.
    """

    folder: Path
    manifest: Manifest
    reused: bool

    @property
    def result(self) -> dict[str, Any]:
        """The `--json` fields."""
        return {**self.manifest.result, "reused": self.reused}


def train(
    pack: str | Path,
    out: str | Path,
    *,
    model: str | Path,
    validation: str | Path | None = None,
    options: TrainOptions | None = None,
    force: bool = False,
    progress: Progress = SILENT,
    **changes: Any,
) -> Run:
    """Finetune a model on a pack.

    Rows are trained packed, without seeing each other; the loss is cross-entropy of the next token at supervised
    places, averaged over the weighted supervised tokens of the whole optimizer step. An interrupted run goes on from
    its last checkpoint in `OUT.work/` by the same call, on a CPU bit for bit as if nothing had happened.

    Args:
        pack: A pack.
        out: The run folder to write.
        model: The base: a folder, or a hub name in the local hub cache.
        validation: A pack to measure after every epoch; the weights of the epoch with the lowest loss are kept. With
            `steps` it is measured, and the last weights are kept.
        options: How; see `TrainOptions`.
        force: Replace what is at `out`, and start unfinished work over.
        progress: Where to report.
        **changes: Single fields of `TrainOptions`, instead of or over `options`.
    Returns:
        The run: its folder and manifest.
    Raises:
        ArtefactError: If a pack cannot be read, or `out` or `out.work` holds something else.
        ModelError: If the model cannot be loaded, does not fit the pack, cannot be trained packed, or diverges.
        OptionError: If an option cannot be honoured.
    """
    options = (options or TrainOptions()).changed(**changes)
    out = Path(out)
    job = open_job(pack, model=model, validation=validation, options=options)
    made = finished(out, kind="run", inputs=job.inputs, options=options.deciding(), sources=(pack, model, validation), force=force)
    if made is not None:
        return Run(folder=out, manifest=made, reused=True)
    with writing(out) as work:
        manifest = _train(job, work, out, force=force, progress=progress)
    return Run(folder=out, manifest=manifest, reused=False)


def _train(job: Job, work: Work, out: Path, *, force: bool, progress: Progress) -> Manifest:
    from tunesmith.training.attention import assert_isolated, packed_attention

    trainee = prepare(job.model, job.options)
    course = job.course(trainee.device)
    resolved = _resolved(job, trainee, course)
    deciding = ("bins", "lr", "dtype")
    claim(work.folder, out, {**job.inputs, **job.options.deciding(), **{name: resolved[name] for name in deciding}}, force=force)
    progress.say(
        f"training {trainee.trainable:,} of {trainee.parameters:,} parameters in {resolved['dtype']} on {trainee.device}: "
        f"{course.steps:,} steps of {course.step_bins} bins, learning rate {resolved['lr']:g}"
    )
    with packed_attention(_base(trainee.model)), fitting_threads(trainee.parameters, trainee.device):
        trainee.model.to(trainee.device)
        assert_isolated(trainee.model)
        table, history = _go(job, trainee, course, work.folder, progress)
    return _finish(job, trainee, course, table=table, history=history, work=work, resolved=resolved)


def _go(job: Job, trainee: Trainee, course: Course, folder: Path, progress: Progress) -> tuple[LossTable, History]:
    """Run the steps, from the last checkpoint where there is one; then validation's choice, then scoring."""
    from tunesmith.training.trainer import RowTrainer, Watch, go

    table = LossTable(job.segments, job.supervised)
    found = newest(folder)
    checkpoint, history = found if found is not None else (None, History())
    if checkpoint is not None:
        table.restore(checkpoint / "records.parquet")
        progress.say(f"going on from the checkpoint of step {history.step}")
    trainer = RowTrainer(trainee=trainee, segments=job.segments, course=course, table=table, options=job.options, folder=folder)
    with progress.task("Training", course.steps) as done:
        watch = Watch(
            course=course,
            table=table,
            history=history,
            options=job.options,
            progress=progress,
            done=done,
            validate=_validation(job, trainer, course),
            keep_best=lambda: save_weights(trainee.model, folder / _BEST),
        )
        trainer.add_callback(watch)
        if not watch.given_up():
            with watch.heeding_signals():
                go(trainer, checkpoint=checkpoint)
        elif checkpoint is not None:
            load_weights_into(trainee.model, checkpoint)
    if watch.interrupted and history.step < course.steps and not watch.given_up():
        raise KeyboardInterrupt
    best = history.best()
    if job.options.steps is None and best is not None and best["step"] < history.step:
        load_weights_into(trainee.model, folder / _BEST)
        progress.say(f"keeping the weights of epoch {best['epoch']}, which have the lowest validation loss")
    if job.options.score_rows:
        _score(job, trainer, course, table=table, history=history, progress=progress)
    return table, history


def _validation(job: Job, trainer: Any, course: Course) -> Callable[[], dict[str, Any]] | None:
    """Make the function that measures the validation loss: the mean over supervised tokens, not over batches."""
    segments = job.validation_segments
    if segments is None:
        return None

    def validate() -> dict[str, Any]:
        total, tokens = 0.0, 0

        def each(sums: Any, batch: Any) -> None:
            nonlocal total, tokens
            total += float(sums.double().sum())
            tokens += int((batch.labels != -100).sum())

        trainer.measure(segments, segments.bins, micro_bins=course.micro_bins, each=each)
        return {"loss": total / max(tokens, 1), "tokens": tokens}

    return validate


def _score(job: Job, trainer: Any, course: Course, *, table: LossTable, history: History, progress: Progress) -> None:
    """Measure every row once under the finished weights."""
    epoch, bins, measured = course.epoch_of(step=history.step), job.segments.bins, 0
    with progress.task("Scoring rows", len(bins)) as done:

        def each(sums: Any, batch: Any) -> None:
            nonlocal measured
            table.add(sums, segments=batch.segments, epochs=(epoch,) * len(batch.segments), step=history.step, phase="scored")
            measured += course.micro_bins
            done(min(measured, len(bins)))

        trainer.measure(job.segments, bins, micro_bins=course.micro_bins, each=each)


def _finish(
    job: Job, trainee: Trainee, course: Course, *, table: LossTable, history: History, work: Work, resolved: Mapping[str, Any]
) -> Manifest:
    """Write the run folder: weights and what belongs to them, losses, manifest."""
    import torch

    result = _result(course, table, history, keeps_best=job.options.steps is None)
    table.drain()
    clear(work.folder)
    if not hasattr(trainee.model, "get_base_model") and trainee.stored != torch.float32:
        trainee.model.to(trainee.stored)
    save_weights(trainee.model, work.folder)
    about = job.pack.details
    save_surroundings(
        work.folder,
        model=_base(trainee.model),
        tokenizer=job.pack.tokenizer_folder,
        end_of_turn=about.get("end_of_turn_id"),
        eos=about.get("eos_id"),
        pad=about.get("pad_id"),
    )
    table.save(work.folder / "losses.parquet")
    details = {
        "model": str(job.model), "pack": str(job.pack.folder),
        "template": about.get("template"), "end_of_turn_id": about.get("end_of_turn_id"),
        "resolved": dict(resolved), "validation": history.validation,
    }  # fmt: skip
    return work.finish(
        Manifest(
            kind="run", inputs=job.inputs, options=job.options.deciding(), hash=model_hash(work.folder), result=result, details=details
        )
    )


def _result(course: Course, table: LossTable, history: History, *, keeps_best: bool) -> dict[str, Any]:
    tokens, supervised = table.tokens()
    an_epoch = -(-len(course.bins) // course.step_bins)
    result: dict[str, Any] = {
        "steps": history.step,
        "epochs": round(min(history.step * course.step_bins, course.total) / len(course.bins), 4),
        "tokens": tokens,
        "supervised_tokens": supervised,
        "loss": table.mean(after_step=max(0, history.step - an_epoch)),
        "tokens_per_second": round(tokens / history.seconds, 1) if history.seconds else None,
    }
    kept = history.best() if keeps_best else history.validation[-1] if history.validation else None
    if kept is not None:
        result["validation_loss"] = kept["loss"]
    return result


def _resolved(job: Job, trainee: Trainee, course: Course) -> dict[str, Any]:
    """Name what was chosen where the options left it open."""
    return {
        "bins": course.step_bins,
        "micro_bins": course.micro_bins,
        "steps": course.steps,
        "lr": job.options.lr if job.options.lr is not None else LEARNING_RATES[job.options.method],
        "dtype": str(trainee.dtype).removeprefix("torch."),
        "device": trainee.device,
        "trainable_parameters": trainee.trainable,
        "parameters": trainee.parameters,
        "attention_dropout": 0.0,
    }


def _base(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model
