"""From a pack to batches: bins laid end to end in one line of tokens, with what attention and the loss need to keep them apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ArtefactError

if TYPE_CHECKING:
    import torch

    from tunesmith.packing.reader import PackedData

MASKED = -100


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One forward pass: n segments with T tokens in all.

    Attributes:
        input_ids: ``int64[1, T]``.
        position_ids: ``int64[1, T]``, from 0 in every segment.
        labels: ``int64[1, T]``, shifted: the token that should come next; -100 where it is not supervised, and at the
            end of every segment.
        cu_seqlens: ``int32[n + 1]``, where segments begin, and T.
        lengths: Tokens of each segment.
        segments: Row of each segment in the pack's table.
        weights: ``float32[n]``, each row's weight.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    labels: torch.Tensor
    cu_seqlens: torch.Tensor
    lengths: tuple[int, ...]
    segments: tuple[int, ...]
    weights: torch.Tensor

    @property
    def max_len(self) -> int:
        """Tokens of the longest segment."""
        return max(self.lengths)

    def to(self, device: torch.device) -> Batch:
        """Move the tensors; those that are there already are shared."""
        moved = {name: getattr(self, name).to(device) for name in ("input_ids", "position_ids", "labels", "cu_seqlens", "weights")}
        return replace(self, **moved)

    def owner(self) -> torch.Tensor:
        """Tell for every token which segment of the batch it is in: ``int64[T]``."""
        import torch

        lengths = torch.tensor(self.lengths, device=self.input_ids.device)
        return torch.repeat_interleave(torch.arange(len(self.lengths), device=lengths.device), lengths)

    def model_inputs(self) -> dict[str, Any]:
        """Name what a model's forward takes; the last three reach the attention function."""
        return {
            "input_ids": self.input_ids,
            "position_ids": self.position_ids,
            "use_cache": False,
            "cu_seqlens": self.cu_seqlens,
            "segment_lengths": self.lengths,
            "max_segment": self.max_len,
        }

    def weighted_tokens(self) -> torch.Tensor:
        """Sum the supervised tokens, each times its row's weight: ``float64[]``, the denominator of the loss."""
        supervised = self.labels[0] != MASKED
        return self.weights[self.owner()[supervised]].double().sum()


class Segments:
    """The pack's segments as Python lists on demand, read from the memory map."""

    def __init__(self, pack: PackedData) -> None:
        table = pack.segments
        self._ids, self._labels = table["input_ids"].combine_chunks(), table["labels"].combine_chunks()
        self.positions: list[int] = table["position"].to_pylist()
        self.row_ids: list[str] = table["row_id"].to_pylist()
        self.weights: list[float] = table["weight"].to_pylist()
        self.lengths: list[int] = table["input_ids"].combine_chunks().value_lengths().to_pylist()
        self.bins = [one for one in pack.bins() if one]
        if not self.bins:
            raise ArtefactError(f"{pack.folder}: expected a pack with rows, found none; were all of them dropped? see its tokens.parquet")

    def tokens(self, segments: Sequence[int]) -> int:
        """Count the tokens of some segments."""
        return sum(self.lengths[k] for k in segments)

    def collate(self, bins: Sequence[Sequence[int]]) -> Batch:
        """Lay bins end to end.

        >>> # ids [5, 6, 7] with labels [-100, 6, 7], then [8, 9] with [-100, 9]:
        >>> # labels become [6, 7, -100, 9, -100], position_ids [0, 1, 2, 0, 1], cu_seqlens [0, 3, 5]
        """
        import torch

        chosen = [segment for one in bins for segment in one]
        lengths = [self.lengths[k] for k in chosen]
        ids = torch.cat([torch.from_numpy(self._ids[k].values.to_numpy().astype("int64")) for k in chosen])
        labels = torch.cat([torch.from_numpy(self._labels[k].values.to_numpy().astype("int64")) for k in chosen])
        starts = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
        shifted = torch.full_like(labels, MASKED)
        shifted[:-1] = labels[1:]
        shifted[starts[1:].long() - 1] = MASKED
        return Batch(
            input_ids=ids[None],
            position_ids=torch.cat([torch.arange(n) for n in lengths])[None],
            labels=shifted[None],
            cu_seqlens=starts,
            lengths=tuple(lengths),
            segments=tuple(chosen),
            weights=torch.tensor([self.weights[k] for k in chosen], dtype=torch.float32),
        )


