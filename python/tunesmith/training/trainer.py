"""The transformers Trainer with our batches, our loss and our ledger; its optimizer, schedule and checkpoints."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from tunesmith.models.loading import quiet
from tunesmith.progress import Progress
from tunesmith.training.checkpoints import History, mark_whole
from tunesmith.training.collate import Course, CourseDataset, Segments
from tunesmith.training.loss import RowLoss, objective
from tunesmith.training.losses import LossTable
from tunesmith.training.methods import LEARNING_RATES, Trainee, save_weights
from tunesmith.training.options import TrainOptions

_CHECKPOINT_SECONDS = 300.0
_TELL_SECONDS = 15.0
_SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}


def arguments(folder: Path, course: Course, trainee: Trainee, options: TrainOptions) -> TrainingArguments:
    """Say to the Trainer what we leave to it. It sees one epoch: the whole course, in order."""
    made = TrainingArguments(
        output_dir=str(folder),
        max_steps=course.steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=course.accumulation,
        learning_rate=options.lr if options.lr is not None else LEARNING_RATES[options.method],
        lr_scheduler_type=_SCHEDULES[options.schedule],
        warmup_steps=math.ceil(options.warmup * course.steps),
        weight_decay=options.weight_decay,
        max_grad_norm=options.max_grad_norm,
        seed=options.seed,
        optim="adamw_torch_fused",
        logging_strategy="no",
        save_strategy="no",  # `Watch` says when
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        use_cpu=trainee.device == "cpu",
    )
    if made.n_gpu > 1:
        made._n_gpu = 1  # one process, one device: DataParallel would cut the line of tokens
    return made


class RowTrainer(Trainer):  # type: ignore[misc]  # transformers is not typed
    """Trains on a course of packed bins and keeps every row's loss."""

    def __init__(
        self, *, trainee: Trainee, segments: Segments, course: Course, table: LossTable, options: TrainOptions, folder: Path
    ) -> None:
        self._dataset = CourseDataset(segments, course)
        self._table, self._trainee = table, trainee
        super().__init__(model=trainee.model, args=arguments(folder, course, trainee, options), train_dataset=self._dataset)
        self.remove_callback(PrinterCallback)
        # Our loss is already divided by the whole step's tokens; the Trainer must not divide it again.
        self.model_accepts_loss_kwargs = True
        self.row_loss = RowLoss(trainee.model)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Serve the course in order; a generator of its own, so that the model's random numbers are not touched."""
        return DataLoader(
            self._dataset, batch_size=1, sampler=SequentialSampler(self._dataset), collate_fn=_only, generator=torch.Generator()
        )

    def get_batch_samples(self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device) -> tuple[list[Any], torch.Tensor]:
        """Fetch a step's passes, with the sum of their weighted supervised tokens."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        tokens = sum((one["batch"].weighted_tokens() for one in batches), torch.zeros((), dtype=torch.float64))
        return batches, tokens.to(device)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Compute a pass's share of the step's loss, and note each row's."""
        if return_outputs or num_items_in_batch is None:
            raise RuntimeError("only training steps come here; validation has its own way")
        batch = inputs["batch"].to(model.device)
        with self.autocast():
            sums = self.row_loss(batch)
        self._table.add(sums, segments=batch.segments, epochs=inputs["epochs"], step=self.state.global_step + 1)
        return objective(sums, batch.weights, num_items_in_batch)

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:  # noqa: ARG002
        """Count none: throughput is measured in tokens."""
        return 0

    def autocast(self) -> Any:
        """Compute in the chosen type where the weights are float32."""
        return torch.autocast(self._trainee.device, dtype=self._trainee.dtype, enabled=self._trainee.autocast)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save the weights of a checkpoint."""
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(self.model, folder)

    def measure(self, segments: Segments, bins: list[list[int]], *, micro_bins: int, each: Callable[[torch.Tensor, Any], None]) -> None:
        """Run bins through the model as it is, without dropout or gradient, and hand on each batch's row losses."""
        training = self.model.training
        self.model.eval()
        with torch.no_grad(), self.autocast():
            for k in range(0, len(bins), micro_bins):
                batch = segments.collate(bins[k : k + micro_bins]).to(self.model.device)
                each(self.row_loss(batch), batch)
        self.model.train(training)


