"""Relative positioning (RP; Banville et al. 2021): tell pairs of near windows from pairs of far ones."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.unit_tiles import NeuralWindows
from neural_action.objectives.objective import Batch, Encodings, Objective


class RelativePosition(Objective):
    """Logistic regression on ``|h - h'|``: is the second window at most ``near`` windows away, or far?

    Far is another trial (``far: trial``) or more than ``window`` frames away. A row of the paper's Table 2; its
    distances could not be read: our choice. Half the pairs are near ones (Banville et al. draw both alike).
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
        """h_n of the windows, of a near window of each and of a far one; beside them, whether there is a near one."""
        near, exists = batch.near(1, self.near)
        far = batch.far(self.window)
        return {
            "neural": self.f_n(batch.neural()),
            "near": self.f_n(batch.neural_of(near)),
            "far": self.f_n(batch.neural_of(far)),
            "exists": exists,
        }

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Binary cross-entropy, in nats a pair; a window without a near one takes no part."""
        h, near, far = (encodings[name] for name in self.modalities)
        return pair_loss(self.classifier, (h - near).abs(), (h - far).abs(), encodings["exists"])

    def embed(self, neural: NeuralWindows) -> dict[str, Tensor]:
        """The encoding."""
        return {"encoder": self.f_n(neural)}


def pair_loss(classifier: nn.Module, true: Tensor, false: Tensor, exists: Tensor) -> Tensor:
    """Binary cross-entropy of features (N, feature) of true and of false pairs, averaged over those that exist."""
    logits = classifier(torch.cat([true, false]))[:, 0]
    loss = F.softplus(-logits[: len(true)]) + F.softplus(logits[len(true) :])
    return 0.5 * (loss * exists).sum() / exists.sum().clamp(min=1)
