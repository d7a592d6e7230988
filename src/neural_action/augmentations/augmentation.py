"""What a view is, and what it may know: the data on the device and the windows of the batch."""

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
    """Everything views draw from, on one device; all rows and windows here are visible to pretraining.

    Attributes:
        neural: (frame, pixels) float32, every frame of the dataset; packed where animals have units of their own.
        pose: (sample, feature) float32, normalised poses of the dataset.
        kernel: (frames,) float32, the calcium response to one event at the start of a window.
        animal_frames: per animal, (n,) int64, its visible frames in ascending order.
        swap_targets: (sample, domain, draw) int32 row numbers of ``pose``, or None without a swap table.
        swap_domains: (animal, domain) bool, the animals each animal may be swapped with, or None.
        frames: neural frames a window.
        window_starts: (sample,) int64, the first frame of the visible window nearest to a visible sample (its centre
            is); -1 for samples of hidden trials.
        syllables: (sample, syllable) float32 posterior probabilities, or None.
        seed: of the run, for what a view draws once.
        image: (channel, y, x), how the pixels of a frame lie, or None where frames are no images.
        layer: (animal,) int64, the input layer of each animal, -1 for none; None where animals have units in common.
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
        """Numbers in a frame that ``take`` returns."""
        return self.neural.width if isinstance(self.neural, PackedUnits) else self.neural.shape[1]

    def layer_of(self, animal: int) -> int:
        """The input layer of an animal. InputError if it has none."""
        if self.layer is None or self.layer[animal] < 0:
            raise InputError(
                f"animal number {animal}: has no input layer, expected one of each animal that is seen"
            )
        return int(self.layer[animal])

    def take(self, frames: Tensor, out: Tensor | None = None) -> Tensor:
        """(n, pixels) of frames (n,) int64; ``out`` is overwritten if given."""
        if isinstance(self.neural, PackedUnits):
            return self.neural.take(frames, out)
        return torch.index_select(self.neural, 0, frames, out=out)


@dataclass(frozen=True)
class WindowRows:
    """The windows of a batch, as row numbers: start (B,), pose (B, poses), animal (B,), all int64."""

    start: Tensor
    pose: Tensor
    animal: Tensor

    def __getitem__(self, rows: slice | Tensor) -> WindowRows:
        return WindowRows(self.start[rows], self.pose[rows], self.animal[rows])

    @property
    def centre(self) -> Tensor:
        """(B,) int64, the middle pose of each window."""
        return self.pose[:, self.pose.shape[1] // 2]


class Augmentation(ABC):
    """A random change of a batch that keeps its meaning. One class a file, found by its ``name``.

    Keyword arguments of ``__init__`` are its configuration keys. ``needs`` names inputs of pretraining beside the
    recordings: ``swaps``, ``kernel``.
    """

    needs: tuple[str, ...] = ()

    def __init__(self, context: AugmentationContext):
        self.context = context

    @abstractmethod
    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """The changed batch; ``values`` may be overwritten.

        Args:
            values: (B, frames, pixels) neural windows or (B, poses, feature) behaviour windows, float32.
            rows: where the windows came from.
            generator: the only source of randomness, on the device of ``values``.
        """


class DrawnAugmentation(Augmentation):
    """A view that draws its numbers first, so that they can be compared, or shared by a whole batch.

    Attributes:
        once: one draw for all windows that are given together, instead of one a window.
    """

    once = False

    @abstractmethod
    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """What changes ``count`` windows: tensors whose first dimension is the window, as a named tuple."""

    @abstractmethod
    def apply(self, values: Tensor, drawn: Any) -> Tensor:
        """Change ``values`` (B, frames, pixels) by what was drawn for B windows, in place."""

    def __call__(self, values: Tensor, rows: WindowRows, generator: torch.Generator) -> Tensor:
        """Shapes as in ``Augmentation``; ``values`` are overwritten."""
        count = len(values)
        drawn = self.draw(1 if self.once else count, generator)
        if self.once:
            drawn = type(drawn)(*(one.expand(count, *one.shape[1:]) for one in drawn))
        return self.apply(values, drawn)


def image_of(context: AugmentationContext, view: str) -> tuple[int, int, int]:
    """(channel, y, x) of the frames. InputError, naming the ``view``, if they are no images."""
    if context.image is None:
        raise InputError(f"view {view}: needs images (channel, y, x), the frames are none")
    return context.image


def uniform(low: float, high: float, size: tuple[int, ...] | int, generator: torch.Generator) -> Tensor:
    """float32 in [low, high), on the generator's device."""
    size = (size,) if isinstance(size, int) else size
    return low + (high - low) * torch.rand(size, generator=generator, device=generator.device)


def chance(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """(count,) bool, each True with ``probability``."""
    return torch.rand(count, generator=generator, device=generator.device) < probability
