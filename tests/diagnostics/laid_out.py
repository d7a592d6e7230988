"""A dataset whose neural activity follows movement, and whose labels are what the animal does.

Its arrays are laid out in memory, from which a split reads it as every stage does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from neural_action.config.settings import WindowSettings
from neural_action.datasets.layout import Entry, Layout
from neural_action.datasets.split_table import Piece, Pieces

ANIMALS, TRIALS, SECONDS = ("A", "B", "C"), 4, 60
NEURAL_RATE, POSE_RATE, DELAY, UNITS, FEATURES = 10.0, 25.0, 0.3, 12, 6
FRAMES, SAMPLES = int(SECONDS * NEURAL_RATE), int(SECONDS * POSE_RATE)
WINDOWS = WindowSettings(frames=16, poses=4, behavior_stride=1)
TESTED, TRAINED = Piece(0, FRAMES, "test", False, False), Piece(0, FRAMES, "train", True, True)


def _trial(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and behaviour (SECONDS x POSE_RATE), and the drive of the units (the same): bouts of three actions."""
    count = SAMPLES
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


def recording(rng: np.random.Generator, body: np.ndarray, tuning: np.ndarray, baseline: np.ndarray) -> dict:
    """One trial, its calcium of .5 s, .3 s after movement."""
    labels, pose, drive = _trial(rng)
    taps = np.exp(-np.arange(int(3 * POSE_RATE)) / (0.5 * POSE_RATE))
    calcium = np.stack([np.convolve(column, taps)[: len(drive)] for column in drive.T], 1) / taps.sum()
    frame_clock, clock = np.arange(FRAMES) / NEURAL_RATE, np.arange(SAMPLES) / POSE_RATE
    seen = np.stack([np.interp(frame_clock - DELAY, clock, column) for column in calcium.T], 1)
    return {
        "neural": baseline + seen @ tuning + 0.3 * rng.standard_normal((FRAMES, UNITS)),
        "neural_time": frame_clock,
        "behavior": pose + body,
        "behavior_time": clock,
        "labels": labels,
        "neural_index": np.minimum((clock * NEURAL_RATE).astype(int), FRAMES - 1),
    }


def laid_out(names: Sequence[tuple[str, str]], recordings: Sequence[dict], segment: str = "") -> Layout:
    """Recordings end to end in memory; with ``segment``, each is one trial of that name within a recording."""
    entries = []
    for at, ((animal, trial), recording) in enumerate(zip(names, recordings, strict=True)):
        frames, samples = slice(at * FRAMES, (at + 1) * FRAMES), slice(at * SAMPLES, (at + 1) * SAMPLES)
        values = slice(frames.start * UNITS, frames.stop * UNITS)
        segments = ((segment, 0, FRAMES),) if segment else ()
        digest = hashlib.sha256(recording["neural"].astype(np.float32).tobytes()).hexdigest()
        entries.append(Entry(animal, trial, (UNITS,), values, frames, samples, segments, (digest,)))
    arrays = {name: np.concatenate([one[name] for one in recordings]) for name in recordings[0]}
    kinds = {"neural": np.float32, "behavior": np.float32, "labels": np.int16}
    arrays = {name: array.astype(kinds.get(name, array.dtype)) for name, array in arrays.items()}
    arrays["neural"] = arrays["neural"].ravel()
    attributes = {
        "class_names": ["rest", "walk", "groom"],
        "behavior_names": list("abcdef"),
        "neural_rate": NEURAL_RATE,
    }
    return Layout(tuple(entries), attributes, (FEATURES,), arrays)


def fold(number: int) -> Pieces:
    """The split that tests, and hides, trial ``number`` of every animal."""
    return {
        (animal, f"t{trial}"): [TESTED if trial == number else TRAINED]
        for animal in ANIMALS
        for trial in range(TRIALS)
    }
