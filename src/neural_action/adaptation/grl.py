"""Adversarial adaptation by gradient reversal (Ganin et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.adaptation.adaptation import Adaptation


class Reversal(torch.autograd.Function):
    """The identity; its gradient is multiplied by ``-weight``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: float) -> Tensor:
        """``x``."""
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The reversed gradient."""
        return -ctx.weight * gradient, None


class Grl(Adaptation):
    """One discriminator for each modality predicts the animal; the encoders are trained to make it fail.

    ``weight`` scales only the reversed gradient, not the gradient of the discriminators. Until ``warmup`` (a share of
    training) the encoders are trained by the objective only, as we recall from the authors' code. The discriminators
    are trained from the start (our choice, because the gradient of an untrained discriminator is noise).
    """

    name = "grl"

    def __init__(
        self,
        modalities: Sequence[str],
        dimension: int,
        animals: int,
        *,
        weight: float = 1.0,
        hidden: int = 128,
        warmup: float = 0.05,
    ):
        super().__init__(modalities, dimension, animals)
        self.weight, self.warmup = weight, warmup
        self.discriminators = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(dimension, hidden), nn.ReLU(), nn.Linear(hidden, animals))
                for name in self.modalities
            }
        )

    def forward(self, encodings: dict[str, Tensor], animal: Tensor, progress: float) -> Tensor:
        """Mean cross-entropy of the discriminators over modalities."""
        weight = 0.0 if progress < self.warmup else self.weight
        losses = [
            F.cross_entropy(self.discriminators[name](Reversal.apply(encodings[name], weight)), animal)
            for name in self.modalities
        ]
        return torch.stack(losses).mean()
