"""Representations of windows: of a frozen model, or the recorded windows themselves.

torch and SciPy are imported only for rows that need them, because they take longer than most rows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.config.settings import MethodSettings
from neural_action.datasets.dataset import Dataset
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import Windows
from neural_action.errors import InputError, reading
from neural_action.evaluation.ridge import predicted_behavior
from neural_action.evaluation.unseen import encoded_units, unseen
from neural_action.files import load_npz
from neural_action.inference.windows import embed_windows, in_chunks, saved_windows
from neural_action.neighbors.table import SwapTable


def represent(
    method: MethodSettings,
    dataset: Dataset,
    windows: Windows,
    evaluation: EvaluationSettings,
    *,
    weights: Path | None = None,
    saved: Path | None = None,
    swaps: Path | None = None,
    external: Path | None = None,
    threads: int = 1,
    seed: int = 0,
    part: str | None = None,
    split: str = "",
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """Representations of every window, float32 (window, dimension), by layer.

    - ``trained``: the layer ``encoder``, of a split embedding also ``shared``, and, if the model has a head,
      ``projection`` (not with the networks of another row); read from ``saved`` (``inference.windows``) if it has
      these windows.
    - ``behavior_encoder``: the behaviour encoder's output for the behaviour windows after the method's augmentations.
    - ``raw``: the neural window, averaged over ``raw_pool_time`` frames and ``raw_pool_space`` pixels.
    - ``ridge``: behaviour predicted at every frame by a ridge regression for each animal, averaged over
      ``raw_pool_time`` frames. Images are read by at most 8 x 8 blocks of pixels.
    - ``canonical``: principal components of every frame, aligned between animals by canonical correlation, pooled
      likewise.
    - ``external``: frames embedded by another package, averaged over ``raw_pool_time`` frames; NaN for animals that the
      package has no encoder for.
    - ``behavior``: the behaviour window.
    - ``labels``: the action label, one-hot, with one more column for unlabelled windows.
    - ``none``: an empty array, for guessing.

    If animals have their own units, ``raw`` can be compared only within an animal, and a model reads an animal without
    an input layer in closed form (``closed_form``). ``part`` is the name of the model in a file with several models,
    and ``split`` the name of the split in the file of another package. A neural encoder of shared units or images runs
    on ``device``.

    Raises InputError if a required file is not given, or if the model does not fit the dataset.
    """
    kind = method.representation
    if kind == "none":
        return {"none": np.empty((len(windows), 0), np.float32)}
    if kind == "raw":
        return {"raw": _raw(dataset.neural, windows, evaluation)}
    if kind == "ridge":
        return {
            "ridge": _by_frame(
                partial(predicted_behavior, frames=windows.frames), dataset, windows, evaluation
            )
        }
    if kind == "canonical":
        from neural_action.evaluation.canonical import canonical_frames

        return {"canonical": _by_frame(canonical_frames, dataset, windows, evaluation)}
    if kind == "external":
        if external is None:
            raise InputError("--external: missing, expected the frames that another package embedded")
        frames = external_frames(external, dataset, split)
        return {"external": _windows_of(frames, windows, evaluation)}
    if kind == "behavior":
        return {"behavior": dataset.pose[windows.pose].reshape(len(windows), -1)}
    if kind == "labels":
        return {"labels": np.eye(len(dataset.class_names) + 1, dtype=np.float32)[windows.label]}
    if weights is None:
        raise InputError("--weights: missing, expected the weights of the trained method")
    if kind == "behavior_encoder":
        return _encoded_behavior(method, dataset, windows, weights, swaps, threads, seed)
    every = _encoded_neural(dataset, windows, weights, saved, device, threads, part)
    return {name: of for name, of in every.items() if name != "projection" or method.objective is not None}


def _encoded_neural(
    dataset: Dataset,
    windows: Windows,
    weights: Path,
    saved: Path | None,
    device: str,
    threads: int,
    part: str | None,
) -> dict[str, np.ndarray]:
    found = None if saved is None else saved_windows(saved, dataset, windows, part or "")
    if found is not None and not unseen(found).any():
        return found
    from neural_action.training.device import prepare
    from neural_action.training.model import load_model

    model = load_model(
        weights, prepare("cpu" if isinstance(dataset.neural, RaggedFrames) else device, threads), part
    )
    if isinstance(dataset.neural, RaggedFrames):
        return encoded_units(model, dataset, dataset.neural, windows, weights, found)
    return embed_windows(model, dataset, windows, weights)


def _encoded_behavior(
    method: MethodSettings,
    dataset: Dataset,
    windows: Windows,
    weights: Path,
    swaps: Path | None,
    threads: int,
    seed: int,
) -> dict[str, np.ndarray]:
    import torch

    from neural_action.augmentations.augmentation import WindowRows
    from neural_action.config.build import build
    from neural_action.objectives.objective import EncodesBehavior
    from neural_action.training.batches import augmentation_context
    from neural_action.training.device import prepare
    from neural_action.training.model import load_model

    model = load_model(weights, device := prepare("cpu", threads))
    if not isinstance(model, EncodesBehavior):
        raise InputError(f"{weights}: the objective has no behaviour encoder, which the row needs")
    table = None if swaps is None else SwapTable.load(swaps).fits(swaps, dataset)
    context = augmentation_context(dataset, windows, device, swap=table)
    views = [build("augmentations", part, context) for part in method.augmentations.behavior]
    generator = torch.Generator(device).manual_seed(seed)
    every = WindowRows(
        *(torch.as_tensor(a, device=device) for a in (windows.start, windows.pose, windows.animal))
    )

    def embed(rows: torch.Tensor) -> dict[str, torch.Tensor]:
        part = every[rows]
        values = context.pose[part.pose]
        for view in views:
            values = view(values, part, generator)
        return {"behavior_encoder": model.embed_behavior(values)}

    return in_chunks(np.arange(len(windows)), embed, weights)


def external_frames(path: Path, dataset: Dataset, part: str) -> np.ndarray:
    """(frame, dimension) float32: frames of the dataset embedded by another package, for one part (split) of the file.

    Frames of animals without a visible trial may be NaN, which is said. Raises InputError unless every other frame has
    one finite vector.
    """
    frames = len(dataset.neural_time)
    with reading(path, "representations of frames", OSError, ValueError):
        values = load_npz(path, part)[part]
    seen = {trial.animal for trial in dataset.trials if trial.sees_input}
    whole = values.ndim == 2 and len(values) == frames and not np.isinf(values).any()
    unread = {trial.animal for trial in dataset.trials if whole and np.isnan(values[trial.frames]).any()}
    if not whole or unread & seen:
        raise InputError(
            f"{path}: {part} has shape {values.shape} or is not finite, expected ({frames}, dimension)"
        )
    for animal in sorted(unread):
        print(f"{animal}: was not seen in training, has no encoder and is left out", file=sys.stderr)
    return values.astype(np.float32)


def _raw(neural: np.ndarray | RaggedFrames, windows: Windows, evaluation: EvaluationSettings) -> np.ndarray:
    """Like ``raw_windows``; if animals have their own units, animals with fewer units are padded with zeros."""
    if not isinstance(neural, RaggedFrames):
        return raw_windows(neural, windows, evaluation)
    first, parts = 0, []
    for animal, part in enumerate(neural.parts):
        own = windows.take(windows.animal == animal)
        parts.append(raw_windows(part, replace(own, start=own.start - first), evaluation))
        first += len(part)
    out = np.zeros((len(windows), max(part.shape[1] for part in parts)), np.float32)
    for animal, part in enumerate(parts):
        out[windows.animal == animal, : part.shape[1]] = part
    return out


def _by_frame(
    of_frames: Callable[[Dataset, np.ndarray | RaggedFrames], np.ndarray],
    dataset: Dataset,
    windows: Windows,
    evaluation: EvaluationSettings,
) -> np.ndarray:
    """(window, feature) float32: what ``of_frames`` makes of every frame; NaN for animals without visible trials."""
    neural = dataset.neural
    frames = of_frames(dataset, neural if isinstance(neural, RaggedFrames) else coarse(neural))
    return _windows_of(frames, windows, evaluation)


def _windows_of(frames: np.ndarray, windows: Windows, evaluation: EvaluationSettings) -> np.ndarray:
    """(window, feature) float32: like ``raw_windows``; NaN where the frames (frame, feature) of an animal are NaN."""
    out = raw_windows(np.nan_to_num(frames), windows, evaluation)
    out[np.isnan(frames[windows.start, 0])] = np.nan
    return out


def coarse(neural: np.ndarray, most: int = 8) -> np.ndarray:
    """(frame, ..., y, x) averaged over nearly equal blocks, at most ``most`` along a side; (frame, unit) unchanged.

    Closed forms solve for every feature of an animal at once, so that single pixels would take minutes (our choice).
    """
    if neural.ndim < 3:
        return neural
    for axis in (-2, -1):
        size = neural.shape[axis]
        edges = np.arange(min(size, most)) * size // min(size, most)
        widths = np.diff(edges, append=size)
        neural = np.add.reduceat(neural, edges, axis) / (widths[:, None] if axis == -2 else widths)
    return neural


def pooled_space(neural: np.ndarray, space: int) -> np.ndarray:
    """(frame, ..., y, x) averaged over blocks of ``space`` x ``space`` pixels; (frame, unit) unchanged.

    Raises InputError if ``space`` does not divide height and width."""
    if neural.ndim < 3:
        return neural
    y, x = neural.shape[-2:]
    if y % space or x % space:
        raise InputError(f"evaluation.raw_pool_space: {space} does not divide images of {y} x {x} pixels")
    return neural.reshape(*neural.shape[:-2], y // space, space, x // space, space).mean((-3, -1))


def raw_windows(neural: np.ndarray, windows: Windows, evaluation: EvaluationSettings) -> np.ndarray:
    """(window, feature) float32: windows averaged over blocks of time and, for images, of space.

    Averaging keeps the calcium signal, which is slower than the frame rate, and removes noise. The result is a stronger
    baseline than single pixels, and smaller (our choice). Raises InputError if the blocks do not divide the window.
    """
    time, space = evaluation.raw_pool_time, evaluation.raw_pool_space
    if windows.frames % time:
        raise InputError(
            f"evaluation.raw_pool_time: {time} does not divide the {windows.frames} frames of a window"
        )
    flat = pooled_space(neural, space).reshape(len(neural), -1)
    # With cumulative sums, each average over time is one subtraction.
    sums = np.concatenate([np.zeros((1, flat.shape[1])), np.cumsum(flat, 0, dtype=np.float64)])
    edges = windows.start[:, None] + np.arange(0, windows.frames + 1, time)
    pooled = np.diff(sums[edges], axis=1) / time
    return pooled.reshape(len(windows), -1).astype(np.float32)
