"""`losses.parquet`: what every row cost each time it was trained on, and at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ModelError
from tunesmith.training.collate import Segments

if TYPE_CHECKING:
    import torch


class LossTable:
    """Collects row losses; on a GPU they stay there until `drain`, so that a step need not wait for them.

    A record is one segment in one forward pass: `position, row_id`; `epoch` and `step`, both from 1, the loss being
    measured **before** that step's update (`scored`: after the last step); `phase`, train or scored; `loss`, the mean
    over its supervised tokens in nats (null without any); `tokens`, how many those are. A row that was unrolled into
    several sequences has a record for each.
    """

    def __init__(self, segments: Segments, supervised: Sequence[int]) -> None:
        self._segments, self._supervised = segments, supervised
        self._pending: list[tuple[torch.Tensor, tuple[int, ...], tuple[int, ...], int, str]] = []
        self._records: list[tuple[int, int, int, str, float]] = []  # segment, epoch, step, phase, sum

    def add(self, sums: torch.Tensor, *, segments: tuple[int, ...], epochs: tuple[int, ...], step: int, phase: str = "train") -> None:
        """Take the summed losses of a forward pass, ``float32[n]``."""
        self._pending.append((sums.detach(), segments, epochs, step, phase))

    def drain(self) -> None:
        """Fetch what was added.

        Raises:
            ModelError: If a loss is not finite; names the row.
        """
        for sums, segments, epochs, step, phase in self._pending:
            for value, segment, epoch in zip(sums.float().tolist(), segments, epochs, strict=True):
                if not math.isfinite(value):
                    raise ModelError(
                        f"step {step}: the loss of the row at position {self._segments.positions[segment]} is {value}; training has "
                        f"diverged: use a lower learning rate, or --dtype float32"
                    )
                self._records.append((segment, epoch, step, phase, value))
        self._pending.clear()

    def mean(self, *, after_step: int = 0, upto: int | None = None, phase: str = "train") -> float | None:
        """Average the loss over supervised tokens of the steps after `after_step` up to `upto`, in nats; None without any."""
        self.drain()
        last = math.inf if upto is None else upto
        chosen = [(one[4], self._supervised[one[0]]) for one in self._records if one[3] == phase and after_step < one[2] <= last]
        tokens = sum(count for _, count in chosen)
        return sum(value for value, _ in chosen) / tokens if tokens else None

    def tokens(self, *, phase: str = "train") -> tuple[int, int]:
        """Count the tokens, and the supervised ones among them, that went through the model in a phase."""
        self.drain()
        chosen = [one[0] for one in self._records if one[3] == phase]
        return self._segments.tokens(chosen), sum(self._supervised[k] for k in chosen)

    def save(self, path: Path) -> None:
        """Write the table."""
        import pyarrow as pa
        from pyarrow import parquet

        self.drain()
        chosen = [one[0] for one in self._records]
        counts = [self._supervised[k] for k in chosen]
        means = [one[4] / count if count else None for one, count in zip(self._records, counts, strict=True)]
        columns: dict[str, Any] = {
            "position": pa.array([self._segments.positions[k] for k in chosen], pa.uint64()),
            "row_id": pa.array([self._segments.row_ids[k] for k in chosen], pa.string()),
            "epoch": pa.array([one[1] for one in self._records], pa.uint32()),
            "step": pa.array([one[2] for one in self._records], pa.uint32()),
            "phase": pa.array([one[3] for one in self._records], pa.string()),
            "loss": pa.array(means, pa.float64()),
            "tokens": pa.array(counts, pa.uint32()),
        }
        parquet.write_table(pa.table(columns), path)

    def keep(self, path: Path) -> None:
        """Write the records as they are, for a checkpoint."""
        import pyarrow as pa
        from pyarrow import parquet

        self.drain()
        names = ("segment", "epoch", "step", "phase", "sum")
        parquet.write_table(pa.table({name: [one[k] for one in self._records] for k, name in enumerate(names)}), path)

    def restore(self, path: Path) -> None:
        """Take the records of a checkpoint."""
        from pyarrow import parquet

        columns = parquet.read_table(path).to_pydict()
        self._pending.clear()
        self._records = list(zip(*(columns[name] for name in ("segment", "epoch", "step", "phase", "sum")), strict=True))
