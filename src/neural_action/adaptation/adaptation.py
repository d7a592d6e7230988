"""What an adaptation is: a loss on the encodings of a batch that looks at which animal each window is from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class Adaptation(nn.Module, ABC):
    """A term added to any objective. One class a file, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys; positional are the modalities of the objective's
    encodings, their dimension and the number of animals. It may have parameters of its own, which are trained with
    the objective's and thrown away afterwards.
    """

    def __init__(self, modalities: Sequence[str], dimension: int, animals: int):
        super().__init__()
        self.modalities, self.dimension, self.animals = tuple(modalities), dimension, animals

    @abstractmethod
    def forward(self, encodings: dict[str, Tensor], animal: Tensor, progress: float) -> Tensor:
        """The scalar to add to the loss.

        Args:
            encodings: (B, dimension) by modality.
            animal: (B,) int64.
            progress: share of the training that is done, in [0, 1).
        """


def ramp(progress: float, warmup: float) -> float:
    """0 during the first half of the warm-up, then linearly to 1 at its end (our choice)."""
    if warmup <= 0:
        return 1.0
    return min(1.0, max(0.0, 2 * progress / warmup - 1))
