"""Colour jitter: brightness, contrast, saturation and hue are changed by random factors in random order."""

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

#: Indices of the changes in ``Factors``, and the index for no change.
_CONTRAST, _SATURATION, _HUE, _NONE = 1, 2, 3, -1


class Factors(NamedTuple):
    """Factors of brightness, contrast, saturation, hue (B, 4) float32; their order (B, 4) int64; changed (B,) bool."""

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
        self.sizes = (brightness, contrast, saturation)
        self.hue, self.probability = hue, probability
        self.channels = image_of(context, self.name)[0]

    def draw(self, count: int, generator: torch.Generator) -> Factors:
        """Factors of ``count`` windows, with the distribution of torchvision."""
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
            # The order of brightness and contrast only.
            order = order.argsort(1)[:, :2].argsort(1)
        order = torch.where(drawn.changed[:, None], order, _NONE).repeat_interleave(frames, 0)
        factor = drawn.factor.repeat_interleave(frames, 0)
        for kind in order.unbind(1):
            _blend(planes, kind, factor)
            if self.channels == 3:
                _turn(planes, kind == _HUE, factor[:, _HUE])
        return values


def _blend(planes: Tensor, kind: Tensor, factor: Tensor) -> None:
    """Change brightness, contrast or saturation of each image (N, channel, pixel) in place, then clip to [0, 1].

    Brightness is ``f * x``, saturation ``f * x + (1 - f) * grey``, and contrast the same with the mean grey of the
    image.
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
    """Change the hue of the ``chosen`` images in place. On CUDA, the others turn by 0, which avoids synchronisation."""
    if planes.is_cuda:
        _hue(planes, torch.where(chosen, turns, 0.0))
    else:
        rows = chosen.nonzero()[:, 0]
        some = planes[rows]
        _hue(some, turns[rows])
        planes.index_copy_(0, rows, some)


def _hue(planes: Tensor, turns: Tensor) -> None:
    """Rotate hue by (N,) ``turns`` in place, computed from hue in sixths of a turn, largest channel and chroma."""
    red, green, blue = planes.unbind(1)
    largest = torch.maximum(torch.maximum(red, green), blue)
    chroma = largest - torch.minimum(torch.minimum(red, green), blue)
    is_red, is_green = largest == red, largest == green
    offset = torch.where(is_red, green - blue, torch.where(is_green, blue - red, red - green))
    start = torch.where(is_red, 0.0, torch.where(is_green, 2.0, 4.0))
    # Grey has chroma 0, so its undefined hue has no effect below.
    hue = offset.div_(chroma.clamp(min=1e-12)).add_(start).add_(6 * turns[:, None])
    for channel, shift in enumerate((5.0, 3.0, 1.0)):
        away = (hue + shift).remainder_(6).sub_(2).abs_().neg_().add_(2).clamp_(0, 1)
        torch.addcmul(largest, away, chroma, value=-1, out=away)
        planes[:, channel] = away
