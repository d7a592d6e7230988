"""Random crops, resized to the image size and mirrored, by two matrix products for a whole batch."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import (
    AugmentationContext,
    DrawnAugmentation,
    chance,
    image_of,
    uniform,
)
from neural_action.errors import InputError
from neural_action.precision import full_precision

#: Number of times that torchvision draws a size before it takes the whole image.
_TRIES = 10


class Boxes(NamedTuple):
    """Crops: (B,) int64 top, left, height and width in pixels, and (B,) bool whether they are mirrored."""

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor
    flip: Tensor


class ResizedCrop(DrawnAugmentation):
    """Crop a share of the image's area in [``least``, ``most``), resize it to the image size (bilinear) and mirror it.

    All frames of a window have the same crop. The aspect ratio is log-uniform in [3/4, 4/3); left and right are swapped
    with probability ``flip``. Same as torchvision's RandomResizedCrop and RandomHorizontalFlip, which the authors' code
    (MYOW release) uses with crops from 0.2, and from 0.8 for mined views.
    """

    name = "resized_crop"

    def __init__(
        self, context: AugmentationContext, *, least: float = 0.2, most: float = 1.0, flip: float = 0.5
    ):
        super().__init__(context)
        if not 0 < least <= most <= 1:
            raise InputError(
                f"augmentation resized_crop: least {least:g}, most {most:g}, expected 0 < least <= most <= 1"
            )
        self.image = image_of(context, self.name)
        self.least, self.most, self.flip = least, most, flip

    def draw(self, count: int, generator: torch.Generator) -> Boxes:
        """Crops of ``count`` windows, with the distribution of torchvision."""
        _, y, x = self.image
        area = y * x * uniform(self.least, self.most, (count, _TRIES), generator)
        ratio = torch.exp(uniform(math.log(3 / 4), math.log(4 / 3), (count, _TRIES), generator))
        width, height = torch.round(torch.sqrt(area * ratio)), torch.round(torch.sqrt(area / ratio))
        fits = (width > 0) & (width <= x) & (height > 0) & (height <= y)
        first = fits.int().argmax(1, keepdim=True)
        found = fits.any(1)
        # If none fits, the largest centred box with an allowed ratio.
        whole_x, whole_y = min(x, round(y * 4 / 3)), min(y, round(x * 4 / 3))
        width = torch.where(found, width.gather(1, first)[:, 0], whole_x).long()
        height = torch.where(found, height.gather(1, first)[:, 0], whole_y).long()
        free_y, free_x = y - height, x - width
        top = (uniform(0, 1, count, generator) * (free_y + 1)).long()
        left = (uniform(0, 1, count, generator) * (free_x + 1)).long()
        return Boxes(
            top=torch.where(found, top, free_y // 2),
            left=torch.where(found, left, free_x // 2),
            height=height,
            width=width,
            flip=chance(count, self.flip, generator),
        )

    def apply(self, values: Tensor, drawn: Boxes) -> Tensor:
        """Crop and resize ``values`` (B, frames, channel * y * x) in place, by one box for each window."""
        _, y, x = self.image
        count = len(values)
        rows = _weights(drawn.top, drawn.height, y)
        columns = _weights(drawn.left, drawn.width, x, drawn.flip)
        # One matrix product for each axis: columns give (x, plane, y), then rows (y, x, plane).
        planes = values.view(count, -1, x).transpose(1, 2)
        with full_precision(values.device):
            mixed = torch.bmm(columns, planes).view(count, -1, y)
            mixed = torch.bmm(rows, mixed.transpose(1, 2)).view(count, y, x, -1)
        values.view(count, -1, y, x).copy_(mixed.permute(0, 3, 1, 2))
        return values


def _weights(first: Tensor, length: Tensor, size: int, flip: Tensor | None = None) -> Tensor:
    """(B, size, size) weights that interpolate ``size`` pixels from the ``length`` pixels that start at ``first``.

    Same as torch's bilinear ``interpolate``, with repeated edges. ``flip`` (B,) bool reverses the order of pixels.
    """
    places = torch.arange(size, device=first.device)
    scale = (length / size)[:, None]
    source = (scale * (places + 0.5) - 0.5).clamp(min=0).minimum((length - 1)[:, None]) + first[:, None]
    if flip is not None:
        source = torch.where(flip[:, None], source.flip(1), source)
    return (source[:, :, None] - places).abs_().neg_().add_(1).clamp_(min=0)
