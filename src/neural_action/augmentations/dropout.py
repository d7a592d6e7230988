"""Dropout of units with a random probability."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows, chance
from neural_action.augmentations.noise_pool import NoisePool


class Dropout(Augmentation):
    """Set values to 0, with a probability drawn for each window from U(0, ``most``).

    Each window is changed with probability ``apply``. As in the authors' code (MYOW release), on single bins. In longer
    windows, values are dropped independently, or with ``units`` in all frames of a window at once (our choice).
    """

    name = "dropout"

    def __init__(
        self, context: AugmentationContext, *, most: float = 0.2, apply: float = 1.0, units: bool = False
    ):
        super().__init__(context)
        self.pool, self.most, self.apply, self.units = NoisePool.uniform(context, 1), most, apply, units

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``."""
        count, size = len(values), values.shape[2] if self.units else values[0].numel()
        probability = self.most * torch.rand(count, generator=generator, device=values.device)
        if self.apply < 1:
            probability *= chance(count, self.apply, generator)
        kept = self.pool.draw(count, size, generator) >= probability[:, None]
        return values.mul_(kept.view(count, -1, values.shape[2]))
