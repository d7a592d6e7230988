"""An input layer for each animal, to a common width, for animals with their own units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from neural_action.encoders.unit_tiles import WIDTH, Tiles, UnitWindows
from neural_action.errors import InputError

Scale = Literal["zscore", "centred", "none"]


def unit_scales(neural: Tensor, kind: Scale) -> tuple[Tensor, Tensor]:
    """(unit,) float64 mean and gain of an animal's units, from (n, unit) frames; constant units have gain 0."""
    variance, mean = torch.var_mean(neural.double(), dim=0, correction=0)
    if kind == "none":
        return torch.zeros_like(mean), torch.ones_like(mean)
    constant = variance <= 1e-12 * variance.max()
    if kind == "centred":
        variance = variance.mean().expand_as(variance)
    return mean, torch.where(constant, 0.0, variance.clamp(min=1e-24).rsqrt())


class UnitInput(nn.Module):
    """Linear maps (frames, unit) to (frames, ``width``), one for each animal, computed in one batched product.

    Everything after it can be shared by animals. Memory grows with the number of units; the number of operations does
    not depend on the number of animals. Weights of tile places without a unit are 0 and stay 0, because their input and
    gradient are 0.

    Args:
        units: number of units of each animal.
        width: number of output features.
        scale: ``zscore`` divides each unit by its own standard deviation, ``centred`` divides all units of an animal by
            one number, ``none`` leaves activity unchanged (as ``Standardise`` for common units).
    """

    mean: Tensor
    gain: Tensor
    counts: Tensor
    offsets: Tensor
    owner: Tensor
    place: Tensor

    def __init__(self, units: Sequence[int], width: int, *, scale: Scale = "zscore"):
        super().__init__()
        self.tiles, self.width, self.kind = Tiles(tuple(units)), width, scale
        filled, counts = self.tiles.filled, torch.tensor(self.tiles.counts)
        # Uniform within 1 / sqrt(units), as in nn.Linear, which gives outputs of similar variance for all animals.
        spread = torch.tensor([1 / math.sqrt(count) for count in units])
        tiles = torch.repeat_interleave(spread, counts, output_size=self.tiles.total)
        weight = (2 * torch.rand(self.tiles.total, WIDTH, width) - 1) * tiles[:, None, None]
        self.weight = nn.Parameter(weight * filled[:, :, None])
        self.bias = nn.Parameter((2 * torch.rand(len(units), width) - 1) * spread[:, None])
        self.register_buffer("mean", torch.zeros(self.tiles.total, WIDTH))
        self.register_buffer("gain", filled.float())
        self.register_buffer("counts", counts, persistent=False)
        self.register_buffer("offsets", counts.cumsum(0) - counts, persistent=False)
        #: Animal of each tile, and number of the tile in its animal.
        owner = torch.arange(len(counts)).repeat_interleave(counts, output_size=self.tiles.total)
        self.register_buffer("owner", owner, persistent=False)
        self.register_buffer("place", torch.arange(len(owner)) - self.offsets[owner], persistent=False)

    def forward(self, windows: UnitWindows) -> Tensor:
        """(B, frames, width) float32 for windows of any animals.

        Every animal of the batch is padded to the largest number of windows, so equal numbers are most efficient. If
        animals take turns (``UnitWindows.turns``), nothing is sorted or padded, and a GPU is not waited for.
        """
        count, frames, _ = windows.values.shape
        animals = len(self.counts)
        if windows.turns == animals:
            each = count // animals
            window = torch.arange(count, device=self.counts.device).view(each, animals).T
            tiles = self._products(windows, window, self.owner, self.place)
            out = (
                self.bias[:, None]
                .expand(-1, each * frames, -1)
                .to(tiles.dtype)
                .index_add(0, self.owner, tiles)
            )
            return out.view(animals, each, frames, -1).transpose(0, 1).reshape(count, frames, -1)
        layers, row, numbers = torch.unique(windows.layer, return_inverse=True, return_counts=True)
        order, most = torch.argsort(row, stable=True), int(numbers.max())
        within = torch.empty_like(row)
        within[order] = torch.arange(count, device=row.device) - (numbers.cumsum(0) - numbers)[row[order]]
        place = row * most + within
        # Missing windows of an animal are filled with window 0; their output is not used.
        window = place.new_zeros(len(layers) * most)
        window[place] = torch.arange(count, device=row.device)

        counts = self.counts[layers]
        owner = torch.repeat_interleave(torch.arange(len(layers), device=row.device), counts)
        tile = torch.arange(len(owner), device=row.device) - (counts.cumsum(0) - counts)[owner]
        which = self.offsets[layers][owner] + tile
        chosen = None if len(layers) == len(self.counts) else which
        tiles = self._products(windows, window.view(-1, most), owner, tile, chosen)
        out = self.bias[layers][:, None].expand(-1, most * frames, -1)
        out = out.to(tiles.dtype).index_add(0, owner, tiles)
        return out.view(-1, frames, self.width).index_select(0, place)

    def _products(
        self, windows: UnitWindows, window: Tensor, owner: Tensor, tile: Tensor, chosen: Tensor | None = None
    ) -> Tensor:
        """(tile, windows x frames, width): scaled activity of each tile times its weights.

        Args:
            windows: the batch.
            window: (animal, n) int64, the windows of each animal.
            owner: (tile,) int64, row of ``window`` of each tile.
            tile: (tile,) int64, number of each tile in its animal.
            chosen: (tile,) int64, numbers of these tiles in the layer; None for all.
        """
        _, frames, pixels = windows.values.shape
        frame = window[owner][..., None] * frames + torch.arange(frames, device=window.device)
        rows = frame * (pixels // WIDTH) + tile[:, None, None]
        values = windows.values.reshape(-1, WIDTH).index_select(0, rows.flatten()).view(len(owner), -1, WIDTH)
        weight, mean, gain = (
            part if chosen is None else part.index_select(0, chosen)
            for part in (self.weight, self.mean, self.gain)
        )
        if self.kind != "none":
            values.sub_(mean[:, None])
        # Places without a unit have gain 0, so values that an augmentation wrote there are removed.
        return torch.bmm(values.mul_(gain[:, None]), weight)

    @torch.no_grad()
    def fit(self, animal: int, neural: Tensor) -> None:
        """Compute the statistics of an animal's units from (n, unit) frames, which must be visible to pretraining.

        Constant units become 0. Raises InputError if the number of units does not match.
        """
        if neural.shape[1:] != (self.tiles.units[animal],):
            raise InputError(f"animal {animal}: {neural.shape[1]} units, expected {self.tiles.units[animal]}")
        mean, gain = unit_scales(neural, self.kind)
        first = sum(self.tiles.counts[:animal])
        own = slice(first, first + self.tiles.counts[animal])
        self.mean[own] = self.tiles.cut(animal, mean[None])[0].to(self.mean)
        self.gain[own] = self.tiles.cut(animal, gain[None])[0].to(self.gain)

    def train_only(self, animal: int) -> list[RemovableHandle]:
        """Train only the weights of one animal until the returned handles are removed."""
        own = (self.owner == animal).to(self.weight)
        alone = (torch.arange(len(self.bias)) == animal).to(self.bias)
        return [
            self.weight.register_hook(lambda gradient: gradient * own[:, None, None]),
            self.bias.register_hook(lambda gradient: gradient * alone[:, None]),
        ]

    @torch.no_grad()
    def extended(self, units: int) -> UnitInput:
        """A copy of the layer with one more animal of ``units`` units at the end, randomly initialised."""
        wider = UnitInput((*self.tiles.units, units), self.width, scale=self.kind).to(self.weight.device)
        wider.requires_grad_(self.weight.requires_grad)
        for name, value in self.state_dict().items():
            wider.state_dict()[name][: len(value)] = value
        return wider
