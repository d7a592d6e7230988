"""What an objective is: networks, encodings of a batch, a loss on them, and the representation it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import NeuralWindows

#: Encodings of a batch by modality, each (B, dimension): what adaptation between animals acts on.
Encodings = dict[str, Tensor]


class Batch(Protocol):
    """A batch of windows that draws views of itself; each call of ``neural`` or ``behavior`` is a new random view.

    Neural windows are ``UnitWindows`` where animals have units of their own: the neural encoder reads either.
    """

    @property
    def animal(self) -> Tensor:
        """(B,) int64, the animal of each window."""

    @property
    def group(self) -> Tensor:
        """(B,) int64, equal for windows of different animals whose behaviour is alike; InputError if not matched."""

    @property
    def label(self) -> Tensor:
        """(B,) int64, the class of each window, -1 where unlabelled."""

    @property
    def windows(self) -> Tensor:
        """(B,) int64, the numbers of the windows."""

    def excluded(self, window: int | None, others: Tensor | None = None) -> Tensor:
        """(B, M) bool: windows and ``others``, or each other, at most ``window`` frames apart; None: of one trial."""

    def pool(self, count: int) -> Tensor:
        """(count,) int64, numbers of windows drawn apart from the batch, each once."""

    def near(self, least: int, most: int) -> tuple[Tensor, Tensor]:
        """A window ``least`` to ``most`` before or after each in its trial: (B,) numbers; (B,) bool: is there one?"""

    def far(self, beyond: int | None) -> Tensor:
        """Windows that start more than ``beyond`` frames away, as (B,) numbers; of another trial for None."""

    def between(self, others: Tensor) -> Tensor:
        """Windows between each window and its ``others`` (B,) of the same trial; itself where there is none."""

    def neural(self) -> NeuralWindows:
        """(B, frames, pixels) float32, an augmented view of the neural windows; a later one may be shifted in time."""

    def neural_of(self, windows: Tensor) -> NeuralWindows:
        """(B, frames, pixels) float32, an augmented view of the windows of those numbers."""

    def mined_of(self, windows: Tensor) -> NeuralWindows:
        """(B, frames, pixels) float32, a view of the windows of those numbers by the augmentations of mined views."""

    def recorded(self) -> NeuralWindows:
        """(B, frames, pixels) float32, the neural windows as recorded."""

    def behavior(self) -> Tensor:
        """(B, poses, feature) float32, an augmented view of the behaviour windows."""

    def syllables(self) -> Tensor:
        """(B, poses, syllable) float32, posterior probabilities of the syllables at the poses as recorded."""

    def uniform(self, *shape: int) -> Tensor:
        """float32 in [0, 1), from the batch's own generator."""


class Objective(nn.Module, ABC):
    """A self-supervised objective. One class a file, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys. ``needs`` names inputs of pretraining beside the
    recordings: ``swaps``, ``kernel``, ``syllables``; ``labels`` where it trains with labels.

    Attributes:
        modalities: the keys of its encodings.
        followers: children that are not trained but follow those that are.
        progress: the fraction of training that is done, which schedules go by; set before each step.
    """

    needs: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ("neural",)
    followers: tuple[str, ...] = ()
    progress: float = 0.0

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__()
        self.encoders, self.shapes = encoders, shapes

    @abstractmethod
    def encode(self, batch: Batch) -> Encodings:
        """Encodings of one view of each modality."""

    @abstractmethod
    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """The scalar to minimise, from what ``encode`` returned for this batch."""

    def follow(self) -> None:
        """After the optimizer's step: what follows the trained networks does so. Nothing here."""

    def fit_scales(self, neural: Tensor, visible: Tensor) -> None:
        """Take the statistics of every ``Standardise`` from the frames ``visible`` (n,) of (frame, pixels)."""
        for part in self.modules():
            if isinstance(part, Standardise):
                part.fit(neural[visible])

    def fit_units(self, layer: int, neural: Tensor) -> None:
        """Take the statistics of one animal's units in its input layers, from the (n, unit) frames that are seen."""
        for part in self.modules():
            if isinstance(part, UnitInput):
                part.fit(layer, neural)

    @abstractmethod
    def embed(self, neural: NeuralWindows) -> dict[str, Tensor]:
        """Representations of neural windows (B, frames, pixels): ``encoder`` and, if there is one, ``projection``.

        ``projection`` is the output of a projection head, where a contrastive loss is computed.
        """


@runtime_checkable
class EncodesBehavior(Protocol):
    """An objective with an encoder of behaviour."""

    def embed_behavior(self, behavior: Tensor) -> Tensor:
        """(B, dimension) float32, the encoder's output for behaviour windows (B, poses, feature)."""
