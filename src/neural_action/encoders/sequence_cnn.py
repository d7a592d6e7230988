"""Encoder of feature sequences (traces of units, poses): a 1-D CNN over time."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes


class SequenceCnn(nn.Module):
    """(B, time, feature) to (B, dimension).

    Convolutions over time with batch norm and ReLU, then a linear layer. Widths are our choice. ``pooling`` is what the
    linear layer reads: the ``mean`` over time, which loses when something happened within the window, or every moment
    (``none``). The label of a window is the action at its centre, so short windows are better read without pooling
    (docs/results/worms.md).
    """

    def __init__(
        self, features: int, moments: int, dimension: int, width: int, layers: int, kernel: int, pooling: str
    ):
        super().__init__()
        blocks: list[nn.Module] = []
        channels = features
        for _ in range(layers):
            blocks += [nn.Conv1d(channels, width, kernel, padding=kernel // 2, bias=False)]
            blocks += [nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
            channels = width
        self.convolutions = nn.Sequential(*blocks)
        self.pooling = pooling
        self.linear = nn.Linear(channels if pooling == "mean" else channels * moments, dimension)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, time, feature) float32 to (B, dimension)."""
        found = self.convolutions(windows.transpose(1, 2))
        return self.linear(found.mean(2) if self.pooling == "mean" else found.flatten(1))


class PoseCnn(SequenceCnn):
    """The behaviour encoder: (B, poses, feature) to (B, dimension)."""

    name = "pose_cnn"

    def __init__(
        self,
        shapes: Shapes,
        dimension: int,
        *,
        width: int = 128,
        layers: int = 2,
        kernel: int = 3,
        pooling: Literal["mean", "none"] = "mean",
    ):
        super().__init__(shapes.behavior, shapes.poses, dimension, width, layers, kernel, pooling)


class TraceCnn(SequenceCnn):
    """The neural encoder for units: (B, frames, unit) to (B, dimension). The pixels of images count as units."""

    name = "trace_cnn"

    def __init__(
        self,
        shapes: Shapes,
        dimension: int,
        *,
        width: int = 64,
        layers: int = 3,
        kernel: int = 5,
        pooling: Literal["mean", "none"] = "mean",
    ):
        super().__init__(shapes.pixels, shapes.frames, dimension, width, layers, kernel, pooling)
