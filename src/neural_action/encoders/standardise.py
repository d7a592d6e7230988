"""Centring and scaling of raw neural frames, inside the network that reads them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes

Scale = Literal["zscore", "centred", "none"]


class Standardise(nn.Module):
    """(x - mean) / scale of each unit, so that views act on rates in Hz and networks read numbers near one.

    ``zscore`` divides each unit by its own standard deviation, as the authors' code (MYOW release) does; ``centred``
    divides all by one, the root mean square of those, so that a unit that hardly fires stays small (our choice);
    ``none`` leaves frames as they are. Units that never change become 0. The statistics are saved with the weights.
    """

    mean: Tensor
    gain: Tensor

    def __init__(self, shapes: Shapes, scale: Scale):
        super().__init__()
        self.kind = scale
        self.register_buffer("mean", torch.zeros(shapes.pixels))
        self.register_buffer("gain", torch.ones(shapes.pixels))

    def fit(self, neural: Tensor) -> None:
        """Take the statistics of (n, pixels) frames, those that pretraining may see."""
        if self.kind == "none":
            return
        variance, mean = torch.var_mean(neural.double(), dim=0, correction=0)
        constant = variance <= 1e-12 * variance.max()
        if self.kind == "centred":
            variance = variance.mean().expand_as(variance)
        self.mean.copy_(mean)
        self.gain.copy_(torch.where(constant, 0.0, variance.clamp(min=1e-24).rsqrt()))

    def forward(self, clips: Tensor) -> Tensor:
        """(..., pixels) float32, a new tensor of that shape."""
        return clips if self.kind == "none" else (clips - self.mean) * self.gain
