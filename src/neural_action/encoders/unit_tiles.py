"""Activity of animals with different numbers of units, laid out in tiles of equal size.

The units of each animal are cut into tiles of ``WIDTH`` units; the last tile is padded with zeros. Memory then grows
with the total number of units, not with the largest animal, and one batched product over the tiles replaces one product
for each animal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neural_action.errors import InputError

#: Units of a tile. Larger tiles need fewer products but more padding (half a tile for each animal on average). 64 and
#: 128 take the same time (measured with 40 animals of 50 to 1,500 units).
WIDTH = 64


@dataclass(frozen=True)
class Tiles:
    """The layout of units in tiles.

    Attributes:
        units: number of units of each animal.
    """

    units: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of tiles of each animal."""
        return tuple(-(-units // WIDTH) for units in self.units)

    @property
    def total(self) -> int:
        """Number of tiles of all animals."""
        return sum(self.counts)

    @property
    def filled(self) -> Tensor:
        """(tile, WIDTH) bool: whether a place has a unit."""
        out = torch.zeros(self.total, WIDTH, dtype=torch.bool)
        at = 0
        for units, count in zip(self.units, self.counts, strict=True):
            out[at : at + count].view(-1)[:units] = True
            at += count
        return out

    def cut(self, animal: int, values: Tensor) -> Tensor:
        """(n, unit) as (n, tiles of the animal, WIDTH), padded with zeros. InputError for another number of units."""
        if values.shape[1:] != (self.units[animal],):
            raise InputError(f"animal {animal}: {values.shape[1]} units, expected {self.units[animal]}")
        out = values.new_zeros(len(values), self.counts[animal] * WIDTH)
        out[:, : values.shape[1]] = values
        return out.view(len(values), -1, WIDTH)


@dataclass(frozen=True)
class UnitWindows:
    """A batch of windows of animals with their own units, as augmentations change it and ``UnitInput`` reads it.

    Attributes:
        values: (B, frames, pixels) float32; ``pixels`` is a multiple of WIDTH. The units of a window come first; values
            after them are not used.
        layer: (B,) int64, the input layer of each window's animal.
        turns: n if the windows are of the layers 0, ..., n - 1, 0, ..., n - 1 and so on, which need no sorting; else 0.
    """

    values: Tensor
    layer: Tensor
    turns: int = 0

    def __len__(self) -> int:
        return len(self.values)


#: Neural windows of objectives: (B, frames, pixels), or windows of animals with their own units.
NeuralWindows = Tensor | UnitWindows


class PackedUnits:
    """Frames of all animals in one array of tiles, from which batches are gathered.

    Args:
        neural: (frame, unit) numbers of each animal; frame numbers continue from animal to animal.
        device: device of the batches.

    Raises:
        InputError: an animal without units or frames, or with values that are not finite.
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
        # Row 0 is the padding.
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
        #: (frame,) int64: row in ``data`` of the first tile of each frame, and its number of tiles.
        self.first = torch.cat(firsts)
        self.counts = torch.repeat_interleave(torch.tensor(counts), torch.tensor(lengths)).to(device)
        self.device, self.width = self.data.device, max(counts) * WIDTH

    def __len__(self) -> int:
        return len(self.first)

    def take(self, frames: Tensor, out: Tensor | None = None) -> Tensor:
        """(n, width) float32 of frames (n,) int64, padded with zeros; written to ``out`` if given."""
        tile = torch.arange(self.width // WIDTH, device=self.device)
        rows = self.first[frames][:, None] + tile
        rows.masked_fill_(tile >= self.counts[frames][:, None], 0)
        out = self.data.new_empty(len(frames), self.width) if out is None else out
        torch.index_select(self.data, 0, rows.flatten(), out=out.view(-1, WIDTH))
        return out
