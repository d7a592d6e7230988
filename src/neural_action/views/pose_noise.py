"""Noise and scale of a behaviour clip."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.views.view import ClipRows, View, ViewContext


class PoseNoise(View):
    """Add Gaussian noise of ``sd`` to every value and multiply each clip by 1 + U(-scale, scale).

    Sizes are in units of the normalised pose and our choice.
    """

    name = "pose_noise"

    def __init__(self, context: ViewContext, *, sd: float = 0.1, scale: float = 0.1):
        super().__init__(context)
        self.sd = sd
        self.scale = scale

    def __call__(self, values: Tensor, rows: ClipRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``View``."""
        scale = 1 + self.scale * (
            2 * torch.rand((len(values), 1, 1), generator=generator, device=values.device) - 1
        )
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        return torch.addcmul(self.sd * noise, values, scale)
