"""Readouts against scikit-learn, plain solutions and the paper's way of training them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from neural_action.evaluation.probes import class_weights
from neural_action.evaluation.readouts import (
    Standard,
    angle_errors,
    angle_path,
    angles_of,
    direction_classes,
    softmax_path,
)

CLASSES = 8
DECAYS = 2.0 ** np.arange(-10, 10)


def reaches(
    seed: int, count: int = 400, units: int = 30, noise: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """Cosine-tuned rates with noise, and the direction of each bin."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=count)
    preferred = np.random.default_rng(0).uniform(0, 2 * np.pi, units)
    rates = np.cos(2 * np.pi * labels[:, None] / CLASSES - preferred) + noise * rng.standard_normal(
        (count, units)
    )
    return rates, labels


@pytest.mark.parametrize(("count", "units"), [(400, 30), (20, 30)])
def test_angle_path_is_ridge_regression_for_every_decay(count, units):
    x, labels = reaches(1, count, units)
    others = reaches(2, 50, units)[0]
    angles = 2 * np.pi * labels / CLASSES
    target = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    path = angle_path(x, labels, others, CLASSES, DECAYS)
    assert path.shape == (20, 50, 2)
    for decay, predicted in zip(DECAYS, path, strict=True):
        ridge = Ridge(alpha=decay * count, solver="cholesky").fit(x, target)
        np.testing.assert_allclose(predicted, ridge.predict(others), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weighting", ["none", "balanced"])
def test_softmax_path_is_logistic_regression_for_every_decay(weighting):
    x, labels = reaches(3)
    labels = np.where(labels > 2, 0, labels)
    others = reaches(4, 50)[0]
    decays = 2.0 ** np.arange(-6, 6)
    path = softmax_path(x, labels, others, 3, decays, weighting, 300)
    weights = class_weights(labels, 3, weighting)[labels]
    for decay, predicted in zip(decays, path, strict=True):
        model = LogisticRegression(C=1 / (decay * weights.sum()), max_iter=2000, tol=1e-8)
        expected = model.fit(x, labels, sample_weight=weights).predict_proba(others)
        np.testing.assert_allclose(predicted, expected, atol=2e-3)


def test_softmax_path_with_fewer_bins_than_features_and_a_silent_unit():
    x, labels = reaches(5, 24, 30)
    x[:, 3] = 0
    path = softmax_path(x, labels, x, CLASSES, DECAYS, "none", 200)
    assert np.isfinite(path).all()
    assert (path[0].argmax(1) == labels).mean() > 0.95
    np.testing.assert_allclose(path.sum(2), 1)


def adamw(x, labels, decays, rng, epochs=100, batch=512, rate=0.01):
    """The paper's readouts, (decay, feature + 1, 2): AdamW (Loshchilov and Hutter, Algorithm 2) on mini-batches."""
    x = np.column_stack([x, np.ones(len(x))])
    angles = 2 * np.pi * labels / CLASSES
    target = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    bound = 1 / np.sqrt(x.shape[1] - 1)
    layer = np.repeat(rng.uniform(-bound, bound, (1, x.shape[1], 2)), len(decays), axis=0)
    mean, square, step = np.zeros_like(layer), np.zeros_like(layer), 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for first in range(0, len(x), batch):
            rows, step = order[first : first + batch], step + 1
            gradient = x[rows].T @ (x[rows] @ layer - target[rows]) / len(rows)
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            layer = layer * (1 - rate * decays[:, None, None])
            layer -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return layer


def test_accuracy_agrees_with_twenty_fits_of_the_papers_readout_within_noise():
    """Chosen on validation, tested on fresh bins, over ten draws: not below, and within half of what 400 bins allow."""

    def accuracy(directions, true):
        return np.mean(angle_errors(angles_of(directions), true, CLASSES) < np.pi / 8, axis=1)

    ours, papers = [], []
    for draw in range(10):
        (x, labels), (v, v_labels), (t, t_labels) = (
            reaches(100 * draw + part, count) for part, count in enumerate((600, 100, 400))
        )
        scale = Standard.of(x, "one")
        x, both = scale(x), scale(np.concatenate([v, t]))
        path = angle_path(x, labels, both, CLASSES, DECAYS)
        # A decay of 512 at this rate shrinks weights by -4.1 a step: the last of the twenty diverge.
        with np.errstate(over="ignore", invalid="ignore"):
            layers = adamw(x, labels, DECAYS, np.random.default_rng(draw))
            trained = np.nan_to_num(both @ layers[:, :-1] + layers[:, -1:])
        for outputs, found in ((path, ours), (trained, papers)):
            best = accuracy(outputs[:, : len(v)], v_labels).argmax()
            found.append(accuracy(outputs[best : best + 1, len(v) :], t_labels)[0])
    difference = np.array(ours) - papers
    assert np.mean(papers) > 0.4
    assert difference.mean() > -2 * difference.std() / np.sqrt(10)
    # Two standard errors of an accuracy that 400 bins tell are five points.
    assert abs(difference.mean()) < 0.025


def test_directions_and_their_errors():
    angles = np.array([0.1, 2 * np.pi - 0.1, np.pi / 4 + 0.3, np.pi])
    np.testing.assert_allclose(angles_of(np.stack([np.cos(angles), np.sin(angles)], axis=1)), angles)
    assert direction_classes(angles, 8).tolist() == [0, 0, 1, 4]
    np.testing.assert_allclose(angle_errors(angles, np.array([0, 0, 1, 5]), 8), [0.1, 0.1, 0.3, np.pi / 4])
    # The error is below pi / 8 where the nearest direction is the true one.
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 500)
    labels = np.random.default_rng(1).integers(8, size=500)
    right = direction_classes(angles, 8) == labels
    assert ((angle_errors(angles, labels, 8) < np.pi / 8) == right).all()


def test_standard_scales_by_training_bins_and_leaves_silent_units_at_zero():
    rng = np.random.default_rng(0)
    train = rng.normal(3, [1, 5, 0], (200, 3))
    each, one = Standard.of(train, "each")(train), Standard.of(train, "one")(train)
    np.testing.assert_allclose(each.std(0), [1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(one.std(0)[1] / one.std(0)[0], train.std(0)[1] / train.std(0)[0])
    np.testing.assert_allclose(np.mean(one.var(0)), 1)
