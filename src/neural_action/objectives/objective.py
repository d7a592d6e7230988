"""What an objective is: networks, a loss on a batch, and the representation it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.shapes import Shapes


class Batch(Protocol):
    """A batch of clips that draws views of itself; each call of ``neural`` or ``behavior`` is a new random view."""

    def neural(self) -> Tensor:
        """(B, frames, pixels) float32, an augmented view of the neural clips."""

    def behavior(self) -> Tensor:
        """(B, poses, feature) float32, an augmented view of the behaviour clips."""


class Objective(nn.Module, ABC):
    """A self-supervised objective. One class a file, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys.
    """

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__()
        self.encoders, self.shapes = encoders, shapes

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The scalar to minimise on this batch."""

    @abstractmethod
    def embed(self, neural: Tensor) -> dict[str, Tensor]:
        """Representations of neural clips (B, frames, pixels): ``encoder`` output and ``projection``.

        ``projection`` is where the loss is computed.
        """
