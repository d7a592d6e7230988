"""Regression of the poses from neural activity with a convolutional decoder (the paper's baseline)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Encodings, Objective


class RegressionConv(Objective):
    """Predict the poses of a window from its neural encoding; mean squared error.

    The decoder expands the encoding to the times of the poses, followed by convolutions over time. Its layers are our
    choice, because the paper's appendix could not be read.
    """

    name = "regression_conv"

    def __init__(self, encoders: EncoderSettings, shapes: Shapes, *, width: int = 64, kernel: int = 3):
        super().__init__(encoders, shapes)
        self.f_n = neural_encoder(encoders, shapes)
        self.decoder = nn.Sequential(
            nn.Linear(encoders.dimension, width * shapes.poses),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (width, shapes.poses)),
            nn.Conv1d(width, width, kernel, padding=kernel // 2),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, shapes.behavior, kernel, padding=kernel // 2),
        )

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Mean squared error of the predicted poses, in units of the normalised pose."""
        predicted = self.decoder(encodings["neural"]).transpose(1, 2)
        return F.mse_loss(predicted, batch.behavior())
