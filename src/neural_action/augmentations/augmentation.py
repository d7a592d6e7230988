"""Interface of augmentations, and the data they may use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neural_action.encoders.unit_tiles import PackedUnits
from neural_action.errors import InputError


@dataclass(frozen=True)
class AugmentationContext:
    """The data that augmentations use, on one device. They draw only from what pretraining may see.

    Attributes:
        neural: (frame, pixels) float32, all frames of the dataset; packed if animals have their own units.
        pose: (sample, feature) float32, normalised poses of the dataset.
        kernel: (frames,) float32, the calcium response to one event at the start of a window.
        animal_frames: for each animal (n,) int64, its visible frames in ascending order.
        swap_targets: (sample, domain, draw) int32 row numbers of ``pose``, or None without a swap table.
        swap_domains: (animal, domain) bool, the animals with which each animal may be swapped, or None.
        frames: number of neural frames of a window.
        window_starts: (sample,) int64, first frame of the visible window whose centre is nearest to the sample; -1 for
            samples of hidden trials.
        syllables: (sample, syllable) float32 posterior probabilities, or None.
        seed: seed of the run, for numbers that an augmentation draws once.
        image: (channel, y, x) shape of a frame, or None if frames are not images.
        layer: (animal,) int64, index of the input layer of each animal, -1 for none; None if animals share their units.
    """

    neural: Tensor | PackedUnits
    pose: Tensor
    kernel: Tensor | None
    animal_frames: tuple[Tensor, ...]
    swap_targets: Tensor | None
    swap_domains: Tensor | None
    frames: int
    window_starts: Tensor | None = None
    syllables: Tensor | None = None
    seed: int = 0
    image: tuple[int, int, int] | None = None
    layer: Tensor | None = None

    @property
    def pixels(self) -> int:
        """Number of values of a frame from ``take``."""
        return self.neural.width if isinstance(self.neural, PackedUnits) else self.neural.shape[1]

    def layer_of(self, animal: int) -> int:
        """Index of the input layer of an animal. InputError if it has none."""
        if self.layer is None or self.layer[animal] < 0:
            raise InputError(
                f"animal number {animal}: has no input layer, expected one for each animal in pretraining"
            )
        return int(self.layer[animal])

    def take(self, frames: Tensor, out: Tensor | None = None) -> Tensor:
        """(n, pixels) float32 of the frames (n,) int64; written to ``out`` if given."""
        if isinstance(self.neural, PackedUnits):
            return self.neural.take(frames, out)
        return torch.index_select(self.neural, 0, frames, out=out)


@dataclass(frozen=True)
class WindowRows:
    """Row numbers of the windows of a batch, int64: first frame (B,), poses (B, poses) and animal (B,)."""

    start: Tensor
    pose: Tensor
    animal: Tensor

    def __getitem__(self, rows: slice | Tensor) -> WindowRows:
        return WindowRows(self.start[rows], self.pose[rows], self.animal[rows])

    @property
    def centre(self) -> Tensor:
        """(B,) int64, row number of the middle pose of each window."""
        return self.pose[:, self.pose.shape[1] // 2]


class Augmentation(ABC):
    """A random change of a batch that keeps its meaning. Each file has one class, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys. ``needs`` lists the inputs of pretraining that it
    needs beside the recordings: ``swaps``, ``kernel``.
    """

    needs: tuple[str, ...] = ()

    def __init__(self, context: AugmentationContext):
        self.context = context

    @abstractmethod
    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """The changed batch; ``values`` may be overwritten.

        Args:
            values: (B, frames, pixels) neural windows or (B, poses, feature) behaviour windows, float32.
            rows: row numbers of the windows.
            generator: the only source of randomness, on the device of ``values``.
        """


class DrawnAugmentation(Augmentation):
    """An augmentation that draws its random numbers before it sees windows.

    So numbers can be drawn for many steps at once (``training.ahead``), shared by a batch, or compared by tests.

    Attributes:
        once: whether all windows of a call share one draw, instead of one draw for each window.
    """

    once = False

    @abstractmethod
    def draw(self, count: int, generator: torch.Generator) -> Any:
        """Random numbers for ``count`` windows: a named tuple of tensors whose first dimension is the window."""

    def prepare(self, drawn: Any) -> tuple[Tensor, ...]:
        """What ``apply`` needs of drawn numbers, window by window; by default the numbers themselves."""
        return tuple(drawn)

    @abstractmethod
    def apply(self, values: Tensor, prepared: Any) -> Tensor:
        """Change ``values`` (B, frames, pixels) in place by what was prepared for B windows."""

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``; ``values`` are overwritten."""
        count = len(values)
        prepared = self.prepare(self.draw(1 if self.once else count, generator))
        return self.apply(values, tuple(one.expand(count, *one.shape[1:]) for one in prepared))


def image_of(context: AugmentationContext, view: str) -> tuple[int, int, int]:
    """(channel, y, x) shape of the frames. InputError, naming the ``view``, if they are not images."""
    if context.image is None:
        raise InputError(
            f"augmentation {view}: needs images (channel, y, x), found frames that are not images"
        )
    return context.image


def uniform(low: Tensor, high: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(n, count) uniform float32 numbers, row i in [low[i], high[i]), drawn at once."""
    numbers = torch.rand(len(low), count, generator=generator, device=generator.device)
    return torch.lerp(low[:, None], high[:, None], numbers)


def chance(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """(count,) bool, each True with probability ``probability``."""
    return torch.rand(count, generator=generator, device=generator.device) < probability
