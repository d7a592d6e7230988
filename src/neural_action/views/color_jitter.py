"""Brightness, contrast, saturation and hue, changed by factors and in an order that each image draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from neural_action.errors import InputError
from neural_action.views.grayscale import luma
from neural_action.views.view import ClipRows, View, ViewContext, chance, image_of, uniform


@dataclass(frozen=True)
class Factors:
    """Brightness, contrast, saturation, hue (B, 4) float32; their order (B, 4) int64; (B,) bool: is it changed."""

    factor: Tensor
    order: Tensor
    changed: Tensor


class ColorJitter(View):
    """Change brightness, contrast and saturation by factors in 1 +- their sizes, hue by +- ``hue`` turns.

    Each clip with ``probability``, one draw a clip, its frames alike; values are in [0, 1] and stay there. As
    torchvision's ColorJitter in RandomApply, which the authors' code (MYOW release) uses with these defaults. Images of
    one channel have neither saturation nor hue.
    """

    name = "color_jitter"

    def __init__(
        self,
        context: ViewContext,
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
                f"view color_jitter: brightness {brightness:g}, contrast {contrast:g}, saturation {saturation:g}, hue "
                f"{hue:g}, expected none below 0 and hue at most 0.5"
            )
        self.sizes = (brightness, contrast, saturation)
        self.hue, self.probability = hue, probability
        self.channels = image_of(context, self.name)[0]

    def __call__(self, values: Tensor, rows: ClipRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``View``; ``values`` are overwritten."""
        return self.apply(values, self.draw(len(values), generator))

    def draw(self, count: int, generator: torch.Generator) -> Factors:
        """Factors of ``count`` clips, in the distribution of torchvision."""
        ranges = [(max(0.0, 1 - size), 1 + size) for size in self.sizes] + [(-self.hue, self.hue)]
        factor = torch.stack([uniform(low, high, count, generator) for low, high in ranges], 1)
        order = uniform(0, 1, (count, 4), generator).argsort(1)
        return Factors(factor, order, chance(count, self.probability, generator))

    def apply(self, values: Tensor, factors: Factors) -> Tensor:
        """Change ``values`` (B, frames, channel * y * x) in place."""
        frames = values.shape[1]
        known: list[Callable[[Tensor, Tensor], None]] = [_brightness, _contrast, _saturation, _hue]
        changes = known if self.channels == 3 else known[:2]
        for place in range(4):
            for number, change in enumerate(changes):
                chosen = factors.changed & (factors.order[:, place] == number)
                rows = chosen.nonzero()[:, 0]
                some = values[rows]
                factor = factors.factor[rows, number].repeat_interleave(frames)
                change(some.view(len(rows) * frames, self.channels, -1), factor)
                values.index_copy_(0, rows, some)
        return values


def _brightness(planes: Tensor, factor: Tensor) -> None:
    """(N, channel, pixel) times (N,), in place and clipped, as all changes."""
    planes.mul_(factor[:, None, None]).clamp_(0, 1)


def _contrast(planes: Tensor, factor: Tensor) -> None:
    """Away from, or towards, the mean grey value of each image."""
    grey = planes[:, 0] if planes.shape[1] == 1 else luma(planes)
    mean = grey.mean(1) * (1 - factor)
    planes.mul_(factor[:, None, None]).add_(mean[:, None, None]).clamp_(0, 1)


def _saturation(planes: Tensor, factor: Tensor) -> None:
    """Away from, or towards, the grey value of each pixel."""
    grey = luma(planes).mul_((1 - factor)[:, None])
    planes.mul_(factor[:, None, None]).add_(grey[:, None]).clamp_(0, 1)


def _hue(planes: Tensor, turns: Tensor) -> None:
    """Round the colour circle: through hue in sixths of a turn, largest and smallest channel."""
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
