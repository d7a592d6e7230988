"""A trained objective on disk: weights as safetensors, and a JSON with everything needed to rebuild it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from neural_action import __version__
from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.config.build import build
from neural_action.config.settings import ComponentConfig, EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError, reading
from neural_action.files import atomic_write, read_regular, write_text
from neural_action.objectives.objective import Objective

_T = TypeVar("_T")
#: Tensors whose names begin with this are no part of the networks (``save_model``).
BESIDE = "beside/"
#: Largest size of a description in bytes (our choice).
_DESCRIPTION = 64 << 20


def create(objective: ComponentConfig, encoders: EncoderSettings, shapes: Shapes, seed: int) -> Objective:
    """A new objective, initialised from ``seed``."""
    torch.manual_seed(seed)
    return build("objectives", objective, encoders, shapes)


def fit_scales(model: Objective, context: AugmentationContext) -> None:
    """Fit the scales of a model to the visible frames; for each animal separately if animals have their own units."""
    if isinstance(context.neural, Tensor):
        model.fit_scales(context.neural, torch.cat(context.animal_frames))
        return
    for animal, frames in enumerate(context.animal_frames):
        if len(frames):
            units = context.neural.tiles.units[animal]
            model.fit_units(context.layer_of(animal), context.take(frames)[:, :units])


def save_model(
    model: Objective | dict[str, Objective],
    objective: ComponentConfig,
    encoders: EncoderSettings,
    shapes: Shapes,
    weights: Path,
    about: dict,
    beside: Mapping[str, Tensor] | None = None,
) -> None:
    """Write ``weights`` (.safetensors) and a JSON of the same name, which describes how to build the model.

    A dictionary of models with the same architecture is written to one file, with tensors named ``<name>/...``.
    ``about`` is added to the JSON (method, run, seed, ...), and tensors ``beside`` the networks to the weights. Both
    files are written atomically, the weights last.
    """
    if isinstance(model, dict):
        about = {**about, "models": list(model)}
        values = {f"{name}/{key}": v for name, one in model.items() for key, v in one.state_dict().items()}
    else:
        values = model.state_dict()
    described = {
        "version": __version__,
        "torch": torch.__version__,
        "objective": objective.model_dump(),
        "encoders": encoders.model_dump(),
        "shapes": shapes.to_dict(),
        **about,
    }
    write_text(weights.with_suffix(".json"), json.dumps(described, indent=1) + "\n")
    # Through memory, so that a full disk is an OSError.
    values = {**values, **{BESIDE + name: value for name, value in (beside or {}).items()}}
    content = save({name: value.contiguous() for name, value in values.items()})
    with atomic_write(weights) as partial:
        partial.write_bytes(content)


def load_model(weights: Path, device: torch.device | str = "cpu", part: str | None = None) -> Objective:
    """A model written by ``save_model``, in evaluation mode; ``part`` is its name in a file of several models.

    Raises InputError if either file is missing or unreadable, or holds no such model.
    """
    own = "" if part is None else f"{part}/"
    if not weights.is_file():
        raise InputError(
            f"{weights}: no such file, expected the weights of a trained row (raw rows have none)"
        )
    try:
        described = json.loads(read_regular(weights.with_suffix(".json"), _DESCRIPTION))
        names = described.get("models")
        if part not in (names or [None]):
            inside = "a single model" if names is None else f"a model for each of {', '.join(names)}"
            raise InputError(f"has {inside}; name one" if part is None else f"has {inside}, no {part}")
        parts = (
            ComponentConfig.model_validate(described["objective"]),
            EncoderSettings.model_validate(described["encoders"]),
            Shapes.from_dict(described["shapes"]),
        )
        found = _shapes(weights, own)
        _check_layers(parts[1], len(found))
        # First without memory, because a description may define networks far larger than the weights.
        with torch.device("meta"):
            _check_shapes(build("objectives", *parts), found)
        model = build("objectives", *parts)
        values = _tensors(load_file(weights), own)
        _check_values(model, values)
        model.load_state_dict(values)
    except (
        OSError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise InputError(f"{weights}: cannot be loaded as a model ({error})") from None
    return model.to(device).eval()


def model_names(weights: Path) -> list[str]:
    """Names of the models in a file of several models, else empty. InputError without a readable description."""
    path = weights.with_suffix(".json")
    with reading(path, "a model", OSError, ValueError, AttributeError, TypeError):
        return list(json.loads(path.read_text()).get("models") or ())


def load_beside(weights: Path) -> dict[str, Tensor]:
    """The tensors beside the networks (``save_model``), by name. InputError if the file cannot be read."""
    kinds = OSError, RuntimeError, ValueError, SafetensorError
    with reading(weights, "a model", *kinds), safe_open(weights, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(BESIDE)]  # noqa: SIM118
        return {name.removeprefix(BESIDE): file.get_tensor(name) for name in names}


def _tensors(values: Mapping[str, _T], own: str) -> dict[str, _T]:
    """Those of the networks whose names begin with ``own``, by the rest of the name."""
    return {
        name.removeprefix(own): value
        for name, value in values.items()
        if name.startswith(own) and not name.startswith(BESIDE)
    }


def _shapes(weights: Path, own: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors of ``_tensors``."""
    with safe_open(weights, framework="pt") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    return _tensors(shapes, own)


def _check_layers(encoders: EncoderSettings, tensors: int) -> None:
    """Raise ValueError if an encoder has more layers than there are tensors, which would take too long to build."""
    for encoder in (encoders.neural, encoders.behavior):
        layers = encoder.parameters.get("layers", 0)
        if isinstance(layers, int) and layers > tensors:
            raise ValueError(f"has {tensors} tensors, its description has {layers} layers")


def _check_shapes(model: Objective, found: dict[str, tuple[int, ...]]) -> None:
    """Raise ValueError unless the tensors ``found`` have the names and shapes of ``model``."""
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            raise ValueError(f"{name} has shape {found.get(name)}, its description has {expected.get(name)}")


def _check_values(model: Objective, values: dict[str, torch.Tensor]) -> None:
    """Raise ValueError for a tensor of another type than the model's, or that is not finite.

    Both would silently give wrong or NaN embeddings.
    """
    for name, expected in model.state_dict().items():
        if values[name].dtype != expected.dtype:
            raise ValueError(f"{name} is {values[name].dtype}, expected {expected.dtype}")
        if not torch.isfinite(values[name]).all():
            raise ValueError(f"{name} holds NaN or infinity, expected finite weights")
