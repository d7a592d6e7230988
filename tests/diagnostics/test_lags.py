"""Lag curves against a slow loop and known shifts."""

import numpy as np
import pytest

from neural_action.diagnostics.lags import Pair, _correlations, lag_curves


def test_correlations_against_a_slow_loop():
    rng = np.random.default_rng(0)
    predicted, target = rng.standard_normal((2, 50, 2))
    steps = np.arange(-4, 5)
    one, two = predicted - predicted.mean(0), target - target.mean(0)
    norm = np.sqrt((one**2).sum() * (two**2).sum())
    for step, value in zip(steps, _correlations(predicted, target, steps), strict=True):
        pairs = [(t + step, t) for t in range(50) if 0 <= t + step < 50]
        expected = sum(one[there] @ two[here] for there, here in pairs) / norm * 50 / len(pairs)
        assert value == pytest.approx(expected, abs=1e-9)


def smooth(rng, count):
    return np.convolve(rng.standard_normal(count), np.ones(5) / 5, mode="same")


def pairs(shifts, rng, rate=10, seconds=60):
    """Trials whose signals follow their target by ``shifts`` seconds."""
    made = []
    for shift in shifts:
        target = smooth(rng, int(seconds * rate))
        signal = np.roll(target, round(shift * rate))[:, None] * [1.0, -2.0, 0.5]
        made.append(Pair("A", signal + 0.3 * rng.standard_normal(signal.shape), target[:, None]))
    return made


def test_each_trial_shows_its_own_shift():
    shifts = [0.4, 0.4, 0.4, 1.9]
    curves = lag_curves(pairs(shifts, np.random.default_rng(1)), 10, 3.0)
    assert [whole.lag for whole, _, _ in curves] == pytest.approx(shifts, abs=0.06)
    assert all(whole.clear and first.clear and second.clear for whole, first, second in curves)


def test_a_single_trial_is_predicted_from_its_other_half():
    ((whole, first, second),) = lag_curves(pairs([0.5], np.random.default_rng(2)), 10, 3.0)
    assert (whole.lag, first.lag, second.lag) == pytest.approx((0.5, 0.5, 0.5), abs=0.06)


def test_what_does_not_belong_together_is_not_clear():
    rng = np.random.default_rng(3)
    made = [Pair("A", smooth(rng, 600)[:, None], smooth(rng, 600)[:, None]) for _ in range(20)]
    curves = lag_curves(made, 10, 3.0)
    # Chance is the 95 % quantile: one in twenty is above it.
    assert sum(whole.clear for whole, _, _ in curves) <= 4


def test_missing_rows_take_no_part():
    made = pairs([0.4, 0.4, 0.4], np.random.default_rng(4))
    made[0].target[:150] = np.nan
    assert lag_curves(made, 10, 3.0)[0][0].lag == pytest.approx(0.4, abs=0.06)
