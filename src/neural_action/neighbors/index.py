"""Search of nearest poses: exact for small sets, approximate (pynndescent) for large sets."""

from __future__ import annotations

import ctypes
from typing import Protocol

import numpy as np

from neural_action.errors import InputError

#: Squared distances below this share of the mean ``|p|^2`` of the poses are imprecise in the matrix product.
NEAR = 1e-2
#: Subsampling step of the distances of a query, to estimate the distance of its k-th neighbour.
STEP = 16


class PoseIndex(Protocol):
    """Finds the nearest of a set of poses."""

    method: str

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The ``k`` nearest indexed poses, or all if there are fewer.

        Args:
            poses: (q, d) float32.
            k: number of neighbours of each query, at least 1.

        Returns:
            Row numbers (q, k) int32 and Euclidean distances (q, k) float32, nearest first. An indexed pose finds
            itself.
        """


class ExactIndex:
    """Exact search over all distances, in chunks of queries, with memory of chunk x poses.

    ``|q - p|^2`` is computed by one matrix product of centred float32 poses. For nearly equal poses, where this is
    imprecise, the difference is computed directly. Recall is 1 up to ties within float32 rounding.
    """

    method = "exact"

    def __init__(self, poses: np.ndarray, chunk: int = 256):
        self.poses = np.ascontiguousarray(poses, np.float32)
        # Centring keeps distances, but avoids cancellation for poses far from 0.
        self.center = self.poses.mean(0, dtype=np.float64)
        centered = (self.poses - self.center).astype(np.float32)
        self.squares = np.einsum("nd,nd->n", centered, centered)
        self.augmented = np.column_stack([-2 * centered, self.squares]).T
        self.chunk = chunk

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See ``PoseIndex``."""
        k = min(k, len(self.poses))
        indices = np.empty((len(poses), k), np.int32)
        distances = np.empty((len(poses), k), np.float32)
        for first in range(0, len(poses), self.chunk):
            queries = np.asarray(poses[first : first + self.chunk], np.float32)
            part = (queries - self.center).astype(np.float32)
            # For ranking, |q - p|^2 without the constant |q|^2 suffices: one product, (q, 1) (-2 p, |p|^2).
            ranks = np.column_stack([part, np.ones(len(part), np.float32)]) @ self.augmented
            near = _smallest(ranks, k)
            squares = np.take_along_axis(ranks, near, 1) + np.einsum("qd,qd->q", part, part)[:, None]
            apart = self._distances(queries, near, squares)
            order = np.argsort(apart, axis=1)
            rows = slice(first, first + len(queries))
            indices[rows] = np.take_along_axis(near, order, 1)
            distances[rows] = np.take_along_axis(apart, order, 1)
        return indices, distances

    def _distances(self, queries: np.ndarray, near: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Square roots of ``squares`` (q, k); small ones are recomputed from the poses."""
        row, place = np.nonzero(squares < NEAR * self.squares.mean())
        apart = queries[row] - self.poses[near[row, place]]
        squares[row, place] = np.einsum("qd,qd->q", apart, apart)
        return np.sqrt(squares)


class DescentIndex:
    """Approximate neighbours by nearest-neighbour descent (pynndescent).

    It uses one thread, because pynndescent has a random stream for each thread: results then depend only on the seed.
    The first index of a process waits about a minute for compilation.
    """

    method = "pynndescent"

    def __init__(self, poses: np.ndarray, seed: int, neighbors: int = 128):
        from pynndescent import NNDescent  # imported here, because it takes seconds

        self.poses = np.ascontiguousarray(poses, np.float32)
        self.index = NNDescent(
            self.poses,
            n_neighbors=min(max(30, neighbors // 2), len(poses) - 1),
            random_state=seed,
            n_jobs=1,
        )
        self.index.prepare()

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See ``PoseIndex``. Approximate: measure with ``share_found``."""
        poses, k = np.ascontiguousarray(poses, np.float32), min(k, len(self.poses))
        indices, distances = self.index.query(poses, k, epsilon=0.2)
        indices, distances = indices.astype(np.int32), distances.astype(np.float32)
        # With many equal poses, the search may find fewer than k: these queries are searched exactly.
        short = ((indices < 0) | ~np.isfinite(distances)).any(1)
        if short.any():
            indices[short], distances[short] = ExactIndex(self.poses).query(poses[short], k)
        return indices, distances


class TorchIndex:
    """Exact search over all distances on a CUDA device, for any number of poses that fits its memory.

    Like ``ExactIndex``: one product of centred float32 poses ranks, and distances of the neighbours are computed from
    the poses. Ties within float32 rounding may be ordered differently than on a CPU.
    """

    method = "exact, cuda"

    def __init__(self, poses: np.ndarray, device: str = "cuda", chunk: int = 512):
        import torch

        self.device, self.chunk = torch.device(device), chunk
        self.poses = torch.as_tensor(np.ascontiguousarray(poses, np.float32), device=self.device)
        self.center = self.poses.mean(0, dtype=torch.float64).float()
        self.centered = self.poses - self.center
        self.squares = self.centered.square().sum(1)

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See ``PoseIndex``."""
        import torch

        k = min(k, len(self.poses))
        parts = []
        for first in range(0, len(poses), self.chunk):
            part = np.ascontiguousarray(poses[first : first + self.chunk], np.float32)
            queries = torch.as_tensor(part, device=self.device)
            ranks = torch.addmm(self.squares, queries - self.center, self.centered.T, alpha=-2)
            near = ranks.topk(k, largest=False).indices
            apart = (queries[:, None] - self.poses[near]).square().sum(2).sqrt()
            apart, order = apart.sort(1)
            parts.append((near.gather(1, order).int().cpu().numpy(), apart.cpu().numpy()))
        indices, distances = zip(*parts, strict=True) if parts else ([], [])
        empty = np.empty((0, k))
        return (
            np.concatenate([*indices, empty.astype(np.int32)]),
            np.concatenate([*distances, empty.astype(np.float32)]),
        )


def uses_cuda(device: str) -> bool:
    """Whether ``device`` (auto, cpu, cuda) means CUDA here. InputError for ``cuda`` without a CUDA device."""
    if device == "cpu" or (device == "auto" and not _cuda_driver()):
        return False
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "configuration neighbors.device: 'cuda', but no CUDA device is present; expected cpu or auto"
        )
    return torch.cuda.is_available()


def _cuda_driver() -> bool:
    """Whether NVIDIA's driver can be loaded, without which torch, slow to import, finds no CUDA device."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def build_index(
    poses: np.ndarray, exact_below: int, neighbors: int, seed: int, *, cuda: bool = False
) -> PoseIndex:
    """An index over poses: exact below ``exact_below`` poses, approximate above; always exact on CUDA.

    The default of 40,000 is our choice: at 20,000 poses both cost the same. Sets below 4 ``neighbors`` poses are always
    searched exactly.

    Args:
        poses: (n, d) float32.
        exact_below: number of poses from which the search is approximate.
        neighbors: number of neighbours of a query; sets the degree of the approximate graph.
        seed: seed of the approximate search.
        cuda: whether to search on a CUDA device.

    Raises:
        InputError: no pose, or a pose that is not finite.
    """
    if len(poses) == 0:
        raise InputError("pose index: 0 poses, expected at least one")
    check_finite(poses)
    if cuda:
        return TorchIndex(poses)
    if len(poses) < max(exact_below, 4 * neighbors):
        return ExactIndex(poses)
    return DescentIndex(poses, seed, neighbors)


