"""A small dataset made in memory, for every test that needs recordings but not their files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.datasets.dataset import Dataset, TrialRows

FRAMES, RATE = 120, 16.0


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Work as small as a test's is slower on several threads, much slower where they are not free."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield


@pytest.fixture
def dataset() -> Dataset:
    """3 animals x 4 trials of 120 frames of 4 x 4 pixels at 16 Hz and poses at 25 Hz; t0 is tested and hidden."""
    rng = np.random.default_rng(0)
    animals, trials = ("A", "B", "C"), []
    samples = int(FRAMES / RATE * 25)
    for animal in range(3):
        for trial in range(4):
            at = animal * 4 + trial
            trials.append(
                TrialRows(
                    animals[animal],
                    f"t{trial}",
                    slice(at * FRAMES, (at + 1) * FRAMES),
                    slice(at * samples, (at + 1) * samples),
                    "train" if trial else "test",
                    sees_input=trial != 0,
                    sees_label=trial != 0,
                )
            )
    labels = np.repeat(rng.integers(0, 3, 12 * samples // 10 + 1), 10)[: 12 * samples].astype(np.int16)
    pose = rng.standard_normal((12 * samples, 6)).astype(np.float32) + labels[:, None]
    return Dataset(
        animals=animals,
        trials=tuple(trials),
        neural=rng.random((12 * FRAMES, 4, 4)).astype(np.float32),
        neural_time=np.tile(np.arange(FRAMES) / RATE, 12),
        pose=pose,
        pose_raw=pose,
        pose_time=np.tile(np.arange(samples) / 25.0, 12),
        labels=labels,
        class_names=("walk", "rest", "groom"),
        behavior_names=tuple("abcdef"),
        behavior_shape=(6,),
        neural_rate=RATE,
    )


@pytest.fixture
def context() -> AugmentationContext:
    """Two animals of 40 frames of 5 pixels, 30 poses each, windows of 8 frames; swaps among both."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.stack(
        [
            torch.randint(0, 30, (60, 4), generator=generator),
            torch.randint(30, 60, (60, 4), generator=generator),
        ],
        dim=1,
    ).int()
    return AugmentationContext(
        neural=torch.rand(80, 5, generator=generator),
        pose=torch.randn(60, 3, generator=generator),
        kernel=torch.exp(-torch.arange(8) / 4.0),
        animal_frames=(torch.arange(0, 40), torch.arange(40, 80)),
        swap_targets=targets,
        swap_domains=torch.ones(2, 2, dtype=torch.bool),
        frames=8,
    )


@pytest.fixture(scope="session")
def real_recordings() -> Callable[[str], Path]:
    """Where a real file or folder is, never copied; skips where there is none."""

    def find(name: str) -> Path:
        root = os.environ.get("NEURAL_ACTION_DATA")
        if not root:
            pytest.skip("needs real recordings: NEURAL_ACTION_DATA is not set")
        path = Path(root) / name
        if not path.exists():
            pytest.skip(f"needs real recordings: NEURAL_ACTION_DATA has no {name}")
        return path

    return find
