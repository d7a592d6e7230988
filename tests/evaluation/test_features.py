"""Features of raw bins against loops."""

import numpy as np
import pytest

from neural_action.config.evaluation_settings import FeatureSettings
from neural_action.evaluation.features import (
    causal_counts,
    neighbor_mean,
    raw_features,
    reduced_rank,
    window_mean,
)

SPAN = np.repeat([4, 5, 9], [7, 1, 12])
BINS = np.random.default_rng(0).poisson(2.0, (20, 3)).astype(np.float32)


def test_counts_look_back_and_never_over_the_start_of_a_trial():
    counts = causal_counts(BINS, SPAN, [1, 3])
    for at in range(20):
        for part, window in enumerate((1, 3)):
            rows = [row for row in range(at - window + 1, at + 1) if row >= 0 and SPAN[row] == SPAN[at]]
            np.testing.assert_allclose(counts[at, 3 * part : 3 * part + 3], BINS[rows].mean(0), rtol=1e-6)


@pytest.mark.parametrize("lag", [1, 3, None])
def test_windows_stay_within_a_trial(lag):
    means, near = window_mean(BINS, SPAN, lag), neighbor_mean(BINS, SPAN, lag or 20)
    for at in range(20):
        rows = [row for row in range(20) if SPAN[row] == SPAN[at] and (lag is None or abs(row - at) <= lag)]
        np.testing.assert_allclose(means[at], BINS[rows].mean(0))
        others = [row for row in rows if row != at]
        if others:
            np.testing.assert_allclose(near[at], BINS[others].mean(0))
        else:
            assert np.isnan(near[at]).all()


def test_reduced_rank_finds_the_map_that_made_the_data():
    rng = np.random.default_rng(1)
    values = rng.standard_normal((2000, 10))
    made = values @ rng.standard_normal((10, 2)) @ rng.standard_normal((2, 10))
    target = made + 0.1 * rng.standard_normal(made.shape)
    found = reduced_rank(values, target, np.ones(2000, bool), 2, 1e-6)
    # The two directions span what predicts: nothing of the target is left that they do not explain.
    left = made - found @ np.linalg.lstsq(found, made, rcond=None)[0]
    assert np.abs(left).max() < 0.05
    hidden = np.arange(2000) < 1000
    target[~hidden] = 1e6
    again = reduced_rank(values, target, hidden, 2, 1e-6)
    assert np.abs(again).max() < 1e3


def test_hidden_bins_teach_nothing():
    settings = FeatureSettings(name="prediction", ranks=[2], penalties=[0.5])
    visible = SPAN != 9
    changed = BINS.copy()
    changed[~visible] += 100
    (one,), (other,) = (raw_features(settings, bins, SPAN, visible).values() for bins in (BINS, changed))
    np.testing.assert_allclose(one[visible], other[visible], rtol=1e-5)
