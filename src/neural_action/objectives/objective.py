"""Interface of objectives: networks, encodings of a batch, a loss on them, and the representation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.encoders.unit_attention import UnitAttention
from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import NeuralWindows

#: Encodings of a batch by modality, each (B, dimension); domain adaptation acts on them.
Encodings = dict[str, Tensor]


class Batch(Protocol):
    """A batch of windows. Each call of ``neural`` or ``behavior`` draws a new augmented view.

    Neural windows are ``UnitWindows`` if animals have their own units; the neural encoder reads either.
    """

    @property
    def animal(self) -> Tensor:
        """(B,) int64, the animal of each window."""

    @property
    def group(self) -> Tensor:
        """(B,) int64, equal for windows of different animals with similar behaviour; InputError if not matched."""

    @property
    def label(self) -> Tensor:
        """(B,) int64, the class of each window, -1 if unlabelled."""

    @property
    def windows(self) -> Tensor:
        """(B,) int64, the numbers of the windows."""

    def excluded(self, window: int | None, others: Tensor | None = None) -> Tensor:
        """(B, M) bool: windows and ``others`` (or each other) at most ``window`` frames apart; None: of one trial."""

    def pool(self, count: int) -> Tensor:
        """(count,) int64, numbers of windows drawn separately from the batch, without replacement."""

    def near(self, least: int, most: int) -> tuple[Tensor, Tensor]:
        """(B,) int64, a window ``least`` to ``most`` away from each in its trial; (B,) bool, whether it exists."""

    def far(self, beyond: int | None) -> Tensor:
        """(B,) int64, windows that start more than ``beyond`` frames away; in another trial for None."""

    def between(self, others: Tensor) -> Tensor:
        """(B,) int64, a window between each window and its ``others`` (B,) of its trial; itself if there is none."""

    def neural(self) -> NeuralWindows:
        """(B, frames, pixels) float32, an augmented view of the neural windows; a later one may be shifted in time."""

    def neural_of(self, windows: Tensor) -> NeuralWindows:
        """(B, frames, pixels) float32, an augmented view of the windows of those numbers."""

    def mined_of(self, windows: Tensor) -> NeuralWindows:
        """(B, frames, pixels) float32, a view of the windows of those numbers by the ``mined`` augmentations."""

    def recorded(self) -> NeuralWindows:
        """(B, frames, pixels) float32, the neural windows as recorded."""

    def behavior(self) -> Tensor:
        """(B, poses, feature) float32, an augmented view of the behaviour windows."""

    def syllables(self) -> Tensor:
        """(B, poses, syllable) float32, posterior probabilities of the syllables at the recorded poses."""

    def uniform(self, *shape: int) -> Tensor:
        """Uniform float32 numbers in [0, 1), from the generator of the batch."""


class Objective(nn.Module, ABC):
    """An objective of pretraining. Each file has one class, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys. ``needs`` lists the inputs of pretraining that it
    needs beside the recordings: ``swaps``, ``kernel``, ``syllables``, and ``labels`` if it trains with labels.

    Attributes:
        f_n: the neural encoder; a subclass makes it.
        modalities: the keys of its encodings.
        followers: child modules that are not trained but follow trained ones.
        mines: whether it mines views.
        mined: of the last loss, for records: (B,) int64 windows and (B,) int64 windows mined for them (-1 for none), or
            None if it mined nothing.
        progress: fraction of training done, for schedules; set before each step.
    """

    needs: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ("neural",)
    followers: tuple[str, ...] = ()
    mines: bool = False
    mined: tuple[Tensor, Tensor] | None = None
    progress: float = 0.0
    f_n: nn.Module

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__()
        self.encoders, self.shapes = encoders, shapes

    def encode(self, batch: Batch) -> Encodings:
        """Encodings of one view of each modality; by default h_n, from the neural encoder ``f_n``."""
        return {"neural": self.f_n(batch.neural())}

    @abstractmethod
    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """The scalar to minimise, from what ``encode`` returned for this batch."""

    def follow(self) -> None:
        """Update the followers after an optimizer step; does nothing by default."""

    def fit_scales(self, neural: Tensor, visible: Tensor) -> None:
        """Fit every ``Standardise`` to the frames ``visible`` (n,) int64 of ``neural`` (frame, pixels)."""
        for part in self.modules():
            if isinstance(part, Standardise):
                part.fit(neural[visible])

    def fit_units(self, layer: int, neural: Tensor) -> None:
        """Fit the statistics of input layer number ``layer`` to the visible (n, unit) frames of its animal."""
        for part in self.modules():
            if isinstance(part, UnitInput | UnitAttention):
                part.fit(layer, neural)

    def embed(self, neural: NeuralWindows) -> dict[str, Tensor]:
        """Representations (B, dimension) of neural windows (B, frames, pixels), by layer: ``encoder``, ``projection``.

        ``projection``, on which a contrastive loss is computed, is only there if the objective has a projection head
        ``g_n``.
        """
        h, head = self.f_n(neural), getattr(self, "g_n", None)
        return (
            {"encoder": h}
            if head is None or isinstance(head, nn.Identity)
            else {"encoder": h, "projection": head(h)}
        )


@runtime_checkable
class EncodesBehavior(Protocol):
    """An objective with an encoder of behaviour."""

    def embed_behavior(self, behavior: Tensor) -> Tensor:
        """(B, dimension) float32, the encoder's output for behaviour windows (B, poses, feature)."""
