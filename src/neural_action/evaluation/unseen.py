"""Windows of animals with their own units that a model has no input layer for: in closed form, or by attention."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import Windows
from neural_action.errors import InputError
from neural_action.evaluation.closed_form import (
    ClosedForm,
    Known,
    by_layer,
    closed_form,
    fit_closed_form,
    lags,
)
from neural_action.evaluation.ridge import in_groups
from neural_action.inference.windows import embed_windows, in_chunks

if TYPE_CHECKING:
    from neural_action.objectives.objective import Objective


def unseen(found: Mapping[str, np.ndarray]) -> np.ndarray:
    """(window,) bool: windows of animals for which the model has no input layer, from encodings by layer."""
    return np.isnan(next(iter(found.values()))).any(1)


def encoded_units(
    model: Objective,
    dataset: Dataset,
    neural: RaggedFrames,
    windows: Windows,
    weights: Path,
    found: dict[str, np.ndarray] | None,
) -> dict[str, np.ndarray]:
    """Encodings (window, dimension) float32 by layer; in closed form where the model has no input layer for an animal.

    NaN for such an animal if it has too few trials, which is said. ``found`` are encodings from pretraining, if any.
    Raises as ``embed_windows``.
    """
    if model.encoders.attention is not None:
        model, found = _with_unseen(model, dataset, neural), None
    found = embed_windows(model, dataset, windows, weights) if found is None else found
    if unseen(found).any():
        _add_unseen(found, dataset, neural, windows, _behavior(model, dataset, windows, weights))
    return found


def closed_form_of(
    model: Objective, dataset: Dataset, neural: RaggedFrames, windows: Windows, animal: int, weights: Path
) -> tuple[ClosedForm, dict[str, int]]:
    """The closed form of an animal without an input layer, from all its windows, and the dimension of each layer.

    Args:
        model: trained on other animals of ``dataset``.
        dataset: recordings of the animal and of known animals, all visible.
        neural: its neural frames.
        windows: its windows.
        animal: number of the animal.
        weights: path of the model, for messages.

    Raises:
        InputError: as ``embed_windows`` and ``closed_form``.
    """
    found = embed_windows(model, dataset, windows, weights)
    behavior, own = _behavior(model, dataset, windows, weights), windows.animal == animal
    activity = _activity(neural, windows.take(own), animal)
    groups = in_groups(windows.trial[own], np.ones(own.sum(), bool))
    fitted = fit_closed_form(_known(found, windows, behavior), activity, behavior[own], groups)
    return fitted, {name: values.shape[1] for name, values in found.items()}


def _behavior(model: Objective, dataset: Dataset, windows: Windows, weights: Path) -> np.ndarray:
    """(window, feature) float32: encodings of behaviour, or behaviour itself if the model has no encoder of it."""
    import torch

    from neural_action.objectives.objective import EncodesBehavior

    moves = dataset.pose[windows.pose]
    if not isinstance(model, EncodesBehavior):
        return moves.reshape(len(windows), -1)
    encode, poses = model.embed_behavior, torch.from_numpy(moves)
    return in_chunks(np.arange(len(windows)), lambda rows: {"": encode(poses[rows])}, weights)[""]


def _known(found: Mapping[str, np.ndarray], windows: Windows, behavior: np.ndarray) -> Known:
    """The visible windows of animals with an input layer, from encodings by layer and ``_behavior``."""
    seen = ~unseen(found) & windows.sees_input
    several = len(np.unique(windows.animal[seen])) > 1
    group = (windows.animal if several else windows.trial)[seen]
    return Known(behavior[seen], np.concatenate([values[seen] for values in found.values()], axis=1), group)


def _activity(neural: RaggedFrames, own: Windows, animal: int) -> np.ndarray:
    """``lags`` of an animal's ``own`` windows."""
    first = sum(len(part) for part in neural.parts[:animal])
    return lags(neural.parts[animal], own.start - first, own.frames)


def _with_unseen(model: Objective, dataset: Dataset, neural: RaggedFrames) -> Objective:
    """A model with attention over units, which also knows the units of animals that pretraining did not see."""
    import torch

    from neural_action.training.sessions import with_animal

    for number, name in enumerate(dataset.animals):
        fitted = [
            neural[trial.frames]
            for trial, kept in zip(dataset.trials, dataset.fitted, strict=True)
            if trial.animal == name and kept
        ]
        if name not in dict(model.shapes.units) and fitted:
            model = with_animal(model, name, torch.from_numpy(np.concatenate(fitted)), number)
    return model


def _add_unseen(
    out: dict[str, np.ndarray],
    dataset: Dataset,
    neural: RaggedFrames,
    windows: Windows,
    behavior: np.ndarray,
) -> None:
    """Fill in windows of animals without an input layer, in closed form; ``behavior`` as from ``_behavior``."""
    fitted, known = dataset.fitted[windows.trial], _known(out, windows, behavior)
    for animal in np.unique(windows.animal[unseen(out)]):
        own = np.flatnonzero(windows.animal == animal)
        activity = _activity(neural, windows.take(own), animal)
        try:
            groups = in_groups(windows.trial[own], fitted[own])
            found = closed_form(known, activity, behavior[own], groups, fitted[own])
        except InputError as error:
            print(f"{dataset.animals[animal]}: has no input layer and is left out ({error})", file=sys.stderr)
            continue
        for name, values in by_layer(found, {name: part.shape[1] for name, part in out.items()}).items():
            out[name][own] = values
