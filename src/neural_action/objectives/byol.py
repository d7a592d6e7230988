"""BYOL (Grill et al. 2020) on neural activity: predict the target network's encoding of another view."""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.build import build
from neural_action.config.settings import EncoderSettings
from neural_action.encoders.heads import prediction_head
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.objective import Batch, Encodings, Objective


def target_momentum(base: float, progress: float) -> float:
    """1 - (1 - base) (cos(pi progress) + 1) / 2: from ``base`` to 1 over training (Grill et al. 2020, section 3.2)."""
    return 1 - (1 - base) * (math.cos(math.pi * progress) + 1) / 2


def cosine_distance(predicted: Tensor, target: Tensor) -> Tensor:
    """(N,): ``1 - <q, z> / (|q| |z|)``."""
    return 1 - F.cosine_similarity(predicted, target, dim=1)


def follower(**online: nn.Module) -> nn.ModuleDict:
    """Copies of online networks, by name, that no gradient reaches."""
    copies = {name: copy.deepcopy(network) for name, network in online.items()}
    return nn.ModuleDict(copies).requires_grad_(False)


class Byol(Objective):
    """Predict one view's target encoding from the other view's online encoding, both ways; cosine distance.

    The target network is a copy of the encoder that receives no gradient and follows it after every step,
    xi <- m xi + (1 - m) theta, with m from ``momentum`` to 1. There is no projector, as in the authors' code (MYOW
    release). Its target starts from other weights than the encoder and its momentum stays at the base for monkeys;
    here the target starts as a copy and the schedule is Grill et al.'s.
    """

    name = "byol"
    modalities = ("neural", "neural_again")
    followers = ("target",)

    def __init__(
        self, encoders: EncoderSettings, shapes: Shapes, *, momentum: float = 0.98, hidden: int = 256
    ):
        super().__init__(encoders, shapes)
        self.momentum = momentum
        self.f_n = build("encoders", encoders.neural, shapes, encoders.dimension)
        self.predictor = prediction_head(encoders.dimension, hidden, encoders.dimension)
        self.target = follower(f_n=self.f_n)

    def encode(self, batch: Batch) -> Encodings:
        """h_n of two views, and beside the modalities what the target makes of each."""
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
        """Mean cosine distance of both predictions, in [0, 2]."""
        forth = cosine_distance(self.predictor(encodings["neural"]), encodings["target_again"])
        back = cosine_distance(self.predictor(encodings["neural_again"]), encodings["target"])
        return 0.5 * (forth.mean() + back.mean())

    @torch.no_grad()
    def follow(self) -> None:
        """Move the target's parameters towards the online ones. Running statistics are the target's own."""
        pairs = [
            (mine, theirs)
            for name, part in self.target.items()
            for mine, theirs in zip(part.parameters(), getattr(self, name).parameters(), strict=True)
        ]
        weight = 1 - target_momentum(self.momentum, self.progress)
        torch._foreach_lerp_([mine for mine, _ in pairs], [theirs for _, theirs in pairs], weight)

    def embed(self, neural: Tensor) -> dict[str, Tensor]:
        """The online encoding."""
        return {"encoder": self.f_n(neural)}
