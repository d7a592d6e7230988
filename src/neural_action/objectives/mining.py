"""Mined views (Azabou et al.): for each window, one of its nearest neighbours among other windows."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from neural_action.precision import full_precision


def mine(
    anchors: Tensor, candidates: Tensor, excluded: Tensor, k: int, chance: Tensor
) -> tuple[Tensor, Tensor]:
    """A uniform draw from the ``k`` most similar candidates of each anchor, by cosine similarity (authors' code).

    Args:
        anchors: (N, dimension).
        candidates: (M, dimension).
        excluded: (N, M) bool, pairs that may not be mined.
        k: number of neighbours to draw from; fewer if fewer candidates are allowed.
        chance: (N,) uniform numbers in [0, 1).

    Returns:
        (N,) int64 indices of candidates, and (N,) bool, False if no candidate is allowed.
    """
    with full_precision(anchors.device):
        similarity = F.normalize(anchors.float(), dim=1) @ F.normalize(candidates.float(), dim=1).T
    similarity = similarity.masked_fill(excluded, float("-inf"))
    nearest = similarity.topk(min(k, len(candidates)), dim=1).indices
    allowed = (~excluded).sum(1)
    draw = (chance.double() * allowed.clamp(max=nearest.shape[1])).long()
    return nearest.gather(1, draw[:, None])[:, 0], allowed > 0
