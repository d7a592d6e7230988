"""Conversion of colour images to grey."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import AugmentationContext, DrawnAugmentation, chance, image_of

#: Weights of red, green and blue in a grey value (ITU-R BT.601, as in torchvision).
LUMA = (0.2989, 0.587, 0.114)


def luma(planes: Tensor) -> Tensor:
    """(N, pixel) grey values of (N, 3, pixel)."""
    grey = planes[:, 0] * LUMA[0]
    return grey.add_(planes[:, 1], alpha=LUMA[1]).add_(planes[:, 2], alpha=LUMA[2])


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

    def apply(self, values: Tensor, drawn: Changed) -> Tensor:
        """Make the drawn windows grey, in place."""
        if self.channels == 3:
            planes = values.view(-1, 3, values.shape[2] // 3)
            grey = luma(planes)[:, None]
            keep = ~drawn.changed.repeat_interleave(values.shape[1])[:, None, None]
            torch.where(keep, planes, grey, out=planes)
        return values
