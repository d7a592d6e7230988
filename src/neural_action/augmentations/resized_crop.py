"""Random crops, resized to the image size and mirrored, by one bilinear sampling of a whole batch."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from neural_action.augmentations.augmentation import AugmentationContext, DrawnAugmentation, image_of, uniform
from neural_action.errors import InputError

#: Number of times that torchvision draws a size before it takes the whole image.
_TRIES = 10


class Boxes(NamedTuple):
    """Crops along x and y: (B, 2) first pixel and length, whole float32 numbers, and (B, 2) bool whether mirrored."""

    first: Tensor
    length: Tensor
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
        _, y, x = self.image
        device = context.neural.device
        self.size = torch.tensor([x, y], dtype=torch.float32, device=device)
        # If none of the drawn boxes fits: the largest one with an allowed ratio.
        self.largest = torch.tensor([min(x, round(y * 4 / 3)), min(y, round(x * 4 / 3))], device=device)
        #: Along x and y, chances of being mirrored.
        self.flips = torch.tensor([flip, 0.0], device=device)
        #: Ranges of the uniform numbers of a window: areas, logarithms of the root of ratios, place, flip.
        ratio = math.log(4 / 3) / 2
        ranges = [[least * y * x, most * y * x]] * _TRIES + [[-ratio, ratio]] * _TRIES + [[0.0, 1.0]] * 4
        self.low, self.high = torch.tensor(ranges, device=device).T
        # Coordinates of pixels' centres, where the image reaches from -1 to 1, as ``grid_sample`` wants them: (2, 1)
        # distance of two pixels and place of the first, and (2, longer side) all.
        self.pixel = (2 / self.size)[:, None]
        self.corner = self.pixel / 2 - 1
        self.centres = self.corner + self.pixel * torch.arange(max(x, y), device=device)

    def draw(self, count: int, generator: torch.Generator) -> Boxes:
        """Crops of ``count`` windows, with the distribution of torchvision."""
        area, ratio, place, flip = uniform(self.low, self.high, count, generator).split(
            [_TRIES, _TRIES, 2, 2]
        )
        side, ratio = area.sqrt_(), ratio.exp_()
        drawn = torch.stack([side * ratio, side / ratio]).round_()
        # (2, tries and the largest, B), along x and y
        lengths = torch.cat([drawn, self.largest[:, None, None].expand(2, 1, count)], 1)
        fits = ((lengths > 0) & (lengths <= self.size[:, None, None])).all(0)
        chosen = fits.T.contiguous().int().argmax(1)
        length = lengths.take_along_dim(chosen[None, None], 1)[:, 0]
        free = self.size[:, None] - length
        # The largest box is in the middle.
        first = torch.where(chosen < _TRIES, place * (free + 1), free / 2).floor_()
        return Boxes(first.T, length.T, (flip < self.flips[:, None]).T)

    def prepare(self, drawn: Boxes) -> tuple[Tensor]:
        """(B, 2, longer side): where along x and y the pixels of the view lie; edges are repeated."""
        first, length, flip = (one[:, :, None] for one in drawn)
        low = torch.addcmul(self.corner, first, self.pixel)
        high = torch.addcmul(low, length - 1, self.pixel)
        scale = length * (self.pixel / 2)
        places = torch.addcmul((low + high) / 2, torch.where(flip, -scale, scale), self.centres)
        return (places.clamp(low, high),)

    def apply(self, values: Tensor, prepared: tuple[Tensor]) -> Tensor:
        """Crop and resize ``values`` (B, frames, channel * y * x) in place, by the places of each window."""
        _, y, x = self.image
        along_x, along_y = prepared[0].unbind(1)
        grid = torch.stack(
            [along_x[:, None, :x].expand(-1, y, -1), along_y[:, :y, None].expand(-1, -1, x)], 3
        )
        planes = values.view(len(values), -1, y, x)
        planes.copy_(F.grid_sample(planes, grid, padding_mode="border", align_corners=False))
        return values
