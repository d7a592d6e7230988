"""Gaussian noise from a pool that is drawn once for each run."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows, chance
from neural_action.augmentations.noise_pool import NoisePool


class Noise(Augmentation):
    """Add independent Gaussian noise of standard deviation ``sd`` (in units of the data) to every value.

    Each window is changed with probability ``apply``. The noise of a window is a slice of a pool of 2^20 numbers. Size
    and pool are our choice: the authors add noise to images too, but its size could not be read.
    """

    name = "noise"

    def __init__(self, context: AugmentationContext, *, sd: float = 0.1, apply: float = 1.0):
        super().__init__(context)
        self.pool, self.apply = NoisePool.normal(sd, context), apply

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``."""
        count, size = len(values), values[0].numel()
        noise = self.pool.draw(count, size, generator)
        if self.apply < 1:
            noise *= chance(count, self.apply, generator)[:, None]
        values.view(count, size).add_(noise)
        return values
