"""Representations of windows: of a frozen model, or the recorded windows themselves.

torch is imported only where a model is read, so that other rows do not wait for it.
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
from neural_action.evaluation.canonical import canonical_frames
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
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """Representations of every window, float32 (window, dimension), by layer.

    - ``trained``: the layer ``encoder`` and, if the model has a head, ``projection`` (only ``encoder`` with the
      networks of another row).
    - ``behavior_encoder``: the behaviour encoder's output for the behaviour windows after the method's augmentations.
    - ``raw``: the neural window, averaged over ``raw_pool_time`` frames and ``raw_pool_space`` pixels.
    - ``ridge``: behaviour predicted at every frame by a ridge regression for each animal, averaged over
      ``raw_pool_time`` frames.
    - ``canonical``: principal components of every frame, aligned between animals by canonical correlation, averaged
      likewise.
    - ``external``: frames embedded by another package, averaged over ``raw_pool_time`` frames.
    - ``behavior``: the behaviour window.
    - ``labels``: the action label, one-hot, with one more column for unlabelled windows.
    - ``none``: an empty array, for guessing.

    If animals have their own units, ``raw`` can be compared only within an animal, and a model gives NaN for animals
    without an input layer. ``part`` is the name of the model in a file with several models, and ``split`` the name of
    the split in the file of another package. A neural encoder of shared units or images runs on ``device``.

    Raises InputError if a required file is not given, or if the model does not fit the dataset.
    """
    kind = method.representation
    if kind == "none":
        return {"none": np.empty((len(windows), 0), np.float32)}
    if kind == "raw":
        return {"raw": _raw(dataset.neural, windows, evaluation)}
    if kind == "ridge":
        return {"ridge": _by_frame(predicted_behavior, dataset, windows, evaluation)}
    if kind == "canonical":
        return {"canonical": _by_frame(canonical_frames, dataset, windows, evaluation)}
    if kind == "external":
        if external is None:
            raise InputError("--external: missing, expected the frames that another package embedded")
        frames = external_frames(external, len(dataset.neural_time), split)
        return {"external": raw_windows(frames, windows, evaluation)}
    if kind == "behavior":
        return {"behavior": dataset.pose[windows.pose].reshape(len(windows), -1)}
    if kind == "labels":
        return {"labels": np.eye(len(dataset.class_names) + 1, dtype=np.float32)[windows.label]}
    if weights is None:
        raise InputError("--weights: missing, expected the weights of the trained method")
    if kind == "behavior_encoder":
        return _encoded_behavior(method, dataset, windows, weights, swaps, threads, seed)
    every = _encoded_neural(dataset, windows, weights, device, threads, part)
    return every if method.objective is not None else {"encoder": every["encoder"]}


def _encoded_neural(
    dataset: Dataset, windows: Windows, weights: Path, device: str, threads: int, part: str | None
) -> dict[str, np.ndarray]:
    import torch

    from neural_action.training.device import prepare
    from neural_action.training.model import load_model

    own_units = isinstance(dataset.neural, RaggedFrames)
    model = load_model(weights, chosen := prepare("cpu" if own_units else device, threads), part)
    if isinstance(dataset.neural, RaggedFrames):
        return _encoded_units(model, dataset.animals, dataset.neural, windows, weights)
    neural = dataset.neural.reshape(len(dataset.neural), -1)
    if model.shapes.sessions:
        neural = side_by_side(neural, model.shapes.sessions, dataset.animals[0])
    flat = torch.from_numpy(neural)

    def embed(rows: np.ndarray) -> dict:
        index = torch.from_numpy(windows.start[rows][:, None] + np.arange(windows.frames))
        return model.embed(flat[index].to(chosen))

    return _in_chunks(len(windows), embed, weights)


def _encoded_units(
    model: Objective, animals: Sequence[str], neural: RaggedFrames, windows: Windows, weights: Path
) -> dict[str, np.ndarray]:
    """Encodings of animals with their own units; NaN for animals without an input layer in the model."""
    import torch

    from neural_action.encoders.unit_tiles import PackedUnits, UnitWindows

    names, packed = [name for name, _ in model.shapes.units], PackedUnits(neural.parts)
    for name, units in zip(animals, packed.tiles.units, strict=True):
        if (found := dict(model.shapes.units).get(name, units)) != units:
            raise InputError(f"{weights}: trained with {found} units of {name}, but the dataset has {units}")
    layer = np.array([names.index(name) if name in names else -1 for name in animals])[windows.animal]
    known = np.flatnonzero(layer >= 0)
    if not len(known):
        raise InputError(
            f"{weights}: input layers of {', '.join(names)}, expected one of the animals {', '.join(animals)}"
        )

    def embed(rows: np.ndarray) -> dict:
        index = torch.from_numpy(windows.start[known[rows]][:, None] + np.arange(windows.frames))
        values = packed.take(index.flatten()).view(len(rows), windows.frames, -1)
        return model.embed(UnitWindows(values, torch.from_numpy(layer[known[rows]])))

    out = {}
    for name, values in _in_chunks(len(known), embed, weights).items():
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
        raise InputError(f"{weights}: the objective has no behaviour encoder, which the row needs")
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

    return _in_chunks(len(windows), embed, weights)


def _in_chunks(count: int, embed: Callable[[np.ndarray], dict], weights: Path) -> dict[str, np.ndarray]:
    """``embed`` applied to window numbers in chunks: float32 arrays by name. InputError if a value is not finite."""
    import torch

    parts: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode():
        for rows in np.array_split(np.arange(count), max(1, count // _CHUNK)):
            for name, value in embed(rows).items():
                parts.setdefault(name, []).append(value.float().cpu().numpy())
    out = {name: np.concatenate(values) for name, values in parts.items()}
    for name, values in out.items():
        if bad := int((~np.isfinite(values).all(1)).sum()):
            raise InputError(
                f"{weights}: {name} is NaN or infinite for {bad} of {count} windows, expected finite numbers; the "
                "training diverged, try a smaller training.learning_rate"
            )
    return out


def external_frames(path: Path, frames: int, part: str) -> np.ndarray:
    """(frame, dimension) float32: frames of the dataset embedded by another package, for one part (split) of the file.

    Raises InputError unless the part has one finite vector for each of ``frames``.
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
    if isinstance(neural, np.ndarray):
        neural = pooled_space(neural, evaluation.raw_pool_space)
    frames = of_frames(dataset, neural)
    out = raw_windows(np.nan_to_num(frames), windows, evaluation)
    out[np.isnan(frames[windows.start, 0])] = np.nan
    return out


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
