"""Adaptation of a model to recordings given by a user instead of by the workflow."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
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
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.evaluation.unseen import closed_form_of
from neural_action.inference.given import Data, listed
from neural_action.inference.readers import Reader
from neural_action.inference.sequences import STEPS, check_rate, check_steps, manifest_path
from neural_action.neighbors.table import SwapTable, build_swap_table
from neural_action.objectives.objective import Objective
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import Manifest, read_manifest, write_store
from neural_action.training.adapt import adapt
from neural_action.training.batches import augmentation_context
from neural_action.training.sessions import with_animal, with_session

if TYPE_CHECKING:
    from neural_action.inference.model import TrainedModel


def adapted(
    model: TrainedModel, data: Data, known: Data, settings: AdaptSettings | None, seed: int
) -> TrainedModel:
    """See ``TrainedModel.adapt``; without ``settings``, nothing is trained."""
    what = model.description
    shapes = model.objective.shapes
    if settings is None and not shapes.units:
        raise InputError(
            "adapt: the model has no input layer for each animal, expected training; it reads a new animal as it is"
        )
    with _stores(data, what["recordings"]) as new, _stores(known, what["recordings"]) as old:
        animal = _one_animal(new, old, what["recordings"].get("sessions", {}), shapes.units)
        for path in (*new, *old):
            _comparable(read_manifest(path), path, what["recordings"])
        units = read_manifest(new[0]).arrays["neural"].shape[1]
        sessions = (*shapes.sessions, (animal, units)) if shapes.sessions else ()
        windows = WindowSettings.model_validate(what["windows"])
        dataset = dataset_of(
            lay_out([*new, *old], None),
            None,
            windows.model_copy(update={"units": "own"}) if shapes.units else windows,
            sessions=sessions,
        )
        if shapes.units and isinstance(dataset.neural, np.ndarray):
            # Units of a single animal count as shared.
            dataset = replace(dataset, neural=RaggedFrames([dataset.neural]), units=((animal, units),))
        if settings is None:
            fitted, reader = _read(model, dataset, animal, windows, seed)
        else:
            fitted, reader = _trained(model, dataset, animal, windows, settings, seed), None
    described = {
        **what,
        "run": f"adapted-{animal}",
        "seed": seed,
        "adapted_from": what["run"],
        "adapt": None if settings is None else settings.model_dump(exclude={"rows"}),
        "animals": sorted({*what["animals"], animal}),
    }
    if shapes.units or shapes.sessions:
        own = {**what["recordings"]["sessions"], animal: units}
        described["recordings"] = {**what["recordings"], "sessions": own}
        described["shapes"] = json.loads(json.dumps(fitted.shapes.to_dict()))
    readers = model.readers
    if reader is not None:
        readers = {**readers, animal: reader}
        described["closed_form"] = {name: dict(one.layers) for name, one in readers.items()}
    return type(model)(fitted.to(model.device).eval(), described, model.device, readers)


def _trained(
    model: TrainedModel,
    dataset: Dataset,
    animal: str,
    window_settings: WindowSettings,
    settings: AdaptSettings,
    seed: int,
) -> Objective:
    """A copy of the networks, trained as in stage ``adapt``."""
    what, known = model.description, [name for name, _ in model.objective.shapes.units]
    views = AugmentationSettings.model_validate(what["augmentations"])
    wanted = _needed(what["objective"]["name"], views, what["batches"])
    if "syllables" in wanted:
        raise InputError(
            f"adapt: objective {what['objective']['name']!r} needs syllables, which a model does not include; expected "
            "another objective, or adaptation by the workflow (configuration adapt.rows)"
        )
    windows = window_table(dataset, window_settings, stride=1)
    context = augmentation_context(
        dataset,
        windows,
        model.device,
        kernel=_response(what, window_settings.frames) if "kernel" in wanted else None,
        swap=_swaps(what, dataset) if "swaps" in wanted else None,
        layers=[*known, animal],
    )
    fitted, number = copy.deepcopy(model.objective), dataset.animals.index(animal)
    own = context.animal_frames[number]
    if dataset.units:
        fitted = with_animal(fitted, animal, context.take(own)[:, : dict(dataset.units)[animal]].cpu(), seed)
    elif dataset.sessions and isinstance(context.neural, Tensor):
        named = ComponentConfig.model_validate(what["objective"])
        fitted = with_session(fitted, named, dataset.sessions, context.neural, own, seed)
    with tempfile.TemporaryDirectory() as scratch:
        adapt(
            fitted,
            context,
            windows,
            views,
            number,
            settings,
            TrainingSettings.model_validate(what["training"]),
            Path(scratch) / "checkpoint.pt",
            matched=what["batches"] == "matched",
            seed=seed,
        )
    for parameter in fitted.parameters():
        parameter.requires_grad_(True)
    return fitted


def _read(
    model: TrainedModel, dataset: Dataset, animal: str, window_settings: WindowSettings, seed: int
) -> tuple[Objective, Reader | None]:
    """A copy of the networks that reads the animal without a training step, and its closed form if there is one."""
    neural, number = dataset.neural, dataset.animals.index(animal)
    if not isinstance(neural, RaggedFrames):
        raise TypeError("recordings of a model of animals with their own units")
    fitted = copy.deepcopy(model.objective).cpu()
    if fitted.encoders.attention is not None:
        return with_animal(fitted, animal, torch.from_numpy(neural.parts[number]), seed), None
    if len(dataset.animals) == 1:
        raise InputError(
            "adapt: no known animal, expected recordings of at least one (--known); a closed form needs them, to find "
            "which encodings go with which behaviour"
        )
    # A quarter of a window apart, as in the workflow.
    windows = window_table(dataset, window_settings, stride=max(1, window_settings.frames // 4))
    where = Path(model.description["method"])
    return fitted, Reader(*closed_form_of(fitted, dataset, neural, windows, number, where))


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


def _one_animal(
    new: list[Path], old: list[Path], sessions: Mapping[str, int], layers: Sequence[tuple[str, int]]
) -> str:
    """The new animal. InputError unless it is one, and known animals are known to the model."""
    animals, others = ({read_manifest(path).animal for path in paths} for paths in (new, old))
    if len(animals) != 1:
        found = ", ".join(sorted(animals)) or "none"
        raise InputError(
            f"adapt: recordings of {found}, expected one new animal; adapt to animals one after another, and pass "
            "known animals as known (--known, once for each)"
        )
    if animals & (others | set(sessions)):
        raise InputError(f"adapt: {animals.pop()} is both the new animal and a known one")
    if layers and (unknown := sorted(others - dict(layers).keys())):
        raise InputError(
            f"adapt: {unknown[0]} is no known animal, the model has input layers of {', '.join(dict(layers))}"
        )
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
