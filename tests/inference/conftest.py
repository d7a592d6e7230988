"""Three animals on disk, and a model trained for a few steps on two of them by the stage itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from neural_action.config.settings import SplitSettings
from neural_action.datasets.dataset import Source
from neural_action.datasets.layout import lay_out
from neural_action.datasets.protocols import split_table
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import read_recording, write_store
from neural_action.stages.pretrain import run as pretrain

ANIMALS, TRIALS, SECONDS, RATE, POSE_RATE, UNITS = ("A", "B", "C"), ("1", "2"), 20, 10.0, 25.0, 6
STEPS = {"dff": None, "scale": {"low": 0.5, "high": 99.5}, "resize": None, "root_relative": False}
FRAMES = 16
CONFIG = {
    "dataset": "made_up",
    "windows": {"frames": FRAMES, "poses": 4, "behavior_stride": 2},
    "training": {"steps": 6, "batch": 8, "checkpoint_every": 100},
    "encoders": {
        "neural": {"name": "trace_cnn", "width": 8, "layers": 1},
        "behavior": {"name": "pose_cnn", "width": 8, "layers": 1},
        "dimension": 5,
    },
    "methods": {
        "swap_calcium": {
            "label": "Swap + calcium",
            "objective": {"name": "infonce"},
            "augmentations": {"neural": [{"name": "noise", "sd": 0.1}], "behavior": [{"name": "pose_noise"}]},
        },
        "swapped": {
            "label": "Swapped",
            "objective": {"name": "infonce", "head": False},
            "augmentations": {
                "neural": [{"name": "calcium"}],
                "behavior": [{"name": "swap", "probability": 1.0}],
            },
        },
    },
}


def make_recording(animal: str, trial: str) -> Recording:
    """Labels in bouts of two actions that units and behaviour both follow; neural data in [0, 1]."""
    rng = np.random.default_rng([ANIMALS.index(animal), int(trial)])
    samples, frames = int(SECONDS * POSE_RATE), int(SECONDS * RATE)
    labels = np.repeat(rng.integers(2, size=samples // 50), 50).astype(np.int8)
    index = (np.arange(samples) * RATE // POSE_RATE).astype(np.int32)
    at_frames = labels[(np.arange(frames) * POSE_RATE / RATE).astype(int)]
    tuning = np.linspace(-1, 1, UNITS)
    neural = 0.5 + 0.2 * np.outer(2.0 * at_frames - 1, tuning) + 0.05 * rng.standard_normal((frames, UNITS))
    behavior = labels[:, None] + 0.3 * rng.standard_normal((samples, 3))
    return Recording(
        animal=animal,
        trial=trial,
        neural=np.clip(neural, 0, 1).astype(np.float32),
        neural_time=np.arange(frames) / RATE,
        behavior=behavior.astype(np.float32),
        behavior_time=np.arange(samples) / POSE_RATE,
        labels=labels,
        neural_index=index,
        class_names=("rest", "walk"),
        behavior_names=("x", "y", "z"),
        neural_rate=RATE,
        behavior_rate=POSE_RATE,
        units={"neural": "dF/F, percentiles 0.5 and 99.5 at 0 and 1", "behavior": "mm"},
    )


def store(recording: Recording, folder: Path, **changes) -> Path:
    """The manifest of a recording written below ``folder``."""
    manifest = folder / f"{recording.animal}-{recording.trial}.manifest.json"
    steps = {**STEPS, **changes}
    write_store(
        recording,
        folder / f"{recording.animal}-{recording.trial}.zarr",
        manifest,
        dataset="made_up",
        steps=steps,
        chunk_mb=1,
    )
    return manifest


def laid_out(manifests, folder: Path, splits: Sequence[str], **split) -> Source:
    """Stores laid out in ``folder`` beside their split table, as the workflow does; ``splits`` of it."""
    lay_out(manifests, folder / "dataset")
    recordings = [read_recording(path, with_neural=False) for path in manifests]
    settings = SplitSettings(folds=2, **split)
    split_table(recordings, settings).write(folder / "splits.csv")
    return Source(folder / "dataset", folder / "splits.csv", tuple(splits))


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> SimpleNamespace:
    """``manifests`` of each animal, ``model`` and ``swapped`` (weights), and the functions above."""
    folder = tmp_path_factory.mktemp("trained")
    manifests = {animal: [store(make_recording(animal, t), folder) for t in TRIALS] for animal in ANIMALS}
    known = (*manifests["A"], *manifests["B"])
    # Everything is seen, so that both folds share a model.
    splits = [f"transductive-fold-{fold}" for fold in (0, 1)]
    source = laid_out(known, folder, splits, protocol="transductive")
    from neural_action.stages.neighbors import run as neighbors

    config = json.dumps({**CONFIG, "neighbors": {"neighbors": 8, "draws": 2, "recall_queries": 10}})
    swaps, kernel = folder / "swaps.npz", folder / "kernel.json"
    where = {"source": source, "threads": 1}
    neighbors(config=config, output=swaps, report=folder / "swaps.json", **where)
    kernel.write_text('{"decay": 0.5}')
    weights = {}
    for method, given in (("swap_calcium", (None, None)), ("swapped", (kernel, swaps))):
        weights[method] = folder / method / "transductive/seed-0/model.safetensors"
        pretrain(
            config=config,
            method=method,
            seed=0,
            kernel=given[0],
            swaps=given[1],
            syllables=None,
            output=weights[method],
            log=weights[method].with_name("log.csv"),
            **where,
        )
    return SimpleNamespace(
        folder=folder,
        manifests=manifests,
        model=weights["swap_calcium"],
        swapped=weights["swapped"],
        recording=make_recording,
        store=store,
        laid_out=laid_out,
        config=config,
    )
