"""The autoregressive HMM against known states, and its likelihood and lags against loops."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score

from neural_action.syllables import arhmm
from neural_action.syllables.arhmm import AutoregressiveHmm, with_lags

#: Angle of rotation a sample and centre of each state; x_t - c = 0.9 R(angle) (x_{t-1} - c) + noise.
ANGLES, CENTRES = (0.0, 0.6, -0.6), np.array([[0.0, 0.0], [1.5, 0.0], [-1.5, 1.0]])
NOISE = 0.2


def dynamics(state):
    """(3, 2): the weights of a state as the model has them, of (x_{t-1}, 1)."""
    cos, sin = np.cos(ANGLES[state]), np.sin(ANGLES[state])
    turn = 0.9 * np.array([[cos, -sin], [sin, cos]])
    return np.vstack([turn.T, CENTRES[state] - turn @ CENTRES[state]])


@pytest.fixture(scope="module")
def simulated():
    """Sequences (time, 2) and their states: 5 of 500 to 540 samples."""
    rng = np.random.default_rng(0)
    sequences, states = [], []
    for number in range(5):
        x, state = [rng.standard_normal(2)], [int(rng.integers(3))]
        for _ in range(499 + 10 * number):
            stay = rng.random() < 0.97
            state.append(state[-1] if stay else int((state[-1] + rng.integers(1, 3)) % 3))
            x.append(np.append(x[-1], 1.0) @ dynamics(state[-1]) + NOISE * rng.standard_normal(2))
        sequences.append(np.array(x))
        states.append(np.array(state))
    return sequences, states


@pytest.fixture(scope="module")
def fitted(simulated):
    """The rows, their states, the lengths, and a model fitted to them for 25 iterations."""
    sequences, states = simulated
    rows = np.concatenate([with_lags(sequence, 1) for sequence in sequences])
    lengths = [len(sequence) - 1 for sequence in sequences]
    model = AutoregressiveHmm(3, 2, random_state=0, n_iter=25)
    model.monitor_.tol = -np.inf  # all iterations
    model.fit(rows, lengths)
    return rows, np.concatenate([state[1:] for state in states]), lengths, model


def test_known_states_are_recovered(fitted):
    rows, states, lengths, model = fitted
    found = model.predict_proba(rows, lengths).argmax(1)
    assert adjusted_rand_score(states, found) > 0.9


def test_known_dynamics_are_recovered(fitted):
    _, _, _, model = fitted
    true = np.stack([dynamics(state) for state in range(3)])
    order = min(itertools.permutations(range(3)), key=lambda p: np.abs(model.weights_[list(p)] - true).max())
    order = list(order)
    assert np.abs(model.weights_[order] - true).max() < 0.05
    assert np.abs(model.covars_ - NOISE**2 * np.eye(2)).max() < 0.01
    assert np.diag(model.transmat_) == pytest.approx(0.97, abs=0.015)


def test_two_lags_recover_second_order_processes():
    rng, x = np.random.default_rng(1), [0.0, 0.0]
    true = np.array([[1.6, -0.8, 0.4], [-0.4, 0.3, -2.0]])
    for t in range(3000):
        x.append(np.array([x[-1], x[-2], 1.0]) @ true[t // 100 % 2] + 0.3 * rng.standard_normal())
    rows = with_lags(np.array(x)[:, None], 2)
    weights = AutoregressiveHmm(2, 1).fit(rows).weights_[:, :, 0]
    weights = weights[np.argsort(-weights[:, 0])]
    assert weights == pytest.approx(true, abs=0.1)


def test_a_step_is_weighted_ridge_regression():
    rng = np.random.default_rng(2)
    rows, share = rng.standard_normal((50, 6)), rng.dirichlet([1, 1, 1], size=50)
    model = AutoregressiveHmm(3, 2)
    model.n_features = 6
    stats = model._initialize_sufficient_statistics()
    model._gather(stats, rows[:20], share[:20])
    model._gather(stats, rows[20:], share[20:])
    model._regress(stats)
    y, z = rows[:, :2], np.column_stack([rows[:, 2:], np.ones(50)])
    for state in range(3):
        root = np.sqrt(share[:, [state]])
        ridged = np.vstack([root * z, np.sqrt(1e-3) * np.eye(5)])
        expected = np.linalg.lstsq(ridged, np.vstack([root * y, np.zeros((5, 2))]), rcond=None)[0]
        assert model.weights_[state] == pytest.approx(expected, abs=1e-9)
        residual = root * (y - z @ expected)
        covar = residual.T @ residual / share[:, state].sum() + 1e-3 * np.eye(2)
        assert model.covars_[state] == pytest.approx(covar, abs=1e-9)


def test_the_log_likelihood_is_the_normal_density_of_the_residual():
    rng = np.random.default_rng(3)
    model = AutoregressiveHmm(2, 3)
    model.weights_ = rng.standard_normal((2, 7, 3))
    root = rng.standard_normal((2, 3, 3))
    model.covars_ = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(3)
    rows = rng.standard_normal((10, 9))
    found = model._compute_log_likelihood(rows)
    assert found.shape == (10, 2)
    for row in range(10):
        for state in range(2):
            mean = np.append(rows[row, 3:], 1.0) @ model.weights_[state]
            expected = multivariate_normal.logpdf(rows[row, :3], mean, model.covars_[state])
            assert found[row, state] == pytest.approx(expected, rel=1e-9)


def test_the_log_likelihood_never_falls(fitted, monkeypatch):
    rows, _, lengths, regularised = fitted
    monkeypatch.setattr(arhmm, "_RIDGE", 1e-12)
    model = AutoregressiveHmm(3, 2, random_state=0, n_iter=25)
    model.monitor_.tol = -np.inf
    history = np.array(model.fit(rows, lengths).monitor_.history)
    assert len(history) == 25
    assert history[-1] > history[0] + 100
    assert np.diff(history).min() > -1e-8 * abs(history[-1])
    # The ridge makes a step stop just beside the maximum.
    assert np.diff(regularised.monitor_.history).min() > -1e-4 * abs(history[-1])


def test_the_score_is_the_forward_recursion(fitted):
    rows, _, _, model = fitted
    rows = rows[:60]
    log_b = model._compute_log_likelihood(rows)
    alpha = model.startprob_ * np.exp(log_b[0])
    total = 0.0
    for t in range(1, 60):
        scale = alpha.sum()
        total += np.log(scale)
        alpha = (alpha / scale) @ model.transmat_ * np.exp(log_b[t])
    assert model.score(rows) == pytest.approx(total + np.log(alpha.sum()), rel=1e-9)


def test_the_seed_fixes_the_fit(fitted):
    rows, _, lengths, model = fitted
    again = AutoregressiveHmm(3, 2, random_state=0, n_iter=25)
    again.monitor_.tol = -np.inf
    assert np.array_equal(again.fit(rows, lengths).weights_, model.weights_)


def test_a_sample_far_from_every_state_has_a_posterior(fitted):
    rows, _, _, model = fitted
    far = rows[:50].copy()
    far[20] = 1e3
    shares = model.predict_proba(far)
    assert np.isfinite(shares).all()
    assert shares.sum(1) == pytest.approx(1)


def slow_posteriors(model, rows):
    """(row, state) by forward and backward passes in logarithms, number by number; and the log-likelihood."""
    log_b, count, states = model._compute_log_likelihood(rows), len(rows), range(model.n_components)
    with np.errstate(divide="ignore"):
        start, step = np.log(model.startprob_), np.log(model.transmat_)
    ahead, behind = np.zeros_like(log_b), np.zeros_like(log_b)
    ahead[0] = start + log_b[0]
    for t in range(1, count):
        for k in states:
            ahead[t, k] = logsumexp([ahead[t - 1, j] + step[j, k] for j in states]) + log_b[t, k]
    for t in range(count - 2, -1, -1):
        for j in states:
            behind[t, j] = logsumexp([step[j, k] + log_b[t + 1, k] + behind[t + 1, k] for k in states])
    joint = ahead + behind
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True)), logsumexp(ahead[-1])


@pytest.mark.parametrize("places", [[], [20], [0], [49], [20, 21, 22], range(0, 50, 2)])
@pytest.mark.parametrize("far", [5.0, 1e3])
def test_posteriors_are_those_of_the_slow_passes_also_far_from_every_state(fitted, places, far):
    rows, _, _, model = fitted
    given = rows[:50].copy()
    rng = np.random.default_rng(0)
    given[list(places)] += far * rng.choice([-1, 1], (len(places), rows.shape[1]))
    if len(places) and far == 1e3:
        # No state has a density there that a float64 can hold.
        assert not np.exp(model._compute_log_likelihood(given)[list(places)]).any()
    shares, log_likelihood = slow_posteriors(model, given)
    # The logarithms are of the size of 1e8, of which a float64 has eight decimals.
    np.testing.assert_allclose(model.predict_proba(given), shares, atol=1e-6)
    assert model.score(given) == pytest.approx(log_likelihood, rel=1e-9)


@pytest.fixture(scope="module")
def cycle():
    """Rows and lengths of four sequences that visit three places far apart in one order, and a model fitted to them."""
    rng, places = np.random.default_rng(0), np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    sequences = []
    for _ in range(4):
        x = [places[0]]
        for place in places[np.repeat(np.arange(12) % 3, 40)][1:]:
            x.append(x[-1] + 0.5 * (place - x[-1]) + 0.05 * rng.standard_normal(2))
        sequences.append(np.array(x))
    rows = np.concatenate([with_lags(sequence, 1) for sequence in sequences])
    return rows, AutoregressiveHmm(3, 2, n_iter=20).fit(rows, [len(sequence) - 1 for sequence in sequences])


@pytest.mark.parametrize("place", [0, 5, 60, 100])
def test_a_stray_sample_may_be_nearest_to_a_state_that_was_never_reached_from_there(cycle, place):
    rows, model = cycle
    assert model.transmat_.min() < 1e-6
    stray = 1e3 * np.random.default_rng(1).standard_normal((12, 4))
    assert set(model._compute_log_likelihood(stray).argmax(1)) == {0, 1, 2}
    for sample in stray:
        given = rows[:120].copy()
        given[place] = sample
        shares, log_likelihood = slow_posteriors(model, given)
        np.testing.assert_allclose(model.predict_proba(given), shares, atol=1e-6)
        assert model.score(given) == pytest.approx(log_likelihood, rel=1e-9)


@pytest.mark.parametrize("lags", [1, 2, 3])
def test_lags_are_the_samples_before_latest_first(lags):
    sequence = np.arange(14.0).reshape(7, 2)
    found = with_lags(sequence, lags)
    assert found.shape == (7 - lags, 2 * (lags + 1))
    for row in range(7 - lags):
        for lag in range(lags + 1):
            assert found[row, 2 * lag : 2 * lag + 2].tolist() == sequence[row + lags - lag].tolist()
