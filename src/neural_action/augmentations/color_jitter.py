"""Brightness, contrast, saturation and hue, changed by factors and in an order that each image draws."""

from __future__ import annotations

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
from neural_action.augmentations.grayscale import luma
from neural_action.errors import InputError

#: Places of the changes in ``Factors``, and what stands for no change.
_CONTRAST, _SATURATION, _HUE, _NONE = 1, 2, 3, -1


class Factors(NamedTuple):
    """Brightness, contrast, saturation, hue (B, 4) float32; their order (B, 4) int64; (B,) bool: is it changed."""

    factor: Tensor
    order: Tensor
    changed: Tensor


class ColorJitter(DrawnAugmentation):
    """Change brightness, contrast and saturation by factors in 1 +- their sizes, hue by +- ``hue`` turns.

    Each window with ``probability``, one draw a window, its frames alike; values are in [0, 1] and stay there. As
    torchvision's ColorJitter in RandomApply, which the authors' code (MYOW release) uses with these defaults. Images of
    one channel have neither saturation nor hue.
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
        self.sizes = (brightness, contrast, saturation)
        self.hue, self.probability = hue, probability
        self.channels = image_of(context, self.name)[0]

    def draw(self, count: int, generator: torch.Generator) -> Factors:
        """Factors of ``count`` windows, in the distribution of torchvision."""
        ranges = [(max(0.0, 1 - size), 1 + size) for size in self.sizes] + [(-self.hue, self.hue)]
        factor = torch.stack([uniform(low, high, count, generator) for low, high in ranges], 1)
        order = uniform(0, 1, (count, 4), generator).argsort(1)
        return Factors(factor, order, chance(count, self.probability, generator))

    def apply(self, values: Tensor, drawn: Factors) -> Tensor:
        """Change ``values`` (B, frames, channel * y * x) in place."""
        frames = values.shape[1]
        planes = values.view(len(values) * frames, self.channels, -1)
        order = drawn.order
        if self.channels == 1:
            # What is left of the order where two of the changes do nothing.
            order = order.argsort(1)[:, :2].argsort(1)
        order = torch.where(drawn.changed[:, None], order, _NONE).repeat_interleave(frames, 0)
        factor = drawn.factor.repeat_interleave(frames, 0)
        for kind in order.unbind(1):
            _blend(planes, kind, factor)
            if self.channels == 3:
                _turn(planes, kind == _HUE, factor[:, _HUE])
        return values


def _blend(planes: Tensor, kind: Tensor, factor: Tensor) -> None:
    """The change of each image (N, channel, pixel) that is none of hue, in place: all are one sum, clipped.

    Brightness is ``f * x``, saturation ``f * x + (1 - f) * grey``, contrast the same with the image's mean grey.
    """
    grey = planes[:, 0] if planes.shape[1] == 1 else luma(planes)
    own = factor.gather(1, kind.clamp(min=0)[:, None])[:, 0]
    own = torch.where((kind == _NONE) | (kind == _HUE), 1.0, own)
    rest = 1 - own
    mean = torch.where(kind == _CONTRAST, rest * grey.mean(1), 0.0)
    of_pixel = torch.where(kind == _SATURATION, rest, 0.0)
    added = torch.addcmul(mean[:, None], grey, of_pixel[:, None])
    torch.addcmul(added[:, None], planes, own[:, None, None], out=planes)
    planes.clamp_(0, 1)


def _turn(planes: Tensor, chosen: Tensor, turns: Tensor) -> None:
    """Change the hue of the ``chosen`` images in place; on a CUDA device that of others by nothing, without waiting."""
    if planes.is_cuda:
        _hue(planes, torch.where(chosen, turns, 0.0))
    else:
        rows = chosen.nonzero()[:, 0]
        some = planes[rows]
        _hue(some, turns[rows])
        planes.index_copy_(0, rows, some)


def _hue(planes: Tensor, turns: Tensor) -> None:
    """Go (N,) ``turns`` round the colour circle: through hue in sixths of a turn, largest and smallest channel."""
    red, green, blue = planes.unbind(1)
    largest = torch.maximum(torch.maximum(red, green), blue)
    chroma = largest - torch.minimum(torch.minimum(red, green), blue)
    is_red, is_green = largest == red, largest == green
    offset = torch.where(is_red, green - blue, torch.where(is_green, blue - red, red - green))
    start = torch.where(is_red, 0.0, torch.where(is_green, 2.0, 4.0))
    # Grey has no hue: its chroma is 0, whatever is multiplied by it below.
    hue = offset.div_(chroma.clamp(min=1e-12)).add_(start).add_(6 * turns[:, None])
    for channel, shift in enumerate((5.0, 3.0, 1.0)):
        away = (hue + shift).remainder_(6).sub_(2).abs_().neg_().add_(2).clamp_(0, 1)
        torch.addcmul(largest, away, chroma, value=-1, out=away)
        planes[:, channel] = away
