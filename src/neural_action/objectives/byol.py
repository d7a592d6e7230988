"""BYOL (Grill et al. 2020) on neural activity: predict the target network's encoding of another view."""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.heads import prediction_head
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Encodings, Objective


def target_momentum(base: float, progress: float) -> float:
    """1 - (1 - base) (cos(pi progress) + 1) / 2, which rises from ``base`` to 1 (Grill et al. 2020, section 3.2)."""
    return 1 - (1 - base) * (math.cos(math.pi * progress) + 1) / 2


def cosine_distance(predicted: Tensor, target: Tensor) -> Tensor:
    """(N,): ``1 - <q, z> / (|q| |z|)``."""
    return 1 - F.cosine_similarity(predicted, target, dim=1)


def follower(**online: nn.Module) -> nn.ModuleDict:
    """Copies of online networks by name, without gradients."""
    copies = {name: copy.deepcopy(network) for name, network in online.items()}
    return nn.ModuleDict(copies).requires_grad_(False)


class Byol(Objective):
    """Predict the target encoding of one view from the online encoding of the other, both ways; cosine distance.

    The target network is a copy of the encoder without gradients, which follows the encoder after every step:
    xi <- m xi + (1 - m) theta, with m from ``momentum`` to 1. For spikes there is no projector, as in the authors' code
    (MYOW release); for pictures the projector has ``hidden`` units and ``projection`` outputs. ``scale: 2`` gives the
    squared distance of normalised vectors, as in Grill et al. and in the release; with SGD, the scale of a loss
    matters. In the release, the target starts from other weights than the encoder, and its momentum is constant for
    monkeys. Here the target starts as a copy, with the schedule of Grill et al.
    """

    name = "byol"
    modalities = ("neural", "neural_again")
    followers = ("target",)

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        momentum: float = 0.98,
        hidden: int = 256,
        projection: int = 0,
        scale: float = 1.0,
    ):
        super().__init__(encoders, shapes)
        self.momentum, self.scale = momentum, scale
        self.f_n = neural_encoder(encoders, shapes)
        self.projected = projection or encoders.dimension
        self.g_n = prediction_head(encoders.dimension, hidden, projection) if projection else nn.Identity()
        self.predictor = prediction_head(self.projected, hidden, self.projected)
        self.target = follower(f_n=self.f_n, g_n=self.g_n)

    def encode(self, batch: Batch) -> Encodings:
        """h_n of two views, and the target encoding of each."""
        one, other = batch.neural(), batch.neural()
        with torch.no_grad():
            target, target_again = self.target["f_n"](one), self.target["f_n"](other)
        return {
            "neural": self.f_n(one),
            "neural_again": self.f_n(other),
            "target": target,
            "target_again": target_again,
        }

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Mean cosine distance of both predictions (in [0, 2]) times ``scale``."""
        with torch.no_grad():
            target, target_again = (
                self.target["g_n"](encodings[view]) for view in ("target", "target_again")
            )
        one, other = (self.predictor(self.g_n(encodings[view])) for view in ("neural", "neural_again"))
        return 0.5 * self.scale * (cosine_distance(one, target_again) + cosine_distance(other, target)).mean()

    @torch.no_grad()
    def follow(self) -> None:
        """Move the target's parameters towards the online parameters; the target has its own running statistics."""
        pairs = [
            (mine, theirs)
            for name, part in self.target.items()
            for mine, theirs in zip(part.parameters(), getattr(self, name).parameters(), strict=True)
        ]
        weight = 1 - target_momentum(self.momentum, self.progress)
        torch._foreach_lerp_([mine for mine, _ in pairs], [theirs for _, theirs in pairs], weight)
