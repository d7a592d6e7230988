"""BehaveNet (Batty et al. 2019), a baseline of the paper: predict behavioural syllables from neural activity."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.objectives.objective import Batch, Encodings, Objective


class BehaveNet(Objective):
    """Predict the posterior of an autoregressive HMM's states at every pose; cross-entropy with soft targets.

    The HMM is fitted before, to the poses that pretraining may see (``syllables``). As in BehaveNet, a network decodes
    discrete states from neural activity; the network and the number of states are our choice.
    """

    name = "behavenet"
    needs = ("syllables",)

    def __init__(self, encoders: EncoderSettings, shapes: Shapes, *, width: int = 128):
        super().__init__(encoders, shapes)
        if shapes.syllables == 0:
            raise InputError("objective behavenet: needs syllables of the poses, none given")
        self.f_n = neural_encoder(encoders, shapes)
        self.decoder = nn.Sequential(
            nn.Linear(encoders.dimension, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, shapes.poses * shapes.syllables),
            nn.Unflatten(1, (shapes.poses, shapes.syllables)),
        )

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Cross-entropy of the predicted syllables, in nats per pose."""
        log_probability = torch.log_softmax(self.decoder(encodings["neural"]), dim=-1)
        return -(batch.syllables() * log_probability).sum(-1).mean()
