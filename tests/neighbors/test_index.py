"""Nearest poses against brute force."""

import sys

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.neighbors.index import (
    DescentIndex,
    ExactIndex,
    TorchIndex,
    build_index,
    share_found,
    uses_cuda,
)


def brute_force(poses, queries, k):
    """Every distance in float64, one query at a time."""
    rows = []
    for query in queries.astype(np.float64):
        apart = np.sqrt(((poses.astype(np.float64) - query) ** 2).sum(1))
        near = np.argsort(apart, kind="stable")[:k]
        rows.append((near, apart[near]))
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def clustered(rng, n, d=20, clusters=12):
    centers = rng.normal(size=(clusters, d)) * 5
    return (centers[rng.integers(clusters, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize(("n", "k"), [(5, 3), (40, 40), (3000, 7), (3000, 64)])
def test_exact_is_brute_force(n, k):
    rng = np.random.default_rng(n)
    poses, queries = clustered(rng, n), clustered(rng, 300)
    indices, distances = ExactIndex(poses, chunk=64).query(queries, k)
    true, apart = brute_force(poses, queries, k)
    assert indices.dtype == np.int32
    assert distances.dtype == np.float32
    np.testing.assert_allclose(distances, apart, rtol=1e-5)
    # Order within a part in 100,000 is a matter of rounding; who is in the list is not.
    assert np.mean(indices == true) > 0.999
    np.testing.assert_array_equal(np.sort(indices, 1), np.sort(true, 1))


def test_fewer_poses_than_neighbors_gives_all():
    rng = np.random.default_rng(0)
    indices, _ = ExactIndex(clustered(rng, 9)).query(clustered(rng, 4), 128)
    assert [sorted(row) for row in indices.tolist()] == [list(range(9))] * 4


def test_pixels_far_from_zero_keep_their_digits():
    rng = np.random.default_rng(1)
    poses = (5000 + 0.05 * rng.normal(size=(2000, 30))).astype(np.float32)
    _, distances = ExactIndex(poses).query(poses[:100], 20)
    np.testing.assert_allclose(distances, brute_force(poses, poses[:100], 20)[1], rtol=1e-4, atol=1e-6)
    assert np.all(distances[:, 0] == 0)


def test_duplicated_poses():
    """A ball that stands still: most poses are equal, and all of them meet the bound on the k-th one."""
    rng = np.random.default_rng(2)
    poses = clustered(rng, 3000)
    poses[500:] = 0
    indices, distances = ExactIndex(poses).query(poses[490:510], 16)
    np.testing.assert_allclose(distances, brute_force(poses, poses[490:510], 16)[1], rtol=1e-4)
    assert all(len(set(row)) == 16 for row in indices.tolist())


def test_a_bound_that_is_too_low_is_searched_whole():
    """Every sampled pose is a near one, so the sampled bound misses the far ones that belong to the list."""
    poses = np.full((4096, 2), 100, np.float32) + np.arange(4096, dtype=np.float32)[:, None]
    poses[::16] = np.arange(256, dtype=np.float32)[:, None] * 1e-3
    indices, distances = ExactIndex(poses).query(np.zeros((3, 2), np.float32), 300)
    np.testing.assert_allclose(distances, brute_force(poses, np.zeros((3, 2)), 300)[1], rtol=1e-4, atol=1e-6)
    assert all(len(set(row)) == 300 for row in indices.tolist())


def test_build_picks_by_size_and_refuses_what_is_not_finite():
    poses = clustered(np.random.default_rng(3), 300)
    assert isinstance(build_index(poses, 1000, 16, 0), ExactIndex)
    # Too few for descent to be meant for, whatever the border.
    assert isinstance(build_index(poses, 0, 128, 0), ExactIndex)
    poses[7, 3] = np.nan
    with pytest.raises(InputError, match="pose 7 of 300"):
        build_index(poses, 1000, 16, 0)
    with pytest.raises(InputError, match="0 poses"):
        build_index(poses[:0], 1000, 16, 0)


def test_descent_recall_and_seed():
    """Slow once a process: pynndescent compiles itself."""
    poses = clustered(np.random.default_rng(4), 4000)
    index = build_index(poses, 1000, 32, 0)
    assert isinstance(index, DescentIndex)
    assert share_found(ExactIndex(poses).query(poses[:200], 32)[1], index.query(poses[:200], 32)[1]) > 0.9
    indices, distances = index.query(poses[:50], 32)
    assert indices.dtype == np.int32
    assert np.all(np.diff(distances, axis=1) >= 0)
    again, _ = DescentIndex(poses, 0, 32).query(poses[:50], 32)
    np.testing.assert_array_equal(indices, again)


@pytest.mark.parametrize(("n", "k"), [(5, 9), (700, 20)])
def test_the_index_for_cuda_answers_as_the_exact_one(n, k):
    rng = np.random.default_rng(1)
    poses, queries = clustered(rng, n), clustered(rng, 130)
    found = TorchIndex(poses, device="cpu", chunk=50).query(queries, k)
    exact = ExactIndex(poses).query(queries, k)
    np.testing.assert_allclose(found[1], exact[1], rtol=1e-4, atol=1e-5)
    assert np.mean(found[0] == exact[0]) > 0.99
    assert found[0].dtype == np.int32


def test_a_cuda_device_that_is_demanded_and_missing_is_one_line(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("neural_action.neighbors.index._cuda_driver", lambda: True)
    assert not uses_cuda("auto")
    assert not uses_cuda("cpu")
    with pytest.raises(InputError, match="'cuda', but no CUDA device is present"):
        uses_cuda("cuda")


def test_a_machine_without_a_cuda_driver_does_not_import_torch(monkeypatch):
    monkeypatch.setattr("neural_action.neighbors.index._cuda_driver", lambda: False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not uses_cuda("auto")
    with pytest.raises(ImportError):
        uses_cuda("cuda")
