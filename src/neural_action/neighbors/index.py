"""Nearest poses: exact search for small sets, pynndescent for large ones, behind one interface."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from neural_action.errors import InputError


class PoseIndex(Protocol):
    """Finds the nearest of a set of poses."""

    method: str

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers (q, k) int32 and Euclidean distances (q, k) float32 of the ``k`` nearest, nearest first."""


class ExactIndex:
    """Every distance, a chunk of queries at a time, so that memory is bounded by chunk x poses."""

    method = "exact"

    def __init__(self, poses: np.ndarray, chunk: int = 256):
        self.poses = np.ascontiguousarray(poses, np.float32)
        self.squares = np.einsum("nd,nd->n", self.poses, self.poses)
        self.chunk = chunk

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See ``PoseIndex``. Exact up to the rounding of float32."""
        k = min(k, len(self.poses))
        indices = np.empty((len(poses), k), np.int32)
        distances = np.empty((len(poses), k), np.float32)
        for first in range(0, len(poses), self.chunk):
            part = np.ascontiguousarray(poses[first : first + self.chunk], np.float32)
            # |q - p|^2 up to the constant |q|^2, by one matrix product; enough to rank.
            ranks = self.squares - 2 * (part @ self.poses.T)
            near = np.argpartition(ranks, k - 1, axis=1)[:, :k] if k < len(self.poses) else _every(ranks)
            # The product loses digits where poses nearly coincide: distances themselves are taken directly.
            apart = np.linalg.norm(self.poses[near] - part[:, None], axis=2)
            order = np.argsort(apart, axis=1, kind="stable")
            rows = slice(first, first + len(part))
            indices[rows] = np.take_along_axis(near, order, 1)
            distances[rows] = np.take_along_axis(apart, order, 1)
        return indices, distances


class DescentIndex:
    """Approximate neighbours by nearest-neighbour descent (pynndescent); the same for a seed."""

    method = "pynndescent"

    def __init__(self, poses: np.ndarray, neighbors: int, seed: int, threads: int):
        from pynndescent import NNDescent  # imports numba: seconds that exact search need not wait for

        self.size = len(poses)
        self.index = NNDescent(
            np.ascontiguousarray(poses, np.float32),
            n_neighbors=min(max(30, neighbors // 2), len(poses) - 1),
            random_state=seed,
            n_jobs=threads,
        )
        self.index.prepare()

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See ``PoseIndex``. Approximate: measure with ``recall``."""
        indices, distances = self.index.query(np.ascontiguousarray(poses, np.float32), min(k, self.size), epsilon=0.2)
        return indices.astype(np.int32), distances.astype(np.float32)


def build_index(poses: np.ndarray, exact_below: int, neighbors: int, seed: int, threads: int) -> PoseIndex:
    """An index over ``poses`` (n, d): exact below ``exact_below`` poses, approximate from there on.

    The border is our choice: at 20,000 poses both cost the same. Raises InputError on NaN or infinity.
    """
    if not np.isfinite(poses).all():
        bad = int(np.argmin(np.isfinite(poses).all(1)))
        raise InputError(f"pose {bad} of {len(poses)} holds NaN or infinity, expected finite coordinates")
    if len(poses) < exact_below:
        return ExactIndex(poses)
    return DescentIndex(poses, neighbors, seed, threads)


def recall(index: PoseIndex, poses: np.ndarray, queries: np.ndarray, k: int) -> float:
    """Share of the ``k`` true neighbours (by exact search over ``poses``) that ``index`` finds, over ``queries``."""
    true, _ = ExactIndex(poses).query(queries, k)
    found, _ = index.query(queries, k)
    return float(np.mean([len(np.intersect1d(a, b)) / len(a) for a, b in zip(true, found, strict=True)]))


def _every(ranks: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.arange(ranks.shape[1]), ranks.shape)
