"""Temporal shuffling (TS; Banville et al. 2021): distinguish ordered from shuffled triplets of windows."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Encodings, Objective
from neural_action.objectives.relative_position import pair_loss


class TemporalShuffling(Objective):
    """Logistic regression on ``(|h - h'|, |h' - h''|)``: does h' lie between h and h'', or far from both?

    The windows of h and h'' are 2 to ``near`` windows apart in one trial. Far means in another trial (``far: trial``)
    or more than ``window`` frames away. A row of the paper's Table 2; the distances are our choice, because they could
    not be read.
    """

    name = "temporal_shuffling"
    modalities = ("neural", "end", "between", "far")

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        near: int = 4,
        far: Literal["trial", "window"] = "trial",
        window: int = 150,
    ):
        super().__init__(encoders, shapes)
        self.near, self.window = near, window if far == "window" else None
        self.f_n = neural_encoder(encoders, shapes)
        self.classifier = nn.Linear(2 * encoders.dimension, 1)

    def encode(self, batch: Batch) -> Encodings:
        """h_n of the windows, of an end, of a window between and of a far window, and whether an end exists."""
        end, exists = batch.near(2, self.near)
        between, far = batch.between(end), batch.far(self.window)
        return {
            "neural": self.f_n(batch.neural()),
            "end": self.f_n(batch.neural_of(end)),
            "between": self.f_n(batch.neural_of(between)),
            "far": self.f_n(batch.neural_of(far)),
            "exists": exists,
        }

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Binary cross-entropy, in nats per triplet; windows in too short trials are ignored."""
        h, end, between, far = (encodings[name] for name in self.modalities)
        ordered, shuffled = (
            torch.cat([(h - middle).abs(), (middle - end).abs()], dim=1) for middle in (between, far)
        )
        return pair_loss(self.classifier, ordered, shuffled, encodings["exists"])