def check_finite(poses: np.ndarray) -> None:
    """Raise InputError, naming the first of ``poses`` (n, d) that has NaN or infinity."""
    finite = np.isfinite(poses).all(1)
    if not finite.all():
        raise InputError(
            f"pose {int(np.argmin(finite))} of {len(poses)} has NaN or infinity, expected finite numbers"
        )


def share_found(true: np.ndarray, found: np.ndarray) -> float:
    """Share of ``found`` (q, k) distances that are at most the largest ``true`` (q, k) distance of their row.

    A found pose counts if it is as near as the true k-th neighbour (to 1 in 100,000), so that ties, as between
    duplicate poses, are not misses.
    """
    return float(np.mean(found <= true[:, -1:] * (1 + 1e-5) + 1e-12))


def _smallest(ranks: np.ndarray, k: int) -> np.ndarray:
    """(q, k) int: columns of the ``k`` smallest entries of each row of ``ranks`` (q, n), in any order.

    A bound from a sample of the row leaves about 2 k entries to partition, which takes a fifth of the time of a full
    partition. Rows whose bound is too low are partitioned fully, so the result is exact.
    """
    n = ranks.shape[1]
    if k >= n:
        return np.broadcast_to(np.arange(n), ranks.shape)
    if k == 1:
        return ranks.argmin(1)[:, None]
    place = int(k / STEP + 2.5 * np.sqrt(k / STEP)) + 1
    if n < 4 * STEP * place:
        return np.argpartition(ranks, k - 1, axis=1)[:, :k]
    bound = np.partition(ranks[:, ::STEP], place, axis=1)[:, place, None]
    row, column = np.divmod(np.flatnonzero(ranks <= bound), n)
    counts = np.bincount(row, minlength=len(ranks))
    width = max(int(counts.max()), k + 1)
    place_in_row = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = np.zeros((len(ranks), width), np.int32)
    values = np.full((len(ranks), width), np.inf, ranks.dtype)
    columns[row, place_in_row] = column
    values[row, place_in_row] = ranks[row, column]
    near = np.take_along_axis(columns, np.argpartition(values, k - 1, axis=1)[:, :k], 1)
    low = counts < k
    if low.any():
        near[low] = np.argpartition(ranks[low], k - 1, axis=1)[:, :k]
    return near
