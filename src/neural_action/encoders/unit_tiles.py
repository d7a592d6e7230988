"""Activity of animals with units of their own, laid out in tiles of equally many units.

Animals differ in how many units they have, and a matrix product wants rectangles. So the units of each animal are cut
into tiles of ``WIDTH``, the last one filled up with zeros: memory grows with the number of units, whatever the largest
animal has, and one batched product over the tiles of all animals does what a product an animal would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
class UnitBatch:
    """Equally many clips of some animals, tile by tile.

    Attributes:
        values: (tile, clip, frame, WIDTH) float32; zeros where there is no unit or no clip.
        tile: (tile,) int64, which of all tiles each is; None where these are all, in order.
        animal: (tile,) int64, the row of ``animals`` that each belongs to, ascending.
        animals: (animal,) int64, whose clips these are.
    """

    values: Tensor
    tile: Tensor | None
    animal: Tensor
    animals: Tensor


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
        #: (frame,) int64, the row of ``data`` of a frame's first tile.
        self.first = torch.cat(firsts)
        #: (animal,) int64, tiles of an animal and the number of its first one.
        self.counts = torch.tensor(counts, device=device)
        self.offsets = self.counts.cumsum(0) - self.counts

    def clips(self, start: Tensor, frames: int, animals: Tensor | None = None) -> UnitBatch:
        """The clips that start at these frames.

        Args:
            start: (animal, clip) int64, first frames, each of its row's animal; -1 where there is no clip.
            frames: of a clip.
            animals: (animal,) int64, whose each row is, distinct and ascending; None for all animals.
        """
        everyone = animals is None
        who = torch.arange(len(self.counts), device=start.device) if animals is None else animals
        counts = self.counts[who]
        animal = torch.repeat_interleave(torch.arange(len(who), device=start.device), counts)
        within = torch.arange(len(animal), device=start.device) - (counts.cumsum(0) - counts)[animal]
        frame = start.clamp(min=0)[..., None] + torch.arange(frames, device=start.device)
        rows = self.first[frame][animal] + within[:, None, None]
        rows = rows.masked_fill_((start < 0)[animal][..., None], 0)
        values = self.data.index_select(0, rows.flatten()).view(*rows.shape, WIDTH)
        tile = None if everyone else self.offsets[who][animal] + within
        return UnitBatch(values, tile, animal, who)


def by_animal(start: Tensor, animal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Clips of a batch, animal by animal: what ``PackedUnits.clips`` takes, and where each clip is in it.

    Animals with fewer clips than the one with most are filled up: a batch of equally many of each wastes nothing.

    Args:
        start: (B,) int64, first frames.
        animal: (B,) int64.

    Returns:
        start (animal, clip), -1 where there is no clip; animals (animal,) ascending; and (B,) int64, the place of each
        clip in the first, flattened.
    """
    animals, row, counts = torch.unique(animal, return_inverse=True, return_counts=True)
    order = torch.argsort(row, stable=True)
    within = torch.empty_like(row)
    within[order] = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row[order]]
    most = int(counts.max())
    place = row * most + within
    out = start.new_full((len(animals) * most,), -1)
    out[place] = start
    return out.view(-1, most), animals, place


def drop_units(batch: UnitBatch, most: float, generator: torch.Generator) -> UnitBatch:
    """The batch with units set to 0, each in all frames of a clip, with a chance that is drawn a clip from U(0, most).

    As view ``dropout``, whose values are dropped one by one.
    """
    tiles, clips, _, width = batch.values.shape
    device = batch.values.device
    chance = most * torch.rand(len(batch.animals), clips, 1, generator=generator, device=device)
    kept = torch.rand(tiles, clips, width, generator=generator, device=device) >= chance[batch.animal]
    return replace(batch, values=batch.values.mul_(kept[:, :, None]))
