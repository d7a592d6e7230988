"""Pepper: a constant is added to random values."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows, chance
from neural_action.augmentations.noise_pool import NoisePool


class Pepper(Augmentation):
    """Add ``size`` (in the unit of the data) to each value with ``probability``.

    Each window is changed with probability ``apply``. As in the authors' code (MYOW release), there on single bins.
    """

    name = "pepper"

    def __init__(
        self, context: AugmentationContext, *, probability: float = 0.3, size: float = 1.5, apply: float = 0.5
    ):
        super().__init__(context)
        self.pool, self.probability = NoisePool.uniform(context, 2), probability
        self.size, self.apply = size, apply

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``."""
        count, size = len(values), values[0].numel()
        probability = self.probability * chance(count, self.apply, generator)
        peppered = self.pool.draw(count, size, generator) < probability[:, None]
        values.view(count, size).add_(peppered, alpha=self.size)
        return values
