"""Representations of a dataset's windows by a trained model, and the file in which pretraining keeps them.

Stages that train write the file, because they have imported torch already, which takes longer than embedding. An
evaluation of the same windows then needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neural_action.config.settings import WindowSettings
from neural_action.datasets.dataset import Dataset, side_by_side
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import Windows, window_table
from neural_action.errors import InputError
from neural_action.files import atomic_write, load_npz

if TYPE_CHECKING:
    import torch

    from neural_action.objectives.objective import Objective

_CHUNK = 256
#: The name of a single model in the file.
_ONLY = "model"


def save_windows(
    models: dict[str, Objective], dataset: Dataset, settings: WindowSettings, path: Path
) -> None:
    """Write the representations by each model (by name; "" for a single one) of windows a quarter window apart.

    Their distance does not follow ``windows.stride``, because that would retrain all models after a change of it.
    """
    windows = window_table(dataset, settings, stride=max(1, settings.frames // 4))
    content = {"animals": np.array(dataset.animals), "places": _places(dataset.animals, dataset, windows)}
    for name, model in models.items():
        layers = embed_windows(model.eval(), dataset, windows, path)
        content[f"{name or _ONLY}/layers"] = np.array(list(layers))
        content |= {f"{name or _ONLY}/{layer}": values for layer, values in layers.items()}
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **content)


def saved_windows(
    path: Path, dataset: Dataset, windows: Windows, name: str = ""
) -> dict[str, np.ndarray] | None:
    """Representations by layer from ``save_windows``; None if the file lacks some of ``windows``.

    Raises InputError if the file is damaged or has no model ``name``.
    """
    prefix = f"{name or _ONLY}/"
    try:
        found = load_npz(path, "animals", "places")
        places = _places(found["animals"].tolist(), dataset, windows)
        at = np.minimum(np.searchsorted(found["places"], places), len(found["places"]) - 1)
        if not np.array_equal(found["places"][at], places):
            return None
        keys = [prefix + layer for layer in load_npz(path, f"{prefix}layers")[f"{prefix}layers"]]
        return {key.removeprefix(prefix): values[at] for key, values in load_npz(path, *keys).items()}
    except (OSError, ValueError, LookupError) as error:
        raise InputError(
            f"{path}: cannot be read as representations ({error}); rerun rule pretrain"
        ) from None


def _places(animals: Sequence[str], dataset: Dataset, windows: Windows) -> np.ndarray:
    """(window,) int64, increasing: the animal's number in ``animals`` and the first frame within the animal.

    They do not depend on which other animals a dataset holds. Negative for an animal that is not in ``animals``.
    """
    first = {trial.animal: trial.frames.start for trial in reversed(dataset.trials)}
    number = {name: at for at, name in enumerate(animals)}
    offset = np.array([(number.get(name, -1) << 40) - first[name] for name in dataset.animals])
    return windows.start + offset[windows.animal]


def embed_windows(model: Objective, dataset: Dataset, windows: Windows, where: Path) -> dict[str, np.ndarray]:
    """(window, dimension) float32 by layer, on the device of the model; NaN for animals without an input layer.

    Raises InputError, with ``where``, if the model has an input layer of another size for an animal or none for any, or
    if a representation is not finite.
    """
    import torch

    if isinstance(dataset.neural, RaggedFrames):
        return _embed_units(model.cpu(), dataset.animals, dataset.neural, windows, where)
    neural = dataset.neural.reshape(len(dataset.neural), -1)
    if model.shapes.sessions and not dataset.sessions:
        neural = side_by_side(neural, model.shapes.sessions, dataset.animals[0])
    flat, frames = torch.from_numpy(neural), torch.arange(windows.frames)
    device = next(model.parameters()).device
    return in_chunks(
        windows.start, lambda start: model.embed(flat[start[:, None] + frames].to(device)), where
    )


def _embed_units(
    model: Objective, animals: Sequence[str], neural: RaggedFrames, windows: Windows, where: Path
) -> dict[str, np.ndarray]:
    import torch

    from neural_action.encoders.unit_tiles import PackedUnits, UnitWindows

    names, packed = [name for name, _ in model.shapes.units], PackedUnits(neural.parts)
    for name, units in zip(animals, packed.tiles.units, strict=True):
        if (found := dict(model.shapes.units).get(name, units)) != units:
            raise InputError(f"{where}: trained with {found} units of {name}, but the dataset has {units}")
    layer = np.array([names.index(name) if name in names else -1 for name in animals])[windows.animal]
    known = np.flatnonzero(layer >= 0)
    if not len(known):
        raise InputError(
            f"{where}: input layers of {', '.join(names)}, expected one of the animals {', '.join(animals)}"
        )
    layers, frames = torch.from_numpy(layer), torch.arange(windows.frames)
    first = torch.from_numpy(windows.start)

    def embed(rows: torch.Tensor) -> dict[str, torch.Tensor]:
        values = packed.take((first[rows][:, None] + frames).flatten()).view(len(rows), windows.frames, -1)
        return model.embed(UnitWindows(values, layers[rows]))

    out = {}
    for name, values in in_chunks(known, embed, where).items():
        out[name] = np.full((len(windows), values.shape[1]), np.nan, np.float32)
        out[name][known] = values
    return out


def in_chunks(
    rows: np.ndarray, embed: Callable[[torch.Tensor], dict[str, torch.Tensor]], where: Path | None = None
) -> dict[str, np.ndarray]:
    """``embed`` applied to chunks of ``rows`` (n,) int64, without gradients: (n, dimension) float32 by layer.

    With ``where``, the file of the model, InputError if a value is not finite.
    """
    import torch

    parts: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode():
        for chunk in torch.from_numpy(rows).tensor_split(max(1, len(rows) // _CHUNK)):
            for name, value in embed(chunk).items():
                parts.setdefault(name, []).append(value.float().cpu().numpy())
    out = {name: np.concatenate(values) for name, values in parts.items()}
    for name, values in out.items():
        if where is not None and (bad := int((~np.isfinite(values).all(1)).sum())):
            raise InputError(
                f"{where}: {name} is NaN or infinite for {bad} of {len(rows)} windows, expected finite numbers; the "
                "training diverged, try a smaller training.learning_rate"
            )
    return out
