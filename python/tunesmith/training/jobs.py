"""A finetune before it starts: the pack and the model opened and checked against each other, and the course laid out."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ArtefactError, MissingExtraError, ModelError, OptionError
from tunesmith.models.loading import find_model
from tunesmith.models.weights import model_hash
from tunesmith.training.collate import MASKED, Course, Segments
from tunesmith.training.options import TrainOptions

if TYPE_CHECKING:
    from tunesmith.packing.reader import PackedData

_STEPS_AN_EPOCH, _MOST_BINS = 100, 16
_PASS_TOKENS = {"cpu": 4_096, "cuda": 16_384}


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is trained on, opened.

    Attributes:
        pack: The pack.
        segments: Its sequences.
        supervised: Tokens of each segment that the loss is measured on.
        validation: The pack to validate on.
        validation_segments: Its sequences.
        model: The folder of the base model.
        inputs: Content hashes, for the manifest.
        options: As given.
    """

    pack: PackedData
    segments: Segments
    supervised: list[int]
    validation: PackedData | None
    validation_segments: Segments | None
    model: Path
    inputs: Mapping[str, str]
    options: TrainOptions

    def course(self, device: str) -> Course:
        """Lay out the steps; what was left open is chosen from the pack and the device."""
        bins = self.segments.bins
        step_bins = self.options.bins or min(max(len(bins) // _STEPS_AN_EPOCH, 1), _MOST_BINS)
        widest = max(self.segments.tokens(one) for one in bins)
        micro = self.options.micro_bins or max(1, _PASS_TOKENS[device] // widest)
        steps = self.options.steps
        total = steps * step_bins if steps is not None else max(1, math.ceil(self.options.epochs * len(bins)))
        return Course(bins=bins, total=total, step_bins=step_bins, micro_bins=min(micro, step_bins), seed=self.options.seed)


def open_job(pack: str | Path, *, model: str | Path, validation: str | Path | None, options: TrainOptions) -> Job:
    """Open and check what a finetune needs, without loading the model.

    Raises:
        ArtefactError: If a pack cannot be read or holds nothing to learn.
        ModelError: If the model cannot be found, or does not fit the pack.
        OptionError: If more than one process was launched.
        MissingExtraError: If torch, transformers or pyarrow is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise OptionError("training runs in one process on one device; start it without torchrun or accelerate")
    for name in ("torch", "transformers", "accelerate", "pyarrow"):
        _need(name)
    from tunesmith.packing.reader import read_pack

    folder = find_model(model)
    opened = [read_pack(one) for one in ([pack] if validation is None else [pack, validation])]
    segments = [Segments(one) for one in opened]
    for data, part in zip(opened, segments, strict=True):
        _check_fit(data, part, folder)
    supervised = count_supervised(opened[0])
    if not any(supervised):
        raise ArtefactError(
            f"{pack}: expected supervised tokens, found none; see its tokens.parquet, and `tunesmith preview` for the masks"
        )
    inputs = {"pack": opened[0].manifest.hash, "model": model_hash(folder)}
    if validation is not None:
        inputs["validation"] = opened[1].manifest.hash
    return Job(
        pack=opened[0],
        segments=segments[0],
        supervised=supervised,
        validation=opened[1] if validation is not None else None,
        validation_segments=segments[1] if validation is not None else None,
        model=folder,
        inputs=inputs,
        options=options,
    )


def _need(package: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise MissingExtraError(package, "train", "Training")


def count_supervised(pack: PackedData) -> list[int]:
    """Count each segment's tokens that the loss is measured on: supervised ones but the first, which nothing predicts."""
    import numpy as np

    column: Any = pack.segments["labels"].combine_chunks()
    offsets, flags = column.offsets.to_numpy(), np.asarray(column.values.to_numpy() != MASKED)
    before = np.concatenate([[0], np.cumsum(flags)])
    first = np.array([stop > start and flags[start] for start, stop in itertools.pairwise(offsets)], dtype=int)
    return [int(n) for n in before[offsets[1:]] - before[offsets[:-1]] - first]


def _check_fit(pack: PackedData, segments: Segments, model: Path) -> None:
    """Refuse a pack made with another tokenizer, or for a longer context, than the model has."""
    import pyarrow.compute as pc
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False).get_text_config()
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"{model}: expected a model that transformers knows, found: {reason}") from error
    largest = pc.max(pc.list_flatten(pack.segments["input_ids"])).as_py()
    if largest is not None and largest >= config.vocab_size:
        raise ModelError(
            f"{pack.folder}: holds token id {largest}, the model {model} knows ids below {config.vocab_size}; "
            f"pack with that model's tokenizer"
        )
    limit, longest = getattr(config, "max_position_embeddings", None), max(segments.lengths)
    if limit is not None and longest > limit:
        raise ModelError(f"{pack.folder}: its longest sequence has {longest} tokens, the model reads {limit}; pack with --context {limit}")
