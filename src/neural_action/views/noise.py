"""Gaussian noise, sliced from a bank that is drawn once."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.views.view import ClipRows, View, ViewContext

_BANK = 1 << 20


class Noise(View):
    """Add independent Gaussian noise of standard deviation ``sd`` (in units of the data) to every value.

    Drawing fresh noise is the dearest augmentation on a CPU, so each clip adds a random slice of a bank of 2^20
    pre-drawn values (our choice; authors' images got noise too, its size was not readable).
    """

    name = "noise"

    def __init__(self, context: ViewContext, *, sd: float = 0.1):
        super().__init__(context)
        device = context.neural.device
        self.bank = sd * torch.randn(_BANK, generator=torch.Generator(device).manual_seed(0), device=device)

    def __call__(self, values: Tensor, rows: ClipRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``View``."""
        count, size = len(values), values[0].numel()
        bank = self.bank if size < _BANK else self.bank.repeat(size // _BANK + 2)
        windows = bank.as_strided((len(bank) - size, size), (1, 1))
        first = torch.randint(len(windows), (count,), generator=generator, device=values.device)
        values.view(count, size).add_(windows.index_select(0, first))
        return values
