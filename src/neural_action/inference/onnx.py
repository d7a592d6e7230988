"""Export of a trained model's encoder to ONNX, for other programs and languages."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neural_action.errors import InputError, needed
from neural_action.files import atomic_write

if TYPE_CHECKING:
    from neural_action.inference.model import TrainedModel

#: Windows of the example input of the export; the exported model takes any number.
_EXAMPLE = 4


class _Layer(nn.Module):
    """Maps (window, frames, ...) float32 to one layer, (window, dimension) float32."""

    def __init__(self, objective: Any, layer: str):
        super().__init__()
        self.objective, self.layer = objective, layer

    def forward(self, windows: Tensor) -> Tensor:
        return self.objective.embed(windows.flatten(2))[self.layer]


def export(model: TrainedModel, path: Path, layer: str = "encoder") -> None:
    """Write ``layer`` of a model to ``path`` (.onnx).

    The input ``windows`` is (window, frames, y, x) or (window, frames, unit) float32, converted like the model's
    recordings (dF/F, scaling, size). The output is (window, dimension) float32, with the name of the layer. The
    metadata entry ``neural_action`` is JSON: settings of windows, attributes of the recordings, and the animals seen.

    Raises InputError for another suffix, an unknown layer, a model with an input layer for each animal, or a missing
    package.
    """
    if path.suffix != ".onnx":
        raise InputError(f"{path}: suffix {path.suffix!r}, expected .onnx")
    about = model.description
    if model.objective.shapes.sessions or model.objective.shapes.units:
        raise InputError(
            "export: the model has input weights for the units of each animal, expected a model with common units"
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
        # Hide deprecation warnings and log messages of the exporter.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _Layer(model.objective, layer).eval(),
            (example,),
            dynamo=True,
            verbose=False,
            input_names=["windows"],
            output_names=[layer],
            # A name, not a Dim: with a Dim, torch 2.14 silently fixes the number of windows.
            dynamic_shapes={"windows": {0: "window"}},
        )
    # Only the old exporter returns None.
    assert program is not None
    content = program.model_proto
    if not content.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise InputError(
            f"export: torch {torch.__version__} fixed the number of windows to {_EXAMPLE}, expected any"
        )
    kept = ("version", "method", "run", "seed", "windows", "recordings", "animals")
    described = {key: about[key] for key in kept if key in about}
    onnx.helper.set_model_props(content, {"neural_action": json.dumps({**described, "layer": layer})})
    with atomic_write(path) as partial:
        partial.write_bytes(content.SerializeToString())
