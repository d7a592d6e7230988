"""Runs of frames or bins of one trial."""

from __future__ import annotations

import numpy as np


def run_ends(trial: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) int64 each: first and last place of the run of equal trial numbers (n,) that each place is in."""
    starts = np.flatnonzero(np.diff(trial, prepend=trial[:1] - 1))
    lengths = np.diff(starts, append=len(trial))
    return np.repeat(starts, lengths), np.repeat(starts + lengths - 1, lengths)


def blocks(trial: np.ndarray, bins: int | None) -> np.ndarray:
    """(bin,) int64: first bin of the block of each bin: at most ``bins`` bins of one trial, or the whole trial."""
    first, _ = run_ends(trial)
    return first + (0 if bins is None else (np.arange(len(trial)) - first) // bins * bins)
