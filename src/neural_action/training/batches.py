"""Batches of windows on the device, and their augmented views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from neural_action.augmentations.augmentation import (
    Augmentation,
    AugmentationContext,
    DrawnAugmentation,
    WindowRows,
)
from neural_action.config.build import build
from neural_action.config.settings import AugmentationSettings, ComponentConfig
from neural_action.datasets.dataset import Dataset
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import Windows
from neural_action.encoders.unit_tiles import NeuralWindows, PackedUnits, UnitWindows
from neural_action.errors import InputError
from neural_action.neighbors.table import SwapTable
from neural_action.training.ahead import Ahead
from neural_action.training.order import TrialOrder, below

# On a CPU, augmentations process a batch in parts that fit the cache, which needs one pass over memory for all of them.
# 16 windows of 32 frames of 32 x 32 pixels are 2 MiB.
_CPU_PART = 1 << 19


@dataclass
class WindowBatch:
    """Windows of one step; each call of ``neural`` or ``behavior`` draws a new view (``objectives.Batch``)."""

    sampler: BatchSampler
    windows: Tensor
    groups: Tensor | None = None
    drawn: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.rows = self.sampler.rows[self.windows]
        self.context, self.generator = self.sampler.context, self.sampler.generator

    @property
    def animal(self) -> Tensor:
        """(B,) int64, the animal of each window."""
        return self.rows.animal

    @property
    def group(self) -> Tensor:
        """(B,) int64, equal for windows with similar behaviour, one of each animal. InputError if not matched."""
        if self.groups is None:
            raise InputError(
                "objective: compares animals with similar behaviour, expected `batches: matched`"
            )
        return self.groups

    def uniform(self, *shape: int) -> Tensor:
        """Uniform float32 numbers in [0, 1), from the generator of the step."""
        return torch.rand(shape, generator=self.generator, device=self.generator.device)

    def syllables(self) -> Tensor:
        """(B, poses, syllable) float32 posterior probabilities, of the recorded poses."""
        if self.context.syllables is None:
            raise InputError("objective: needs syllables of the poses, none given")
        return self.context.syllables[self.rows.pose]

    @property
    def label(self) -> Tensor:
        """(B,) int64, the class at the centre of each window, -1 if unlabelled."""
        return self.sampler.label[self.windows]

    def excluded(self, window: int | None, others: Tensor | None = None) -> Tensor:
        """(B, M) bool: windows and ``others`` (or each other) at most ``window`` frames apart; None: of one trial."""
        return self.sampler.order.excluded(self.windows, window, others)

    def pool(self, count: int) -> Tensor:
        """(count,) int64 windows drawn separately, without replacement. InputError if there are fewer."""
        visible = len(self.sampler.rows.start)
        if count > visible:
            raise InputError(
                f"objective.pool: {count} windows, expected at most the {visible} visible windows"
            )
        device = self.generator.device
        return torch.randperm(visible, generator=self.generator, device=device)[:count]

    def near(self, least: int, most: int) -> tuple[Tensor, Tensor]:
        """(B,) int64 windows ``least`` to ``most`` away from each in its trial; (B,) bool, whether they exist."""
        return self.sampler.order.near(self.windows, least, most, self.uniform(len(self.windows)))

    def far(self, beyond: int | None) -> Tensor:
        """(B,) int64 windows that start more than ``beyond`` frames away; in another trial for None."""
        return self.sampler.order.far(self.windows, beyond, self.uniform(len(self.windows)))

    def between(self, others: Tensor) -> Tensor:
        """(B,) int64 windows strictly between each and its ``others`` of the same trial; itself if there is none."""
        return self.sampler.order.between(self.windows, others, self.uniform(len(self.windows)))

    def neural(self) -> NeuralWindows:
        """(B, frames, pixels) float32, a new view; overwritten by the next step's batch."""
        shift, rows, turns = self.sampler.shift, self.rows, self.sampler.turns
        if shift != 0 and self.drawn > 0:
            most = None if shift == "trial" else shift
            rows = self.sampler.rows[
                self.sampler.order.later(self.windows, most, self.uniform(len(self.windows)))
            ]
        return self._neural(rows, self.sampler.neural_augmentations, turns=turns)

    def neural_of(self, windows: Tensor) -> NeuralWindows:
        """(B, frames, pixels) float32, a view of the windows of those numbers; overwritten by the next step's batch."""
        return self._neural(self.sampler.rows[windows], self.sampler.neural_augmentations)

    def mined_of(self, windows: Tensor) -> NeuralWindows:
        """Like ``neural_of``, with the ``mined`` augmentations."""
        return self._neural(self.sampler.rows[windows], self.sampler.mined_augmentations)

    def recorded(self) -> NeuralWindows:
        """(B, frames, pixels) float32, the windows without augmentations; overwritten by the next step's batch."""
        return self._neural(self.rows, [], turns=self.sampler.turns)

    def _neural(self, rows: WindowRows, views: list[Augmentation], *, turns: int = 0) -> NeuralWindows:
        frames, pixels = self.context.frames, self.context.pixels
        out = self._buffer((len(rows.start), frames, pixels))
        whole = out.is_cuda or self.sampler.draws == "batch"
        part = len(out) if whole else max(1, _CPU_PART // out[0].numel())
        index = rows.start[:, None] + self.sampler.offsets
        for first in range(0, len(out), part):
            some = slice(first, first + part)
            windows = out[some]
            self.context.take(index[some].flatten(), windows.view(-1, pixels))
            for view in views:
                if isinstance(view, DrawnAugmentation):
                    view.apply(windows, self.sampler.ahead(view, len(windows)))
                else:
                    view(windows, rows[some], self.generator)
        if self.context.layer is None:
            return out
        return UnitWindows(out, self.context.layer[rows.animal], turns)

    def _buffer(self, shape: tuple[int, ...]) -> Tensor:
        """Memory for the next view of this step. It is reused in every step, because new memory is slow on a CPU."""
        buffers = self.sampler.buffers
        if self.drawn == len(buffers):
            buffers.append(torch.empty(shape, device=self.context.neural.device))
        self.drawn += 1
        return buffers[self.drawn - 1]

    def behavior(self) -> Tensor:
        """(B, poses, feature) float32."""
        values = self.context.pose[self.rows.pose]
        for view in self.sampler.behavior_augmentations:
            values = view(values, self.rows, self.generator)
        return values


class BatchSampler:
    """Batches of visible windows, which depend only on seed and step, also after an interruption.

    Windows are drawn uniformly; if animals have their own units, the same number of each animal.

    Args:
        context: the dataset on the device.
        windows: windows of the dataset; only visible windows are drawn.
        augmentations: augmentations of the views.
        batch: number of windows of a step.
        seed: seed of all random numbers, together with the step.
        matched: whether batches are groups: a uniform window, and for each other visible animal the window at a swap
            neighbour of its centre pose.
        epochs: whether every window is used once per epoch, in random order; an incomplete last batch is left out.
        focus: number of an animal from which half of each uniform batch is drawn, or None.

    Raises:
        InputError: settings that do not fit together or the number of windows and animals.
    """

    def __init__(
        self,
        context: AugmentationContext,
        windows: Windows,
        augmentations: AugmentationSettings,
        batch: int,
        seed: int,
        *,
        matched: bool = False,
        epochs: bool = False,
        focus: int | None = None,
    ):
        context, device = replace(context, seed=seed), context.neural.device
        visible = windows.take(windows.sees_input)
        self.rows = WindowRows(
            *(torch.as_tensor(a, device=device) for a in (visible.start, visible.pose, visible.animal))
        )
        self.label = torch.as_tensor(visible.label, device=device)
        self.order = TrialOrder.of(visible.start, visible.trial, device)
        self.context, self.batch, self.seed, self.shift = context, batch, seed, augmentations.shift
        self.draws = augmentations.draws
        self.neural_augmentations = self._views(augmentations.neural)
        self.mined_augmentations = self._views(augmentations.mined)
        self.behavior_augmentations = [
            build("augmentations", part, context) for part in augmentations.behavior
        ]
        self.generator, self.ahead = torch.Generator(device), Ahead(seed, device)
        self.offsets = torch.arange(context.frames, device=device)
        self.buffers: list[Tensor] = []
        self.epoch_length = len(self.rows.start) // batch if epochs else 0
        self.epoch: tuple[int, Tensor] | None = None
        if epochs and (self.epoch_length == 0 or matched or focus is not None):
            raise InputError(
                f"batches: epochs with {len(self.rows.start)} visible windows and training.batch {batch}, expected at "
                "least one batch, and no matched or focused batches"
            )
        self.focus = None
        if focus is not None:
            own = np.flatnonzero(visible.animal == focus)
            if len(own) == 0 or matched:
                raise InputError(
                    f"batches: focus on animal number {focus}, expected visible windows of it and no matched batches"
                )
            self.focus = torch.as_tensor(own, device=device)
        #: If animals have their own units: number of windows of each visible animal, and number of its first window.
        self.each: tuple[Tensor, Tensor] | None = None
        if context.layer is not None:
            _, first, counts = np.unique(visible.animal, return_index=True, return_counts=True)
            if batch < len(counts):
                raise InputError(
                    f"training.batch: {batch}, expected at least one window of each of {len(counts)} animals"
                )
            self.each = torch.as_tensor(counts, device=device), torch.as_tensor(first, device=device)
        #: Number of input layers that the windows of a batch are of in turn (``UnitWindows.turns``).
        self.turns = 0 if context.layer is None or focus is not None or epochs else self._turns(context.layer)
        #: With matched batches: the visible animals, the swap targets and the window of each sample.
        self.matched: tuple[Tensor, Tensor, Tensor] | None = None
        if matched:
            if context.swap_targets is None or context.window_starts is None:
                raise InputError("batches: matched needs a swap table")
            animals = torch.unique(self.rows.animal)
            if len(animals) < 2 or batch < 2 * len(animals):
                raise InputError(
                    f"batches: matched needs two animals and two windows of each in a batch, found "
                    f"{len(animals)} animals and training.batch {batch}"
                )
            self.matched = animals, context.swap_targets, context.window_starts
            # Number of the window that starts at each frame; starts are unique.
            self.by_start = torch.full((len(context.neural),), -1, dtype=torch.int64, device=device)
            self.by_start[self.rows.start] = torch.arange(len(self.rows.start), device=device)

    def __call__(self, step: int) -> WindowBatch:
        """The batch of a step. All random numbers follow from (seed, step)."""
        entropy = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)[0]
        self.generator.manual_seed(int(entropy >> np.uint64(1)))
        self.ahead.begin(step)
        if self.matched is not None:
            return WindowBatch(self, *self._matched(*self.matched))
        return WindowBatch(self, self._of_epoch(step) if self.epoch_length else self._uniform())

    def _turns(self, layer: Tensor) -> int:
        """Number of the visible animals; 0 unless these, in ascending order, have the layers 0, 1, 2, ..."""
        own = layer[torch.unique(self.rows.animal)]
        return len(own) if torch.equal(own, torch.arange(len(own), device=own.device)) else 0

    def _views(self, parts: list[ComponentConfig]) -> list[Augmentation]:
        """Augmentations of neural windows."""
        views = [build("augmentations", part, self.context) for part in parts]
        for view in views if self.draws == "batch" else []:
            if not isinstance(view, DrawnAugmentation):
                raise InputError(f"augmentations.draws: batch, but {view.name} draws numbers for each window")
            view.once = True
        return views

    def _draw(self, high: int, size: tuple[int, ...]) -> Tensor:
        return torch.randint(high, size, generator=self.generator, device=self.generator.device)

    def _uniform(self) -> Tensor:
        """(B,) int64 numbers of windows."""
        if self.each is None:
            chosen = self._draw(len(self.rows.start), (self.batch,))
        else:
            # Animals alternate, so that the half that ``focus`` replaces is of all animals.
            counts, first = self.each
            size = self.batch // len(counts), len(counts)
            chance = torch.rand(size, generator=self.generator, device=self.generator.device)
            chosen = (first + below(counts, chance)).flatten()
        if self.focus is not None:
            half = len(chosen) // 2
            chosen[:half] = self.focus[self._draw(len(self.focus), (half,))]
        return chosen

    def _of_epoch(self, step: int) -> Tensor:
        """(B,) int64 numbers of windows; the order of an epoch follows from (seed, epoch)."""
        epoch, place = divmod(step, self.epoch_length)
        if self.epoch is None or self.epoch[0] != epoch:
            order = np.random.default_rng([self.seed, epoch, 1]).permutation(len(self.rows.start))
            self.epoch = epoch, torch.as_tensor(order, device=self.generator.device)
        return self.epoch[1][place * self.batch : (place + 1) * self.batch]

    def _matched(self, animals: Tensor, targets: Tensor, window_starts: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) int64 numbers of windows, group after group, and (B,) int64 groups."""
        anchors = self.rows[self._draw(len(self.rows.start), (self.batch // len(animals),))]
        draw = self._draw(targets.shape[2], (len(anchors.start), len(animals)))
        near = targets[anchors.centre[:, None], animals[None], draw].long()
        # The anchor is the window of its own animal.
        start = torch.where(
            animals[None] == anchors.animal[:, None], anchors.start[:, None], window_starts[near]
        )
        groups = torch.arange(len(anchors.start), device=start.device).repeat_interleave(len(animals))
        return self.by_start[start.flatten()], groups


def window_starts(dataset: Dataset, windows: Windows) -> np.ndarray:
    """(sample,) int64: first frame of the visible window of the same trial whose centre is nearest, in samples.

    Samples within half a window of the ends of a trial get its first or last window. Samples of a visible trial without
    windows get the nearest window of their animal. -1 for samples of hidden trials, and of animals without visible
    windows.
    """
    visible = windows.take(windows.sees_input)
    poses = visible.pose.shape[1]
    # Twice the centre, which lies between the middle two of an even number of poses.
    centre = visible.pose[:, (poses - 1) // 2] + visible.pose[:, poses // 2]
    starts = np.full(len(dataset.pose), -1, np.int64)
    for at, trial in enumerate(dataset.trials):
        own = np.flatnonzero(visible.trial == at)
        if len(own) == 0:
            own = np.flatnonzero(visible.animal == dataset.animals.index(trial.animal))
        if not trial.sees_input or len(own) == 0:
            continue
        own = own[np.argsort(centre[own], kind="stable")]
        samples = 2 * np.arange(trial.samples.start, trial.samples.stop)
        right = np.clip(np.searchsorted(centre[own], samples), 1, max(1, len(own) - 1))
        left, right = own[right - 1], own[np.minimum(right, len(own) - 1)]
        nearer = samples - centre[left] < centre[right] - samples
        starts[trial.samples] = np.where(nearer, visible.start[left], visible.start[right])
    return starts


def augmentation_context(
    dataset: Dataset,
    windows: Windows,
    device: torch.device,
    *,
    kernel: np.ndarray | None = None,
    swap: SwapTable | None = None,
    syllables: np.ndarray | None = None,
    layers: Sequence[str] = (),
) -> AugmentationContext:
    """The arrays of the dataset on the device, with the visible frames of each animal.

    Args:
        dataset: the dataset.
        windows: all windows of the dataset.
        device: device of training; on a CPU, a memory-mapped neural array stays mapped.
        kernel: (frames,) float32, if an augmentation needs it.
        swap: the swap table of the same run, if needed.
        syllables: (sample, syllable) float32, if the objective needs them.
        layers: names of the animals with an input layer, in order, if animals have their own units.
    """
    neural: Tensor | PackedUnits
    image = layer = None
    if isinstance(dataset.neural, RaggedFrames):
        neural = PackedUnits(dataset.neural.parts, device)
        numbers = [layers.index(name) if name in layers else -1 for name in dataset.animals]
        layer = torch.as_tensor(numbers, device=device)
    else:
        shape = dataset.neural.shape[1:]
        neural = torch.from_numpy(dataset.neural.reshape(len(dataset.neural), math.prod(shape))).to(device)
        image = (1, *shape)[-3:] if len(shape) > 1 else None
    own = [
        [
            np.arange(trial.frames.start, trial.frames.stop)
            for trial in dataset.trials
            if trial.sees_input and trial.animal == name
        ]
        for name in dataset.animals
    ]
    return AugmentationContext(
        neural=neural,
        pose=torch.from_numpy(dataset.pose).to(device),
        kernel=None if kernel is None else torch.as_tensor(kernel, dtype=torch.float32, device=device),
        animal_frames=tuple(
            torch.as_tensor(np.concatenate(parts) if parts else np.empty(0, np.int64), device=device)
            for parts in own
        ),
        swap_targets=None if swap is None else torch.as_tensor(swap.targets, device=device),
        swap_domains=None if swap is None else torch.as_tensor(swap.domains, device=device),
        frames=windows.frames,
        window_starts=torch.as_tensor(window_starts(dataset, windows), device=device),
        syllables=None if syllables is None else torch.as_tensor(syllables, device=device),
        image=image,
        layer=layer,
    )
