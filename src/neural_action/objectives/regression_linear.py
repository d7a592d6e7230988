"""Regression of the poses from neural activity with a linear decoder (our choice)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Encodings, Objective


class RegressionLinear(Objective):
    """Predict the poses of a window from its neural encoding by a linear layer; mean squared error.

    A linear decoder computes little, so the encoding itself has to hold the poses, in the form that linear probes read.
    Compare ``regression_conv``, whose decoder has three layers.
    """

    name = "regression_linear"

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__(encoders, shapes)
        self.f_n = neural_encoder(encoders, shapes)
        self.decoder = nn.Linear(encoders.dimension, shapes.poses * shapes.behavior)

    def encode(self, batch: Batch) -> Encodings:
        """h_n."""
        return {"neural": self.f_n(batch.neural())}

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Mean squared error of the predicted poses, in units of the augmented pose."""
        target = batch.behavior()
        return F.mse_loss(self.decoder(encodings["neural"]).view_as(target), target)
