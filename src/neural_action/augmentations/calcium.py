"""Calcium augmentation: activity of another moment decays into the window (Günel et al., section 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows, chance
from neural_action.errors import InputError


class Calcium(Augmentation):
    """n + K * n_k: add a random frame n_k of the same animal, decaying with the fitted kernel K.

    k is uniform over the animal's visible frames outside the window. Probability and amplitude are our choice, because
    they could not be read in the paper's appendix.
    """

    name = "calcium"
    needs = ("kernel",)

    def __init__(self, context: AugmentationContext, *, probability: float = 0.5, amplitude: float = 1.0):
        super().__init__(context)
        if context.kernel is None:
            raise InputError("augmentation calcium: needs a calcium kernel")
        self.kernel = context.kernel
        self.probability = probability
        self.amplitude = amplitude
        self.frames = torch.cat(context.animal_frames)
        counts = torch.tensor([len(own) for own in context.animal_frames], device=self.frames.device)
        self.counts, self.offsets = counts, torch.cumsum(counts, 0) - counts
        # Position of every frame in ``frames``, where the frames of a window are consecutive.
        self.place = torch.zeros(len(context.neural), dtype=torch.int64, device=self.frames.device)
        self.place[self.frames] = torch.arange(len(self.frames), device=self.frames.device)

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``: (B, frames, pixels)."""
        count = len(values)
        amplitude = self.amplitude * chance(count, self.probability, generator)
        past = self.context.take(self.draw(rows, generator))
        response = amplitude[:, None] * self.kernel
        return torch.baddbmm(values, response[:, :, None], past[:, None, :], out=values)

    def draw(self, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """(B,) int64: for each window, a uniformly drawn frame of the same animal outside the window."""
        width, first = self.context.frames, self.place[rows.start] - self.offsets[rows.animal]
        free = self.counts[rows.animal] - width
        place = (torch.rand(len(first), generator=generator, device=first.device) * free).long()
        place = torch.where(place >= first, place + width, place)
        return self.frames[self.offsets[rows.animal] + place]
