"""A dataset whose neural activity follows movement, and whose labels are what the animal does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.settings import DiagnosticsSettings
from neural_action.datasets.dataset import Dataset, TrialSpan, normalise_pose

ANIMALS, TRIALS, SECONDS = ("A", "B", "C"), 4, 60
NEURAL_RATE, POSE_RATE, DELAY, UNITS, FEATURES = 10.0, 25.0, 0.3, 12, 6
FOLDS = {(animal, f"t{trial}"): trial for animal in ANIMALS for trial in range(TRIALS)}


def _trial(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and behaviour (SECONDS x POSE_RATE), and the drive of the units (the same): bouts of three actions."""
    count = int(SECONDS * POSE_RATE)
    labels = np.empty(0, np.int64)
    while len(labels) < count:
        labels = np.append(labels, np.full(int(rng.uniform(1, 4) * POSE_RATE), rng.integers(3)))
    labels = labels[:count]
    time = np.arange(count) / POSE_RATE
    # Rest, slow sweeps of some features, fast ones of others.
    pose = 0.02 * rng.standard_normal((count, FEATURES))
    for action, (hertz, features) in enumerate(((0, []), (1.5, [0, 1, 2]), (4.0, [3, 4, 5]))):
        for feature in features:
            pose[labels == action, feature] += np.sin(2 * np.pi * hertz * time + feature)[labels == action]
    return labels, pose, np.stack([labels == 1, labels == 2], axis=1).astype(float)


@pytest.fixture(scope="session")
def coupled() -> Dataset:
    """3 animals x 4 trials of a minute; fold = trial, fold 0 hidden; calcium of .5 s, .3 s after movement."""
    rng = np.random.default_rng(0)
    frames, samples = int(SECONDS * NEURAL_RATE), int(SECONDS * POSE_RATE)
    spans, parts = [], []
    for number, animal in enumerate(ANIMALS):
        baseline = rng.random(UNITS) * 3
        tuning = rng.standard_normal((2, UNITS))
        body = rng.standard_normal(FEATURES)
        for trial in range(TRIALS):
            labels, pose, drive = _trial(rng)
            taps = np.exp(-np.arange(int(3 * POSE_RATE)) / (0.5 * POSE_RATE))
            calcium = (
                np.stack([np.convolve(column, taps)[: len(drive)] for column in drive.T], 1) / taps.sum()
            )
            late = np.arange(frames) / NEURAL_RATE - DELAY
            clock = np.arange(samples) / POSE_RATE
            seen = np.stack([np.interp(late, clock, column) for column in calcium.T], 1)
            neural = baseline + seen @ tuning + 0.3 * rng.standard_normal((frames, UNITS))
            at = number * TRIALS + trial
            spans.append(
                TrialSpan(
                    animal,
                    f"t{trial}",
                    trial,
                    trial != 0,
                    slice(at * frames, (at + 1) * frames),
                    slice(at * samples, (at + 1) * samples),
                )
            )
            parts.append((neural, np.arange(frames) / NEURAL_RATE, pose + body, clock, labels))
    neural, neural_time, pose, pose_time, labels = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    pose = pose.astype(np.float32)
    return Dataset(
        animals=ANIMALS,
        trials=tuple(spans),
        neural=neural.astype(np.float32),
        neural_time=neural_time,
        pose=normalise_pose(pose, spans),
        pose_raw=pose,
        pose_time=pose_time,
        labels=labels.astype(np.int8),
        class_names=("rest", "walk", "groom"),
        behavior_names=tuple("abcdef"),
        behavior_shape=(FEATURES,),
        neural_rate=NEURAL_RATE,
    )


@pytest.fixture
def settings() -> DiagnosticsSettings:
    """As configured by default."""
    return DiagnosticsSettings()


@pytest.fixture
def folds() -> dict[tuple[str, str], int]:
    """The fold of each trial."""
    return dict(FOLDS)


@pytest.fixture
def changed(coupled: Dataset) -> Callable[..., Dataset]:
    """The dataset with what a function makes of one of its arrays in one trial, shape kept."""

    def change(trial: int, name: str, make: Callable[[np.ndarray], np.ndarray]) -> Dataset:
        values = getattr(coupled, name).copy()
        span = coupled.trials[trial]
        rows = span.frames if name.startswith("neural") else span.samples
        values[rows] = make(values[rows])
        return replace(coupled, **{name: values})

    return change
