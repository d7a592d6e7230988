"""Encoder of single bins or short windows of units: a multi-layer perceptron."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise


class Mlp(nn.Module):
    """(B, frames, pixels) to (B, dimension): scaled and concatenated frames, then linear layers.

    Hidden layers have batch norm and a PReLU with one slope; the last layer is linear. With the defaults, windows of
    one frame and ``dimension`` 64, this is the encoder 64-64-64-64 of the authors' code (MYOW release). ``layers: 0``
    is a linear encoder.
    """

    name = "mlp"

    def __init__(
        self,
        shapes: Shapes,
        dimension: int,
        *,
        width: int = 64,
        layers: int = 3,
        scale: Literal["zscore", "centred", "none"] = "zscore",
    ):
        super().__init__()
        self.scale = Standardise(shapes, scale)
        blocks, size = [], shapes.frames * shapes.pixels
        for _ in range(layers):
            blocks += [nn.Linear(size, width, bias=False), nn.BatchNorm1d(width), nn.PReLU()]
            size = width
        self.layers = nn.Sequential(*blocks, nn.Linear(size, dimension, bias=False))

    def forward(self, windows: Tensor) -> Tensor:
        """(B, frames, pixels) float32 to (B, dimension)."""
        return self.layers(self.scale(windows).flatten(1))
