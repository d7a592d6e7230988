"""A synthetic recording in the release's layout, and where the real ones are."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

FRAMES, SIDE, SAMPLES = 40, 16, 250


def write_trial(
    folder: Path, seed: int = 0, frames: int = FRAMES, side: int = SIDE, samples: int = SAMPLES
) -> Path:
    """One trial folder with every file of the release's layout."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    (1 + rng.random((frames, side, side), dtype=np.float32)).tofile(folder / "2p_dff_raw.mm")
    rng.standard_normal((samples, 76)).astype(np.float32).tofile(folder / "pose_result__x.mm")
    with (folder / "angles__x.pkl").open("wb") as file:
        pickle.dump(rng.standard_normal((samples, 42)).astype(np.float32), file)
    np.save(folder / "indices.npy", np.arange(samples) * frames // samples)
    np.save(folder / "rest.npy", np.arange(samples) < 10)
    np.save(folder / "labels.npy", (np.arange(samples) % 8).astype(np.int8))
    return folder


@pytest.fixture
def make_trial() -> Callable[..., Path]:
    """``write_trial``, which other tests cannot import from here."""
    return write_trial


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """A trial folder of the release's layout below a raw folder."""
    return write_trial(tmp_path / "raw" / "210722_aDN1_Fly1_001")


@pytest.fixture(scope="session")
def fly_walking_folder(real_recordings) -> Path:
    """The real walking flies."""
    return real_recordings("fly_walking")