def _only(items: list[tuple[Any, tuple[int, ...]]]) -> dict[str, Any]:
    ((batch, epochs),) = items
    return {"batch": batch, "epochs": epochs}


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Looks after a run between steps: progress, validation, checkpoints, and an orderly end on Ctrl-C."""

    def __init__(
        self, *, course: Course, table: LossTable, history: History, options: TrainOptions, progress: Progress,
        done: Callable[[int], None], validate: Callable[[], dict[str, Any]] | None, keep_best: Callable[[], None],
    ) -> None:  # fmt: skip
        self.history, self.interrupted = history, False
        self._course, self._table, self._options, self._progress = course, table, options, progress
        self._done, self._validate, self._keep_best = done, validate, keep_best
        self._clock = self._saved = self._told = time.monotonic()
        self._before = history.seconds

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Start the clock, when loading is over."""
        self._clock = self._saved = self._told = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Look after what a step may call for."""
        now, step = time.monotonic(), state.global_step
        self.history.step, self.history.seconds = step, self._before + now - self._clock
        last = step >= self._course.steps
        self._done(step)
        if now - self._told >= _TELL_SECONDS or self._course.epoch_ends(step=step):
            self._tell(step)
        if self._validate is not None and (self._course.epoch_ends(step=step) or last):
            self._note_validation(step, control)
        due = self._options.checkpoint_steps
        if self.interrupted or (due is not None and step % due == 0) or (due is None and now - self._saved >= _CHECKPOINT_SECONDS):
            control.should_save = True
        if last and self._options.score_rows:
            control.should_save = True  # scoring takes a while, too
        if self.interrupted:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Complete a checkpoint."""
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._table.keep(checkpoint / "records.parquet")
        mark_whole(checkpoint, self.history)
        self._saved = time.monotonic()

    def given_up(self) -> bool:
        """Tell whether the validation loss has not fallen for `patience` epochs."""
        best, patience = self.history.best(), self._options.patience
        if best is None or patience is None or self._options.steps is not None:
            return False
        return len(self.history.validation) - 1 - self.history.validation.index(best) >= patience

    def _note_validation(self, step: int, control: Any) -> None:
        if self._validate is None:
            return
        pause = time.monotonic()
        found = {"step": step, "epoch": self._course.epoch_of(step=step), **self._validate()}
        self.history.validation.append(found)
        self._progress.say(f"epoch {found['epoch']}: validation loss {found['loss']:.4f} over {found['tokens']:,} tokens")
        if self.history.best() == found:
            self._keep_best()
        if self.given_up():
            control.should_training_stop = True
        self._clock += time.monotonic() - pause  # measuring is not training

    def _tell(self, step: int) -> None:
        since = max(0, step - max(1, self._course.steps // 20))
        loss = self._table.mean(after_step=since)
        tokens, _ = self._table.tokens()
        rate = tokens / self.history.seconds if self.history.seconds else 0.0
        left = self.history.seconds / step * (self._course.steps - step)
        shown = "-" if loss is None else f"{loss:.4f}"
        self._progress.say(f"step {step} of {self._course.steps}: loss {shown}, {rate:,.0f} tokens/s, about {left:,.0f} s left")
        self._told = time.monotonic()

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Turn the first Ctrl-C (or SIGTERM) into a checkpoint after the current step; the second ends at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, _frame: Any) -> None:
            self.interrupted = True
            self._progress.say("stopping after this step, with a checkpoint; once more to stop at once")
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def go(trainer: RowTrainer, *, checkpoint: Path | None) -> None:
    """Train, from a checkpoint where there is one."""
    with quiet():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
