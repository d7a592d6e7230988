"""ResNet (He et al. 2016) for small pictures: the stem keeps the image size, as in the authors' code (MYOW release)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.errors import InputError

#: Blocks of each stage, and whether they are bottlenecks (1 x 1, 3 x 3, 1 x 1) instead of two 3 x 3 convolutions.
_STAGES = {18: ((2, 2, 2, 2), False), 50: ((3, 4, 6, 3), True)}
_WIDTHS = (64, 128, 256, 512)


def features(depth: int) -> int:
    """Dimension of the output: 512 for depth 18, 2048 for depth 50."""
    return _WIDTHS[-1] * (4 if _STAGES[depth][1] else 1)


class ResNet(nn.Module):
    """(B, frames, channel * y * x) to (B, 512), or 2048 with ``depth: 50``.

    The first layer is 3 x 3 with stride 1, without pooling. The rest is torchvision's ResNet of that depth, with its
    parameter names and initialisation. Frames of a window are channels. ``scale: channel`` z-scores each channel over
    all pixels of the pictures that pretraining may see; the release has constants for CIFAR-10. Convolutions run in
    channels_last. Raises InputError if ``dimension`` does not match the depth, or if frames are not images.
    """

    name = "resnet"

    def __init__(
        self,
        shapes: Shapes,
        dimension: int,
        *,
        depth: Literal[18, 50] = 18,
        scale: Literal["channel", "none"] = "channel",
    ):
        super().__init__()
        self.image = shapes.image("resnet")
        if dimension != features(depth):
            raise InputError(
                f"encoders.dimension: {dimension}, expected {features(depth)} with encoders.neural resnet of depth "
                f"{depth}"
            )
        self.scale = Standardise(shapes, scale)
        blocks, deep = _STAGES[depth]
        width = _WIDTHS[0]
        self.conv1 = _conv(shapes.frames * self.image[0], width, 3)
        self.bn1 = nn.BatchNorm2d(width)
        for stage, (count, out) in enumerate(zip(blocks, _WIDTHS, strict=True)):
            made = []
            for block in range(count):
                made.append(_Block(width, out, 2 if stage > 0 and block == 0 else 1, deep))
                width = made[-1].out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
                part.weight.data = part.weight.data.to(memory_format=torch.channels_last)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, frames, pixels) float32 to (B, dimension)."""
        maps = self.scale(windows).view(len(windows), -1, *self.image[1:])
        maps = maps.contiguous(memory_format=torch.channels_last)
        maps = torch.relu_(self.bn1(self.conv1(maps)))
        for stage in range(len(_WIDTHS)):
            maps = getattr(self, f"layer{stage + 1}")(maps)
        return maps.mean((2, 3))


class _Block(nn.Module):
    """A residual block; ``stride`` is the stride of its (first) 3 x 3 convolution."""

    def __init__(self, width: int, hidden: int, stride: int, deep: bool):
        super().__init__()
        self.out = 4 * hidden if deep else hidden
        sizes = (1, 3, 1) if deep else (3, 3)
        widths = (width, *[hidden] * (len(sizes) - 1), self.out)
        strided = 1 if deep else 0
        self.count = len(sizes)
        for at, size in enumerate(sizes):
            step = stride if at == strided else 1
            setattr(self, f"conv{at + 1}", _conv(widths[at], widths[at + 1], size, step))
            setattr(self, f"bn{at + 1}", nn.BatchNorm2d(widths[at + 1]))
        self.downsample: nn.Sequential | None = None
        if stride != 1 or width != self.out:
            self.downsample = nn.Sequential(_conv(width, self.out, 1, stride), nn.BatchNorm2d(self.out))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, width, y, x) to (B, out, y / stride, x / stride)."""
        skipped = maps if self.downsample is None else self.downsample(maps)
        for at in range(1, self.count + 1):
            maps = getattr(self, f"bn{at}")(getattr(self, f"conv{at}")(maps))
            maps = torch.relu_(maps if at < self.count else maps.add_(skipped))
        return maps


def _conv(width: int, out: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(width, out, size, stride, size // 2, bias=False)
