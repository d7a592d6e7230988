"""Encoder of feature sequences (traces of units, poses): a 1-D CNN over time."""

from __future__ import annotations

from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes


class SequenceCnn(nn.Module):
    """(B, time, feature) to (B, dimension).

    Convolutions over time with batch norm and ReLU, then the mean over time and a linear layer. Widths are our choice.
    """

    def __init__(self, features: int, dimension: int, width: int, layers: int, kernel: int):
        super().__init__()
        blocks: list[nn.Module] = []
        channels = features
        for _ in range(layers):
            blocks += [nn.Conv1d(channels, width, kernel, padding=kernel // 2, bias=False)]
            blocks += [nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
            channels = width
        self.convolutions = nn.Sequential(*blocks)
        self.linear = nn.Linear(channels, dimension)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, time, feature) float32 to (B, dimension)."""
        return self.linear(self.convolutions(windows.transpose(1, 2)).mean(2))


class PoseCnn(SequenceCnn):
    """The behaviour encoder: (B, poses, feature) to (B, dimension)."""

    name = "pose_cnn"

    def __init__(self, shapes: Shapes, dimension: int, *, width: int = 128, layers: int = 2, kernel: int = 3):
        super().__init__(shapes.behavior, dimension, width, layers, kernel)


class TraceCnn(SequenceCnn):
    """The neural encoder for units: (B, frames, unit) to (B, dimension). The pixels of images count as units."""

    name = "trace_cnn"

    def __init__(self, shapes: Shapes, dimension: int, *, width: int = 64, layers: int = 3, kernel: int = 5):
        pixels = 1
        for side in shapes.neural:
            pixels *= side
        super().__init__(pixels, dimension, width, layers, kernel)
