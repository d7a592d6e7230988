"""Estimate the cost of a run: count jobs in the plan, time a training step, and use measured constants.

The constants are from docs/development/scale_measured.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from neural_action.config.dependencies import NEIGHBORS
from neural_action.config.plan import Plan

if TYPE_CHECKING:
    from torch import Tensor

    from neural_action.objectives.objective import Batch

#: CPU seconds to start a job, without and with torch.
START, START_TORCH = 1.0, 3.5
#: CPU seconds for each converted value (pixel or unit of a frame), each probed window, each neural frame of the kernel
#: fit, and each neighbour search of 20,000 in 20,000 poses.
CONVERT, PROBE, KERNEL, SEARCH = 3e-8, 1.7e-3, 1.2e-4, 1.5
#: CPU seconds for each window and split, all probes, if animals are read apart (measured on the monkey and the mouse).
READ = 5e-5
#: Bytes of memory of a process with torch and no data.
RESIDENT = 0.7e9
#: Training steps that are timed.
_STEPS = 8


@dataclass(frozen=True)
class Size:
    """Size of a dataset.

    Attributes:
        frames: number of neural frames.
        frame: shape of a frame.
        samples: number of behaviour samples after the stride.
        sample: values in a behaviour sample.
        trials, animals: their numbers.
        rate: neural frames per second.
    """

    frames: int
    frame: tuple[int, ...]
    samples: int
    sample: int
    trials: int
    animals: int
    rate: float


@dataclass(frozen=True)
class Cost:
    """Estimated cost of a run.

    Attributes:
        jobs: stage -> number of jobs.
        seconds: stage -> CPU seconds of all its jobs.
        memory: bytes of memory of the largest job.
        disk: bytes of all files that the run writes.
        step: CPU seconds of a training step.
    """

    jobs: dict[str, int]
    seconds: dict[str, float]
    memory: float
    disk: float
    step: float


def cost(plan: Plan, size: Size) -> Cost:
    """The estimate for a plan. Only a step of SimCLR is timed; the steps of other rows differ by about half."""
    settings = plan.settings
    seeds, runs = len(settings.seeds), len(plan.runs)
    values = size.frames * int(np.prod(size.frame))
    # A job probes the windows of all animals, or of one if animals are read apart.
    windows = size.frames / settings.windows.stride / (size.animals if plan.apart else 1)
    # Poses of an animal that pretraining may see.
    poses = size.samples / size.animals * (1 - 1 / max(2, settings.split.folds))
    variants = {
        plan.depends_on.variant(name, NEIGHBORS) for name in plan.trained if "swaps" in plan.needs(name)
    }
    fitted = KERNEL * size.frames if settings.calcium.decay is None else 0.0
    step = seconds_a_step(plan, size)
    steps = sum(
        plan.depends_on.content_of(name)["training"]["steps"] * plan.models(plan.pretrained(name))
        for name in plan.trained
    )
    jobs = {
        "convert": size.trials,
        "neighbors": runs * len(variants),
        "calcium": runs if plan.fits_kernel else 0,
        "pretrain": sum(len(plan.pretrained(name)) for name in plan.trained) * seeds,
        "evaluate": len(plan.methods) * runs * seeds,
        "tables and pictures": 4,
    }
    read = len(plan.methods) * plan.models(plan.runs) * seeds * windows * (READ if plan.apart else PROBE)
    seconds = {
        "convert": size.trials * START + CONVERT * values,
        "neighbors": jobs["neighbors"] * (2 * START + size.animals**2 * SEARCH * (poses / 20_000) ** 1.9),
        "calcium": jobs["calcium"] * (2 * START + fitted),
        "pretrain": jobs["pretrain"] * START_TORCH + seeds * steps * step,
        "evaluate": jobs["evaluate"] * START_TORCH + read,
        "tables and pictures": 20.0,
    }
    half = 2 if settings.convert.dtype == "float16" else 4
    embeddings = (
        jobs["evaluate"] * windows * 4 * (settings.encoders.dimension + settings.encoders.head_dimension)
    )
    swaps = jobs["neighbors"] * size.samples * size.animals * settings.neighbors.draws * 4
    return Cost(
        jobs,
        seconds,
        RESIDENT + 4.0 * values + 8.0 * size.samples * size.sample,
        # The stores, and the arrays of the dataset (float32).
        (half + 4) * values + 8.0 * size.samples * size.sample + embeddings + swaps,
        step,
    )


def seconds_a_step(plan: Plan, size: Size) -> float:
    """CPU seconds of a training step of SimCLR on this machine with one thread: the fastest of ``_STEPS`` steps.

    The windows are random. Without behaviour, SimCLR compares two views of neural windows.
    """
    import torch

    from neural_action.config.settings import ComponentConfig
    from neural_action.encoders.shapes import Shapes
    from neural_action.training.model import create

    settings = plan.settings
    windows, batch = settings.windows, settings.training.batch
    torch.set_num_threads(1)
    shapes = Shapes(windows.frames, size.frame, windows.poses, size.sample, 0)
    model = create(
        ComponentConfig(name="infonce" if size.sample else "infonce_neural"), settings.encoders, shapes, 0
    )
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    neural = torch.rand(batch, windows.frames, int(np.prod(size.frame)))
    # SimCLR reads nothing else from a batch.
    made = cast("Batch", _MadeUp(neural, torch.rand(batch, windows.poses, size.sample)))
    best = np.inf
    for _ in range(_STEPS):
        began = time.process_time()
        loss = model.loss(model.encode(made), made)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        best = min(best, time.process_time() - began)
    return best


class _MadeUp:
    """A batch of given windows with the methods that objectives call."""

    def __init__(self, neural: Tensor, behavior: Tensor):
        import torch

        self._neural, self._behavior = neural, behavior
        self.animal = torch.zeros(len(neural), dtype=torch.int64)

    def neural(self) -> Tensor:
        """(B, frames, pixels)."""
        return self._neural

    def behavior(self) -> Tensor:
        """(B, poses, feature)."""
        return self._behavior
