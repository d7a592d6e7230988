"""Conversion of colour images to grey."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import AugmentationContext, DrawnAugmentation, chance, image_of

#: Weights of red, green and blue in a grey value (ITU-R BT.601, as in torchvision).
LUMA = (0.2989, 0.587, 0.114)


def luma(planes: Tensor) -> Tensor:
    """(B, frames, 1, pixel) grey values of (B, frames, 3, pixel)."""
    red, green, blue = planes.split(1, 2)
    return (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


class Changed(NamedTuple):
    """(B,) bool: whether a window loses its colour."""

    changed: Tensor


class Grayscale(DrawnAugmentation):
    """Each window loses its colour with ``probability``, as in the authors' code (MYOW release).

    Its channels become equal. Images of one channel are not changed.
    """

    name = "grayscale"

    def __init__(self, context: AugmentationContext, *, probability: float = 0.2):
        super().__init__(context)
        self.channels = image_of(context, self.name)[0]
        self.probability = probability

    def draw(self, count: int, generator: torch.Generator) -> Changed:
        """Which of ``count`` windows lose their colour."""
        return Changed(chance(count, self.probability, generator))

    def apply(self, values: Tensor, prepared: tuple[Tensor]) -> Tensor:
        """Make the drawn windows grey, in place."""
        if self.channels == 3:
            planes = values.view(*values.shape[:2], 3, -1)
            torch.where(prepared[0][:, None, None, None], luma(planes), planes, out=planes)
        return values
