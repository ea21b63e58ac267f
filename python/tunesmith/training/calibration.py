"""What a finetune will take, before it is begun: steps, tokens, memory and time, from measured calibration passes."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunesmith.models.loading import fitting_threads
from tunesmith.progress import SILENT, Progress
from tunesmith.training.jobs import open_job
from tunesmith.training.options import TrainOptions

_PASSES, _SECONDS = 8, 20.0


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What to expect.

    Attributes:
        steps: Optimizer steps.
        tokens: Tokens that will go through the model, repeats counted.
        supervised_tokens: Those of them with a loss.
        trainable_parameters: Parameters that will be trained.
        parameters: Parameters in all.
        tokens_per_second: Forward, backward and update, measured on the first passes of the course after one to warm up.
        seconds: `tokens` at that speed, without loading, validation and saving.
        peak_bytes: Memory: on a GPU the most that was allocated, on a CPU the most that this process has held; measured
            with the optimizer's state in place, on a pass with the longest bins.
        calibration_passes: Passes that were measured.
    """

    steps: int
    tokens: int
    supervised_tokens: int
    trainable_parameters: int
    parameters: int
    tokens_per_second: float
    seconds: float
    peak_bytes: int
    calibration_passes: int

    @property
    def result(self) -> dict[str, Any]:
        """The `--json` fields."""
        return asdict(self)


def preflight(
    pack: str | Path, *, model: str | Path, options: TrainOptions | None = None, progress: Progress = SILENT, **changes: Any
) -> Preflight:
    """Measure a few passes of a finetune and say what the whole will take. Writes nothing.

    Args:
        pack: A pack.
        model: The base: a folder, or a hub name in the local hub cache.
        options: How it would be trained.
        progress: Where to report.
        **changes: Single fields of `TrainOptions`.
    Raises:
        ArtefactError: If the pack cannot be read.
        ModelError: If the model cannot be loaded, does not fit the pack, or cannot be trained packed.
    """
    options = (options or TrainOptions()).changed(**changes)
    job = open_job(pack, model=model, validation=None, options=options)

    import torch

    from tunesmith.training.attention import assert_isolated, packed_attention
    from tunesmith.training.loss import RowLoss, objective
    from tunesmith.training.methods import prepare

    trainee = prepare(job.model, options)
    course = job.course(trainee.device)
    network = trainee.model
    base = network.get_base_model() if hasattr(network, "get_base_model") else network
    with packed_attention(base), fitting_threads(trainee.parameters, trainee.device):
        network.to(trainee.device).train()
        assert_isolated(network)
        measure = RowLoss(network)
        optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=0.0)

        def one(places: range) -> tuple[int, float]:
            begin = time.perf_counter()
            batch = job.segments.collate(course.bins_at(places)).to(trainee.device)
            with torch.autocast(trainee.device, dtype=trainee.dtype, enabled=trainee.autocast):
                loss = objective(measure(batch), batch.weights, batch.weighted_tokens())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if trainee.device == "cuda":
                torch.cuda.synchronize()
            return batch.input_ids.numel(), time.perf_counter() - begin

        passes = course.passes()
        # The longest pass warms up, and sets the peak of memory.
        one(max(passes, key=lambda places: sum(job.segments.tokens(each) for each in course.bins_at(places))))
        measured: list[tuple[int, float]] = []
        with progress.task("Calibrating", _PASSES) as done:
            while len(measured) < _PASSES and sum(seconds for _, seconds in measured) < _SECONDS:
                measured.append(one(passes[len(measured) % len(passes)]))
                done(len(measured))
    speed = sum(tokens for tokens, _ in measured) / sum(seconds for _, seconds in measured)
    chosen = [segment for each in course.bins_at(range(course.total)) for segment in each]
    tokens = job.segments.tokens(chosen)
    return Preflight(
        steps=course.steps,
        tokens=tokens,
        supervised_tokens=sum(job.supervised[k] for k in chosen),
        trainable_parameters=trainee.trainable,
        parameters=trainee.parameters,
        tokens_per_second=round(speed, 1),
        seconds=round(tokens / speed, 1),
        peak_bytes=_peak(trainee.device),
        calibration_passes=len(measured),
    )


def _peak(device: str) -> int:
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
