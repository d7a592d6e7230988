"""Mine your own view (Azabou et al.): BYOL, and a second prediction of views mined from the data itself."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.heads import prediction_head
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.byol import Byol, cosine_distance, follower
from neural_action.objectives.mining import mine
from neural_action.objectives.objective import Batch, Encodings


class Myow(Byol):
    """(1 - w) BYOL + w mined: predict, in a second projection, a clip that is encoded alike but is of another moment.

    A clip's mined view is one of the ``neighbors`` clips of the batch whose target encodings are nearest to its
    online encoding; never of the same trial, or (``exclude: window``) none that starts within ``window`` frames.
    The second projector and predictor stand on the first ones (cascaded). w rises linearly to ``weight`` over the
    first ``warmup`` of training.
    """

    name = "myow"

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        momentum: float = 0.98,
        hidden: int = 256,
        mined_dimension: int = 32,
        neighbors: int = 5,
        exclude: Literal["trial", "window"] = "trial",
        window: int = 150,
        weight: float = 0.5,
        warmup: float = 0.001,
    ):
        super().__init__(encoders, shapes, momentum=momentum, hidden=hidden)
        self.neighbors, self.window = neighbors, window if exclude == "window" else None
        self.weight, self.warmup = weight, warmup
        self.mined_projector = prediction_head(encoders.dimension, hidden, mined_dimension)
        self.mined_predictor = prediction_head(mined_dimension, hidden, mined_dimension)
        self.target = follower(f_n=self.f_n, mined_projector=self.mined_projector)

    @property
    def mined_weight(self) -> float:
        """w at this moment of training."""
        return self.weight * min(1.0, self.progress / self.warmup if self.warmup > 0 else 1.0)

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Both terms; clips that nothing may be mined for have no second one."""
        h, target, weight = encodings["neural"], encodings["target"], self.mined_weight
        excluded = batch.excluded(self.window)
        index, found = mine(h.detach(), target, excluded, self.neighbors, batch.uniform(len(h)))
        with torch.no_grad():
            mined = self.target["mined_projector"](target)[index]
        predicted = self.mined_predictor(self.mined_projector(h))
        distance = (cosine_distance(predicted, mined) * found).sum() / found.sum().clamp(min=1)
        return (1 - weight) * super().loss(encodings, batch) + weight * distance
