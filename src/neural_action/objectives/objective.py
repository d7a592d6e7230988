"""What an objective is: networks, encodings of a batch, a loss on them, and the representation it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.shapes import Shapes

#: Encodings of a batch by modality, each (B, dimension): what adaptation between animals acts on.
Encodings = dict[str, Tensor]


class Batch(Protocol):
    """A batch of clips that draws views of itself; each call of ``neural`` or ``behavior`` is a new random view."""

    @property
    def animal(self) -> Tensor:
        """(B,) int64, the animal of each clip."""

    @property
    def group(self) -> Tensor:
        """(B,) int64, equal for clips of different animals whose behaviour is alike; InputError if not matched."""

    def neural(self) -> Tensor:
        """(B, frames, pixels) float32, an augmented view of the neural clips."""

    def behavior(self) -> Tensor:
        """(B, poses, feature) float32, an augmented view of the behaviour clips."""

    def syllables(self) -> Tensor:
        """(B, poses, syllable) float32, posterior probabilities of the syllables at the poses as recorded."""

    def uniform(self, *shape: int) -> Tensor:
        """float32 in [0, 1), from the batch's own generator."""


class Objective(nn.Module, ABC):
    """A self-supervised objective. One class a file, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys. ``needs`` names inputs of pretraining beside the
    recordings: ``swaps``, ``kernel``, ``syllables``.

    Attributes:
        modalities: the keys of its encodings.
    """

    needs: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ("neural",)

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__()
        self.encoders, self.shapes = encoders, shapes

    @abstractmethod
    def encode(self, batch: Batch) -> Encodings:
        """Encodings of one view of each modality."""

    @abstractmethod
    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """The scalar to minimise, from what ``encode`` returned for this batch."""

    @abstractmethod
    def embed(self, neural: Tensor) -> dict[str, Tensor]:
        """Representations of neural clips (B, frames, pixels): ``encoder`` output and, if there is one, ``projection``.

        ``projection`` is the output of a projection head, where a contrastive loss is computed.
        """
