"""The swap table: for every pose and animal, near poses of that animal, drawn in advance."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.config.settings import NeighborSettings
from neural_action.datasets.dataset import Dataset
from neural_action.errors import InputError, reading
from neural_action.files import atomic_write, load_npz
from neural_action.neighbors.index import (
    ExactIndex,
    PoseIndex,
    build_index,
    check_finite,
    share_found,
    uses_cuda,
)
from neural_action.neighbors.space import shared_components
from neural_action.neighbors.swap import draw_swaps
from neural_action.progress import Progress

#: Target of hidden samples, which training never uses.
HIDDEN = -1
#: Queries whose distances are computed at once.
_QUERIES = 2048


@dataclass(frozen=True)
class SwapTable:
    """Swaps drawn in advance.

    Attributes:
        targets: (sample, animal, draw) int32 row numbers of the dataset's poses; ``HIDDEN`` for hidden samples, and for
            animals with which the sample is not swapped.
        domains: (animal, animal) bool, the animals (columns) with which the poses of an animal (row) are swapped. The
            row of an animal without visible poses is False.
        animals: names of the animals.
        report: method, recall, distance scale, counts, seconds; JSON values.
    """

    targets: np.ndarray
    domains: np.ndarray
    animals: tuple[str, ...]
    report: dict

    @property
    def scale(self) -> float:
        """The distance scale of Equation 2, in the unit of the poses."""
        return float(self.report["distance_scale"])

    @property
    def method(self) -> list[str]:
        """The search methods that were used, such as "exact" and "pynndescent"."""
        return list(self.report["method"])

    def fits(self, path: Path, dataset: Dataset, *, trained_on: bool = False) -> SwapTable:
        """This table. Raises InputError, naming ``path``, unless it has the poses and animals of the dataset.

        With ``trained_on``, also raised if a visible pose has no swap, or a swap with a hidden pose, as in the table of
        another run.
        """
        count, targets = len(dataset.pose), self.targets
        if (
            targets.ndim != 3
            or targets.dtype.kind not in "iu"
            or self.domains.shape != 2 * (len(self.animals),)
        ):
            raise InputError(f"{path}: {targets.dtype} of shape {targets.shape}, expected a swap table")
        if targets.shape[:2] != (count, len(self.animals)) or tuple(self.animals) != dataset.animals:
            raise InputError(
                f"{path}: {len(targets)} poses of {', '.join(self.animals)}, "
                f"expected {count} of {', '.join(dataset.animals)}"
            )
        if targets.size and not HIDDEN <= targets.min() <= targets.max() < count:
            raise InputError(f"{path}: swap target {targets.max()}, expected a number below {count} poses")
        if trained_on:
            visible = dataset.pose_visible
            drawn = targets[visible][self.domains[dataset.pose_animal[visible]]]
            wrong = int(((drawn == HIDDEN) | ~visible[drawn]).sum())
            if wrong:
                raise InputError(
                    f"{path}: {wrong} of {drawn.size} swaps are with poses that this run hides, expected the swap "
                    "table of this run"
                )
        return self

    def save(self, path: Path) -> None:
        """Write as .npz, atomically.

        Times are left out, so that equal inputs give equal files.
        """
        report = {key: value for key, value in self.report.items() if not key.startswith("seconds")}
        with atomic_write(path) as partial, partial.open("wb") as file:
            np.savez(
                file,
                targets=self.targets,
                domains=self.domains,
                animals=np.array(self.animals, dtype=np.str_),
                report=np.array(json.dumps(report)),
            )

    @classmethod
    def load(cls, path: Path) -> SwapTable:
        """Read a file from ``save``, without pickle. InputError if it is no swap table."""
        with reading(path, "a swap table", OSError, TypeError, ValueError):
            file = load_npz(path, "targets", "domains", "animals", "report")
            animals = tuple(str(name) for name in file["animals"])
            return cls(file["targets"], file["domains"], animals, json.loads(str(file["report"])))


def build_swap_table(
    poses: np.ndarray,
    animal: np.ndarray,
    candidate: np.ndarray,
    settings: NeighborSettings,
    names: tuple[str, ...] | None = None,
) -> SwapTable:
    """Search every pair of animals and draw swaps (Günel et al., section 2.2).

    Each target animal has one index of its candidate poses, which is queried with the candidate poses of every animal
    that may be swapped with it. A pose is never its own neighbour, but an equal pose elsewhere may be. An animal with
    fewer candidates than N has fewer neighbours, and an animal without candidates (held out) is ignored.

    The distance scale ``median`` is the median distance to a neighbour, over the N nearest poses of ``recall_queries``
    poses of every pair of animals, searched exactly. With this scale, the weights of the neighbours of a typical pose
    differ by a factor of about e, neither flat nor one-hot (our choice). The same searches measure recall among the
    indexed poses, in the space of all features.

    With ``target_samples``, at most that number of random candidates of an animal is indexed, so that cost and memory
    of a pair of animals grow only with the number of queries. With ``components``, neighbours are searched in the
    leading principal components of all candidates, and their distances are computed from the poses.

    Args:
        poses: (sample, feature) float32, all features in the same unit.
        animal: (sample,) int, number of the animal, 0 to animals - 1.
        candidate: (sample,) bool; other poses are neither queries nor targets.
        settings: N, draws, distance scale, domains, search.
        names: names of the animals; by default their numbers.

    Raises:
        InputError: shapes that do not fit, a candidate pose that is not finite, or an animal with candidates that
            cannot be swapped with any animal.
    """
    began = time.perf_counter()
    if not len(poses) == len(animal) == len(candidate):
        raise InputError(
            f"swap table: {len(poses)} poses, {len(animal)} animal numbers and {len(candidate)} candidate flags, "
            "expected equal lengths"
        )
    if names is None:
        names = tuple(str(number) for number in range(int(animal.max(initial=-1)) + 1))
    check_finite(poses[candidate])
    own = [np.flatnonzero(candidate & (animal == number)) for number in range(len(names))]
    domains = _domains(own, settings, names)
    indexed = [_thinned(rows, number, settings) for number, rows in enumerate(own)]
    pairs = [(int(query), int(target)) for target, query in np.argwhere(domains.T)]
    scale, true = _sample(poses, own, indexed, pairs, settings)
    searched = poses
    if settings.components is not None and settings.components < poses.shape[1]:
        searched = shared_components(poses, candidate, settings.components)

    targets = np.full((len(poses), len(names), settings.draws), HIDDEN, np.int32)
    recalls, seconds, methods = [], [], set()
    cuda = uses_cuda(settings.device)
    with Progress(len(pairs), "neighbors", "pair") as shown:
        for target in map(int, np.flatnonzero(domains.any(0))):
            rows = indexed[target]
            index = build_index(
                searched[rows], settings.exact_below, settings.neighbors, settings.seed, cuda=cuda
            )
            methods.add(index.method)
            for query in map(int, np.flatnonzero(domains[:, target])):
                start = time.perf_counter()
                itself = _places(own[query], rows) if query == target else None
                indices, distances = _neighbors(index, searched[own[query]], settings.neighbors, itself)
                if searched is not poses:
                    distances = _apart(poses, own[query], rows[indices])
                rng = np.random.default_rng([settings.seed, query, target])
                drawn = draw_swaps(indices, distances, scale, settings.draws, rng)
                targets[own[query], target] = rows[drawn]
                seconds.append(time.perf_counter() - start)
                sampled, far = true[query, target]
                recalls.append(share_found(far, distances[sampled]))
                shown.update()
    report = {
        "method": sorted(methods),
        "recall_mean": float(np.mean(recalls)),
        "recall_min": float(np.min(recalls)),
        "recall_queries": settings.recall_queries,
        "neighbors": settings.neighbors,
        "draws": settings.draws,
        "domains": settings.domains,
        "distance_scale": scale,
        "distance_scale_setting": settings.distance_scale,
        "target_samples": settings.target_samples,
        "components": settings.components,
        "poses_per_animal": {name: len(rows) for name, rows in zip(names, own, strict=True)},
        "pairs": len(pairs),
        "seconds": round(time.perf_counter() - began, 3),
        "seconds_per_pair": round(float(np.mean(seconds)), 4),
    }
    return SwapTable(targets, domains, tuple(names), report)


def _domains(own: list[np.ndarray], settings: NeighborSettings, names: tuple[str, ...]) -> np.ndarray:
    """(animal, animal) bool: animals with which each may be swapped. InputError if an animal with poses has none."""
    counts = np.array([len(rows) for rows in own])
    visible = counts > 0
    domains = visible[:, None] & visible[None, :]
    # The only pose of an animal cannot be swapped within the animal.
    np.fill_diagonal(domains, (counts > 1) if settings.domains == "all" else False)
    alone = np.flatnonzero(visible & ~domains.any(1))
    if len(alone) or not visible.any():
        who = f"{names[alone[0]]!r}" if len(alone) else "any animal"
        raise InputError(
            f"neighbors.domains: {settings.domains!r} leaves no poses to swap into {who}, with "
            f"{int(visible.sum())} of {len(names)} animals visible; expected "
            f"{'two or more' if settings.domains == 'others' else 'at least one'}"
        )
    return domains


def _thinned(rows: np.ndarray, number: int, settings: NeighborSettings) -> np.ndarray:
    """Row numbers of the indexed candidates of an animal, ascending."""
    if settings.target_samples is None or len(rows) <= settings.target_samples:
        return rows
    rng = np.random.default_rng([settings.seed, number])
    return np.sort(rng.choice(rows, settings.target_samples, replace=False))


def _places(queries: np.ndarray, indexed: np.ndarray) -> np.ndarray:
    """Position of each query (ascending rows) in ``indexed`` (ascending rows); -1 if it is not indexed."""
    place = np.minimum(np.searchsorted(indexed, queries), len(indexed) - 1)
    return np.where(indexed[place] == queries, place, -1)


def _apart(poses: np.ndarray, rows: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(q, k) float32 distances of the poses ``rows`` (q,) to ``near`` (q, k)."""
    parts = [
        np.linalg.norm(
            poses[rows[first : first + _QUERIES], None] - poses[near[first : first + _QUERIES]], axis=2
        )
        for first in range(0, len(rows), _QUERIES)
    ]
    return np.concatenate(parts).astype(np.float32)


