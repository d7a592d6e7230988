"""Brightness and contrast of a neural window, the same for all its frames."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows


class Intensity(Augmentation):
    """a n + b with log a ~ U(-contrast, contrast) and b ~ U(-brightness, brightness), one draw a window.

    Same for all frames of a window, as in the authors' code; the ranges are our choice.
    """

    name = "intensity"

    def __init__(self, context: AugmentationContext, *, contrast: float = 0.2, brightness: float = 0.1):
        super().__init__(context)
        self.contrast = contrast
        self.brightness = brightness

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``."""
        a, b = 2 * torch.rand((2, len(values), 1, 1), generator=generator, device=values.device) - 1
        # Two passes over values in cache; one addcmul that broadcasts is four times as slow on a CPU.
        return values.mul_(torch.exp(self.contrast * a)).add_(self.brightness * b)
