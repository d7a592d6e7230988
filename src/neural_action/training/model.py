"""A trained objective on disk: weights as safetensors, everything needed to rebuild it as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from neural_action import __version__
from neural_action.config.build import build
from neural_action.config.settings import EncoderSettings, Named
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.objectives.objective import Objective


def create(objective: Named, encoders: EncoderSettings, shapes: Shapes, seed: int) -> Objective:
    """A freshly initialised objective; its weights follow from ``seed``."""
    torch.manual_seed(seed)
    return build("objectives", objective, encoders, shapes)


def save_model(
    model: Objective | dict[str, Objective],
    objective: Named,
    encoders: EncoderSettings,
    shapes: Shapes,
    weights: Path,
    about: dict,
) -> None:
    """Write ``weights`` (.safetensors) and, beside it, a JSON of the same name with how to build the model.

    Several models of one make, by name, go into one file (their tensors are called ``<name>/...``). ``about`` is kept
    in the JSON (method, holdout, seed, ...). The weights appear last, by rename.
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
    weights.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n")
    partial = weights.with_suffix(".part")
    # Through memory: a full disk is then an OSError.
    partial.write_bytes(save({name: value.contiguous() for name, value in values.items()}))
    os.replace(partial, weights)


def load_model(weights: Path, device: torch.device | str = "cpu", part: str | None = None) -> Objective:
    """The model that ``save_model`` wrote, in evaluation mode; of several, the one called ``part``.

    Raises InputError if either file is missing or unreadable, or holds no such model.
    """
    try:
        described = json.loads(weights.with_suffix(".json").read_text())
        model = build(
            "objectives",
            Named.model_validate(described["objective"]),
            EncoderSettings.model_validate(described["encoders"]),
            Shapes.from_dict(described["shapes"]),
        )
        values = load_file(weights)
        if part is not None:
            own = f"{part}/"
            values = {key.removeprefix(own): v for key, v in values.items() if key.startswith(own)}
        model.load_state_dict(values)
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(f"{weights}: cannot be loaded as a model ({' '.join(str(error).split())})") from None
    return model.to(device).eval()
