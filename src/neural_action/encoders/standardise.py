"""Centring and scaling of raw neural frames, inside the network that reads them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes

Scale = Literal["zscore", "centred", "channel", "none"]
#: Frames whose sums are taken at a time: of many pictures, a copy in float64 would not fit into memory.
_ROWS = 4096


class Standardise(nn.Module):
    """(x - mean) / scale of each unit, so that views act on rates in Hz and networks read numbers near one.

    ``zscore`` divides each unit by its own standard deviation, as the authors' code (MYOW release) does; ``centred``
    divides all by one, the root mean square of those, so that a unit that hardly fires stays small (our choice);
    ``channel`` has one mean and one standard deviation for all pixels of a channel, as is usual for pictures; ``none``
    leaves frames as they are. Units that never change become 0. The statistics are saved with the weights.
    Where sessions with units of their own lie side by side, a unit that a session does not have is NaN until here, and
    becomes 0: what the first layer multiplies a session's units by is then its own.
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
        """Take the statistics of (n, pixels) frames, those that pretraining may see."""
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
        """(..., pixels) float32, a new tensor of that shape."""
        scaled = windows if self.kind == "none" else (windows - self.mean) * self.gain
        return scaled.nan_to_num(0.0, torch.inf, -torch.inf) if self.side_by_side else scaled
