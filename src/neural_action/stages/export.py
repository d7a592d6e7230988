"""Command: write the encoder of a trained model as ONNX."""

from __future__ import annotations

import sys
from pathlib import Path

from neural_action.inference.model import load_model
from neural_action.inference.onnx import export


def run(model: Path, output: Path, layer: str, split: str | None) -> None:
    """Write ``layer`` of the model to ``output``."""
    opened = load_model(model, split=split)
    export(opened, output, layer)
    print(f"Wrote {output}: {layer} of {opened!r}", file=sys.stderr)
