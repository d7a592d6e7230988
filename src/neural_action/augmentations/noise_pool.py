"""A pool of random numbers drawn once for each run; each window uses a random slice."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import AugmentationContext

_SIZE = 1 << 20


class NoisePool:
    """2^20 random numbers (our choice, because drawing a new number for every value is slow on a CPU).

    Args:
        numbers: (2^20,) float32, see ``normal`` and ``uniform``.
    """

    def __init__(self, numbers: Tensor):
        self.numbers = numbers

    @classmethod
    def normal(cls, sd: float, context: AugmentationContext, stream: int = 0) -> NoisePool:
        """Gaussian numbers of standard deviation ``sd``; different streams have independent numbers."""
        device = context.neural.device
        return cls(sd * torch.randn(_SIZE, generator=_generator(context, stream), device=device))

    @classmethod
    def uniform(cls, context: AugmentationContext, stream: int) -> NoisePool:
        """Uniform numbers in [0, 1); ``stream`` as in ``normal``."""
        device = context.neural.device
        return cls(torch.rand(_SIZE, generator=_generator(context, stream), device=device))

    def draw(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """(count, size) float32: a random slice for each of ``count`` windows."""
        pool = self.numbers if size < _SIZE else self.numbers.repeat(size // _SIZE + 2)
        windows = pool.as_strided((len(pool) - size, size), (1, 1))
        first = torch.randint(len(windows), (count,), generator=generator, device=pool.device)
        return windows.index_select(0, first)


def _generator(context: AugmentationContext, stream: int) -> torch.Generator:
    """Generator of a run and a stream. torch mixes the bits of a seed, so similar seeds give unrelated numbers."""
    return torch.Generator(context.neural.device).manual_seed((context.seed << 8) + stream)
