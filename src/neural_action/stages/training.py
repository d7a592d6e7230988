"""Shared by the stages that train: the data that a run may see, on the device."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.calcium.kernel import KernelFit
from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Dataset, Source, dataset_of
from neural_action.datasets.layout import Layout
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import Windows, window_table
from neural_action.encoders.shapes import Shapes
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.recording import UNLABELLED
from neural_action.syllables.posterior import load_posterior
from neural_action.training.batches import augmentation_context
from neural_action.training.device import prepare


@dataclass(frozen=True)
class Inputs:
    """Input files of a training run; a file that the row does not need is None."""

    source: Source
    kernel: Path | None
    swaps: Path | None
    syllables: Path | None

    def fingerprint(self, options: Sequence, *others: Path) -> str:
        """SHA-256 of ``options`` and all input files, so that a run never resumes the checkpoint of another run."""
        digest = hashlib.sha256(json.dumps(list(options)).encode())
        digest.update(self.source.digest())
        for path in (self.kernel, self.swaps, self.syllables, *others):
            digest.update(b"" if path is None else path.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class TrainingData:
    """The dataset and its windows (stride 1), and ``context``, which holds both on the device."""

    layout: Layout
    dataset: Dataset
    windows: Windows
    context: AugmentationContext
    shapes: Shapes
    device: torch.device

    @property
    def seen(self) -> list[str]:
        """Sorted names of the animals with at least one visible trial."""
        return _seen(self.dataset)


def _seen(dataset: Dataset) -> list[str]:
    return sorted({trial.animal for trial in dataset.trials if trial.sees_input})


def with_seen_labels(windows: Windows) -> Windows:
    """The windows with every label hidden that training may not see."""
    return replace(windows, label=np.where(windows.sees_label, windows.label, UNLABELLED))


def training_data(
    sections: Sections,
    inputs: Inputs,
    splits: Sequence[str],
    threads: int,
    *,
    layers: Sequence[str] = (),
) -> TrainingData:
    """Training data of a model that serves ``splits``, which all see the same data.

    If animals have different units, the model has one input layer for each animal; ``layers`` names these animals in
    order, by default the visible ones.
    """
    settings, training, source = sections.windows, sections.training, inputs.source
    device = prepare(training.device, threads)
    layout = source.layout()
    pieces = source.table().inputs(splits, source.animal)
    dataset = dataset_of(layout, pieces, settings, animal=source.animal, joint=source.joint)
    windows = with_seen_labels(window_table(dataset, settings, stride=1))
    layers = [*layers] or _seen(dataset)
    units = dict(dataset.units)
    states = None if inputs.syllables is None else load_posterior(inputs.syllables, dataset)
    shapes = Shapes(
        settings.frames,
        () if isinstance(dataset.neural, RaggedFrames) else dataset.neural.shape[1:],
        settings.poses,
        dataset.pose.shape[1],
        0 if states is None else states.shape[1],
        len(dataset.class_names),
        dataset.sessions,
        tuple((name, units[name]) for name in layers) if units else (),
    )
    kernel, swaps = inputs.kernel, inputs.swaps
    context = augmentation_context(
        dataset,
        windows,
        device,
        kernel=None
        if kernel is None
        else KernelFit.load(kernel).response(dataset.neural_rate, windows.frames),
        swap=None if swaps is None else SwapTable.load(swaps).fits(swaps, dataset, trained_on=True),
        syllables=states,
        layers=layers,
    )
    return TrainingData(layout, dataset, windows, context, shapes, device)
