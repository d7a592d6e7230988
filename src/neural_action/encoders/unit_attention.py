"""Attention over units, in place of an input layer for each animal: our reading of SPINT (Le et al. 2025).

SPINT (arXiv 2507.08402) decodes behaviour from an unordered set of units. What a unit is, is inferred from its own
unlabelled activity by a network that all animals share, so an animal with any number of units is read without a
training step. We read the abstract; everything that it does not say is recollected or our choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from neural_action.config.settings import AttentionSettings
from neural_action.encoders.unit_input import Scale, unit_scales
from neural_action.encoders.unit_tiles import WIDTH, Tiles, UnitWindows
from neural_action.errors import InputError


class UnitAttention(nn.Module):
    """Windows of any units to (frames, ``width``), by one network for all animals, whatever the order of units.

    The identity of unit i is MLP2(mean over chunks j of MLP1(c_ij)), where c_ij are chunks of its scaled activity
    (SPINT's context-dependent positional embedding [recalled]). It is added to a linear map of the unit's window.
    ``width`` learned queries attend over the units of the animal; what each returns is one feature in every frame. The
    layer norm, a single head, and that activity is lifted to ``hidden`` numbers first, are our choice. Memory of a
    batch grows with the units of the largest animal.

    Args:
        units: number of units of each animal.
        frames: number of frames of a window.
        width: number of output features.
        settings: sizes.
        scale: as in ``UnitInput``.
    """

    mean: Tensor
    gain: Tensor
    chunks: Tensor
    slots: Tensor
    filled: Tensor

    def __init__(
        self,
        units: Sequence[int],
        frames: int,
        width: int,
        settings: AttentionSettings,
        *,
        scale: Scale = "zscore",
    ):
        super().__init__()
        self.tiles, self.frames, self.width = Tiles(tuple(units)), frames, width
        self.settings, self.kind, hidden = settings, scale, settings.hidden
        self.of_chunk = nn.Sequential(
            nn.Linear(settings.context, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, hidden)
        )
        self.of_unit = nn.Sequential(
            nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, hidden)
        )
        self.lift, self.norm = nn.Linear(frames, hidden), nn.LayerNorm(hidden)
        self.query = nn.Parameter(torch.randn(width, hidden) / math.sqrt(hidden))
        self.key, self.value = nn.Linear(hidden, hidden), nn.Linear(hidden, frames)
        self.register_buffer("mean", torch.zeros(self.tiles.total, WIDTH))
        self.register_buffer("gain", self.tiles.filled.float())
        self.register_buffer(
            "chunks", torch.zeros(self.tiles.total, WIDTH, settings.chunks, settings.context)
        )
        # (animal, tile of the largest animal): number of the tile; tile 0 behind the last one, where no unit is filled.
        counts = torch.tensor(self.tiles.counts)
        place = torch.arange(max(self.tiles.counts))
        there = place < counts[:, None]
        slots = torch.where(there, (counts.cumsum(0) - counts)[:, None] + place, 0)
        self.register_buffer("slots", slots, persistent=False)
        self.register_buffer("filled", self.tiles.filled[slots] & there[..., None], persistent=False)

    def identities(self) -> Tensor:
        """(tile, WIDTH, hidden) float32: what each unit is, from its own activity."""
        return self.of_unit(self.of_chunk(self.chunks).mean(2))

    def forward(self, windows: UnitWindows) -> Tensor:
        """(B, frames, width) float32 for windows of any animals."""
        count, frames, pixels = windows.values.shape
        tiles = min(pixels // WIDTH, self.slots.shape[1])
        slots, layer = self.slots[:, :tiles], windows.layer
        mean, gain = (part[slots].flatten(1)[layer][:, None] for part in (self.mean, self.gain))
        values = (windows.values[..., : tiles * WIDTH] - mean) * gain
        identity = self.identities()[slots].flatten(1, 2)[layer]
        units = self.norm(self.lift(values.transpose(1, 2)) + identity)
        score = self.query @ self.key(units).transpose(1, 2) / math.sqrt(self.settings.hidden)
        absent = ~self.filled[:, :tiles].flatten(1)[layer]
        share = score.masked_fill(absent[:, None], -torch.inf).softmax(2)
        return (share @ self.value(units)).transpose(1, 2).reshape(count, frames, self.width)

    @torch.no_grad()
    def fit(self, animal: int, neural: Tensor) -> None:
        """Take the scales and chunks of an animal's units from (n, unit) frames, which must be visible to pretraining.

        Chunks are spread evenly over the frames. Raises InputError if the number of units does not match, or if there
        are fewer frames than a chunk has.
        """
        chunks, context = self.settings.chunks, self.settings.context
        if len(neural) < context:
            raise InputError(
                f"animal {animal}: {len(neural)} frames, expected at least encoders.attention.context = {context}"
            )
        mean, gain = unit_scales(neural, self.kind)
        first = sum(self.tiles.counts[:animal])
        own = slice(first, first + self.tiles.counts[animal])
        self.mean[own] = self.tiles.cut(animal, mean[None])[0].to(self.mean)
        self.gain[own] = self.tiles.cut(animal, gain[None])[0].to(self.gain)
        start = torch.linspace(0, len(neural) - context, chunks, device=neural.device).long()
        index = (start[:, None] + torch.arange(context, device=neural.device)).flatten()
        cut = self.tiles.cut(animal, ((neural[index].double() - mean) * gain).to(self.chunks))
        self.chunks[own] = cut.view(chunks, context, -1, WIDTH).permute(2, 3, 0, 1)

    @torch.no_grad()
    def extended(self, units: int) -> UnitAttention:
        """A copy of the layer that knows one more animal of ``units`` units at the end; no weight is new."""
        every = (*self.tiles.units, units)
        wider = UnitAttention(every, self.frames, self.width, self.settings, scale=self.kind)
        wider.to(self.query.device).requires_grad_(self.query.requires_grad)
        for name, value in self.state_dict().items():
            wider.state_dict()[name][: len(value)] = value
        return wider
