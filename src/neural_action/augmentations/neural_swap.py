"""Neural swapping across animals: a window is replaced by one of another animal with similar behaviour."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows
from neural_action.augmentations.swap import NearPoses
from neural_action.errors import InputError


def windows_of_poses(context: AugmentationContext, who: str) -> Tensor:
    """(sample,) int64, first frame of the window at each pose. InputError, naming ``who``, if a target has none."""
    if context.window_starts is None:
        raise InputError(f"{who}: needs the windows of the poses")
    targets = context.swap_targets
    if targets is not None and bool((context.window_starts[targets[targets >= 0].long()] < 0).any()):
        raise InputError(
            f"{who}: an animal has visible poses but no visible window, expected one for each pose"
        )
    return context.window_starts


class NeuralSwap(Augmentation):
    """Replace a neural window, with ``probability``, by a window of another animal with a near pose.

    The journal version of the paper swaps neural data across animals with similar behaviour. Our choice: the
    probability, and that the pose at the centre of the window decides, by the neighbours of the swap table. It must be
    the first neural augmentation, because it overwrites earlier changes.
    """

    name = "neural_swap"
    needs = ("swaps",)

    def __init__(self, context: AugmentationContext, *, probability: float = 0.25):
        super().__init__(context)
        if context.layer is not None:
            raise InputError(
                "augmentation neural_swap: animals have their own units, expected common units, or swap of poses"
            )
        self.window_starts = windows_of_poses(context, "augmentation neural_swap")
        self.probability = probability
        self.near = NearPoses(context, "augmentation neural_swap", "others")
        self.offsets = torch.arange(context.frames, device=context.neural.device)

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``: (B, frames, pixels)."""
        near = self.near(rows.centre, rows.animal, generator)
        replace = torch.rand(len(values), generator=generator, device=values.device) < self.probability
        start = torch.where(replace, self.window_starts[near], rows.start)
        index = (start[:, None] + self.offsets).flatten()
        self.context.take(index, values.view(len(index), -1))
        return values
