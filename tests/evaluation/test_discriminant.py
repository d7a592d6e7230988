"""The trial discriminant against its definition, Fisher's discriminant and a made-up recording with a known answer."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neural_action.config.evaluation_settings import FeatureSettings
from neural_action.datasets.runs import blocks
from neural_action.evaluation.discriminant import discriminant, nearest, trial_discriminant
from neural_action.evaluation.features import raw_features

RNG = np.random.default_rng(0)
TRIALS, BINS, UNITS, CLASSES = 60, 6, 20, 4
TRIAL = np.repeat(np.arange(TRIALS), BINS)
CLASS = np.arange(TRIALS) % CLASSES
# Two units tell classes apart, a third one drifts from trial to trial, noise is not the same in all directions.
NOISE = RNG.standard_normal((TRIALS * BINS, UNITS)) @ RNG.standard_normal((UNITS, UNITS))
MEANS = np.zeros((TRIALS, UNITS))
MEANS[:, 0], MEANS[:, 1] = (5 * f(np.pi / 2 * CLASS) for f in (np.cos, np.sin))
MEANS[:, 2] = 3 * RNG.standard_normal(TRIALS)
VALUES = MEANS[TRIAL] + NOISE
VISIBLE = TRIAL >= 10


def test_without_neighbours_it_is_fishers_discriminant_of_the_trials():
    made = trial_discriminant(VALUES, TRIAL, VISIBLE, dimensions=5, neighbors=0, rounds=0, penalty=0.0)
    fisher = LinearDiscriminantAnalysis(solver="eigen", n_components=5).fit(VALUES[VISIBLE], TRIAL[VISIBLE])
    expected = fisher.transform(VALUES)
    for axis in range(5):
        assert abs(np.corrcoef(made[:, axis], expected[:, axis])[0, 1]) > 1 - 1e-4


@pytest.mark.parametrize("penalty", [0.0, 0.7])
def test_directions_have_unit_noise_and_the_most_signal(penalty):
    signal = MEANS[TRIAL]
    weights = discriminant(VALUES, signal, 3, penalty)
    noise = np.cov((VALUES - signal).T, bias=True) + np.outer(*2 * [(VALUES - signal).mean(0)])
    noise += penalty * np.trace(noise) / UNITS * np.eye(UNITS)
    spread = np.cov(signal.T, bias=True)
    np.testing.assert_allclose(weights.T @ noise @ weights, np.eye(3), atol=1e-8)
    won = np.diag(weights.T @ spread @ weights)
    assert (np.diff(won) < 0).all()
    for direction in RNG.standard_normal((500, UNITS)):
        assert direction @ spread @ direction <= won[0] * (direction @ noise @ direction) * (1 + 1e-9)


def test_the_signal_is_the_mean_over_the_nearest_trials():
    made = trial_discriminant(VALUES, TRIAL, VISIBLE, dimensions=4, neighbors=3, rounds=1, penalty=0.5)
    bins, trial = VALUES[VISIBLE], TRIAL[VISIBLE]
    centre = bins.mean(0)
    means = {t: bins[trial == t].mean(0) - centre for t in range(10, TRIALS)}
    first = discriminant(bins - centre, np.array([means[t] for t in trial]), 4, 0.5)
    alike = {}
    for t in means:
        order = sorted(means, key=lambda other, t=t: np.sum(((means[t] - means[other]) @ first) ** 2))
        alike[t] = np.mean([means[other] for other in order[:4]], axis=0)
    second = discriminant(bins - centre, np.array([alike[t] for t in trial]), 4, 0.5)
    np.testing.assert_allclose(np.abs(made), np.abs((VALUES - centre) @ second), rtol=1e-3, atol=1e-4)


def test_nearest_counts_each_point_and_stops_at_all():
    points = np.array([[0.0], [1.0], [5.0], [5.5]])
    assert [set(row) for row in nearest(points, 1)] == [{0, 1}, {0, 1}, {2, 3}, {2, 3}]
    assert nearest(points, 0).tolist() == [[0], [1], [2], [3]]
    assert all(set(row) == {0, 1, 2, 3} for row in nearest(points, 9))


def test_mined_trials_leave_out_what_only_drifts():
    def share_of_class(neighbors, rounds):
        made = trial_discriminant(
            VALUES, TRIAL, VISIBLE, dimensions=3, neighbors=neighbors, rounds=rounds, penalty=0.1
        )
        centred = made[VISIBLE] - made[VISIBLE].mean(0)
        label = CLASS[TRIAL[VISIBLE]]
        between = sum((label == c).sum() * (centred[label == c].mean(0) ** 2).sum() for c in range(CLASSES))
        return between / (centred**2).sum()

    assert share_of_class(8, 3) > share_of_class(0, 0) + 0.03


def test_a_trial_is_cut_into_blocks():
    trial = np.repeat([3, 5, 6], [5, 2, 4])
    assert np.unique(blocks(trial, None), return_inverse=True)[1].tolist() == [0] * 5 + [1] * 2 + [2] * 4
    cut = np.unique(blocks(trial, 2), return_inverse=True)[1]
    assert cut.tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5]


def test_hidden_bins_teach_nothing_and_each_rank_is_a_candidate():
    settings = FeatureSettings(name="discriminant", ranks=[2, 4, 50], penalties=[0.5], neighbors=3, rounds=2)
    changed = VALUES.copy()
    changed[~VISIBLE] += 1e3
    one, other = (raw_features(settings, values, TRIAL, VISIBLE) for values in (VALUES, changed))
    assert [values.shape[1] for values in one.values()] == [2, 4]
    for name, values in one.items():
        np.testing.assert_array_equal(values[VISIBLE], other[name][VISIBLE])
