"""Randomised dropout of units."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.views.noise_pool import NoisePool
from neural_action.views.view import ClipRows, View, ViewContext, chance


class Dropout(View):
    """Set values to 0, each with a probability that is drawn for its clip from U(0, ``most``).

    Each clip is changed with probability ``apply``. Authors' code (MYOW release), there on single bins: the values of
    a unit in a longer clip are dropped one by one.
    """

    name = "dropout"

    def __init__(self, context: ViewContext, *, most: float = 0.2, apply: float = 1.0):
        super().__init__(context)
        self.pool, self.most, self.apply = NoisePool.uniform(context, 1), most, apply

    def __call__(self, values: Tensor, rows: ClipRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``View``."""
        count, size = len(values), values[0].numel()
        probability = self.most * torch.rand(count, generator=generator, device=values.device)
        if self.apply < 1:
            probability *= chance(count, self.apply, generator)
        values.view(count, size).mul_(self.pool.draw(count, size, generator) >= probability[:, None])
        return values
