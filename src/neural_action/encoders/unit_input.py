"""An input layer of each animal onto one shared width, for animals with units of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from neural_action.encoders.unit_tiles import WIDTH, Tiles, UnitWindows
from neural_action.errors import InputError


class UnitInput(nn.Module):
    """(frames of an animal's units) to (frames, ``width``): a linear map of each animal, all of them in one product.

    Everything after it can be shared by animals. Weights, statistics and their memory grow with the number of units;
    the number of operations started does not depend on how many animals there are. Where a tile has no unit, weights
    are 0 and stay so: what they multiply is 0, and so is their gradient.

    Args:
        units: of each animal.
        width: of what all animals share.
        scale: ``zscore`` divides each unit by its own standard deviation, ``centred`` all units of an animal by one;
            ``none`` leaves activity as it is (see ``Standardise``, which does the same for units of one kind).
    """

    mean: Tensor
    gain: Tensor
    counts: Tensor
    offsets: Tensor

    def __init__(
        self, units: Sequence[int], width: int, *, scale: Literal["zscore", "centred", "none"] = "zscore"
    ):
        super().__init__()
        self.tiles, self.width, self.kind = Tiles(tuple(units)), width, scale
        filled, counts = self.tiles.filled, torch.tensor(self.tiles.counts)
        # As nn.Linear: uniform within 1 / sqrt(units), which keeps the spread of what comes out alike in all animals.
        spread = torch.tensor([1 / math.sqrt(count) for count in units])
        tiles = torch.repeat_interleave(spread, counts, output_size=self.tiles.total)
        weight = (2 * torch.rand(self.tiles.total, WIDTH, width) - 1) * tiles[:, None, None]
        self.weight = nn.Parameter(weight * filled[:, :, None])
        self.bias = nn.Parameter((2 * torch.rand(len(units), width) - 1) * spread[:, None])
        self.register_buffer("mean", torch.zeros(self.tiles.total, WIDTH))
        self.register_buffer("gain", filled.float())
        self.register_buffer("counts", counts, persistent=False)
        self.register_buffer("offsets", counts.cumsum(0) - counts, persistent=False)

    def forward(self, windows: UnitWindows) -> Tensor:
        """(B, frames, width) float32, of windows of any of the animals.

        The work is that of the animal with most windows for every animal of the batch: equally many waste nothing.
        """
        count, frames, pixels = windows.values.shape
        layers, row, each = torch.unique(windows.layer, return_inverse=True, return_counts=True)
        order, most = torch.argsort(row, stable=True), int(each.max())
        within = torch.empty_like(row)
        within[order] = torch.arange(count, device=row.device) - (each.cumsum(0) - each)[row[order]]
        place = row * most + within
        # Where an animal has fewer windows than others, the first window stands, and what comes out is not looked at.
        window = place.new_zeros(len(layers) * most)
        window[place] = torch.arange(count, device=row.device)

        counts = self.counts[layers]
        animal = torch.repeat_interleave(torch.arange(len(layers), device=row.device), counts)
        tile = torch.arange(len(animal), device=row.device) - (counts.cumsum(0) - counts)[animal]
        frame = window.view(-1, most)[animal][..., None] * frames + torch.arange(frames, device=row.device)
        rows = frame * (pixels // WIDTH) + tile[:, None, None]
        values = windows.values.reshape(-1, WIDTH).index_select(0, rows.flatten())
        values = values.view(len(animal), most * frames, WIDTH)

        which = self.offsets[layers][animal] + tile
        weight, mean, gain = (
            part if len(layers) == len(self.counts) else part.index_select(0, which)
            for part in (self.weight, self.mean, self.gain)
        )
        # The gain of what is no unit is 0, also where nothing is scaled: whatever a view put there goes no further.
        values = (values if self.kind == "none" else values - mean[:, None]) * gain[:, None]
        parts = torch.bmm(values, weight)
        out = self.bias[layers][:, None].expand(-1, most * frames, -1)
        out = out.to(parts.dtype).index_add(0, animal, parts)
        return out.view(-1, frames, self.width).index_select(0, place)

    @torch.no_grad()
    def fit(self, animal: int, neural: Tensor) -> None:
        """Take the statistics of an animal's units from (n, unit) frames, those that pretraining may see.

        Units that never change become 0. InputError for another number of units.
        """
        if neural.shape[1:] != (self.tiles.units[animal],):
            raise InputError(f"animal {animal}: {neural.shape[1]} units, expected {self.tiles.units[animal]}")
        if self.kind == "none":
            return
        variance, mean = torch.var_mean(neural.double(), dim=0, correction=0)
        constant = variance <= 1e-12 * variance.max()
        if self.kind == "centred":
            variance = variance.mean().expand_as(variance)
        gain = torch.where(constant, 0.0, variance.clamp(min=1e-24).rsqrt())
        first = sum(self.tiles.counts[:animal])
        own = slice(first, first + self.tiles.counts[animal])
        self.mean[own] = self.tiles.cut(animal, mean[None])[0].to(self.mean)
        self.gain[own] = self.tiles.cut(animal, gain[None])[0].to(self.gain)

    def train_only(self, animal: int) -> list[RemovableHandle]:
        """Let gradients reach the weights of one animal alone, until the handles are removed."""
        owner = torch.arange(len(self.tiles.units)).repeat_interleave(torch.tensor(self.tiles.counts))
        own = (owner == animal).to(self.weight)
        alone = (torch.arange(len(self.bias)) == animal).to(self.bias)
        return [
            self.weight.register_hook(lambda gradient: gradient * own[:, None, None]),
            self.bias.register_hook(lambda gradient: gradient * alone[:, None]),
        ]

    @torch.no_grad()
    def extended(self, units: int) -> UnitInput:
        """A layer with one more animal, last, freshly initialised; those of the others are copies."""
        wider = UnitInput((*self.tiles.units, units), self.width, scale=self.kind).to(self.weight.device)
        wider.requires_grad_(self.weight.requires_grad)
        for name, value in self.state_dict().items():
            wider.state_dict()[name][: len(value)] = value
        return wider
