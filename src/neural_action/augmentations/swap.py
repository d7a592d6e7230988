"""Pose swapping across animals (Günel et al., Equation 2)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from neural_action.augmentations.augmentation import Augmentation, AugmentationContext, WindowRows
from neural_action.errors import InputError


class NearPoses:
    """Draws near poses from the swap table: a uniform animal, then one of its neighbours.

    Args:
        context: context with a swap table.
        who: name for messages.
        whose: ``any`` animal that the table allows, only ``others``, or only the pose's ``own``.
    """

    def __init__(
        self, context: AugmentationContext, who: str, whose: Literal["any", "others", "own"] = "any"
    ):
        if context.swap_targets is None or context.swap_domains is None:
            raise InputError(f"{who}: needs a swap table")
        # A padded table of the domains that each animal may draw from, so that a uniform draw is one gather.
        allowed = context.swap_domains
        own = torch.eye(len(allowed), dtype=torch.bool, device=allowed.device)
        if whose != "any":
            allowed = allowed & (own if whose == "own" else ~own)
        self.counts = allowed.sum(1)
        if self.counts.max() == 0:
            raise InputError(
                f"{who}: no animal may be swapped with itself, expected neighbors.domains: all"
                if whose == "own"
                else f"{who}: no animal may be swapped with another, expected two or more visible animals"
            )
        order = torch.argsort(~allowed, dim=1, stable=True)
        self.domains = order[:, : int(self.counts.max())]
        self.targets = context.swap_targets

    def __call__(self, pose: Tensor, animal: Tensor, generator: torch.Generator) -> Tensor:
        """int64 row numbers of poses near ``pose``, of its shape; ``animal`` (broadcast to ``pose``) is its animal."""
        size, device = pose.shape, generator.device
        which = torch.rand(size, generator=generator, device=device) * self.counts[animal]
        rows = self.domains[animal].expand(*size, -1)
        domain = torch.gather(rows, -1, which.long()[..., None])[..., 0]
        draw = torch.randint(self.targets.shape[2], size, generator=generator, device=device)
        return self.targets[pose, domain, draw].long()


class Swap(Augmentation):
    """Replace each pose, with ``probability``, by a near pose of a uniformly drawn animal.

    Each pose of a window draws its own animal and neighbour, so a swapped window has poses of several animals. The
    neighbours were drawn by Equation 2 beforehand (``neighbors.swap``). The probability is our choice, because it could
    not be read in the paper's appendix.
    """

    name = "swap"
    needs = ("swaps",)

    def __init__(self, context: AugmentationContext, *, probability: float = 0.5):
        super().__init__(context)
        self.probability = probability
        self.near = NearPoses(context, "augmentation swap")

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``: (B, poses, feature)."""
        replace = torch.rand(rows.pose.shape, generator=generator, device=generator.device) < self.probability
        swapped = self.near(rows.pose, rows.animal[:, None], generator)
        return torch.where(replace[..., None], self.context.pose[swapped], values)
