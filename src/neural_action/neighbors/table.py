"""The swap table: for every pose and animal, pre-drawn near poses of that animal."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.config.settings import NeighborSettings
from neural_action.datasets.dataset import Dataset
from neural_action.errors import InputError
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

#: Target of a sample that training never gathers.
HIDDEN = -1


@dataclass(frozen=True)
class SwapTable:
    """Pre-drawn swaps.

    Attributes:
        targets: (sample, animal, draw) int32 row numbers of the dataset's poses; ``HIDDEN`` where the sample
            may not be seen or the animal is not one to swap with. Hidden rows are never trained on, so never
            gathered.
        domains: (animal, animal) bool, which animals (columns) the poses of an animal (row) are swapped with.
            A row without any belongs to an animal of which nothing is visible.
        animals: names of the animals.
        report: method, recall, distance scale, counts, seconds; JSON values.
    """

    targets: np.ndarray
    domains: np.ndarray
    animals: tuple[str, ...]
    report: dict

    @property
    def scale(self) -> float:
        """The distance scale of Equation 2 that was drawn with, in the unit of the poses."""
        return float(self.report["distance_scale"])

    @property
    def method(self) -> list[str]:
        """How neighbours were searched: "exact", "pynndescent" or both, by size of the animals."""
        return list(self.report["method"])

    @property
    def recall(self) -> dict[str, float]:
        """Mean and least share of true neighbours found, over pairs of animals."""
        return {"mean": self.report["recall_mean"], "min": self.report["recall_min"]}

    def fits(self, path: Path, dataset: Dataset, *, trained_on: bool = False) -> SwapTable:
        """This table, read from ``path``; InputError unless it is of the dataset's poses and animals.

        With ``trained_on``, also if it has no swap of a visible pose, or swaps in one that the dataset hides: a table
        of another run does.
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
            raise InputError(f"{path}: swaps in pose {targets.max()}, expected one of {count}")
        if trained_on:
            visible = dataset.pose_visible
            drawn = targets[visible][self.domains[dataset.pose_animal[visible]]]
            wrong = int(((drawn == HIDDEN) | ~visible[drawn]).sum())
            if wrong:
                raise InputError(
                    f"{path}: {wrong} of {drawn.size} swaps are with poses that are hidden here, expected the table of "
                    "this run"
                )
        return self

    def save(self, path: Path) -> None:
        """Write as .npz, whole or not at all.

        Wall times stay out of it, so that the same input makes the same file.
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
        """Read what ``save`` wrote, without pickle. InputError if the file is something else."""
        try:
            file = load_npz(path, "targets", "domains", "animals", "report")
            animals = tuple(str(name) for name in file["animals"])
            return cls(file["targets"], file["domains"], animals, json.loads(str(file["report"])))
        except (OSError, TypeError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as a swap table ({error})") from None


def build_swap_table(
    poses: np.ndarray,
    animal: np.ndarray,
    candidate: np.ndarray,
    settings: NeighborSettings,
    names: tuple[str, ...] | None = None,
) -> SwapTable:
    """Search every pair of animals and draw swaps (Günel et al., section 2.2).

    One index per target animal, over its candidate poses, queried by the candidate poses of every animal that
    may be swapped into it. A pose is never its own neighbour; an equal pose elsewhere may be. An animal with
    fewer candidates than N gives what it has. An animal without candidates (held out) takes no part.

    A distance scale ``median`` is the median distance to a neighbour, over the N nearest of
    ``recall_queries`` poses of every pair of animals, searched exactly: at it the weights of a typical pose's
    neighbours differ by a factor of about e, neither flat nor one-hot (our choice). The same searches measure
    recall, among the indexed poses and in the space of all features.

    With ``target_samples`` an animal with more candidates is indexed by so many of them, drawn evenly: cost and
    memory of a pair of animals then grow with the queries alone. With ``components`` neighbours are searched among
    the leading principal components of all candidates, and their distances taken from the poses themselves.

    Args:
        poses: (sample, feature) float32, one unit for all features.
        animal: (sample,) number of the animal, 0 to animals - 1.
        candidate: (sample,) bool; the others are neither queries nor targets.
        settings: N, draws, distance scale, domains, search.
        names: of the animals; by default their numbers.

    Raises:
        InputError: shapes that do not fit, a candidate pose that is not finite, or an animal with candidates
            that has none to swap with.
    """
    began = time.perf_counter()
    if not len(poses) == len(animal) == len(candidate):
        raise InputError(
            f"swap table: {len(poses)} poses, {len(animal)} animals, {len(candidate)} candidate flags"
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
    """(animal, animal) bool: whom each may be swapped with. InputError where one with poses has none."""
    counts = np.array([len(rows) for rows in own])
    visible = counts > 0
    domains = visible[:, None] & visible[None, :]
    # Alone, a pose has no other of its animal to be swapped with.
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
    """The candidates of an animal that are indexed, ascending."""
    if settings.target_samples is None or len(rows) <= settings.target_samples:
        return rows
    rng = np.random.default_rng([settings.seed, number])
    return np.sort(rng.choice(rows, settings.target_samples, replace=False))


def _places(queries: np.ndarray, indexed: np.ndarray) -> np.ndarray:
    """Place of each query (ascending rows) in ``indexed`` (ascending rows); -1 where it is not indexed."""
    place = np.minimum(np.searchsorted(indexed, queries), len(indexed) - 1)
    return np.where(indexed[place] == queries, place, -1)


def _apart(poses: np.ndarray, rows: np.ndarray, near: np.ndarray, chunk: int = 2048) -> np.ndarray:
    """(q, k) float32 distances of the poses ``rows`` (q,) to ``near`` (q, k)."""
    parts = [
        np.linalg.norm(poses[rows[first : first + chunk], None] - poses[near[first : first + chunk]], axis=2)
        for first in range(0, len(rows), chunk)
    ]
    return np.concatenate(parts).astype(np.float32)


def _sample(
    poses: np.ndarray,
    own: list[np.ndarray],
    indexed: list[np.ndarray],
    pairs: list[tuple[int, int]],
    settings: NeighborSettings,
) -> tuple[float, dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]]:
    """The distance scale, and true neighbour distances of a few poses of every pair, for recall."""
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
    # Poses that are mostly equal have a median distance of 0: the mean then, and 1 if all are equal.
    distances = np.concatenate([far.ravel() for _, far in true.values()])
    return float(np.median(distances)) or float(distances.mean()) or 1.0, true


def _neighbors(
    index: PoseIndex, queries: np.ndarray, k: int, itself: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of ``queries``, without themselves where they are the indexed poses ``itself`` (q,), -1 for none."""
    if itself is None:
        return index.query(queries, k)
    indices, distances = index.query(queries, k + 1)
    own = indices == itself[:, None]
    # Where the pose is not indexed, or duplicates crowd it out of its list, the farthest neighbour is dropped instead.
    own[~own.any(1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~own].reshape(shape), distances[~own].reshape(shape)
