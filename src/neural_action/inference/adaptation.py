"""Adaptation of a model to recordings given by a user instead of by the workflow."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from neural_action.calcium.kernel import kernel
from neural_action.config.settings import (
    AdaptSettings,
    AugmentationSettings,
    ComponentConfig,
    NeighborSettings,
    TrainingSettings,
    WindowSettings,
)
from neural_action.config.signatures import needs
from neural_action.datasets.dataset import Dataset, dataset_of
from neural_action.datasets.layout import lay_out
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.inference.given import Data, listed
from neural_action.inference.sequences import STEPS, check_rate, check_steps, manifest_path
from neural_action.neighbors.table import SwapTable, build_swap_table
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import Manifest, read_manifest, write_store
from neural_action.training.adapt import adapt
from neural_action.training.batches import augmentation_context
from neural_action.training.sessions import with_session

if TYPE_CHECKING:
    from neural_action.inference.model import TrainedModel


def adapted(model: TrainedModel, data: Data, known: Data, settings: AdaptSettings, seed: int) -> TrainedModel:
    """See ``TrainedModel.adapt``."""
    what = model.description
    views = AugmentationSettings.model_validate(what["augmentations"])
    wanted = _needed(what["objective"]["name"], views, what["batches"])
    if "syllables" in wanted:
        raise InputError(
            f"adapt: objective {what['objective']['name']!r} needs syllables, which a model does not include; expected "
            "another objective, or adaptation by the workflow (configuration adapt.rows)"
        )
    window_settings = WindowSettings.model_validate(what["windows"])
    if model.objective.shapes.units:
        raise InputError(
            "adapt: the model has an input layer for each animal, expected adaptation by the workflow (configuration "
            "adapt.rows)"
        )
    with _stores(data, what["recordings"]) as new, _stores(known, what["recordings"]) as old:
        animal = _one_animal(new, old, dict(model.objective.shapes.sessions))
        for path in (*new, *old):
            _comparable(read_manifest(path), path, what["recordings"])
        sessions = model.objective.shapes.sessions
        if sessions:
            units = read_manifest(new[0]).arrays["neural"].shape[1]
            sessions = (*sessions, (animal, units))
        dataset = dataset_of(lay_out([*new, *old]), None, window_settings, sessions=sessions)
        windows = window_table(dataset, window_settings, stride=1)
        context = augmentation_context(
            dataset,
            windows,
            model.device,
            kernel=_response(what, window_settings.frames) if "kernel" in wanted else None,
            swap=_swaps(what, dataset) if "swaps" in wanted else None,
        )
        fitted = copy.deepcopy(model.objective)
        if sessions and isinstance(context.neural, Tensor):
            named = ComponentConfig.model_validate(what["objective"])
            own = context.animal_frames[dataset.animals.index(animal)]
            fitted = with_session(fitted, named, sessions, context.neural, own, seed)
        with tempfile.TemporaryDirectory() as scratch:
            adapt(
                fitted,
                context,
                windows,
                views,
                dataset.animals.index(animal),
                settings,
                TrainingSettings.model_validate(what["training"]),
                Path(scratch) / "checkpoint.pt",
                matched=what["batches"] == "matched",
                seed=seed,
            )
    for parameter in fitted.parameters():
        parameter.requires_grad_(True)
    recordings = {**what["recordings"], "sessions": dict(sessions)} if sessions else what["recordings"]
    description = {
        **what,
        "recordings": recordings,
        "run": f"adapted-{animal}",
        "seed": seed,
        "adapted_from": what["run"],
        "adapt": settings.model_dump(exclude={"rows"}),
        "animals": sorted({*what["animals"], animal}),
    }
    return type(model)(fitted.eval(), description, model.device)


def _needed(objective: str, augmentations: AugmentationSettings, batches: str) -> frozenset[str]:
    asked = [needs("objectives", objective)]
    asked += [
        needs("augmentations", view.name)
        for view in (*augmentations.neural, *augmentations.mined, *augmentations.behavior)
    ]
    return frozenset({"swaps"} if batches == "matched" else ()).union(*asked)


@contextmanager
def _stores(data: Data, trained_on: Mapping[str, Any]) -> Iterator[list[Path]]:
    """Manifests of the given recordings; recordings in memory are written to a temporary folder."""
    given = listed(data)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for at, one in enumerate(given):
            if isinstance(one, Recording):
                path = Path(folder) / f"{at}.manifest.json"
                write_store(
                    one,
                    Path(folder) / f"{at}.zarr",
                    path,
                    dataset=trained_on["dataset"],
                    steps=trained_on["steps"],
                    chunk_mb=8,
                )
                paths.append(path)
            elif isinstance(one, str | Path):
                paths.append(manifest_path(Path(one)))
            else:
                raise InputError(
                    f"adapt: {type(one).__name__} at index {at}, expected a manifest, a store or a Recording, because "
                    "adapting needs behaviour"
                )
        yield paths


def _one_animal(new: list[Path], old: list[Path], sessions: Mapping[str, int]) -> str:
    animals, others = ({read_manifest(path).animal for path in paths} for paths in (new, old))
    if len(animals) != 1:
        found = ", ".join(sorted(animals)) or "none"
        raise InputError(
            f"adapt: recordings of {found}, expected one new animal; adapt to animals one after another, and pass "
            "known animals as known (--known, once for each)"
        )
    if animals & (others | set(sessions)):
        raise InputError(f"adapt: {animals.pop()} is both the new animal and a known one")
    return animals.pop()


def _comparable(manifest: Manifest, path: Path, trained_on: Mapping[str, Any]) -> None:
    """Raise InputError unless a recording can be compared with those that the model was trained on.

    If sessions have their own units, a known session must have the units of the model; a new one may have any number.
    """
    neural, sessions = manifest.arrays["neural"].shape[1:], trained_on.get("sessions")
    expected = [sessions.get(manifest.animal, neural[0])] if sessions else trained_on["neural_shape"]
    for what, here, there in (
        ("behaviour", manifest.behavior_names, trained_on["behavior_names"]),
        ("shape of behaviour", manifest.arrays["behavior"].shape[1:], trained_on["behavior_shape"]),
        ("shape of neural frames", neural, expected),
        (
            "unit of behaviour",
            [manifest.attributes["units"].get("behavior")],
            [trained_on["units"].get("behavior")],
        ),
    ):
        if list(here) != list(there):
            raise InputError(f"{path}: {what} is {list(here)}, the model was trained on {list(there)}")
    check_steps(manifest, path, trained_on, (*STEPS, "root_relative"))
    check_rate(str(path), "neural frames", manifest.neural_rate, trained_on["neural_rate"])
    rate = float(manifest.attributes["behavior_rate"])
    check_rate(str(path), "behaviour samples", rate, trained_on["behavior_rate"])


def _response(what: Mapping[str, Any], frames: int) -> np.ndarray:
    fit = what["kernel"]
    return kernel(fit["decay"], fit["rise"], what["recordings"]["neural_rate"], frames)


def _swaps(what: Mapping[str, Any], dataset: Dataset) -> SwapTable:
    settings = NeighborSettings.model_validate(what["neighbors"])
    return build_swap_table(
        dataset.pose, dataset.pose_animal, dataset.pose_visible, settings, names=dataset.animals
    )
