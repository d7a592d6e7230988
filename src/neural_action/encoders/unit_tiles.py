"""Activity of animals with units of their own, laid out in tiles of equally many units.

Animals differ in how many units they have, and a matrix product wants rectangles. So the units of each animal are cut
into tiles of ``WIDTH``, the last one filled up with zeros: memory grows with the number of units, whatever the largest
animal has, and one batched product over the tiles of all animals does what a product an animal would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neural_action.errors import InputError

#: Units a tile. Larger ones make fewer products and more zeros, half a tile an animal on average; 64 and 128 take the
#: same time (measured with 40 animals of 50 to 1,500 units).
WIDTH = 64


@dataclass(frozen=True)
class Tiles:
    """Which tile holds which units.

    Attributes:
        units: of each animal.
    """

    units: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Tiles of each animal."""
        return tuple(-(-units // WIDTH) for units in self.units)

    @property
    def total(self) -> int:
        """Tiles of all animals."""
        return sum(self.counts)

    @property
    def filled(self) -> Tensor:
        """(tile, WIDTH) bool: where there is a unit."""
        out = torch.zeros(self.total, WIDTH, dtype=torch.bool)
        at = 0
        for units, count in zip(self.units, self.counts, strict=True):
            out[at : at + count].view(-1)[:units] = True
            at += count
        return out

    def cut(self, animal: int, values: Tensor) -> Tensor:
        """(n, tiles of the animal, WIDTH) of (n, unit), zeros where there is no unit."""
        if values.shape[1:] != (self.units[animal],):
            raise InputError(f"animal {animal}: {values.shape[1]} units, expected {self.units[animal]}")
        out = values.new_zeros(len(values), self.counts[animal] * WIDTH)
        out[:, : values.shape[1]] = values
        return out.view(len(values), -1, WIDTH)


@dataclass(frozen=True)
class UnitWindows:
    """Windows of animals with units of their own; a batch as views change it and ``UnitInput`` reads it.

    Attributes:
        values: (B, frames, pixels) float32, ``pixels`` a number of tiles times WIDTH. A window's units come first;
            whatever stands behind them is not read.
        layer: (B,) int64, the input layer of each window's animal.
    """

    values: Tensor
    layer: Tensor

    def __len__(self) -> int:
        return len(self.values)


#: Neural windows as objectives are given them: (B, frames, pixels), or those of animals with units of their own.
NeuralWindows = Tensor | UnitWindows


class PackedUnits:
    """Frames of all animals in one array of tiles, from which batches are gathered.

    Args:
        neural: of each animal, (frame, unit) numbers; frames are numbered through, animal after animal.
        device: where batches are made.

    Raises:
        InputError: an animal without a unit or a frame, or NaN or infinity in one.
    """

    def __init__(self, neural: Sequence[np.ndarray | Tensor], device: torch.device | str = "cpu"):
        for animal, values in enumerate(neural):
            if values.ndim != 2 or 0 in values.shape:
                raise InputError(
                    f"animal {animal}: neural activity of shape {tuple(values.shape)}, expected (frame, unit)"
                )
        self.tiles = Tiles(tuple(int(values.shape[1]) for values in neural))
        lengths = [len(values) for values in neural]
        counts = self.tiles.counts
        # The first row is what there is where there is nothing.
        rows = 1 + sum(length * count for length, count in zip(lengths, counts, strict=True))
        self.data = torch.zeros(rows, WIDTH, device=device)
        firsts, at = [], 1
        for animal, values in enumerate(neural):
            own = torch.as_tensor(values, dtype=torch.float32, device=device)
            if not bool(torch.isfinite(own).all()):
                frame = int(torch.isfinite(own).all(1).int().argmin())
                raise InputError(
                    f"animal {animal}: NaN or infinity in frame {frame}, expected finite activity"
                )
            size = lengths[animal] * counts[animal]
            self.data[at : at + size] = self.tiles.cut(animal, own).reshape(size, WIDTH)
            firsts.append(at + counts[animal] * torch.arange(lengths[animal], device=device))
            at += size
        #: (frame,) int64, the row of ``data`` of a frame's first tile, and how many tiles a frame has.
        self.first = torch.cat(firsts)
        self.counts = torch.repeat_interleave(torch.tensor(counts), torch.tensor(lengths)).to(device)
        self.device, self.width = self.data.device, max(counts) * WIDTH

    def __len__(self) -> int:
        return len(self.first)

    def take(self, frames: Tensor, out: Tensor | None = None) -> Tensor:
        """(n, width) of frames (n,) int64, zeros behind an animal's units; ``out`` is overwritten if given."""
        tile = torch.arange(self.width // WIDTH, device=self.device)
        rows = self.first[frames][:, None] + tile
        rows.masked_fill_(tile >= self.counts[frames][:, None], 0)
        out = self.data.new_empty(len(frames), self.width) if out is None else out
        torch.index_select(self.data, 0, rows.flatten(), out=out.view(-1, WIDTH))
        return out
