"""Ridge from units to behaviour: against scikit-learn, and against what it must not see."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from neural_action.errors import InputError
from neural_action.evaluation.ridge import PENALTIES, cross_fit, in_groups, ridge_path, surrounding


def r_squared(target, predicted):
    """Share of variance predicted of each target."""
    return 1 - np.square(target - predicted).sum(0) / np.square(target - target.mean(0)).sum(0)


TRIAL = np.repeat([2, 5, 7, 8, 9], 60)
HIDDEN = 8


def moving(seed=0, units=20, noise=1.0):
    """Units that follow three slow variables, with noise, in five trials of 60 frames."""
    rng = np.random.default_rng(seed)
    target = np.stack(
        [np.convolve(rng.standard_normal(308), np.ones(9) / 3, "valid") for _ in range(3)], axis=1
    )
    weights = np.random.default_rng(7).standard_normal((3, units))
    return target @ weights + noise * rng.standard_normal((300, units)), target


@pytest.mark.parametrize("units", [20, 500])
def test_the_path_is_ridge_regression_for_every_penalty(units):
    x, y = moving(units=units)
    others = moving(1, units)[0]
    path = ridge_path(x, y, others, PENALTIES)
    assert path.shape == (len(PENALTIES), 300, 3)
    for penalty, predicted in zip(PENALTIES, path, strict=True):
        expected = Ridge(alpha=penalty * len(x), solver="cholesky").fit(x, y).predict(others)
        np.testing.assert_allclose(predicted, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("frames", "parts", "lags"), [
    (1, 8, [[0]]), (3, 8, [[-1], [0], [1]]), (4, 2, [[-2, -1], [0, 1]]), (7, 3, [[-3, -2], [-1, 0], [1, 2, 3]]),
])  # fmt: skip
def test_the_window_around_a_frame_is_averaged_in_parts_and_stays_in_its_trial(frames, parts, lags):
    values = np.random.default_rng(0).standard_normal((300, 2))
    expected = np.empty((300, len(lags), 2))
    for at in range(300):
        own = np.flatnonzero(TRIAL[at] == TRIAL)
        for part, moments in enumerate(lags):
            expected[at, part] = values[[min(max(at + lag, own[0]), own[-1]) for lag in moments]].mean(0)
    np.testing.assert_allclose(surrounding(values, TRIAL, frames, parts), expected.reshape(300, -1))


def test_many_trials_are_left_out_in_groups_and_few_singly():
    assert in_groups(TRIAL, TRIAL != HIDDEN) is TRIAL
    reaches = np.repeat(np.arange(100, 159), 5)
    visible = (reaches < 120) | (reaches >= 130)
    groups = in_groups(reaches, visible)
    assert set(groups[visible]) == set(range(5))
    assert set(groups[~visible]) == {5}
    # Groups are of whole reaches that follow each other, nine or ten of each.
    assert (np.diff(groups[visible]) >= 0).all()
    assert {len(set(reaches[groups == one])) for one in range(5)} == {9, 10}
    assert all(len(set(groups[reaches == one])) == 1 for one in set(reaches))


@pytest.mark.parametrize(("seen", "blocks"), [((2,), [20, 20, 20]), ((5, 9), [30, 30, 30, 30])])
def test_one_or_two_trials_are_left_out_in_blocks(seen, blocks):
    visible = np.isin(TRIAL, seen)
    groups = in_groups(TRIAL, visible)
    names, counts = np.unique(groups[visible], return_counts=True)
    assert counts.tolist() == blocks
    assert (np.diff(groups[visible]) >= 0).all()
    assert not np.isin(groups[~visible], names).any()
    x, y = moving()
    fit = cross_fit(x, y, groups, visible)
    assert (r_squared(y[~visible], fit.predicted[~visible]) > 0.7).all()


def test_every_trial_is_predicted_from_the_other_visible_ones():
    x, y = moving()
    visible = TRIAL != HIDDEN
    fit = cross_fit(x, y, TRIAL, visible)
    mean, sd = x[visible].mean(0), x[visible].std(0)
    scaled = (x - mean) / sd
    for number, one in enumerate(fit.trials):
        train = visible & (one != TRIAL)
        for target in range(3):
            alpha = fit.penalty[number, target] * train.sum()
            model = Ridge(alpha=alpha, solver="cholesky").fit(scaled[train], y[train, target])
            np.testing.assert_allclose(
                fit.predicted[one == TRIAL, target], model.predict(scaled[one == TRIAL]), rtol=1e-6, atol=1e-8
            )
    assert (r_squared(y, fit.predicted) > 0.8).all()


@pytest.mark.parametrize("units", [20, 500])
def test_the_penalty_is_chosen_by_leaving_out_trials(units):
    x, y = moving(units=units, noise=4.0)
    visible = TRIAL != HIDDEN
    fit = cross_fit(x, y, TRIAL, visible)
    scaled = (x - x[visible].mean(0)) / x[visible].std(0)
    for one, penalty in zip(fit.trials, fit.penalty, strict=True):
        train, error = visible & (one != TRIAL), np.zeros((len(PENALTIES), 3))
        for left in set(TRIAL[train]):
            kept, held = train & (left != TRIAL), left == TRIAL
            path = ridge_path(scaled[kept], y[kept], scaled[held], PENALTIES)
            error += np.square(path - y[held]).sum(1)
        best = error.argmin(0)
        np.testing.assert_array_equal(penalty, PENALTIES[best])
        path = ridge_path(scaled[train], y[train], scaled[one == TRIAL], PENALTIES)
        np.testing.assert_allclose(fit.predicted[one == TRIAL], path[best, :, range(3)].T, rtol=1e-6)


@pytest.mark.parametrize("changed", [2, HIDDEN])
def test_no_prediction_knows_the_behaviour_of_its_trial(changed):
    x, y = moving()
    visible, own = TRIAL != HIDDEN, changed == TRIAL
    other = y.copy()
    other[own] = 1e3 * np.random.default_rng(3).standard_normal((60, 3))
    before, after = (cross_fit(x, target, TRIAL, visible).predicted for target in (y, other))
    np.testing.assert_array_equal(before[own], after[own])
    # A hidden trial changes nothing at all.
    assert np.array_equal(before, after) == (changed == HIDDEN)


def test_noise_is_not_predicted():
    x = moving(units=200)[0]
    y = np.random.default_rng(5).standard_normal((300, 2))
    fit = cross_fit(x, y, TRIAL, np.ones(300, bool))
    assert (r_squared(y, fit.predicted) < 0.05).all()
    assert (fit.penalty >= 1).all()
    inside = ridge_path(x, y, x, PENALTIES[:1])[0]
    assert (r_squared(y, inside) > 0.4).all()


def test_frames_without_behaviour_are_predicted_and_not_learned_from():
    x, y = moving()
    y[10:20, 1] = np.nan
    with_hole = cross_fit(x, y, TRIAL, np.ones(300, bool))
    assert np.isfinite(with_hole.predicted).all()
    y[10:20] = np.nan
    np.testing.assert_array_equal(cross_fit(x, y, TRIAL, np.ones(300, bool)).predicted, with_hole.predicted)


def test_units_that_never_change_are_ignored():
    x, y = moving()
    more = np.column_stack([x, np.full(300, 3.0)])
    one, other = (cross_fit(values, y, TRIAL, TRIAL != HIDDEN).predicted for values in (x, more))
    np.testing.assert_allclose(one, other, atol=1e-8)


def test_two_trials_are_too_few():
    x, y = moving()
    with pytest.raises(InputError, match="2 visible trials, expected at least 3"):
        cross_fit(x, y, TRIAL, TRIAL < 6)


@pytest.mark.real_data
def test_velocity_of_worms_is_predicted(real_recordings):
    from neural_action.recordings.readers import worm
    from neural_action.recordings.samples import SampleRow

    folder, scores = real_recordings("worms"), []
    for path in sorted(folder.glob("*/*.h5")):
        row = SampleRow("w", "001", path.relative_to(folder).as_posix())
        recording = worm.read(folder, row, worm.Options.parse({"behavior": ["velocity"]}), None)
        trial = np.arange(len(recording.neural)) * 5 // len(recording.neural)
        x = surrounding(recording.neural, trial, 8)
        fit = cross_fit(x, recording.behavior, trial, trial != 4)
        hidden = trial == 4
        scores.append(np.corrcoef(recording.behavior[hidden, 0], fit.predicted[hidden, 0])[0, 1])
    assert np.median(scores) > 0.4
