"""A batch of single bins in memory, and a dataset of spikes, for the objectives that need time and labels."""

import numpy as np
import torch

from neural_action.config.settings import (
    AugmentationSettings,
    ComponentConfig,
    EncoderSettings,
    WindowSettings,
)
from neural_action.datasets.dataset import Dataset, TrialRows
from neural_action.datasets.windows import window_table
from neural_action.encoders.shapes import Shapes
from neural_action.training.batches import BatchSampler, augmentation_context

UNITS, CLASSES = 12, 3
ENCODERS = EncoderSettings(
    neural=ComponentConfig(name="mlp", width=8, layers=2),
    behavior=ComponentConfig(name="pose_cnn"),
    dimension=6,
)
SHAPES = Shapes(1, (UNITS,), 1, 2, 0, CLASSES)


def spikes(seed=0) -> Dataset:
    """24 trials of 5 to 9 bins of rates of 12 units; a class a trial that shows in three units; every sixth hidden."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, 10, 24)
    ends = np.cumsum(lengths)
    trials = tuple(
        TrialRows(
            "A",
            f"t{k:02}",
            slice(int(end - n), int(end)),
            slice(int(end - n), int(end)),
            "train" if k % 6 else "test",
            sees_input=k % 6 != 0,
            sees_label=k % 6 != 0,
        )
        for k, (n, end) in enumerate(zip(lengths, ends, strict=True))
    )
    labels = np.repeat(np.arange(24) % CLASSES, lengths)
    rates = np.full((len(labels), UNITS), 4.0)
    rates[np.arange(len(labels)), labels] += 8
    neural = (10 * rng.poisson(0.1 * rates)).astype(np.float32)
    clock = np.concatenate([np.arange(n) * 0.1 for n in lengths])
    pose = np.zeros((len(labels), 2), np.float32)
    return Dataset(
        animals=("A",),
        trials=trials,
        neural=neural,
        neural_time=clock,
        pose=pose,
        pose_raw=pose,
        pose_time=clock,
        labels=labels.astype(np.int16),
        class_names=("left", "right", "up"),
        behavior_names=("x", "y"),
        behavior_shape=(2,),
        neural_rate=10.0,
    )


def sampler_of(dataset, augmentations=None, batch=32, seed=0) -> BatchSampler:
    """A sampler of single bins."""
    windows = window_table(dataset, WindowSettings(frames=1, poses=1, behavior_stride=1, stride=1), stride=1)
    context = augmentation_context(dataset, windows, torch.device("cpu"))
    return BatchSampler(context, windows, augmentations or AugmentationSettings(), batch, seed)
