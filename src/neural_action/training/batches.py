"""Batches gathered on the device, and the views drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neural_action.config.build import build
from neural_action.config.settings import ViewSettings
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.clips import Clips
from neural_action.recordings.cohort import Cohort
from neural_action.views.view import ClipRows, View, ViewContext

# On a CPU a batch is made in parts that stay in its cache: the augmentations then cost one pass over memory, not
# one each. 16 clips of 32 frames of 32 x 32 pixels are 2 MiB.
_CPU_PART = 1 << 19


@dataclass
class ClipBatch:
    """Clips of one step; each call of ``neural`` or ``behavior`` draws a new view (``objectives.Batch``)."""

    rows: ClipRows
    context: ViewContext
    neural_views: list[View]
    behavior_views: list[View]
    generator: torch.Generator
    buffers: list[Tensor]
    drawn: int = 0

    def neural(self) -> Tensor:
        """(B, frames, pixels) float32; overwritten by the next step's batch."""
        source, frames = self.context.neural, self.context.frames
        out = self._buffer((len(self.rows.start), frames, source.shape[1]))
        part = len(out) if out.is_cuda else max(1, _CPU_PART // out[0].numel())
        index = self.rows.start[:, None] + torch.arange(frames, device=out.device)
        for first in range(0, len(out), part):
            rows = slice(first, first + part)
            clips = out[rows]
            torch.index_select(source, 0, index[rows].flatten(), out=clips.view(-1, source.shape[1]))
            for view in self.neural_views:
                view(clips, self.rows[rows], self.generator)
        return out

    def _buffer(self, shape: tuple[int, ...]) -> Tensor:
        """Memory for the next view of this step, reused from step to step: fresh pages cost a CPU as much as a view."""
        if self.drawn == len(self.buffers):
            self.buffers.append(self.context.neural.new_empty(shape))
        self.drawn += 1
        return self.buffers[self.drawn - 1]

    def behavior(self) -> Tensor:
        """(B, poses, feature) float32."""
        values = self.context.pose[self.rows.pose]
        for view in self.behavior_views:
            values = view(values, self.rows, self.generator)
        return values


class BatchSampler:
    """Uniform batches over the visible clips, the same for a seed and step wherever a run was interrupted."""

    def __init__(self, context: ViewContext, clips: Clips, views: ViewSettings, batch: int, seed: int):
        device = context.neural.device
        visible = clips.take(clips.visible)
        self.rows = ClipRows(
            *(torch.as_tensor(a, device=device) for a in (visible.start, visible.pose, visible.animal))
        )
        self.context, self.batch, self.seed = context, batch, seed
        self.neural_views = [build("views", part, context) for part in views.neural]
        self.behavior_views = [build("views", part, context) for part in views.behavior]
        self.generator = torch.Generator(device)
        self.buffers: list[Tensor] = []

    def __call__(self, step: int) -> ClipBatch:
        """The batch of a step. All randomness follows from (seed, step)."""
        entropy = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)[0]
        self.generator.manual_seed(int(entropy >> np.uint64(1)))
        device = self.generator.device
        chosen = torch.randint(len(self.rows.start), (self.batch,), generator=self.generator, device=device)
        rows = ClipRows(self.rows.start[chosen], self.rows.pose[chosen], self.rows.animal[chosen])
        return ClipBatch(
            rows, self.context, self.neural_views, self.behavior_views, self.generator, self.buffers
        )


def view_context(
    cohort: Cohort, kernel: np.ndarray, swap: SwapTable | None, frames: int, device: torch.device
) -> ViewContext:
    """The cohort's arrays on the device, with what each animal's visible frames are.

    Args:
        cohort: recordings laid end to end.
        kernel: (frames,) float32.
        swap: the swap table of the same holdout, if a view needs one.
        frames: neural frames a clip.
        device: where training runs; a memory-mapped neural array stays on the host's disk for a CPU.
    """
    own = [
        [
            np.arange(span.frames.start, span.frames.stop)
            for span in cohort.trials
            if span.visible and span.animal == name
        ]
        for name in cohort.animals
    ]
    return ViewContext(
        neural=torch.from_numpy(cohort.neural.reshape(len(cohort.neural), -1)).to(device),
        pose=torch.from_numpy(cohort.pose).to(device),
        kernel=torch.as_tensor(kernel, dtype=torch.float32, device=device),
        animal_frames=tuple(
            torch.as_tensor(np.concatenate(parts) if parts else np.empty(0, np.int64), device=device)
            for parts in own
        ),
        swap_targets=None if swap is None else torch.as_tensor(swap.targets, device=device),
        swap_domains=None if swap is None else torch.as_tensor(swap.domains, device=device),
        frames=frames,
    )
