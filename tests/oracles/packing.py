"""Slow twin of the packing kernel: looks at every open bin."""

from __future__ import annotations

from collections.abc import Sequence


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[int]:
    """Bin per row: longest first, into the fullest bin that still holds it, the one filled last among equals."""
    bins = [0] * len(lengths)
    free: list[int] = []
    filled: list[int] = []
    for clock, row in enumerate(sorted(range(len(lengths)), key=lambda row: -lengths[row])):
        fitting = [bin_ for bin_, room in enumerate(free) if room >= lengths[row]]
        if fitting:
            chosen = min(fitting, key=lambda bin_: (free[bin_], -filled[bin_]))
        else:
            chosen = len(free)
            free.append(capacity)
            filled.append(clock)
        free[chosen] -= lengths[row]
        filled[chosen] = clock
        bins[row] = chosen
    return bins
