"""What the stages that train share: the data a run may see, on its device, as the parts of a row read them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from neural_action.calcium.fit import KernelFit
from neural_action.config.sections import Sections
from neural_action.encoders.shapes import Shapes
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.clips import Clips, clip_table
from neural_action.recordings.cohort import Cohort, load_cohort, read_assignment
from neural_action.recordings.recording import UNLABELLED
from neural_action.recordings.splits import Holdout
from neural_action.syllables.posterior import load_posterior
from neural_action.training.batches import view_context
from neural_action.training.device import prepare
from neural_action.views.view import ViewContext

_SCRATCH = ".scratch-"


@dataclass(frozen=True)
class Inputs:
    """Files that a run trains from; those that no part of its row needs are None."""

    folds: Path
    kernel: Path | None
    swaps: Path | None
    syllables: Path | None
    manifests: tuple[Path, ...]

    def fingerprint(self, options: Sequence, *others: Path) -> str:
        """Hash of what a run depends on, so that the checkpoint of another run is never resumed."""
        digest = hashlib.sha256(json.dumps(list(options)).encode())
        for path in (self.folds, self.kernel, self.swaps, self.syllables, *self.manifests, *others):
            digest.update(b"" if path is None else path.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class TrainingData:
    """The cohort, its clips at every start, and both on the device."""

    cohort: Cohort
    clips: Clips
    context: ViewContext
    shapes: Shapes
    device: torch.device

    @property
    def seen(self) -> list[str]:
        """Names of the animals of which at least one trial is seen."""
        return sorted({span.animal for span in self.cohort.trials if span.visible})


def without_validation_labels(cohort: Cohort, clips: Clips) -> Clips:
    """The clips of a split with no label in validation: an objective that uses labels has those of training alone."""
    validation = np.array([span.part == "validation" for span in cohort.trials])[clips.trial]
    return replace(clips, label=np.where(validation, UNLABELLED, clips.label))


@contextmanager
def training_data(
    sections: Sections, inputs: Inputs, holdout: Holdout, threads: int, folder: Path
) -> Iterator[TrainingData]:
    """Read ``inputs`` for a run that must not see ``holdout``; large neural data lie in ``folder`` meanwhile."""
    settings, training = sections.clips, sections.training
    device = prepare(training.device, threads)
    folder.mkdir(parents=True, exist_ok=True)
    # Killed runs leave theirs, which may be as large as the recordings.
    for left in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
        cohort = load_cohort(
            inputs.manifests,
            read_assignment(inputs.folds, holdout),
            holdout,
            settings,
            scratch=Path(scratch),
            memory_limit=training.memory_limit_gb * 1e9,
        )
        clips = without_validation_labels(cohort, clip_table(cohort, settings, stride=1))
        kernel, swaps, states = inputs.kernel, inputs.swaps, None
        if inputs.syllables is not None:
            states = load_posterior(inputs.syllables, cohort)
        shapes = Shapes(
            settings.frames,
            cohort.neural.shape[1:],
            settings.poses,
            cohort.pose.shape[1],
            0 if states is None else states.shape[1],
            len(cohort.class_names),
            cohort.sessions,
        )
        context = view_context(
            cohort,
            clips,
            device,
            kernel=None
            if kernel is None
            else KernelFit.load(kernel).response(cohort.neural_rate, clips.frames),
            swap=None if swaps is None else SwapTable.load(swaps).fits(swaps, cohort, trained_on=True),
            syllables=states,
        )
        yield TrainingData(cohort, clips, context, shapes, device)
