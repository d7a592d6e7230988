"""Representations of windows: a frozen model's, or the recorded windows themselves.

torch is imported where a model is read: rows without one are probed without waiting for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.config.settings import MethodSettings
from neural_action.datasets.dataset import Dataset, side_by_side
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import Windows
from neural_action.errors import InputError
from neural_action.evaluation.ridge import predicted_behavior
from neural_action.files import load_npz
from neural_action.neighbors.table import SwapTable

if TYPE_CHECKING:
    from neural_action.objectives.objective import Objective

_CHUNK = 256


def represent(
    method: MethodSettings,
    dataset: Dataset,
    windows: Windows,
    evaluation: EvaluationSettings,
    *,
    weights: Path | None = None,
    swaps: Path | None = None,
    external: Path | None = None,
    threads: int = 1,
    seed: int = 0,
    part: str | None = None,
    split: str = "",
) -> dict[str, np.ndarray]:
    """Representations of every window, float32 (window, dimension), by layer.

    ``encoder`` and, where there is a head, ``projection`` for a trained method (with the networks of another row,
    ``encoder`` alone); ``behavior_encoder`` for an encoder of behaviour windows after
    the method's behaviour views; ``raw`` for the neural window, averaged over ``raw_pool_time`` frames and
    ``raw_pool_space`` pixels to bound its size; ``ridge`` for the behaviour that a ridge of each animal predicts at
    every frame, averaged over ``raw_pool_time`` frames like the raw window, and ``external`` for what another package
    made of every frame, likewise; ``behavior`` for the behaviour window; ``labels`` for the action
    label, one-hot, with a place for unlabelled windows; for ``none`` an empty array, since guessing looks at nothing.
    Where animals have units of their own, ``raw`` is comparable within an animal alone, and a model gives NaN for
    animals that it has no input layer of.
    ``part`` names the model in a file of several, ``split`` what another package made for that split.
    Raises InputError if a file that is needed was not given, or the model does not fit.
    """
    kind = method.representation
    if kind == "none":
        return {"none": np.empty((len(windows), 0), np.float32)}
    if kind == "raw":
        return {"raw": _raw(dataset.neural, windows, evaluation)}
    if kind == "ridge":
        return {"ridge": _predicted(dataset, windows, evaluation)}
    if kind == "external":
        if external is None:
            raise InputError(
                "a row of another package is evaluated from what that made of the frames, none was given"
            )
        frames = external_frames(external, len(dataset.neural_time), split)
        return {"external": raw_windows(frames, windows, evaluation)}
    if kind == "behavior":
        return {"behavior": dataset.pose[windows.pose].reshape(len(windows), -1)}
    if kind == "labels":
        return {"labels": np.eye(len(dataset.class_names) + 1, dtype=np.float32)[windows.label]}
    if weights is None:
        raise InputError("a trained method is evaluated from its weights, none were given")
    if kind == "behavior_encoder":
        return _encoded_behavior(method, dataset, windows, weights, swaps, threads, seed)
    every = _encoded_neural(dataset, windows, weights, threads, part)
    return every if method.objective is not None else {"encoder": every["encoder"]}


def _encoded_neural(
    dataset: Dataset, windows: Windows, weights: Path, threads: int, part: str | None
) -> dict[str, np.ndarray]:
    import torch

    from neural_action.training.device import prepare
    from neural_action.training.model import load_model

    model = load_model(weights, device := prepare("cpu", threads), part)
    if isinstance(dataset.neural, RaggedFrames):
        return _encoded_units(model, dataset.animals, dataset.neural, windows, weights)
    neural = dataset.neural.reshape(len(dataset.neural), -1)
    if model.shapes.sessions:
        neural = side_by_side(neural, model.shapes.sessions, dataset.animals[0])
    flat = torch.from_numpy(neural)

    def embed(rows: np.ndarray) -> dict:
        index = torch.from_numpy(windows.start[rows][:, None] + np.arange(windows.frames))
        return model.embed(flat[index].to(device))

    return _in_chunks(len(windows), embed)


def _encoded_units(
    model: Objective, animals: Sequence[str], neural: RaggedFrames, windows: Windows, weights: Path
) -> dict[str, np.ndarray]:
    """Of animals with units of their own; NaN for windows of animals that the model has no input layer of."""
    import torch

    from neural_action.encoders.unit_tiles import PackedUnits, UnitWindows

    names, packed = [name for name, _ in model.shapes.units], PackedUnits(neural.parts)
    for name, units in zip(animals, packed.tiles.units, strict=True):
        if (found := dict(model.shapes.units).get(name, units)) != units:
            raise InputError(f"{weights}: was trained with {found} units of {name}, found {units}")
    layer = np.array([names.index(name) if name in names else -1 for name in animals])[windows.animal]
    known = np.flatnonzero(layer >= 0)
    if not len(known):
        raise InputError(
            f"{weights}: has an input layer of {', '.join(names)} alone, found {', '.join(animals)}"
        )

    def embed(rows: np.ndarray) -> dict:
        index = torch.from_numpy(windows.start[known[rows]][:, None] + np.arange(windows.frames))
        values = packed.take(index.flatten()).view(len(rows), windows.frames, -1)
        return model.embed(UnitWindows(values, torch.from_numpy(layer[known[rows]])))

    out = {}
    for name, values in _in_chunks(len(known), embed).items():
        out[name] = np.full((len(windows), values.shape[1]), np.nan, np.float32)
        out[name][known] = values
    return out


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
        raise InputError(f"{weights}: its objective has no encoder of behaviour")
    table = None if swaps is None else SwapTable.load(swaps).fits(swaps, dataset)
    context = augmentation_context(dataset, windows, device, swap=table)
    views = [build("augmentations", part, context) for part in method.augmentations.behavior]
    generator = torch.Generator(device).manual_seed(seed)
    every = WindowRows(
        *(torch.as_tensor(a, device=device) for a in (windows.start, windows.pose, windows.animal))
    )

    def embed(rows: np.ndarray) -> dict:
        part = every[torch.from_numpy(rows)]
        values = context.pose[part.pose]
        for view in views:
            values = view(values, part, generator)
        return {"behavior_encoder": model.embed_behavior(values)}

    return _in_chunks(len(windows), embed)


def _in_chunks(count: int, embed: Callable[[np.ndarray], dict]) -> dict[str, np.ndarray]:
    """What ``embed`` makes of window numbers, chunk after chunk, as float32 arrays."""
    import torch

    parts: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode():
        for rows in np.array_split(np.arange(count), max(1, count // _CHUNK)):
            for name, value in embed(rows).items():
                parts.setdefault(name, []).append(value.float().cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def external_frames(path: Path, frames: int, part: str) -> np.ndarray:
    """(frame, dimension) float32 that another package made of every frame of the dataset, for that part.

    InputError unless the file holds one finite representation for each of ``frames``.
    """
    try:
        values = load_npz(path, part)[part]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as representations of frames ({error})") from None
    if values.ndim != 2 or len(values) != frames or not np.isfinite(values).all():
        raise InputError(
            f"{path}: {part} has shape {values.shape} or is not finite, expected ({frames}, dimension)"
        )
    return values.astype(np.float32)


def _raw(neural: np.ndarray | RaggedFrames, windows: Windows, evaluation: EvaluationSettings) -> np.ndarray:
    """As ``raw_windows``; where animals have units of their own, those of fewer end in zeros."""
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


def _predicted(dataset: Dataset, windows: Windows, evaluation: EvaluationSettings) -> np.ndarray:
    """(window, features) float32 of what ridges predict; NaN for animals of which nothing is visible."""
    neural = dataset.neural
    if isinstance(neural, np.ndarray):
        neural = pooled_space(neural, evaluation.raw_pool_space)
    predicted = predicted_behavior(dataset, neural)
    out = raw_windows(np.nan_to_num(predicted), windows, evaluation)
    out[np.isnan(predicted[windows.start, 0])] = np.nan
    return out


def pooled_space(neural: np.ndarray, space: int) -> np.ndarray:
    """(frame, ..., y, x) averaged over blocks of ``space`` pixels; (frame, unit) as it is."""
    if neural.ndim < 3:
        return neural
    y, x = neural.shape[-2:]
    if y % space or x % space:
        raise InputError(f"evaluation.raw_pool_space: {space} does not divide images of {y} x {x} pixels")
    return neural.reshape(*neural.shape[:-2], y // space, space, x // space, space).mean((-3, -1))


def raw_windows(neural: np.ndarray, windows: Windows, evaluation: EvaluationSettings) -> np.ndarray:
    """(window, features) float32: windows averaged over blocks of time and, for images, of space.

    Averaging keeps the calcium signal, which is slower than the frames, and removes noise: a stronger baseline
    than single pixels, at a fraction of the size (our choice).
    """
    time, space = evaluation.raw_pool_time, evaluation.raw_pool_space
    if windows.frames % time:
        raise InputError(
            f"evaluation.raw_pool_time: {time} does not divide the {windows.frames} frames of a window"
        )
    flat = pooled_space(neural, space).reshape(len(neural), -1)
    # Running sums turn every average over time into one subtraction.
    sums = np.concatenate([np.zeros((1, flat.shape[1])), np.cumsum(flat, 0, dtype=np.float64)])
    edges = windows.start[:, None] + np.arange(0, windows.frames + 1, time)
    pooled = np.diff(sums[edges], axis=1) / time
    return pooled.reshape(len(windows), -1).astype(np.float32)
