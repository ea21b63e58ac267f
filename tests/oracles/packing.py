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


def first_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[int]:
    """Bin per row: longest first, into the first bin that still holds it."""
    bins = [0] * len(lengths)
    free: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        chosen = next((bin_ for bin_, room in enumerate(free) if room >= lengths[row]), len(free))
        if chosen == len(free):
            free.append(capacity)
        free[chosen] -= lengths[row]
        bins[row] = chosen
    return bins


def wrapped(lengths: Sequence[int], capacity: int) -> list[tuple[int, int, int, int]]:
    """(row, bin, start, length) of every piece, token by token."""
    pieces: list[tuple[int, int, int, int]] = []
    bin_, filled = 0, 0
    for row, length in enumerate(lengths):
        if length == 0:
            pieces.append((row, bin_, filled, 0))
        for token in range(length):
            if filled == capacity:
                bin_, filled = bin_ + 1, 0
            if token == 0 or filled == 0:
                pieces.append((row, bin_, filled, 0))
            pieces[-1] = (*pieces[-1][:3], pieces[-1][3] + 1)
            filled += 1
    return pieces
