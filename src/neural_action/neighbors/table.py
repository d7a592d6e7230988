"""The swap table: for every pose and animal, pre-drawn near poses of that animal."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.config.settings import NeighborSettings
from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.neighbors.index import build_index, recall
from neural_action.neighbors.swap import draw_swaps

HIDDEN = -1


@dataclass(frozen=True)
class SwapTable:
    """Pre-drawn swaps.

    Attributes:
        targets: (sample, animal, draw) int32 row numbers of the cohort's poses; ``HIDDEN`` where the sample may not
            be seen or the animal is not one to swap with. Hidden rows are never trained on, so never gathered.
        domains: (animal, animal) bool, which animals (columns) the poses of an animal (row) are swapped with.
        animals: names of the animals.
        report: method, recall, distance scale, seconds.
    """

    targets: np.ndarray
    domains: np.ndarray
    animals: tuple[str, ...]
    report: dict

    def save(self, path: Path) -> None:
        """Write as .npz, whole or not at all."""
        with whole(path) as partial, partial.open("wb") as file:
            np.savez(
                file,
                targets=self.targets,
                domains=self.domains,
                animals=np.array(self.animals),
                report=np.array(json.dumps(self.report)),
            )

    @classmethod
    def load(cls, path: Path) -> SwapTable:
        """Read what ``save`` wrote, without pickle. InputError if the file is something else."""
        try:
            with np.load(path, allow_pickle=False) as file:
                animals = tuple(str(name) for name in file["animals"])
                return cls(file["targets"], file["domains"], animals, json.loads(str(file["report"])))
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as a swap table ({' '.join(str(error).split())})") from None


def build_swap_table(
    poses: np.ndarray,
    animal: np.ndarray,
    candidate: np.ndarray,
    settings: NeighborSettings,
    threads: int,
    names: tuple[str, ...],
) -> SwapTable:
    """Search every pair of animals and draw swaps.

    One index per target animal, over its candidate poses, queried by the candidate poses of every animal it may be
    swapped into. A pose is never its own neighbour. Animals without a candidate (a held-out animal) take no part.

    Args:
        poses: (sample, feature) float32.
        animal: (sample,) number of the animal.
        candidate: (sample,) bool; the others are neither queries nor targets.
        settings: N, draws, distance scale, domains, search.
        threads: for approximate search.
        names: of the animals.

    Raises:
        InputError: poses that are not finite, or no animal to swap with.
    """
    began = time.perf_counter()
    own = [np.flatnonzero(candidate & (animal == number)) for number in range(len(names))]
    present = np.array([len(rows) > 1 for rows in own])
    domains = present[:, None] & present[None, :]
    if settings.domains == "others":
        np.fill_diagonal(domains, False)
    if not domains.any():
        raise InputError(
            f"neighbors.domains: {settings.domains!r} leaves no animal to swap with among {int(present.sum())} visible"
        )
    found, recalls, methods = {}, [], set()
    rng = np.random.default_rng(settings.seed)
    for target in np.flatnonzero(present):
        index = build_index(
            poses[own[target]], settings.exact_below, settings.neighbors, settings.seed, threads
        )
        methods.add(index.method)
        sample = rng.choice(own[target], min(settings.recall_queries, len(own[target])), replace=False)
        recalls.append(
            1.0 if index.method == "exact" else recall(index, poses[own[target]], poses[sample], settings.neighbors)
        )
        for query in np.flatnonzero(domains[:, target]):
            found[query, target] = _neighbors(index, poses, own, query, target, settings.neighbors)

    scale = settings.distance_scale
    if scale == "median":
        scale = float(np.median([np.median(distances) for _, distances in found.values()])) or 1.0
    targets = np.full((len(poses), len(names), settings.draws), HIDDEN, np.int32)
    for (query, target), (indices, distances) in sorted(found.items()):
        pair = np.random.default_rng([settings.seed, query, target])
        drawn = draw_swaps(indices, distances, scale, settings.draws, pair)
        targets[own[query], target] = own[target][drawn]
    report = {
        "method": sorted(methods),
        "recall_mean": float(np.mean(recalls)),
        "recall_min": float(np.min(recalls)),
        "distance_scale": scale,
        "median_neighbor_distance": float(np.median([np.median(d) for _, d in found.values()])),
        "poses_per_animal": {name: len(rows) for name, rows in zip(names, own, strict=True)},
        "pairs": len(found),
        "seconds": round(time.perf_counter() - began, 3),
    }
    return SwapTable(targets, domains, tuple(names), report)


def _neighbors(index, poses, own, query: int, target: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours in ``own[target]`` of the poses ``own[query]``; within one animal, without the pose itself."""
    if query != target:
        return index.query(poses[own[query]], k)
    indices, distances = index.query(poses[own[query]], k + 1)
    itself = indices == np.arange(len(indices))[:, None]
    # Where duplicates crowd the pose itself out of its list, the farthest neighbour is dropped instead.
    itself[~itself.any(1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~itself].reshape(shape), distances[~itself].reshape(shape)
