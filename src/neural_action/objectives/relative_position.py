"""Relative positioning (RP; Banville et al. 2021): distinguish pairs of near windows from pairs of far windows."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Encodings, Objective


class RelativePosition(Objective):
    """Logistic regression on ``|h - h'|``: is the second window at most ``near`` windows away, or far?

    Far means in another trial (``far: trial``) or more than ``window`` frames away. A row of the paper's Table 2; the
    distances are our choice, because they could not be read. Half of the pairs are near, as in Banville et al.
    """

    name = "relative_position"
    modalities = ("neural", "near", "far")

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        near: int = 2,
        far: Literal["trial", "window"] = "trial",
        window: int = 150,
    ):
        super().__init__(encoders, shapes)
        self.near, self.window = near, window if far == "window" else None
        self.f_n = neural_encoder(encoders, shapes)
        self.classifier = nn.Linear(encoders.dimension, 1)

    def encode(self, batch: Batch) -> Encodings:
        """h_n of the windows, of a near and of a far window of each, and whether a near window exists."""
        near, exists = batch.near(1, self.near)
        far = batch.far(self.window)
        return {
            "neural": self.f_n(batch.neural()),
            "near": self.f_n(batch.neural_of(near)),
            "far": self.f_n(batch.neural_of(far)),
            "exists": exists,
        }

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Binary cross-entropy, in nats per pair; windows without a near window are ignored."""
        h, near, far = (encodings[name] for name in self.modalities)
        return pair_loss(self.classifier, (h - near).abs(), (h - far).abs(), encodings["exists"])


def pair_loss(classifier: nn.Module, true: Tensor, false: Tensor, exists: Tensor) -> Tensor:
    """Binary cross-entropy of features (N, feature) of true and of false pairs, averaged over pairs that exist."""
    logits = classifier(torch.cat([true, false]))[:, 0]
    loss = F.softplus(-logits[: len(true)]) + F.softplus(logits[len(true) :])
    return 0.5 * (loss * exists).sum() / exists.sum().clamp(min=1)
