"""Order of windows in their trials: near, far, and between windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neural_action.datasets.runs import run_ends
from neural_action.errors import InputError


@dataclass(frozen=True)
class TrialOrder:
    """Windows numbered trial after trial, in the order of time.

    Near is measured in windows of the same trial. Far is measured in frames of the dataset, across trials, because a
    continuous recording is cut into blocks that count as trials, and the first window of the next block is not far.
    Draws use uniform numbers ``chance`` in [0, 1) and are uniform over the allowed windows, without rejection, because
    windows that are near (or not far) have consecutive numbers.

    Attributes:
        start: (window,) int64, first frame of each window, ascending.
        trial: (window,) int64.
        first, last: (window,) int64, first and last window of each window's trial.
        longest: number of windows of the longest trial.
    """

    start: Tensor
    trial: Tensor
    first: Tensor
    last: Tensor
    longest: int

    @classmethod
    def of(cls, start: np.ndarray, trial: np.ndarray, device: torch.device) -> TrialOrder:
        """From the (window,) start and trial of each window, in order. InputError without a window."""
        if len(trial) == 0:
            raise InputError("windows: none is visible to pretraining, expected at least one")
        first, last = run_ends(trial)
        a, b, c, d = (torch.as_tensor(array, device=device) for array in (start, trial, first, last))
        return cls(a, b, c, d, int((last - first).max()) + 1)

    def later(self, windows: Tensor, most: int | None, chance: Tensor) -> Tensor:
        """A window 0 to ``most`` later in the same trial, at most the last; any window of the trial for None."""
        first, last = self.first[windows], self.last[windows]
        if most is None:
            return first + below(last - first + 1, chance)
        return windows + below(torch.clamp(last - windows, max=most) + 1, chance)

    def near(self, windows: Tensor, least: int, most: int, chance: Tensor) -> tuple[Tensor, Tensor]:
        """A window ``least`` to ``most`` before or after in the same trial, and whether it exists.

        The window itself if there is none.
        """
        ahead = (torch.clamp(self.last[windows] - windows, max=most) - least + 1).clamp(min=0)
        behind = (torch.clamp(windows - self.first[windows], max=most) - least + 1).clamp(min=0)
        draw = below(ahead + behind, chance)
        step = torch.where(draw < ahead, least + draw, ahead - draw - least)
        exists = ahead + behind > 0
        return torch.where(exists, windows + step, windows), exists

    def far(self, windows: Tensor, beyond: int | None, chance: Tensor) -> Tensor:
        """A window that starts more than ``beyond`` frames away; in another trial for None.

        Raises InputError if some window may have no such window.
        """
        count = len(self.start)
        near = self.longest if beyond is None else 2 * beyond + 1
        if near >= count:
            raise InputError(
                f"objective: compares windows far apart, {count} windows are visible, expected more than {near}"
            )
        if beyond is None:
            first, end = self.first[windows], self.last[windows] + 1
        else:
            start = self.start[windows]
            first = torch.searchsorted(self.start, start - beyond)
            end = torch.searchsorted(self.start, start + beyond, right=True)
        draw = below(count - (end - first), chance)
        return torch.where(draw >= first, draw + (end - first), draw)

    @staticmethod
    def between(one: Tensor, other: Tensor, chance: Tensor) -> Tensor:
        """A window strictly between two windows of the same trial; the first of the two if there is none."""
        low, high = torch.minimum(one, other), torch.maximum(one, other)
        return torch.where(high - low > 1, low + 1 + below(high - low - 1, chance), one)

    def excluded(self, windows: Tensor, window: int | None, others: Tensor | None = None) -> Tensor:
        """(B, M) bool: windows and ``others`` that start at most ``window`` frames apart; in the same trial for None.

        Without ``others`` the windows are compared with each other.
        """
        others = windows if others is None else others
        if window is None:
            return self.trial[windows][:, None] == self.trial[others][None]
        return (self.start[windows][:, None] - self.start[others][None]).abs() <= window


def below(count: Tensor, chance: Tensor) -> Tensor:
    """int64 numbers in [0, count), from uniform float32 ``chance``. With float64, rounding never gives ``count``."""
    return (chance.double() * count).long()
