"""Centring and scaling of raw neural frames, as the first layer of a network."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes

Scale = Literal["zscore", "centred", "channel", "none"]
#: Frames that are summed at a time, because a float64 copy of all pictures may not fit into memory.
_ROWS = 4096


class Standardise(nn.Module):
    """(x - mean) / scale of each unit. Augmentations act on the unscaled data, and networks read numbers near 1.

    ``zscore`` divides each unit by its own standard deviation, as in the authors' code (MYOW release). ``centred``
    divides all units by the root mean square of these, so that units that rarely fire stay small (our choice).
    ``channel`` has one mean and one standard deviation for all pixels of a channel, as usual for pictures. ``none``
    leaves frames unchanged. Constant units become 0. The statistics are saved with the weights.
    If sessions with different units are side by side, the units of other sessions are NaN in the input and become 0, so
    that each session has its own weights in the first layer.
    """

    mean: Tensor
    gain: Tensor

    def __init__(self, shapes: Shapes, scale: Scale):
        super().__init__()
        self.kind, self.side_by_side = scale, bool(shapes.sessions)
        self.channels = shapes.image("scale: channel")[0] if scale == "channel" else 0
        self.register_buffer("mean", torch.zeros(shapes.pixels))
        self.register_buffer("gain", torch.ones(shapes.pixels))

    def fit(self, neural: Tensor) -> None:
        """Compute the statistics of (n, pixels) frames, which must be visible to pretraining."""
        if self.kind == "none":
            return
        if self.channels:
            self._fit_channels(neural)
            return
        values = neural.double()
        if self.side_by_side:
            mean = values.nanmean(0)
            variance = (values - mean).square().nanmean(0)
        else:
            variance, mean = torch.var_mean(values, dim=0, correction=0)
        constant = variance <= 1e-12 * variance.nan_to_num(0.0).max()
        if self.kind == "centred":
            variance = variance.nanmean().expand_as(variance)
        self.mean.copy_(mean)
        self.gain.copy_(torch.where(constant, 0.0, variance.clamp(min=1e-24).rsqrt()))

    def _fit_channels(self, neural: Tensor) -> None:
        sums = torch.zeros(2, self.channels, dtype=torch.float64, device=neural.device)
        for rows in neural.split(_ROWS):
            values = rows.double().view(len(rows), self.channels, -1)
            sums += torch.stack([values.sum((0, 2)), values.square().sum((0, 2))])
        size = neural.shape[1] // self.channels
        mean, square = sums / (len(neural) * size)
        variance = square - mean**2
        gain = torch.where(variance <= 1e-12 * square, 0.0, variance.clamp(min=1e-24).rsqrt())
        self.mean.copy_(mean.repeat_interleave(size))
        self.gain.copy_(gain.repeat_interleave(size))

    def forward(self, windows: Tensor) -> Tensor:
        """Scaled (..., pixels) float32; ``windows`` itself for ``none``."""
        scaled = windows if self.kind == "none" else (windows - self.mean) * self.gain
        return scaled.nan_to_num(0.0, torch.inf, -torch.inf) if self.side_by_side else scaled
