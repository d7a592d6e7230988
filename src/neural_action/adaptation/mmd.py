"""Maximum mean discrepancy between animals (Gretton et al. 2012)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from neural_action.adaptation.adaptation import Adaptation, ramp

#: Bandwidths of the kernel as multiples of the median squared distance (our choice).
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)


def kernel(x: Tensor, scales: Sequence[float] = SCALES) -> Tensor:
    """(B, B) mean of Gaussian kernels exp(-d² / (s m)), with m the median squared distance within the batch.

    The median has no gradient, because otherwise spreading out all windows would lower the loss.
    """
    # Centred, so that rounding of the squared lengths does not hide the distances.
    x = x - x.detach().mean(0)
    length = x.square().sum(1)
    squared = (length[:, None] + length[None] - 2 * x @ x.T).clamp(min=0)
    apart = ~torch.eye(len(x), dtype=torch.bool, device=x.device)
    median = squared.detach()[apart].median().clamp(min=1e-12)
    return torch.stack([torch.exp(-squared / (scale * median)) for scale in scales]).mean(0)


def mean_discrepancy(x: Tensor, animal: Tensor, animals: int) -> Tensor:
    """Mean over pairs of animals of MMD²(a, b) (biased estimate); animals without windows are ignored.

    MMD²(a, b) = E k(x_a, x_a') + E k(x_b, x_b') - 2 E k(x_a, x_b), means over all pairs of windows.

    Args:
        x: (B, dimension).
        animal: (B,) int64 in [0, animals).
        animals: number of animals.
    """
    member = torch.nn.functional.one_hot(animal, animals).to(x.dtype)
    counts = member.sum(0)
    member = member / counts.clamp(min=1)
    means = member.T @ kernel(x) @ member
    own = torch.diagonal(means)
    squared = own[:, None] + own[None] - 2 * means
    there = counts > 0
    pairs = torch.triu(there[:, None] & there[None], diagonal=1)
    return (squared * pairs).sum() / pairs.sum().clamp(min=1)


class Mmd(Adaptation):
    """Make the distributions of encodings of all animals equal, in every modality.

    In matched batches, all animals do similar things, so that MMD does not remove differences in behaviour. ``warmup``:
    share of training after which the weight is full, see ``ramp``.
    """

    name = "mmd"

    def __init__(
        self,
        modalities: Sequence[str],
        dimension: int,
        animals: int,
        *,
        weight: float = 1.0,
        warmup: float = 0.2,
    ):
        super().__init__(modalities, dimension, animals)
        self.weight, self.warmup = weight, warmup

    def forward(self, encodings: dict[str, Tensor], animal: Tensor, progress: float) -> Tensor:
        """``weight`` times the ramp times the mean discrepancy over modalities."""
        parts = [mean_discrepancy(encodings[name], animal, self.animals) for name in self.modalities]
        return self.weight * ramp(progress, self.warmup) * torch.stack(parts).mean()
