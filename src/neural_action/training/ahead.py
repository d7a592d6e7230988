"""Random numbers of augmentations, drawn for several steps at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from neural_action.augmentations.augmentation import DrawnAugmentation

#: Number of steps. For small pictures, drawing the numbers of one step takes longer than making its views.
STEPS = 32


class Ahead:
    """The numbers of each view of a step.

    They follow from (seed, block of ``STEPS`` steps, number of the view in its step), so a resumed run has the same.
    """

    def __init__(self, seed: int, device: torch.device):
        self.seed, self.generator = seed, torch.Generator(device)
        self.block = self.place = self.calls = 0
        self.prepared: dict[tuple[int, DrawnAugmentation, int], tuple[Tensor, ...]] = {}

    def begin(self, step: int) -> None:
        """Start a step."""
        block, self.place = divmod(step, STEPS)
        self.calls = 0
        if block != self.block:
            self.block = block
            self.prepared.clear()

    def __call__(self, view: DrawnAugmentation, count: int) -> tuple[Tensor, ...]:
        """What ``view.apply`` needs for ``count`` windows; each call of a step has its own numbers."""
        key = self.calls, view, count
        self.calls += 1
        if key not in self.prepared:
            entropy = np.random.SeedSequence([self.seed, self.block, key[0], 2])
            self.generator.manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> np.uint64(1)))
            each = 1 if view.once else count
            prepared = view.prepare(view.draw(STEPS * each, self.generator))
            self.prepared[key] = tuple(one.unflatten(0, (STEPS, each)) for one in prepared)
        return tuple(one[self.place].expand(count, *one.shape[2:]) for one in self.prepared[key])
