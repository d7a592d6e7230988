"""Colour jitter: brightness, contrast, saturation and hue are changed by random factors in random order."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import (
    AugmentationContext,
    DrawnAugmentation,
    image_of,
    uniform,
)
from neural_action.augmentations.grayscale import luma
from neural_action.errors import InputError

#: Indices of the changes in ``Factors``; 0 is brightness.
_CONTRAST, _SATURATION, _HUE = 1, 2, 3


class Factors(NamedTuple):
    """Factors of brightness, contrast, saturation, hue (B, 4) float32; their order (B, 4) int64; changed (B,) bool.

    (B, 2) for images of one channel, which have neither saturation nor hue.
    """

    factor: Tensor
    order: Tensor
    changed: Tensor


class ColorJitter(DrawnAugmentation):
    """Change brightness, contrast and saturation by factors in 1 +- their sizes, and hue by up to +- ``hue`` turns.

    Each window is changed with ``probability``; all its frames are changed equally. Values are in [0, 1] and stay
    there. Same as torchvision's ColorJitter in RandomApply, which the authors' code (MYOW release) uses with these
    defaults. Images of one channel have neither saturation nor hue.
    """

    name = "color_jitter"

    def __init__(
        self,
        context: AugmentationContext,
        *,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        hue: float = 0.1,
        probability: float = 0.8,
    ):
        super().__init__(context)
        if min(brightness, contrast, saturation) < 0 or not 0 <= hue <= 0.5:
            raise InputError(
                f"augmentation color_jitter: brightness {brightness:g}, contrast {contrast:g}, "
                f"saturation {saturation:g}, hue {hue:g}, expected none below 0 and hue at most 0.5"
            )
        self.probability, self.channels = probability, image_of(context, self.name)[0]
        if self.channels not in (1, 3):
            raise InputError(
                f"augmentation color_jitter: images of {self.channels} channels, expected 1 or 3"
            )
        ranges = [(max(0.0, 1 - size), 1 + size) for size in (brightness, contrast, saturation)]
        ranges = [*ranges, (-hue, hue)] if self.channels == 3 else ranges[:2]
        #: Number of changes, and ranges of the uniform numbers of a window: factors, order, changed.
        self.kinds = len(ranges)
        ranges += [(0.0, 1.0)] * (self.kinds + 1)
        self.low, self.high = torch.tensor(ranges, device=context.neural.device).T

    def draw(self, count: int, generator: torch.Generator) -> Factors:
        """Factors of ``count`` windows, with the distribution of torchvision."""
        factor, order, changed = uniform(self.low, self.high, count, generator).split(
            [self.kinds, self.kinds, 1]
        )
        return Factors(factor.T, order.T.argsort(1), changed[0] < self.probability)

    def prepare(self, drawn: Factors) -> tuple[Tensor, ...]:
        """Of each change in turn, (B, 4, 1, 1, 1): share of the image, of its mean grey, of its grey, and turns."""
        kind, changed = drawn.order, drawn.changed[:, None]
        factor = drawn.factor.gather(1, kind)
        own = torch.where(changed & (kind != _HUE), factor, 1.0)
        turns = torch.where(changed & (kind == _HUE), factor, 0.0)
        shares = own, (1 - own) * (kind == _CONTRAST), (1 - own) * (kind == _SATURATION), turns
        return tuple(share[:, :, None, None, None] for share in shares)

    def apply(self, values: Tensor, prepared: tuple[Tensor, ...]) -> Tensor:
        """Change ``values`` (B, frames, channel * y * x) in place."""
        planes = values.view(*values.shape[:2], self.channels, -1)
        changes = zip(*(share.unbind(1) for share in prepared), strict=True)
        for own, of_mean, of_grey, turns in changes:
            _blend(planes, own, of_mean, of_grey)
            if self.channels == 3:
                _turn(planes, turns[:, 0, 0, 0])
        return values


def _blend(planes: Tensor, own: Tensor, of_mean: Tensor, of_grey: Tensor) -> None:
    """Mix each image (B, frames, channel, pixel) with its mean grey and its grey in place, then clip to [0, 1].

    The shares are (B, 1, 1, 1). Brightness is ``f * x``, contrast ``f * x + (1 - f) * mean grey`` and saturation
    ``f * x + (1 - f) * grey``.
    """
    colour = planes.shape[2] == 3
    grey = luma(planes) if colour else planes
    added = of_mean * grey.mean(3, keepdim=True)
    if colour:
        added = torch.addcmul(added, grey, of_grey)
    torch.addcmul(added, planes, own, out=planes).clamp_(0, 1)


def _turn(planes: Tensor, turns: Tensor) -> None:
    """Rotate hue by (B,) ``turns`` in place. A CPU leaves out images that do not turn; CUDA would have to wait."""
    if planes.is_cuda:
        _hue(planes, turns)
    else:
        rows = turns.nonzero()[:, 0]
        some = planes[rows]
        _hue(some, turns[rows])
        planes.index_copy_(0, rows, some)


def _hue(planes: Tensor, turns: Tensor) -> None:
    """Rotate hue by (B,) ``turns`` in place, computed from hue in sixths of a turn, largest channel and chroma."""
    red, green, blue = planes.unbind(2)
    largest = torch.maximum(torch.maximum(red, green), blue)
    chroma = largest - torch.minimum(torch.minimum(red, green), blue)
    is_red, is_green = largest == red, largest == green
    offset = torch.where(is_red, green - blue, torch.where(is_green, blue - red, red - green))
    start = torch.where(is_red, 0.0, torch.where(is_green, 2.0, 4.0))
    # Grey has chroma 0, so its undefined hue has no effect below.
    hue = offset.div_(chroma.clamp(min=1e-12)).add_(start).add_(6 * turns[:, None, None])
    for channel, shift in enumerate((5.0, 3.0, 1.0)):
        away = (hue + shift).remainder_(6).sub_(2).abs_().neg_().add_(2).clamp_(0, 1)
        torch.addcmul(largest, away, chroma, value=-1, out=away)
        planes[:, :, channel] = away
