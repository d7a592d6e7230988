"""Representations of clips: a frozen model's, or the raw neural clips themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from neural_action.config.settings import MethodSettings, ProbeSettings
from neural_action.errors import InputError
from neural_action.recordings.clips import Clips
from neural_action.training.model import load_model

_CHUNK = 256


def represent(
    method: MethodSettings,
    neural: np.ndarray,
    clips: Clips,
    weights: Path | None,
    probe: ProbeSettings,
    device: torch.device,
) -> dict[str, np.ndarray]:
    """Representations of every clip, float32 (clip, dimension), by name.

    ``encoder`` and ``projection`` for a trained method; ``raw`` for the clip itself, averaged over
    ``raw_pool_time`` frames and ``raw_pool_space`` pixels to bound its size; for ``none`` an empty array, since
    guessing looks at nothing.
    """
    if method.representation == "none":
        return {"none": np.empty((len(clips), 0), np.float32)}
    if method.representation == "raw":
        return {"raw": raw_clips(neural, clips, probe)}
    if weights is None:
        raise InputError("a trained method is evaluated from its weights, none were given")
    model = load_model(weights, device)
    flat = torch.from_numpy(neural.reshape(len(neural), -1))
    parts: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode():
        for rows in np.array_split(np.arange(len(clips)), max(1, len(clips) // _CHUNK)):
            index = torch.from_numpy(clips.start[rows][:, None] + np.arange(clips.frames))
            for name, value in model.embed(flat[index].to(device)).items():
                parts.setdefault(name, []).append(value.float().cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def raw_clips(neural: np.ndarray, clips: Clips, probe: ProbeSettings) -> np.ndarray:
    """(clip, features) float32: clips averaged over blocks of time and, for images, of space.

    Averaging keeps the calcium signal, which is slower than the frames, and removes noise: a stronger baseline
    than single pixels, at a fraction of the size (our choice).
    """
    time, space = probe.raw_pool_time, probe.raw_pool_space
    if clips.frames % time:
        raise InputError(f"probe.raw_pool_time: {time} does not divide the {clips.frames} frames of a clip")
    if neural.ndim == 3:
        y, x = neural.shape[1:]
        if y % space or x % space:
            raise InputError(f"probe.raw_pool_space: {space} does not divide images of {y} x {x} pixels")
        neural = neural.reshape(len(neural), y // space, space, x // space, space).mean((2, 4))
    flat = neural.reshape(len(neural), -1)
    # Running sums turn every average over time into one subtraction.
    sums = np.concatenate([np.zeros((1, flat.shape[1])), np.cumsum(flat, 0, dtype=np.float64)])
    edges = clips.start[:, None] + np.arange(0, clips.frames + 1, time)
    pooled = np.diff(sums[edges], axis=1) / time
    return pooled.reshape(len(clips), -1).astype(np.float32)
