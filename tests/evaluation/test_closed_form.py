"""An animal without an input layer, in closed form: against scikit-learn, and against what it must not see."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from neural_action.errors import InputError
from neural_action.evaluation.closed_form import Known, between, closed_form, fit_closed_form, lags
from neural_action.evaluation.ridge import PENALTIES, cross_fit

TRIAL = np.repeat([3, 4, 6, 9], 50)
TESTED = 6
LEARNED = TRIAL != TESTED


def made(seed=0, noise=0.3):
    """Three known animals and a new one, whose behaviour encodings lead to neural encodings by one linear map."""
    rng = np.random.default_rng(seed)
    turn = np.random.default_rng(5).standard_normal((6, 4))
    known = rng.standard_normal((300, 6))
    neural = 2 + known @ turn + noise * rng.standard_normal((300, 4))
    behavior = rng.standard_normal((200, 6))
    activity = behavior @ rng.standard_normal((6, 30)) + noise * rng.standard_normal((200, 30))
    return Known(known, neural, np.repeat([0, 1, 2], 100)), activity, behavior, 2 + behavior @ turn


def test_the_first_map_is_a_ridge_whose_penalty_leaves_animals_out():
    known, _, behavior, _ = made(noise=3.0)
    x = (known.behavior - known.behavior.mean(0)) / known.behavior.std(0)
    others = (behavior - known.behavior.mean(0)) / known.behavior.std(0)
    found = between(known, behavior)
    for column in range(4):
        error = [
            sum(
                np.square(
                    Ridge(alpha=penalty * 200, solver="cholesky")
                    .fit(x[known.group != left], known.neural[known.group != left, column])
                    .predict(x[known.group == left])
                    - known.neural[known.group == left, column]
                ).sum()
                for left in range(3)
            )
            for penalty in PENALTIES
        ]
        model = Ridge(alpha=PENALTIES[int(np.argmin(error))] * 300, solver="cholesky")
        expected = model.fit(x, known.neural[:, column]).predict(others)
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-6, atol=1e-8)


def test_the_second_map_is_cross_fitted_and_has_the_spread_of_the_known_animals():
    known, activity, behavior, _ = made()
    found = closed_form(known, activity, behavior, TRIAL, LEARNED)
    assert found.dtype == np.float32
    plain = cross_fit(activity, between(known, behavior), TRIAL, LEARNED).predicted
    expected = (plain - plain[LEARNED].mean(0)) / plain[LEARNED].std(0)
    np.testing.assert_allclose(
        found, expected * known.neural.std(0) + known.neural.mean(0), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(found[LEARNED].mean(0), known.neural.mean(0), rtol=1e-3)
    np.testing.assert_allclose(found[LEARNED].std(0), known.neural.std(0), rtol=1e-3)


def test_a_new_animal_comes_where_the_others_would_be():
    known, activity, behavior, truth = made()
    found = closed_form(known, activity, behavior, TRIAL, LEARNED)
    tested = ~LEARNED
    for column in range(4):
        assert np.corrcoef(found[tested, column], truth[tested, column])[0, 1] > 0.9
    # With units that say nothing, nothing is found.
    noise = closed_form(
        known, np.random.default_rng(8).standard_normal(activity.shape), behavior, TRIAL, LEARNED
    )
    assert abs(np.corrcoef(noise[tested, 0], truth[tested, 0])[0, 1]) < 0.4


def test_the_behaviour_of_the_tested_trial_changes_nothing():
    known, activity, behavior, _ = made()
    other = behavior.copy()
    other[~LEARNED] = 1e3
    before, after = (closed_form(known, activity, moves, TRIAL, LEARNED) for moves in (behavior, other))
    np.testing.assert_array_equal(before, after)
    # Nor does its activity change any other trial.
    moved = activity.copy()
    moved[~LEARNED] += 7.0
    np.testing.assert_array_equal(
        closed_form(known, moved, behavior, TRIAL, LEARNED)[LEARNED], before[LEARNED]
    )


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_what_is_fitted_once_reads_other_windows_as_the_tables_do(offset):
    known, activity, behavior, _ = made()
    # A unit that never fires, and activity far from zero.
    activity = np.concatenate([activity, np.zeros((200, 1))], 1) + offset
    tested = ~LEARNED
    fitted = fit_closed_form(known, activity[LEARNED], behavior[LEARNED], TRIAL[LEARNED])
    expected = closed_form(known, activity, behavior, TRIAL, LEARNED)[tested]
    np.testing.assert_allclose(fitted(activity[tested]), expected, atol=1e-4 * expected.std())
    assert fitted.weight.shape == (31, 4)
    assert fitted.gain[-1] == 0
    assert np.isfinite(fitted.weight).all()


def test_recordings_without_behaviour_cannot_be_read():
    known, activity, behavior, _ = made()
    with pytest.raises(InputError, match="needs behaviour"):
        closed_form(
            Known(known.behavior[:, :0], known.neural, known.group), activity, behavior[:, :0], TRIAL, LEARNED
        )


def test_two_trials_are_too_few():
    known, activity, behavior, _ = made()
    with pytest.raises(InputError, match="2 visible trials, expected at least 3"):
        closed_form(known, activity, behavior, TRIAL, LEARNED & (TRIAL != 9))


@pytest.mark.parametrize(
    ("frames", "parts"), [(8, [2, 2, 2, 2]), (6, [1, 2, 1, 2]), (3, [1, 1, 1]), (1, [1])]
)
def test_lags_are_means_of_equal_parts(frames, parts):
    neural = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
    start = np.array([0, 7, 31])
    found = lags(neural, start, frames)
    for row, first in zip(found, start, strict=True):
        at, expected = first, []
        for part in parts:
            expected.append(neural[at : at + part].mean(0))
            at += part
        np.testing.assert_allclose(row, np.concatenate(expected), atol=1e-6)
