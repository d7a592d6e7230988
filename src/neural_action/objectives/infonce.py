"""Symmetric InfoNCE between neural activity and behaviour (Günel et al., Equation 1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from neural_action.config.build import build
from neural_action.config.settings import EncoderSettings
from neural_action.encoders.heads import projection_head
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Objective


def infonce(z_b: Tensor, z_n: Tensor, temperature: float) -> Tensor:
    """Equation 1 for projections (N, dimension) of behaviour and neural activity; cosine similarity.

    The mean over the N pairs instead of the sum, so that the learning rate does not depend on the batch size
    (our choice).
    """
    similarity = F.normalize(z_b, dim=1) @ F.normalize(z_n, dim=1).T / temperature
    pairs = torch.arange(len(similarity), device=similarity.device)
    return F.cross_entropy(similarity, pairs) + F.cross_entropy(similarity.T, pairs)


class InfoNce(Objective):
    """Pull the neural clip and the behaviour clip of one moment together, against the rest of the batch."""

    name = "infonce"

    def __init__(self, encoders: EncoderSettings, shapes: Shapes, *, temperature: float = 0.1):
        super().__init__(encoders, shapes)
        self.temperature = temperature
        sizes = encoders.dimension, encoders.head_hidden, encoders.head_dimension
        self.f_n = build("encoders", encoders.neural, shapes, encoders.dimension)
        self.f_b = build("encoders", encoders.behavior, shapes, encoders.dimension)
        self.g_n, self.g_b = projection_head(*sizes), projection_head(*sizes)

    def loss(self, batch: Batch) -> Tensor:
        """Equation 1 on one view of each modality."""
        z_n = self.g_n(self.f_n(batch.neural()))
        z_b = self.g_b(self.f_b(batch.behavior()))
        return infonce(z_b.float(), z_n.float(), self.temperature)

    def embed(self, neural: Tensor) -> dict[str, Tensor]:
        """h_n and z_n."""
        h = self.f_n(neural)
        return {"encoder": h, "projection": self.g_n(h)}
