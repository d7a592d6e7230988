"""Mine your own view (Azabou et al.): BYOL, and a second prediction of views mined from the data itself."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.heads import prediction_head
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.objectives.byol import Byol, cosine_distance, follower
from neural_action.objectives.mining import mine
from neural_action.objectives.objective import Batch, Encodings


class Myow(Byol):
    """(1 - w) BYOL + w mined: predict, in a second projection, a window that is encoded alike but is of another moment.

    A window's mined view is one of the ``neighbors`` candidates whose target encodings are nearest to its online
    encoding; never of the same trial, or (``exclude: window``) none that starts within ``window`` frames. Pictures are
    trials of one frame: what may not be mined is the picture itself.

    Candidates are the windows of the batch, or ``pool`` windows drawn apart from it. With ``views: own``, windows and
    candidates get views for mining alone, by ``augmentations.mined``. With ``batch`` the first view of the batch is
    mined; a pool needs ``own``. The second projector and predictor stand on the first ones (cascaded), with
    ``mined_hidden`` features inside (0: ``hidden``). w is 0 until ``start`` of training and rises linearly to
    ``weight`` at ``warmup``.

    The release's code for pictures is ``views: own, pool: 0, exclude: none`` with ``augmentations.draws: batch``: its
    pool is the batch in the same order, so that a window finds itself.
    """

    name = "myow"

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        momentum: float = 0.98,
        hidden: int = 256,
        projection: int = 0,
        scale: float = 1.0,
        mined_dimension: int = 32,
        mined_hidden: int = 0,
        neighbors: int = 5,
        exclude: Literal["trial", "window", "none"] = "trial",
        window: int = 150,
        views: Literal["batch", "own"] = "batch",
        pool: int = 0,
        weight: float = 0.5,
        start: float = 0.0,
        warmup: float = 0.001,
    ):
        super().__init__(
            encoders, shapes, momentum=momentum, hidden=hidden, projection=projection, scale=scale
        )
        if pool and (pool < neighbors or views == "batch"):
            raise InputError(
                f"objective.pool: {pool} with neighbors {neighbors} and views {views}, expected at least as many as "
                "neighbors, and views own"
            )
        if not 0 <= start <= warmup:
            raise InputError(f"objective.start: {start:g}, expected from 0 to warmup {warmup:g}")
        self.neighbors, self.exclude = neighbors, exclude
        self.window = window if exclude == "window" else None
        self.views, self.pool = views, pool
        self.weight, self.start, self.warmup = weight, start, warmup
        inside = mined_hidden or hidden
        self.mined_projector = prediction_head(self.projected, inside, mined_dimension)
        self.mined_predictor = prediction_head(mined_dimension, inside, mined_dimension)
        self.target = follower(f_n=self.f_n, g_n=self.g_n, mined_projector=self.mined_projector)

    @property
    def mined_weight(self) -> float:
        """w at this moment of training."""
        if self.progress < self.start:
            return 0.0
        rise = self.warmup - self.start
        return self.weight * min(1.0, (self.progress - self.start) / rise if rise > 0 else 1.0)

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Both terms; windows that nothing may be mined for have no second one."""
        first, weight = super().loss(encodings, batch), self.mined_weight
        if self.progress < self.start:
            return first
        h, target, candidates = self._searched(encodings, batch)
        excluded = batch.excluded(self.window, candidates)
        if self.exclude == "none":
            excluded = torch.zeros_like(excluded)
        index, found = mine(h.detach(), target, excluded, self.neighbors, batch.uniform(len(h)))
        with torch.no_grad():
            mined = self.target["mined_projector"](self.target["g_n"](target[index]))
        predicted = self.mined_predictor(self.mined_projector(self.g_n(h)))
        distance = (cosine_distance(predicted, mined) * found).sum() / found.sum().clamp(min=1)
        return (1 - weight) * first + weight * self.scale * distance

    def _searched(self, encodings: Encodings, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Online encodings of the windows, target encodings of the candidates, and the candidates' numbers."""
        if self.views == "batch":
            return encodings["neural"], encodings["target"], batch.windows
        candidates = batch.pool(self.pool) if self.pool else batch.windows
        h = self.f_n(batch.mined_of(batch.windows))
        with torch.no_grad():
            target = self.target["f_n"](batch.mined_of(candidates))
        return h, target, candidates