@dataclass(frozen=True, kw_only=True)
class Course:
    """Which bins each step trains on: epochs follow one another without a gap, each in its own order by (seed, epoch).

    Every step takes the same number of bins; only the last may take fewer. So a step may reach from one epoch into the
    next, and runs of the same steps and bins a step see equally many bins.

    Attributes:
        bins: The pack's bins, each a list of segments.
        total: Bins to train on in all, repeats counted.
        step_bins: Bins a step.
        micro_bins: Bins a forward pass.
        seed: Of the orders.

    >>> course = Course(bins=[[0], [1], [2]], total=7, step_bins=2, micro_bins=1, seed=0)
    >>> course.steps, course.epoch_of(step=2)  # step 2 ends with the first bin of epoch 2
    (4, 2)
    >>> sorted(course.bins_at(range(3))) == sorted(course.bins_at(range(3, 6))) == [[0], [1], [2]]
    True
    """

    bins: Sequence[Sequence[int]]
    total: int
    step_bins: int
    micro_bins: int
    seed: int

    @property
    def steps(self) -> int:
        """Optimizer steps in all."""
        return -(-self.total // self.step_bins)

    @property
    def accumulation(self) -> int:
        """Forward passes a step."""
        return -(-self.step_bins // self.micro_bins)

    def bins_at(self, places: range) -> list[Sequence[int]]:
        """Return the bins at some places of the course."""
        return [self.bins[order(self.seed, place // len(self.bins), len(self.bins))[place % len(self.bins)]] for place in places]

    def epochs_at(self, places: range) -> list[int]:
        """Return the epoch, from 1, of each of some places."""
        return [place // len(self.bins) + 1 for place in places]

    def epoch_of(self, *, step: int) -> int:
        """Return the epoch, from 1, in which a step (from 1) ends."""
        return (min(step * self.step_bins, self.total) - 1) // len(self.bins) + 1

    def epoch_ends(self, *, step: int) -> bool:
        """Tell whether an epoch is complete after this step (from 1) that was not before it."""
        after, before = min(step * self.step_bins, self.total), (step - 1) * self.step_bins
        return after // len(self.bins) > before // len(self.bins)

    def passes(self) -> list[range]:
        """List the places of every forward pass of the course, in order."""
        made = []
        for start in range(0, self.total, self.step_bins):
            stop = min(start + self.step_bins, self.total)
            made += [range(k, min(k + self.micro_bins, stop)) for k in range(start, stop, self.micro_bins)]
        return made


@lru_cache(maxsize=4)
def order(seed: int, epoch: int, n: int) -> tuple[int, ...]:
    """Permute n bins by (seed, epoch)."""
    permuted = list(range(n))
    random.Random(f"{seed} {epoch}").shuffle(permuted)
    return tuple(permuted)


class CourseDataset:
    """The course as a map-style dataset of forward passes, so that skipping to a place is exact."""

    def __init__(self, segments: Segments, course: Course) -> None:
        self.segments, self.course, self._passes = segments, course, course.passes()

    def __len__(self) -> int:
        return len(self._passes)

    def __getitem__(self, k: int) -> tuple[Batch, tuple[int, ...]]:
        """Return a batch, and the epoch of each of its segments."""
        places = self._passes[k]
        bins = self.course.bins_at(places)
        epochs = [epoch for one, epoch in zip(bins, self.course.epochs_at(places), strict=True) for _ in one]
        return self.segments.collate(bins), tuple(epochs)
