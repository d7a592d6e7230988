"""Places of windows in the plane."""

import numpy as np
import pytest

from neural_action.explore.layout import neighbour_map, principal


def test_principal_components_against_numpy():
    rng = np.random.default_rng(0)
    features = (rng.standard_normal((50, 4)) * [5, 3, 1, 0.5]).astype(np.float32)
    _, singular, _ = np.linalg.svd(features - features.mean(0), full_matrices=False)
    places = principal(features)
    assert (places**2).sum(0) == pytest.approx(singular[:2] ** 2, rel=1e-4)
    assert principal(features[:, :1]).shape == (50, 2)


def test_windows_beyond_the_landmarks_lie_among_their_like():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 120)
    features = (8 * np.eye(3)[group] + 0.3 * rng.standard_normal((360, 3))).astype(np.float32)
    places = neighbour_map(features, 150)
    centre = np.stack([places[group == k].mean(0) for k in range(3)])
    nearest = np.linalg.norm(places[:, None] - centre, axis=2).argmin(1)
    assert np.array_equal(nearest, group)
    again = neighbour_map(features, 150)
    assert np.array_equal(places, again)
