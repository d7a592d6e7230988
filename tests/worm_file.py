"""A made-up file of a worm, in the layout of the Flavell lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

FRAMES, UNITS, PERIOD = 200, 7, 0.6
NAME = "2022-07-26-31-data.h5"


def content(
    frames: int = FRAMES, units: int = UNITS, period: float = PERIOD, seed: int = 0
) -> dict[str, Any]:
    """Every variable that is read: a worm that reverses, pauses and bends its head to either side in turn."""
    rng, frame = np.random.default_rng(seed), np.arange(frames)
    bout = frame // 10 % 4
    return {
        "gcamp/trace_array": rng.standard_normal((frames, units)),
        "gcamp/traces_array_F_F20": 1 + rng.random((frames, units)),
        "gcamp/trace_array_original": rng.random((frames, units)),
        "gcamp/idx_splits": np.array([[1], [frames]]),
        "timing/timestamp_confocal": 1228334.0 + period * frame,
        "behavior/velocity": np.choose(bout, [-0.08, 0.001, 0.1, 0.1]) + 0.0001 * rng.standard_normal(frames),
        "behavior/reversal_vec": (bout == 0).astype(np.int64),
        "behavior/head_angle": np.choose(bout, [-0.1, 0.1, 0.5, -0.5]) + 0.001 * rng.standard_normal(frames),
        "behavior/angular_velocity": 0.1 * rng.standard_normal(frames),
        "behavior/body_angle": np.sin(frame[:, None] / 5 + np.arange(30) / 4),
        "behavior/worm_curvature": rng.random(frames),
        "behavior/nose_curling": rng.random(frames),
        "behavior/pumping": np.full(frames, np.nan),
    }


def write(folder: Path, values: dict[str, Any], name: str = NAME) -> Path:
    """The file ``name`` with these variables."""
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / name, "w") as file:
        for key, value in values.items():
            file[key] = value
    return folder / name
