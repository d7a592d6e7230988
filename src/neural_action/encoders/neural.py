"""The neural encoder of an objective: the configured encoder, with an input layer for each animal if needed."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from neural_action.config.build import build
from neural_action.config.settings import EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.unit_attention import UnitAttention
from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import UnitWindows
from neural_action.errors import InputError


class UnitEncoder(nn.Module):
    """Windows of animals with their own units to (B, dimension): an input layer for each animal, then a shared encoder.

    With ``encoders.attention``, one attention over units takes the place of the input layers.

    The input layer scales units by the ``scale`` of the configured encoder, or ``zscore`` if it has none. The shared
    encoder reads ``unit_width`` features of each frame. The linear input layer is our choice. Raises InputError for a
    ``scale`` of images.
    """

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__()
        scale = encoders.neural.parameters.get("scale", "zscore")
        if scale not in ("zscore", "centred", "none"):
            raise InputError(
                f"encoders.neural.scale: {scale!r} is for images only, expected zscore, centred or none"
            )
        units, width = [count for _, count in shapes.units], encoders.unit_width
        self.input: UnitInput | UnitAttention
        if encoders.attention is None:
            self.input = UnitInput(units, width, scale=scale)
        else:
            self.input = UnitAttention(units, shapes.frames, width, encoders.attention, scale=scale)
        shared = replace(shapes, neural=(encoders.unit_width,), units=())
        self.rest = build("encoders", encoders.neural, shared, encoders.dimension)

    def forward(self, windows: UnitWindows) -> Tensor:
        """(B, dimension) float32."""
        return self.rest(self.input(windows))


def neural_encoder(encoders: EncoderSettings, shapes: Shapes) -> nn.Module:
    """The configured encoder (B, frames, pixels) to (B, dimension); ``UnitEncoder`` if animals have own units."""
    if shapes.units:
        return UnitEncoder(encoders, shapes)
    return build("encoders", encoders.neural, shapes, encoders.dimension)
