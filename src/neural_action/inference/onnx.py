"""The encoder of a trained model as ONNX, which other programs and languages run."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neural_action.errors import InputError
from neural_action.files import atomic_write
from neural_action.inference.writers import needed

if TYPE_CHECKING:
    from neural_action.inference.model import TrainedModel

#: Windows that the network is followed with; any number is taken afterwards.
_EXAMPLE = 4


class _Layer(nn.Module):
    """(window, frames, ...) float32 to (window, dimension) float32 of one layer."""

    def __init__(self, objective: Any, layer: str):
        super().__init__()
        self.objective, self.layer = objective, layer

    def forward(self, windows: Tensor) -> Tensor:
        return self.objective.embed(windows.flatten(2))[self.layer]


def export(model: TrainedModel, path: Path, layer: str = "encoder") -> None:
    """Write ``layer`` of a model to ``path`` (.onnx).

    Its input ``windows`` is (window, frames, y, x) or (window, frames, unit) float32, frames as the model's store has
    them (dF/F, scaling and size done); its output is (window, dimension) float32, called as the layer. The metadata
    entry ``neural_action`` is JSON: how windows are cut, what the recordings were, which animals were seen.

    Raises InputError for another suffix, a layer that is not there, a model with units of its own for each animal, and
    where a package is missing.
    """
    if path.suffix != ".onnx":
        raise InputError(f"{path}: suffix {path.suffix!r}, expected .onnx")
    about = model.description
    if model.objective.shapes.sessions or model.objective.shapes.units:
        raise InputError(
            "export: the model has a first layer for the units of each animal, expected one with one input for all"
        )
    onnx = needed("onnx", "export", "ONNX")
    needed("onnxscript", "export", "ONNX")
    frames, shape = about["windows"]["frames"], about["recordings"]["neural_shape"]
    example = torch.rand(_EXAMPLE, frames, *shape, device=model.device)
    with torch.inference_mode():
        layers = model.objective.embed(example.flatten(2))
    if layer not in layers:
        raise InputError(f"layer: {layer!r} is not one of {', '.join(layers)}")
    with warnings.catch_warnings():
        # Its own deprecations, and how it optimises, are nobody's business here.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _Layer(model.objective, layer).eval(),
            (example,),
            dynamo=True,
            verbose=False,
            input_names=["windows"],
            output_names=[layer],
            dynamic_shapes={"windows": {0: torch.export.Dim("window")}},
        )
    # None comes of the old exporter alone.
    assert program is not None
    content = program.model_proto
    kept = ("version", "method", "run", "seed", "windows", "recordings", "animals")
    described = {key: about[key] for key in kept if key in about}
    onnx.helper.set_model_props(content, {"neural_action": json.dumps({**described, "layer": layer})})
    with atomic_write(path) as partial:
        partial.write_bytes(content.SerializeToString())
