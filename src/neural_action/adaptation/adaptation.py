"""Interface of an adaptation: a loss on the encodings of a batch and the animals of its windows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class Adaptation(nn.Module, ABC):
    """A loss term that can be added to any objective. Each file has one class, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys. The positional arguments are the modalities of the
    objective's encodings, their dimension and the number of animals. Parameters of an adaptation are trained with the
    objective and discarded afterwards.
    """

    def __init__(self, modalities: Sequence[str], dimension: int, animals: int):
        super().__init__()
        self.modalities, self.dimension, self.animals = tuple(modalities), dimension, animals

    @abstractmethod
    def forward(self, encodings: dict[str, Tensor], animal: Tensor, progress: float) -> Tensor:
        """The scalar that is added to the loss.

        Args:
            encodings: (B, dimension) by modality.
            animal: (B,) int64, animal of each window.
            progress: share of training done, in [0, 1).
        """


def ramp(progress: float, warmup: float) -> float:
    """0 during the first half of the warm-up, then linearly to 1 at its end (our choice)."""
    if warmup <= 0:
        return 1.0
    return min(1.0, max(0.0, 2 * progress / warmup - 1))
