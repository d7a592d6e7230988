"""Regression of the poses from neural activity with a recurrent decoder (the paper's baseline)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Encodings, Objective


class RegressionRecurrent(Objective):
    """Predict the poses of a window one after another from its neural encoding; mean squared error.

    A gated recurrent unit starts from the encoding. Each step reads the pose that the previous step predicted (at first
    zeros, the mean pose). The true poses are never an input, so the encoding has to contain them. The layers are our
    choice, because the paper's appendix could not be read.
    """

    name = "regression_recurrent"

    def __init__(self, encoders: EncoderSettings, shapes: Shapes, *, width: int = 128):
        super().__init__(encoders, shapes)
        self.f_n = neural_encoder(encoders, shapes)
        self.start = nn.Linear(encoders.dimension, width)
        self.cell = nn.GRUCell(shapes.behavior, width)
        self.pose = nn.Linear(width, shapes.behavior)

    def decode(self, h: Tensor) -> Tensor:
        """Predicted poses (B, poses, feature) of encodings (B, dimension)."""
        state, pose = torch.tanh(self.start(h)), h.new_zeros(len(h), self.shapes.behavior)
        poses = []
        for _ in range(self.shapes.poses):
            state = self.cell(pose, state)
            pose = self.pose(state)
            poses.append(pose)
        return torch.stack(poses, dim=1)

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Mean squared error of the predicted poses, in units of the normalised pose."""
        return F.mse_loss(self.decode(encodings["neural"]), batch.behavior())
