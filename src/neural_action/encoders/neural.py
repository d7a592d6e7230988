"""The neural encoder of an objective: the configured one, behind an input layer of each animal where they need one."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from neural_action.config.build import build
from neural_action.config.settings import EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import UnitWindows
from neural_action.errors import InputError


class UnitEncoder(nn.Module):
    """Windows of animals with units of their own to (B, dimension): an input layer of each animal, the rest shared.

    The input layer scales units, by the configured encoder's ``scale`` where it has one, else ``zscore``; the rest
    reads ``unit_width`` features a frame. That each animal's layer is linear is our choice.
    """

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__()
        scale = encoders.neural.parameters.get("scale", "zscore")
        if scale not in ("zscore", "centred", "none"):
            raise InputError(
                f"encoders.neural.scale: {scale!r} is of images, expected zscore, centred or none"
            )
        self.input = UnitInput([count for _, count in shapes.units], encoders.unit_width, scale=scale)
        shared = replace(shapes, neural=(encoders.unit_width,), units=())
        self.rest = build("encoders", encoders.neural, shared, encoders.dimension)

    def forward(self, windows: UnitWindows) -> Tensor:
        """(B, dimension)."""
        return self.rest(self.input(windows))


def neural_encoder(encoders: EncoderSettings, shapes: Shapes) -> nn.Module:
    """(B, frames, pixels) to (B, dimension) as configured; ``UnitEncoder`` where animals have units of their own."""
    if shapes.units:
        return UnitEncoder(encoders, shapes)
    return build("encoders", encoders.neural, shapes, encoders.dimension)
