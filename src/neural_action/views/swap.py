"""Pose swapping across animals (Günel et al., Equation 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from neural_action.errors import InputError
from neural_action.views.view import ClipRows, View, ViewContext


class Swap(View):
    """Replace each pose, with ``probability``, by a near pose of a uniformly drawn animal.

    Each pose of a clip draws its own animal and its own neighbour, so that a swapped clip is composed of several
    animals. The neighbours were drawn from Equation 2 beforehand (``neighbors.swap``); here is one gather.
    The probability could not be read in the paper's appendix: our choice.
    """

    name = "swap"

    def __init__(self, context: ViewContext, *, probability: float = 0.5):
        super().__init__(context)
        if context.swap_targets is None:
            raise InputError("view swap: needs a swap table")
        self.probability = probability
        # A row of a padded table lists the domains an animal may draw from, so that a uniform draw is one gather.
        allowed = context.swap_domains
        self.counts = allowed.sum(1)
        order = torch.argsort(~allowed, dim=1, stable=True)
        self.domains = order[:, : int(self.counts.max())]

    def __call__(self, values: Tensor, rows: ClipRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``View``: (B, poses, feature)."""
        targets, device = self.context.swap_targets, generator.device
        size, draws = rows.pose.shape, self.context.swap_targets.shape[2]
        which = torch.rand(size, generator=generator, device=device) * self.counts[rows.animal][:, None]
        domain = torch.gather(self.domains[rows.animal], 1, which.long())
        draw = torch.randint(draws, size, generator=generator, device=device)
        replace = torch.rand(size, generator=generator, device=device) < self.probability
        swapped = targets[rows.pose, domain, draw].long()
        return torch.where(replace[..., None], self.context.pose[swapped], values)
