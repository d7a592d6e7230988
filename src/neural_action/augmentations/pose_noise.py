"""Random noise and scale of a behaviour window."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows


class PoseNoise(Augmentation):
    """Add Gaussian noise of standard deviation ``sd`` to every value and multiply each window by 1 + U(-scale, scale).

    ``sd`` is in the unit of the normalised pose; both sizes are our choice.
    """

    name = "pose_noise"

    def __init__(self, context: AugmentationContext, *, sd: float = 0.1, scale: float = 0.1):
        super().__init__(context)
        self.sd = sd
        self.scale = scale

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``."""
        scale = 1 + self.scale * (
            2 * torch.rand((len(values), 1, 1), generator=generator, device=values.device) - 1
        )
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        return torch.addcmul(self.sd * noise, values, scale)
