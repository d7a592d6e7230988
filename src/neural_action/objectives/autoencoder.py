"""Autoencoder (AE): reconstruct the recorded window from the encoding of its augmented view."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.errors import InputError
from neural_action.objectives.objective import Batch, Encodings, Objective


class Autoencoder(Objective):
    """Mean squared error of the reconstructed window, after scaling by ``scale``.

    A row of the paper's Table 2. The decoder has two hidden layers of ``width`` (our choice, because the paper's layers
    could not be read). With augmentations it is a denoising autoencoder, whose target is the recorded window. Raises
    InputError if animals have their own units.
    """

    name = "autoencoder"

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        width: int = 64,
        scale: Literal["zscore", "centred", "none"] = "zscore",
    ):
        super().__init__(encoders, shapes)
        if shapes.units:
            raise InputError("objective autoencoder: animals have their own units, expected common units")
        self.f_n = neural_encoder(encoders, shapes)
        self.target_scale = Standardise(shapes, scale)
        self.decoder = nn.Sequential(
            nn.Linear(encoders.dimension, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, shapes.frames * shapes.pixels),
            nn.Unflatten(1, (shapes.frames, shapes.pixels)),
        )

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Mean squared error of the reconstruction."""
        rebuilt = self.decoder(encodings["neural"])
        return F.mse_loss(rebuilt, self.target_scale(batch.recorded()))
