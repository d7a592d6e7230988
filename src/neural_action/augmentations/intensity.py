"""Random brightness and contrast of a neural window."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows


class Intensity(Augmentation):
    """a n + b with log a ~ U(-contrast, contrast) and b ~ U(-brightness, brightness), drawn for each window.

    All frames of a window are changed equally, as in the authors' code; the ranges are our choice.
    """

    name = "intensity"

    def __init__(self, context: AugmentationContext, *, contrast: float = 0.2, brightness: float = 0.1):
        super().__init__(context)
        self.contrast = contrast
        self.brightness = brightness

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``."""
        a, b = 2 * torch.rand((2, len(values), 1, 1), generator=generator, device=values.device) - 1
        # Two in-place operations; one broadcasting addcmul is four times slower on a CPU.
        return values.mul_(torch.exp(self.contrast * a)).add_(self.brightness * b)
