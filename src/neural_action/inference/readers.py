"""Closed forms in a model's file: how it reads animals that it has no input layer for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neural_action.errors import InputError
from neural_action.evaluation.closed_form import ClosedForm, by_layer, lags

_PARTS = {"mean": torch.float64, "gain": torch.float64, "weight": torch.float32, "bias": torch.float32}


@dataclass(frozen=True)
class Reader:
    """Reads windows of one animal.

    Attributes:
        form: the closed form of all layers, side by side.
        layers: dimension of each layer, by name.
    """

    form: ClosedForm
    layers: Mapping[str, int]

    def __call__(self, neural: np.ndarray, start: np.ndarray, frames: int) -> dict[str, np.ndarray]:
        """(window, dimension) float32 by layer, of windows that begin at the frames ``start`` of (frame, unit)."""
        return by_layer(self.form(lags(neural, start, frames)), self.layers)


def tensors_of(readers: Mapping[str, Reader]) -> dict[str, Tensor]:
    """The tensors of readers by animal, for ``save_model``."""
    return {
        f"{animal}/{part}": torch.from_numpy(np.ascontiguousarray(getattr(reader.form, part)))
        for animal, reader in readers.items()
        for part in _PARTS
    }


def readers_of(description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Reader]:
    """Readers by animal, from a model's description and the tensors beside its networks.

    InputError if the tensors do not fit the description, or are not finite.
    """
    readers, left = {}, dict(tensors)
    for animal, layers in description.get("closed_form", {}).items():
        units, own = description["recordings"]["sessions"].get(animal, 0), {}
        features, dimension = left.get(f"{animal}/mean", torch.empty(0)).numel(), sum(layers.values())
        shapes = {
            "mean": (features,),
            "gain": (features,),
            "weight": (features, dimension),
            "bias": (dimension,),
        }
        if not features or not units or features % units:
            raise InputError(
                f"closed form of {animal}: {features} features of {units} units, expected parts of a window"
            )
        for part, kind in _PARTS.items():
            value = left.pop(f"{animal}/{part}", torch.empty(0))
            if value.dtype != kind or tuple(value.shape) != shapes[part]:
                raise InputError(
                    f"closed form of {animal}: {part} is {value.dtype} {tuple(value.shape)}, expected {kind} "
                    f"{shapes[part]}"
                )
            if not torch.isfinite(value).all():
                raise InputError(
                    f"closed form of {animal}: {part} holds NaN or infinity, expected finite numbers"
                )
            own[part] = value.numpy()
        readers[animal] = Reader(ClosedForm(**own), layers)
    if left:
        raise InputError(f"closed form: unknown tensor {min(left)}, expected those of its description")
    return readers
