"""Encoder of neural images: a 2-D CNN that takes the frames of a window as channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes


class ImageCnn(nn.Module):
    """(B, frames, y * x) or (B, frames, channel * y * x) to (B, dimension).

    Convolutions of stride 2 with doubling widths, batch norm and ReLU, then the mean over pixels and a linear layer.
    With frames as channels, the first layer is a bank of temporal filters, at a quarter of the cost of a convolution
    over time. Widths are our choice. Raises InputError if the neural data are not images.
    """

    name = "image_cnn"

    def __init__(self, shapes: Shapes, dimension: int, *, width: int = 32, layers: int = 3):
        super().__init__()
        channel, *self.image = shapes.image("image_cnn")
        blocks: list[nn.Module] = []
        channels = shapes.frames * channel
        for layer in range(layers):
            out = width * 2**layer
            blocks += [
                nn.Conv2d(channels, out, 3, 2, 1, bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(inplace=True),
            ]
            channels = out
        self.convolutions = nn.Sequential(*blocks)
        self.linear = nn.Linear(channels, dimension)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, frames, pixels) float32 to (B, dimension)."""
        maps = self.convolutions(windows.view(len(windows), -1, *self.image))
        return self.linear(torch.flatten(maps.mean((2, 3)), 1))
