"""Random numbers drawn once, of which each clip takes a random slice."""

from __future__ import annotations

import torch
from torch import Tensor

_SIZE = 1 << 20


class Bank:
    """2^20 random numbers; drawing fresh ones for every value is the dearest part of a view on a CPU (our choice).

    Args:
        numbers: (2^20,) float32, see ``normal`` and ``uniform``.
    """

    def __init__(self, numbers: Tensor):
        self.numbers = numbers

    @classmethod
    def normal(cls, sd: float, device: torch.device) -> Bank:
        """Of Gaussian numbers."""
        return cls(sd * torch.randn(_SIZE, generator=torch.Generator(device).manual_seed(0), device=device))

    @classmethod
    def uniform(cls, seed: int, device: torch.device) -> Bank:
        """Of numbers in [0, 1)."""
        return cls(torch.rand(_SIZE, generator=torch.Generator(device).manual_seed(seed), device=device))

    def draw(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """(count, size), a slice a clip."""
        bank = self.numbers if size < _SIZE else self.numbers.repeat(size // _SIZE + 2)
        windows = bank.as_strided((len(bank) - size, size), (1, 1))
        first = torch.randint(len(windows), (count,), generator=generator, device=bank.device)
        return windows.index_select(0, first)
