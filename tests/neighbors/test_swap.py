"""Equation 2, against loops written from the paper."""

import math

import numpy as np
import pytest
from scipy.stats import chisquare

from neural_action.neighbors.swap import draw_swaps, swap_distribution


def equation_2(distances, scale):
    rows = []
    for row in distances:
        weights = [math.exp(-d / scale) for d in row]
        rows.append([weight / sum(weights) for weight in weights])
    return np.array(rows)


@pytest.mark.parametrize("scale", [0.3, 1.0, 20.0])
def test_distribution_is_equation_2(scale):
    distances = np.sort(np.random.default_rng(0).uniform(0, 5, (40, 16)), axis=1)
    np.testing.assert_allclose(swap_distribution(distances, scale), equation_2(distances, scale), rtol=1e-10)


def test_far_poses_do_not_vanish():
    """exp(-5000) is 0 in double precision; the ratios are not."""
    far = swap_distribution(np.array([[5000.0, 5001.0, 5002.0]]), 1.0)
    np.testing.assert_allclose(far, equation_2(np.array([[0.0, 1.0, 2.0]]), 1.0))


def test_draws_follow_the_probabilities():
    rng = np.random.default_rng(0)
    distances = np.sort(rng.uniform(0, 4, (3, 12)), axis=1)
    indices = rng.permutation(36).reshape(3, 12)
    drawn = draw_swaps(indices, distances, 1.0, 20_000, np.random.default_rng(1))
    assert drawn.shape == (3, 20_000)
    assert drawn.dtype == np.int32
    for row in range(3):
        counts = [(drawn[row] == value).sum() for value in indices[row]]
        assert sum(counts) == 20_000
        assert chisquare(counts, 20_000 * equation_2(distances, 1.0)[row]).pvalue > 0.001


def test_one_hot_scale_draws_the_nearest_in_every_row():
    rng = np.random.default_rng(2)
    distances = np.sort(rng.uniform(0, 1, (5000, 8)), axis=1) + np.arange(8)
    indices = rng.integers(0, 10**6, (5000, 8))
    drawn = draw_swaps(indices, distances, 1e-3, 4, rng)
    np.testing.assert_array_equal(drawn, np.repeat(indices[:, :1], 4, axis=1))
