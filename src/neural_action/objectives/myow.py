"""Mine your own view (MYOW, Azabou et al.): BYOL with a second prediction, of views mined from the data."""

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
    """(1 - w) BYOL + w mined: a second projection predicts the mined view of a window.

    The mined view is one of the ``neighbors`` candidates whose target encodings are nearest to the online encoding of
    the window. It is of another trial, or with ``exclude: window`` does not start within ``window`` frames. Pictures
    are trials of one frame, so only the picture itself is excluded.

    Candidates are the windows of the batch, or ``pool`` windows drawn separately. With ``views: own``, windows and
    candidates have separate views for mining, by ``augmentations.mined``. With ``views: batch``, the first view of the
    batch is used; a pool needs ``own``. The second projector and predictor are stacked on the first ones (cascaded),
    with ``mined_hidden`` hidden units (0: ``hidden``). w is 0 until ``start`` (a share of training) and rises linearly
    to ``weight`` at ``warmup``.

    The release's code for pictures is ``views: own, pool: 0, exclude: none`` with ``augmentations.draws: batch``. Its
    pool is the batch in the same order, so a window can be its own mined view.
    """

    name = "myow"
    mines = True

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
        """w at the current progress of training."""
        if self.progress < self.start:
            return 0.0
        rise = self.warmup - self.start
        return self.weight * min(1.0, (self.progress - self.start) / rise if rise > 0 else 1.0)

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Both terms; the second term ignores windows without an allowed candidate.

        Raises InputError if there are fewer candidates than ``neighbors``.
        """
        first, weight = super().loss(encodings, batch), self.mined_weight
        self.mined = None
        if self.progress < self.start:
            return first
        h, target, candidates = self._searched(encodings, batch)
        if len(candidates) < self.neighbors:
            raise InputError(
                f"objective.neighbors: {self.neighbors}, expected at most the {len(candidates)} candidates: the pool, "
                "or without a pool training.batch"
            )
        excluded = batch.excluded(self.window, candidates)
        if self.exclude == "none":
            excluded = torch.zeros_like(excluded)
        index, found = mine(h.detach(), target, excluded, self.neighbors, batch.uniform(len(h)))
        self.mined = batch.windows, torch.where(found, candidates[index], -1)
        with torch.no_grad():
            mined = self.target["mined_projector"](self.target["g_n"](target[index]))
        predicted = self.mined_predictor(self.mined_projector(self.g_n(h)))
        distance = (cosine_distance(predicted, mined) * found).sum() / found.sum().clamp(min=1)
        return (1 - weight) * first + weight * self.scale * distance

    def _searched(self, encodings: Encodings, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Online encodings of the windows, target encodings of the candidates, and window numbers of the candidates."""
        if self.views == "batch":
            return encodings["neural"], encodings["target"], batch.windows
        candidates = batch.pool(self.pool) if self.pool else batch.windows
        h = self.f_n(batch.mined_of(batch.windows))
        with torch.no_grad():
            target = self.target["f_n"](batch.mined_of(candidates))
        return h, target, candidates
