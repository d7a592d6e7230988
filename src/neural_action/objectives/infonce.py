"""InfoNCE between neural activity and behaviour (Günel et al., Equation 1), and its variants."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.build import build
from neural_action.config.settings import EncoderSettings
from neural_action.encoders.heads import projection_head
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.unit_tiles import NeuralWindows
from neural_action.objectives.objective import Batch, Encodings, Objective


def infonce(
    z_b: Tensor,
    z_n: Tensor,
    temperature: float,
    animal: Tensor | None = None,
    *,
    symmetric: bool = True,
) -> Tensor:
    """Equation 1 for projections of behaviour and neural activity, with cosine similarity.

    The loss is the mean over the N pairs instead of the sum, so that the learning rate does not depend on the batch
    size (our choice).

    Args:
        z_b: (N, dimension) projections of behaviour.
        z_n: (N, dimension) projections of neural activity.
        temperature: positive.
        animal: (N,) int64; if given, only windows of the same animal are negatives (our choice), so that differences
            between animals do not help.
        symmetric: whether the loss has both directions; False is the poster's loss, which only identifies the behaviour
            window of each neural window.
    """
    similarity = F.normalize(z_b, dim=1) @ F.normalize(z_n, dim=1).T / temperature
    if animal is not None:
        similarity = similarity.masked_fill(animal[:, None] != animal[None], float("-inf"))
    pairs = torch.arange(len(similarity), device=similarity.device)
    loss = F.cross_entropy(similarity.T, pairs)
    return loss + F.cross_entropy(similarity, pairs) if symmetric else loss


def neighbor_infonce(z: Tensor, animal: Tensor, group: Tensor, temperature: float) -> Tensor:
    """Attract windows of different animals with similar behaviour, against all other windows (our choice).

    -1/P sum over the P ordered pairs (i, j) of one group and different animals of
    log exp(<z_i, z_j>/T) / (exp(<z_i, z_j>/T) + sum over windows k of other groups of exp(<z_i, z_k>/T)).
    Windows of the same animal are among the negatives, so encoding the animal can only increase the loss.

    Args:
        z: (N, dimension) projections of neural windows.
        animal: (N,) int64.
        group: (N,) int64, equal for windows with similar behaviour.
        temperature: positive.
    """
    z = F.normalize(z, dim=1)
    similarity = z @ z.T / temperature
    alike = group[:, None] == group[None]
    pairs = alike & (animal[:, None] != animal[None])
    others = similarity.masked_fill(alike, float("-inf")).logsumexp(1, keepdim=True)
    log_share = similarity - torch.logaddexp(similarity, others)
    return -(log_share * pairs).sum() / pairs.sum().clamp(min=1)


def mix(h: Tensor, group: Tensor, probability: float, chance: Tensor) -> Tensor:
    """Mix encodings with those of another window of their group: h_i + w (h_j - h_i).

    The journal version mixes features across animals with similar behaviour. The amounts are our choice: with
    ``probability``, w is uniform in [0, 1/2], else 0.

    Args:
        h: (N, dimension); the windows of a group are consecutive, and all groups have the same size.
        group: (N,) int64.
        probability: probability that an encoding is mixed.
        chance: (3, N) uniform numbers in [0, 1).
    """
    size = int((group == group[0]).sum())
    at = torch.arange(len(h), device=h.device)
    shift = 1 + (chance[0] * max(1, size - 1)).long()
    partner = at - at % size + (at % size + shift) % size
    weight = 0.5 * chance[1] * (chance[2] < probability)
    return h + weight[:, None] * (h[partner] - h)


class InfoNce(Objective):
    """Attract the neural window and the behaviour window of the same time, against the rest of the batch.

    With ``private`` > 0 the embedding is split (our choice). The terms above, and domain adaptation, act on a shared
    part of ``encoders.dimension`` only. Both encoders put out ``private`` more dimensions. They are trained by Equation
    1 on heads that read both parts, with all other windows as negatives. The gradient of that term stops at the shared
    part, but the layers below it serve both parts.
    """

    name = "infonce"
    modalities = ("neural", "behavior")

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        temperature: float = 0.1,
        direction: Literal["both", "behavior_of_neural"] = "both",
        negatives: Literal["all", "same_animal"] = "all",
        head: bool = True,
        neighbor_weight: float = 0.0,
        mixing: float = 0.0,
        private: int = 0,
    ):
        super().__init__(encoders, shapes)
        self.temperature = temperature
        self.symmetric = direction == "both"
        self.same_animal = negatives == "same_animal"
        self.neighbor_weight, self.mixing = neighbor_weight, mixing
        self.private, self.shared = private, encoders.dimension
        sizes = encoders.head_hidden, encoders.head_dimension
        both = encoders.model_copy(update={"dimension": encoders.dimension + private})
        self.f_n = neural_encoder(both, shapes)
        self.f_b = build("encoders", encoders.behavior, shapes, both.dimension)
        if private:
            self.private_n, self.private_b = (projection_head(both.dimension, *sizes) for _ in range(2))
        self.g_n, self.g_b = (
            projection_head(self.shared, *sizes) if head else nn.Identity() for _ in range(2)
        )

    def encode(self, batch: Batch) -> Encodings:
        """h_n and h_b; of a split embedding the shared parts, and both parts as ``neural_both``, ``behavior_both``."""
        h_n, h_b = self.f_n(batch.neural()), self.f_b(batch.behavior())
        if not self.private:
            return {"neural": h_n, "behavior": h_b}
        parts = {"neural": h_n[:, : self.shared], "behavior": h_b[:, : self.shared]}
        return {**parts, "neural_both": h_n, "behavior_both": h_b}

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Equation 1, plus ``neighbor_weight`` times ``neighbor_infonce``, plus Equation 1 of both parts if split."""
        h_n = encodings["neural"]
        if self.mixing > 0:
            h_n = mix(h_n, batch.group, self.mixing, batch.uniform(3, len(h_n)))
        z_n, z_b = self.g_n(h_n), self.g_b(encodings["behavior"])
        animal = batch.animal if self.same_animal else None
        loss = infonce(z_b, z_n, self.temperature, animal, symmetric=self.symmetric)
        if self.neighbor_weight > 0:
            near = neighbor_infonce(z_n, batch.animal, batch.group, self.temperature)
            loss = loss + self.neighbor_weight * near
        if self.private:
            z_b, z_n = (
                head(torch.cat([h[:, : self.shared].detach(), h[:, self.shared :]], dim=1))
                for head, h in (
                    (self.private_b, encodings["behavior_both"]),
                    (self.private_n, encodings["neural_both"]),
                )
            )
            loss = loss + infonce(z_b, z_n, self.temperature, symmetric=self.symmetric)
        return loss

    def embed(self, neural: NeuralWindows) -> dict[str, Tensor]:
        """Like ``Objective.embed``; a split embedding has the layers ``encoder`` (both parts) and ``shared``."""
        if not self.private:
            return super().embed(neural)
        h = self.f_n(neural)
        return {"encoder": h, "shared": h[:, : self.shared]}

    def embed_behavior(self, behavior: Tensor) -> Tensor:
        """h_b (B, dimension) float32 of behaviour windows (B, poses, feature); both parts if split."""
        return self.f_b(behavior)
