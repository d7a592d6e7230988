"""Random numbers drawn once a run, of which each window takes a random slice."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import AugmentationContext

_SIZE = 1 << 20


class NoisePool:
    """2^20 random numbers; drawing fresh ones for every value is the dearest part of a view on a CPU (our choice).

    Args:
        numbers: (2^20,) float32, see ``normal`` and ``uniform``.
    """

    def __init__(self, numbers: Tensor):
        self.numbers = numbers

    @classmethod
    def normal(cls, sd: float, context: AugmentationContext, stream: int = 0) -> NoisePool:
        """Gaussian numbers of the run's seed; views that must not share numbers take different streams."""
        device = context.neural.device
        return cls(sd * torch.randn(_SIZE, generator=_generator(context, stream), device=device))

    @classmethod
    def uniform(cls, context: AugmentationContext, stream: int) -> NoisePool:
        """Numbers in [0, 1), likewise."""
        device = context.neural.device
        return cls(torch.rand(_SIZE, generator=_generator(context, stream), device=device))

    def draw(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """(count, size), a slice a window."""
        pool = self.numbers if size < _SIZE else self.numbers.repeat(size // _SIZE + 2)
        windows = pool.as_strided((len(pool) - size, size), (1, 1))
        first = torch.randint(len(windows), (count,), generator=generator, device=pool.device)
        return windows.index_select(0, first)


def _generator(context: AugmentationContext, stream: int) -> torch.Generator:
    """Of a run and a stream: torch mixes the bits of a seed, so that neighbouring seeds are unrelated."""
    return torch.Generator(context.neural.device).manual_seed((context.seed << 8) + stream)
