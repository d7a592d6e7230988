"""Nearest poses: exact search for small sets, pynndescent for large ones, behind one interface."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from neural_action.errors import InputError

#: Below this share of the poses' mean ``|p|^2`` a squared distance from the product of matrices has lost digits.
NEAR = 1e-2
#: Every such-many-th distance of a query is looked at to guess how far its k-th neighbour is.
STEP = 16


class PoseIndex(Protocol):
    """Finds the nearest of a set of poses."""

    method: str

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The ``k`` nearest of the indexed poses, or all of them if they are fewer.

        Args:
            poses: (q, d) float32.
            k: neighbours a query, at least 1.

        Returns:
            Row numbers (q, k) int32 and Euclidean distances (q, k) float32, nearest first. A pose that is
            itself indexed finds itself.
        """


class ExactIndex:
    """Every distance, a chunk of queries at a time, so that memory is bounded by chunk x poses.

    ``|q - p|^2`` comes from one matrix product of centred float32 poses; where that loses digits (poses that
    nearly coincide) the difference is taken directly. Recall is 1 up to ties within float32 rounding.
    """

    method = "exact"

    def __init__(self, poses: np.ndarray, chunk: int = 256):
        self.poses = np.ascontiguousarray(poses, np.float32)
        # Distances do not change under a shift, digits do: pixels far from 0 would cancel in the product.
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
            # |q - p|^2 up to the constant |q|^2 is enough to rank, and one product: (q, 1) (-2 p, |p|^2).
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
        """Roots of ``squares`` (q, k), taken anew from the poses themselves where they are small."""
        row, place = np.nonzero(squares < NEAR * self.squares.mean())
        apart = queries[row] - self.poses[near[row, place]]
        squares[row, place] = np.einsum("qd,qd->q", apart, apart)
        return np.sqrt(squares)


class DescentIndex:
    """Approximate neighbours by nearest-neighbour descent (pynndescent).

    Its random streams are one a thread, so it has one thread: the same answers for the same seed, wherever it runs.
    The first index of a process waits for compilation, about a minute.
    """

    method = "pynndescent"

    def __init__(self, poses: np.ndarray, seed: int, neighbors: int = 128):
        from pynndescent import NNDescent  # takes seconds that exact search need not wait for

        self.poses = np.ascontiguousarray(poses, np.float32)
        self.index = NNDescent(
            self.poses,
            n_neighbors=min(max(30, neighbors // 2), len(poses) - 1),
            random_state=seed,
            n_jobs=1,
        )
        self.index.prepare()

    def query(self, poses: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See ``PoseIndex``. Approximate: measure with ``recall``."""
        poses, k = np.ascontiguousarray(poses, np.float32), min(k, len(self.poses))
        indices, distances = self.index.query(poses, k, epsilon=0.2)
        indices, distances = indices.astype(np.int32), distances.astype(np.float32)
        # The descent may end with fewer than k (crowds of equal poses): those queries are searched exactly.
        short = ((indices < 0) | ~np.isfinite(distances)).any(1)
        if short.any():
            indices[short], distances[short] = ExactIndex(self.poses).query(poses[short], k)
        return indices, distances


class TorchIndex:
    """Every distance, on a CUDA device: exact search at any size that its memory holds.

    As ``ExactIndex``: one product of centred float32 poses ranks, and the distances of what was found are taken from
    the poses themselves. Ties within float32 rounding may fall otherwise than on a CPU.
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
    """Whether ``device`` (auto, cpu, cuda) means CUDA here. InputError if it is demanded and there is none."""
    if device == "cpu":
        return False
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("configuration neighbors.device: 'cuda', but no CUDA device is present")
    return torch.cuda.is_available()


def build_index(
    poses: np.ndarray, exact_below: int, neighbors: int, seed: int, *, cuda: bool = False
) -> PoseIndex:
    """An index over poses: exact below ``exact_below`` poses, approximate from there on; on CUDA always exact.

    The default border of 40,000 is our choice: at 20,000 poses both cost the same. Sets too small for descent
    to be meant for (below 4 ``neighbors``) are always searched exactly.

    Args:
        poses: (n, d) float32.
        exact_below: border between the two.
        neighbors: how many will be asked for; sets the degree of the approximate graph.
        seed: of the approximate search.
        cuda: whether to search on a CUDA device.

    Raises:
        InputError: no pose, or NaN or infinity in one.
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
    """InputError that names the first of ``poses`` (n, d) with NaN or infinity in it."""
    finite = np.isfinite(poses).all(1)
    if not finite.all():
        raise InputError(
            f"pose {int(np.argmin(finite))} of {len(poses)} holds NaN or infinity, expected finite numbers"
        )


def recall(index: PoseIndex, poses: np.ndarray, queries: np.ndarray, k: int) -> float:
    """Share of the ``k`` true neighbours that ``index`` finds.

    A found pose counts if it is as near as the true k-th one (to a part in 100,000), so that ties, as among
    duplicated poses, do not count as misses.

    Args:
        index: built over ``poses``.
        poses: (n, d) float32, searched exactly for the truth.
        queries: (q, d) float32, a sample.
        k: neighbours.
    """
    _, true = ExactIndex(poses).query(queries, k)
    _, found = index.query(queries, k)
    return share_found(true, found)


def share_found(true: np.ndarray, found: np.ndarray) -> float:
    """Share of ``found`` (q, k) distances that are within the largest ``true`` (q, k) one of their row."""
    return float(np.mean(found <= true[:, -1:] * (1 + 1e-5) + 1e-12))


def _smallest(ranks: np.ndarray, k: int) -> np.ndarray:
    """Columns (q, k) of the ``k`` smallest of each row of ``ranks`` (q, n), in any order.

    A bound from a sample of the row leaves about 2 k entries to partition, a fifth of the time of
    partitioning all n. A row whose bound proves too low is partitioned whole: the answer is exact.
    """
    n = ranks.shape[1]
    if k >= n:
        return np.broadcast_to(np.arange(n), ranks.shape)
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
