"""Batches gathered on the device, and the views drawn from them."""

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
from neural_action.training.order import TrialOrder, below

# On a CPU a batch is made in parts that stay in its cache: the augmentations then cost one pass over memory, not
# one each. 16 windows of 32 frames of 32 x 32 pixels are 2 MiB.
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
        """(B,) int64, equal for windows of like behaviour; runs of one window an animal. InputError if unmatched."""
        if self.groups is None:
            raise InputError("this objective compares animals that behave alike: it needs `batches: matched`")
        return self.groups

    def uniform(self, *shape: int) -> Tensor:
        """float32 in [0, 1), from the generator of the step."""
        return torch.rand(shape, generator=self.generator, device=self.generator.device)

    def syllables(self) -> Tensor:
        """(B, poses, syllable) float32, of the poses as recorded."""
        if self.context.syllables is None:
            raise InputError("this objective needs syllables of the poses, none were given")
        return self.context.syllables[self.rows.pose]

    @property
    def label(self) -> Tensor:
        """(B,) int64, the class at the centre of each window, -1 where unlabelled."""
        return self.sampler.label[self.windows]

    def excluded(self, window: int | None, others: Tensor | None = None) -> Tensor:
        """(B, M) bool: windows and ``others``, or each other, at most ``window`` frames apart; None: of one trial."""
        return self.sampler.order.excluded(self.windows, window, others)

    def pool(self, count: int) -> Tensor:
        """(count,) int64 windows drawn apart from the batch, each once. InputError if there are fewer."""
        visible = len(self.sampler.rows.start)
        if count > visible:
            raise InputError(
                f"objective.pool: {count} windows, expected at most the {visible} that pretraining sees"
            )
        device = self.generator.device
        return torch.randperm(visible, generator=self.generator, device=device)[:count]

    def near(self, least: int, most: int) -> tuple[Tensor, Tensor]:
        """(B,) int64 windows ``least`` to ``most`` before or after each in its trial, and (B,) bool: is there one."""
        return self.sampler.order.near(self.windows, least, most, self.uniform(len(self.windows)))

    def far(self, beyond: int | None) -> Tensor:
        """(B,) int64 windows that start more than ``beyond`` frames away; of another trial for None."""
        return self.sampler.order.far(self.windows, beyond, self.uniform(len(self.windows)))

    def between(self, others: Tensor) -> Tensor:
        """(B,) int64 windows strictly between each and its ``others`` of the same trial; itself where there is none."""
        return self.sampler.order.between(self.windows, others, self.uniform(len(self.windows)))

    def neural(self) -> NeuralWindows:
        """(B, frames, pixels) float32; overwritten by the next step's batch."""
        shift, rows = self.sampler.shift, self.rows
        if shift != 0 and self.drawn > 0:
            most = None if shift == "trial" else shift
            rows = self.sampler.rows[
                self.sampler.order.later(self.windows, most, self.uniform(len(self.windows)))
            ]
        return self._neural(rows, self.sampler.neural_augmentations)

    def neural_of(self, windows: Tensor) -> NeuralWindows:
        """(B, frames, pixels) float32, a view of the windows of those numbers; overwritten by the next step's batch."""
        return self._neural(self.sampler.rows[windows], self.sampler.neural_augmentations)

    def mined_of(self, windows: Tensor) -> NeuralWindows:
        """As ``neural_of``, by the augmentations of views that are mined."""
        return self._neural(self.sampler.rows[windows], self.sampler.mined_augmentations)

    def recorded(self) -> NeuralWindows:
        """(B, frames, pixels) float32, the windows without a view; overwritten by the next step's batch."""
        return self._neural(self.rows, [])

    def _neural(self, rows: WindowRows, views: list[Augmentation]) -> NeuralWindows:
        frames, pixels = self.context.frames, self.context.pixels
        out = self._buffer((len(rows.start), frames, pixels))
        whole = out.is_cuda or self.sampler.draws == "batch"
        part = len(out) if whole else max(1, _CPU_PART // out[0].numel())
        index = rows.start[:, None] + torch.arange(frames, device=out.device)
        for first in range(0, len(out), part):
            some = slice(first, first + part)
            windows = out[some]
            self.context.take(index[some].flatten(), windows.view(-1, pixels))
            for view in views:
                view(windows, rows[some], self.generator)
        return out if self.context.layer is None else UnitWindows(out, self.context.layer[rows.animal])

    def _buffer(self, shape: tuple[int, ...]) -> Tensor:
        """Memory for the next view of this step, reused from step to step: fresh pages cost a CPU as much as a view."""
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
    """Batches of visible windows, the same for a seed and step wherever a run was interrupted.

    Args:
        context: the dataset on the device.
        windows: windows of the dataset; only visible ones are drawn.
        views: augmentations.
        batch: windows a step.
        seed: with the step, of everything random.
        matched: a uniform window, and for each other visible animal the window at a swap neighbour of its centre pose;
            together a group. Otherwise windows are uniform; where animals have their own units, equally many of each.
        epochs: every window once before any comes again, in an order drawn anew each time; the last, fewer than a
            batch, are left out. Otherwise windows are drawn uniformly.
        focus: number of an animal that half of each uniform batch is drawn from, or None.
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
        self.generator = torch.Generator(device)
        self.buffers: list[Tensor] = []
        self.epoch_length = len(self.rows.start) // batch if epochs else 0
        self.epoch: tuple[int, Tensor] | None = None
        if epochs and (self.epoch_length == 0 or matched or focus is not None):
            raise InputError(
                f"batches: epochs of {len(self.rows.start)} visible windows and training.batch {batch}, expected a "
                "batch at least, and batches that are neither matched nor of one animal"
            )
        self.focus = None
        if focus is not None:
            own = np.flatnonzero(visible.animal == focus)
            if len(own) == 0 or matched:
                raise InputError(
                    f"batches: animal number {focus} has no visible windows, or batches are matched"
                )
            self.focus = torch.as_tensor(own, device=device)
        #: Where animals have units of their own: windows of each visible animal, and the number of its first one.
        self.each: tuple[Tensor, Tensor] | None = None
        if context.layer is not None:
            _, first, counts = np.unique(visible.animal, return_index=True, return_counts=True)
            if batch < len(counts):
                raise InputError(
                    f"training.batch: {batch}, expected a window of each of {len(counts)} animals at least"
                )
            self.each = torch.as_tensor(counts, device=device), torch.as_tensor(first, device=device)
        #: Where batches are matched: the visible animals, the swap targets and the window of each sample.
        self.matched: tuple[Tensor, Tensor, Tensor] | None = None
        if matched:
            if context.swap_targets is None or context.window_starts is None:
                raise InputError("batches: matched needs a swap table")
            animals = torch.unique(self.rows.animal)
            if len(animals) < 2 or batch < 2 * len(animals):
                raise InputError(
                    f"batches: matched needs two animals and two windows of each a step, found "
                    f"{len(animals)} animals and training.batch {batch}"
                )
            self.matched = animals, context.swap_targets, context.window_starts
            # Starts of windows are unique, so a start says which window it is.
            self.by_start = torch.full((len(context.neural),), -1, dtype=torch.int64, device=device)
            self.by_start[self.rows.start] = torch.arange(len(self.rows.start), device=device)

    def __call__(self, step: int) -> WindowBatch:
        """The batch of a step. All randomness follows from (seed, step)."""
        entropy = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)[0]
        self.generator.manual_seed(int(entropy >> np.uint64(1)))
        if self.matched is not None:
            return WindowBatch(self, *self._matched(*self.matched))
        return WindowBatch(self, self._of_epoch(step) if self.epoch_length else self._uniform())

    def _views(self, parts: list[ComponentConfig]) -> list[Augmentation]:
        """Augmentations of neural windows."""
        views = [build("augmentations", part, self.context) for part in parts]
        for view in views if self.draws == "batch" else []:
            if not isinstance(view, DrawnAugmentation):
                raise InputError(
                    f"augmentations.draws: batch, but {view.name} draws its numbers window by window"
                )
            view.once = True
        return views

    def _draw(self, high: int, size: tuple[int, ...]) -> Tensor:
        return torch.randint(high, size, generator=self.generator, device=self.generator.device)

    def _uniform(self) -> Tensor:
        """(B,) numbers of windows."""
        if self.each is None:
            chosen = self._draw(len(self.rows.start), (self.batch,))
        else:
            # Animal by animal in turn, so that the half that ``focus`` replaces is of all of them.
            counts, first = self.each
            size = self.batch // len(counts), len(counts)
            chance = torch.rand(size, generator=self.generator, device=self.generator.device)
            chosen = (first + below(counts, chance)).flatten()
        if self.focus is not None:
            half = len(chosen) // 2
            chosen[:half] = self.focus[self._draw(len(self.focus), (half,))]
        return chosen

    def _of_epoch(self, step: int) -> Tensor:
        """(B,) numbers of windows; the order of an epoch follows from (seed, epoch)."""
        epoch, place = divmod(step, self.epoch_length)
        if self.epoch is None or self.epoch[0] != epoch:
            order = np.random.default_rng([self.seed, epoch, 1]).permutation(len(self.rows.start))
            self.epoch = epoch, torch.as_tensor(order, device=self.generator.device)
        return self.epoch[1][place * self.batch : (place + 1) * self.batch]

    def _matched(self, animals: Tensor, targets: Tensor, window_starts: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers of windows, group after group, and the group of each."""
        anchors = self.rows[self._draw(len(self.rows.start), (self.batch // len(animals),))]
        draw = self._draw(targets.shape[2], (len(anchors.start), len(animals)))
        near = targets[anchors.centre[:, None], animals[None], draw].long()
        # An anchor stands for its own animal.
        start = torch.where(
            animals[None] == anchors.animal[:, None], anchors.start[:, None], window_starts[near]
        )
        groups = torch.arange(len(anchors.start), device=start.device).repeat_interleave(len(animals))
        return self.by_start[start.flatten()], groups


def window_starts(dataset: Dataset, windows: Windows) -> np.ndarray:
    """(sample,) int64: first frame of the visible window of the same trial whose centre is nearest, in samples.

    Samples within half a window of the ends of a trial get its first or last window; those of a visible trial without a
    window the nearest of their animal. -1 for samples of hidden trials, and of animals without a visible window.
    """
    visible = windows.take(windows.sees_input)
    poses = visible.pose.shape[1]
    # Twice the centre: between the middle two of an even number of poses.
    centre = visible.pose[:, (poses - 1) // 2] + visible.pose[:, poses // 2]
    starts = np.full(len(dataset.pose), -1, np.int64)
    for at, span in enumerate(dataset.trials):
        own = np.flatnonzero(visible.trial == at)
        if len(own) == 0:
            own = np.flatnonzero(visible.animal == dataset.animals.index(span.animal))
        if not span.sees_input or len(own) == 0:
            continue
        own = own[np.argsort(centre[own], kind="stable")]
        samples = 2 * np.arange(span.samples.start, span.samples.stop)
        right = np.clip(np.searchsorted(centre[own], samples), 1, max(1, len(own) - 1))
        left, right = own[right - 1], own[np.minimum(right, len(own) - 1)]
        nearer = samples - centre[left] < centre[right] - samples
        starts[span.samples] = np.where(nearer, visible.start[left], visible.start[right])
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
    """The dataset's arrays on the device, with what each animal's visible frames are.

    Args:
        dataset: recordings laid end to end.
        windows: every window of the dataset.
        device: where training runs; a memory-mapped neural array stays on the host's disk for a CPU.
        kernel: (frames,) float32, if a view needs one.
        swap: the swap table of the same run, if anything needs one.
        syllables: (sample, syllable) float32, if the objective needs them.
        layers: names of the animals that have an input layer, in order, where each has units of its own.
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
            np.arange(span.frames.start, span.frames.stop)
            for span in dataset.trials
            if span.sees_input and span.animal == name
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
