"""Uni-modal SimCLR: InfoNCE between two views of the same neural window."""

from __future__ import annotations

from torch import Tensor

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.heads import projection_head
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.infonce import infonce
from neural_action.objectives.objective import Batch, Encodings, Objective


class NeuralInfoNce(Objective):
    """Attract two augmented views of the same neural window; behaviour is not used.

    Negatives are the second views of the other windows, as in Equation 1 (our choice; SimCLR also uses the first
    views).
    """

    name = "infonce_neural"
    modalities = ("neural", "neural_again")

    def __init__(self, encoders: EncoderSettings, shapes: Shapes, *, temperature: float = 0.1):
        super().__init__(encoders, shapes)
        self.temperature = temperature
        self.f_n = neural_encoder(encoders, shapes)
        self.g_n = projection_head(encoders.dimension, encoders.head_hidden, encoders.head_dimension)

    def encode(self, batch: Batch) -> Encodings:
        """h_n of two views."""
        return {"neural": self.f_n(batch.neural()), "neural_again": self.f_n(batch.neural())}

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Equation 1 with the second view instead of behaviour."""
        one, other = (self.g_n(encodings[view]) for view in self.modalities)
        return infonce(one, other, self.temperature)
