"""Mixing of neural activity at moments of similar behaviour."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows
from neural_action.augmentations.neural_swap import windows_of_poses
from neural_action.augmentations.swap import NearPoses
from neural_action.encoders.unit_tiles import PackedUnits
from neural_action.errors import InputError


class NeuralMix(Augmentation):
    """n + w (m - n): mix a neural window n, with ``probability``, with a window m of a near pose; w ~ U(0, ``most``).

    The journal version of the paper mixes features of animals with similar behaviour. Our choice: the amounts, and that
    the pose at the centre of the window decides, as in ``neural_swap``. ``whose: others`` mixes windows of other
    animals and needs common pixels or units. If animals have their own units, ``whose: own`` mixes other moments of the
    same animal; features of other animals can then be mixed only behind the input layers (``mixing`` of objective
    ``infonce``).
    """

    name = "neural_mix"
    needs = ("swaps",)

    def __init__(
        self,
        context: AugmentationContext,
        *,
        probability: float = 0.5,
        most: float = 0.5,
        whose: Literal["others", "own"] = "others",
    ):
        super().__init__(context)
        self.window_starts = windows_of_poses(context, "augmentation neural_mix")
        # If sessions are side by side, a frame is NaN outside the units of its session.
        apart = isinstance(context.neural, PackedUnits) or bool(context.neural[:1].isnan().any())
        if whose == "others" and apart:
            raise InputError("augmentation neural_mix: animals have their own units, expected whose: own")
        self.probability, self.most = probability, most
        self.near = NearPoses(context, "augmentation neural_mix", whose)
        self.offsets = torch.arange(context.frames, device=context.neural.device)

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``: (B, frames, pixels)."""
        count, device = len(values), values.device
        weight = self.most * torch.rand(count, generator=generator, device=device)
        weight *= torch.rand(count, generator=generator, device=device) < self.probability
        start = self.window_starts[self.near(rows.centre, rows.animal, generator)]
        index = (start[:, None] + self.offsets).flatten()
        other = self.context.take(index).view_as(values)
        return values.lerp_(other, weight[:, None, None])