def _sample(
    poses: np.ndarray,
    own: list[np.ndarray],
    indexed: list[np.ndarray],
    pairs: list[tuple[int, int]],
    settings: NeighborSettings,
) -> tuple[float, dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]]:
    """The distance scale, and sampled poses of every pair with their true neighbour distances, for recall."""
    rng = np.random.default_rng(settings.seed)
    true: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
    for target in sorted({target for _, target in pairs}):
        index = ExactIndex(poses[indexed[target]])
        for query in (query for query, other in pairs if other == target):
            count = min(settings.recall_queries, len(own[query]))
            sampled = np.sort(rng.choice(len(own[query]), count, replace=False))
            itself = _places(own[query][sampled], indexed[target]) if query == target else None
            queries = poses[own[query][sampled]]
            true[query, target] = sampled, _neighbors(index, queries, settings.neighbors, itself)[1]
    if settings.distance_scale != "median":
        return float(settings.distance_scale), true
    # If most poses are equal, the median is 0: use the mean then, and 1 if all are equal.
    distances = np.concatenate([far.ravel() for _, far in true.values()])
    return float(np.median(distances)) or float(distances.mean()) or 1.0, true


def _neighbors(
    index: PoseIndex, queries: np.ndarray, k: int, itself: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of ``queries`` without the queries themselves, which are indexed poses ``itself`` (q,) (or -1)."""
    if itself is None:
        return index.query(queries, k)
    indices, distances = index.query(queries, k + 1)
    own = indices == itself[:, None]
    # If a query is not in its list (not indexed, or displaced by duplicates), the farthest neighbour is dropped.
    own[~own.any(1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~own].reshape(shape), distances[~own].reshape(shape)
