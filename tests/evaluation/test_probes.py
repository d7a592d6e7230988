"""Probes against scikit-learn, torch, plain solutions and the paper's way of training them."""

import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.errors import InputError
from neural_action.evaluation.probes import build_probe, knn
from neural_action.evaluation.probes.angle import angle_errors, angles_of, direction_classes, directions
from neural_action.evaluation.probes.probe import Training, class_weights
from neural_action.evaluation.probes.ridge import moments_of, ridge_errors, ridge_path
from neural_action.evaluation.probes.softmax import softmax_path
from neural_action.evaluation.scaling import Standard

CLASSES = 8
DECAYS = 2.0 ** np.arange(-10, 10)


def probe(kind: str, **settings):
    return build_probe("made", ProbeConfig(kind=kind, tasks=["within"], **settings))


def reaches(
    seed: int, count: int = 400, units: int = 30, noise: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """Cosine-tuned rates with noise, and the direction of each window."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=count)
    preferred = np.random.default_rng(0).uniform(0, 2 * np.pi, units)
    rates = np.cos(2 * np.pi * labels[:, None] / CLASSES - preferred) + noise * rng.standard_normal(
        (count, units)
    )
    return rates, labels


@pytest.mark.parametrize(("count", "units"), [(400, 30), (20, 30)])
def test_ridge_and_angle_are_scikit_learns_ridge_for_every_decay(count, units):
    x, labels = reaches(1, count, units)
    others = reaches(2, 50, units)[0]
    target = directions(CLASSES)[labels]
    path = ridge_path(x, target, others, DECAYS)
    assert path.shape == (20, 50, 2)
    for decay, predicted in zip(DECAYS, path, strict=True):
        ridge = Ridge(alpha=decay * count, solver="cholesky").fit(x, target)
        np.testing.assert_allclose(predicted, ridge.predict(others), rtol=1e-5, atol=2e-6)
    np.testing.assert_array_equal(probe("angle").scores(Training(x, labels, CLASSES), others), path)
    true = np.random.default_rng(3).standard_normal((50, 2))
    errors = ((path.astype(np.float64) - true) ** 2).sum((1, 2))
    found = ridge_errors(moments_of(x, target), others, true, DECAYS)
    np.testing.assert_allclose(found, errors, rtol=1e-5)
    for decay, predicted in zip(DECAYS, path, strict=True):
        np.testing.assert_allclose(ridge_path(x, target, others, [decay])[0], predicted, rtol=1e-5, atol=2e-6)

    continuous = build_probe("made", ProbeConfig(kind="ridge", tasks=["continuous_within"]))
    np.testing.assert_array_equal(continuous.scores(Training(x, target, 0), others), path)


@pytest.mark.parametrize("weighting", ["none", "balanced"])
def test_exact_softmax_is_logistic_regression_for_every_decay(weighting, monkeypatch):
    monkeypatch.setattr("neural_action.evaluation.probes.softmax._STEPS", 300)
    x, labels = reaches(3)
    labels = np.where(labels > 2, 0, labels)
    others = reaches(4, 50)[0]
    decays = 2.0 ** np.arange(-6, 6)
    weights = class_weights(labels, 3, weighting)
    path = softmax_path(x, labels, others, weights, decays)
    each = weights[labels]
    for decay, predicted in zip(decays, path, strict=True):
        model = LogisticRegression(C=1 / (decay * each.sum()), max_iter=2000, tol=1e-8)
        expected = model.fit(x, labels, sample_weight=each).predict_proba(others)
        np.testing.assert_allclose(predicted, expected, atol=2e-3)


def test_exact_softmax_with_fewer_windows_than_features_and_a_silent_unit():
    x, labels = reaches(5, 24, 30)
    x[:, 3] = 0
    path = probe("softmax").scores(Training(x, labels, CLASSES), x)
    assert (path[0].argmax(1) == labels).mean() > 0.95
    np.testing.assert_allclose(path.sum(2), 1)
    # As many silent units again change nothing: the axes come from the smaller of the two matrices.
    wide = np.hstack([x, np.zeros((24, 30))])
    tall = probe("softmax").scores(Training(np.vstack([x, x]), np.tile(labels, 2), CLASSES), x)
    np.testing.assert_allclose(
        probe("softmax").scores(Training(wide, labels, CLASSES), wide), path, atol=1e-6
    )
    np.testing.assert_allclose(tall, path, atol=1e-3)


@pytest.mark.parametrize("units", [30, 200])
@pytest.mark.parametrize("weighting", ["none", "balanced"])
def test_sgd_is_torchs(weighting, units):
    x, labels = reaches(6, 90, units)
    others, steps = reaches(7, 20, units)[0], 30
    settings = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-3, "class_weight": weighting}
    found = probe("softmax", solver="sgd", steps=steps, batch=64, **settings).scores(
        Training(x, labels, CLASSES, 5), others
    )
    rng = np.random.default_rng(5)
    bound = 1 / np.sqrt(units)
    layer = torch.tensor(
        rng.uniform(-bound, bound, (units + 1, CLASSES)), dtype=torch.float32, requires_grad=True
    )
    optimizer = torch.optim.SGD([layer], lr=0.1 * min(1, 128 / units), momentum=0.9, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    ones = [
        torch.tensor(np.column_stack([part, np.ones(len(part))]), dtype=torch.float32) for part in (x, others)
    ]
    weights = torch.tensor(class_weights(labels, CLASSES, weighting), dtype=torch.float32)
    for _ in range(steps):
        rows = rng.integers(90, size=64)
        optimizer.zero_grad()
        F.cross_entropy(ones[0][rows] @ layer, torch.tensor(labels[rows]), weights).backward()
        optimizer.step()
        schedule.step()
    expected = torch.softmax(ones[1] @ layer, 1).detach().numpy()
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("epochs", [None, 7])
@pytest.mark.parametrize("weighting", ["none", "balanced"])
def test_the_network_is_scikit_learns(epochs, weighting):
    x, labels = reaches(8, 450)
    labels = np.where(labels == 3, 2, labels)
    x, others = x.astype(np.float32), reaches(9, 80)[0].astype(np.float32)
    network = probe("mlp", hidden=[20, 10], epochs=epochs, class_weight=weighting)
    found = network.scores(Training(x.astype(float), labels, CLASSES, 3), others.astype(float))[0]
    stop = (
        {"early_stopping": True, "n_iter_no_change": 10, "max_iter": 100}
        if epochs is None
        else {"max_iter": epochs, "n_iter_no_change": epochs + 1}
    )
    model = MLPClassifier((20, 10), random_state=3, **stop)
    weights = class_weights(labels, CLASSES, weighting)[labels]
    with pytest.warns(match="Maximum iterations") if epochs else nullcontext():
        model.fit(x, labels, sample_weight=weights)
    expected = np.zeros((80, CLASSES))
    expected[:, model.classes_] = model.predict_proba(others)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_the_network_trains_on_a_handful_of_windows(count):
    x = reaches(10, count)[0]
    scores = probe("mlp").scores(Training(x, np.arange(count) % 2, CLASSES), x)[0]
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)
    assert (scores[:, 2:] == 0).all()


def test_neighbours_against_a_loop(monkeypatch):
    rng = np.random.default_rng(0)
    train, test = rng.standard_normal((50, 4)), rng.standard_normal((20, 4))
    labels = rng.integers(0, 3, 50)
    shares = probe("knn", neighbors=7).scores(Training(train, labels, 3), test)[0]
    for row, found in zip(test, shares, strict=True):
        near = labels[np.argsort(((train - row) ** 2).sum(1))[:7]]
        np.testing.assert_allclose(found, np.bincount(near, minlength=3) / 7)
    # A few windows at a time give the same.
    monkeypatch.setattr(knn, "_DISTANCES", 3 * len(train))
    assert np.array_equal(probe("knn", neighbors=7).scores(Training(train, labels, 3), test)[0], shares)
    few = probe("knn", neighbors=7).scores(Training(train[:4], labels[:4], 3), test)[0]
    np.testing.assert_allclose(few, np.tile(np.bincount(labels[:4], minlength=3) / 4, (20, 1)))


def adamw(x, labels, decays, rng, epochs=100, batch=512, rate=0.01):
    """The paper's readouts, (decay, feature + 1, 2): AdamW (Loshchilov and Hutter, Algorithm 2) on mini-batches."""
    x = np.column_stack([x, np.ones(len(x))])
    target = directions(CLASSES)[labels]
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
    """Chosen on validation, tested on fresh windows, over ten draws: within half of what 400 windows allow."""

    def accuracy(output, true):
        return np.mean(angle_errors(angles_of(output), true, CLASSES) < np.pi / 8, axis=1)

    ours, papers = [], []
    for draw in range(10):
        (x, labels), (v, v_labels), (t, t_labels) = (
            reaches(100 * draw + part, count) for part, count in enumerate((600, 100, 400))
        )
        scale = Standard.of(x, "centred")
        x, both = scale(x), scale(np.concatenate([v, t]))
        path = probe("angle").scores(Training(x, labels, CLASSES), both)
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
    # Two standard errors of an accuracy that 400 windows tell are five points.
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


def test_class_weights_balance():
    weights = class_weights(np.array([0, 0, 0, 1]), 3, "balanced")
    assert weights.tolist() == pytest.approx([4 / 6, 2.0, 0.0])


def test_scaling_is_by_training_windows_and_leaves_silent_units_at_zero():
    rng = np.random.default_rng(0)
    train = rng.normal(3, [1, 5, 0], (200, 3))
    each, one = Standard.of(train, "zscore")(train), Standard.of(train, "centred")(train)
    np.testing.assert_allclose(each.std(0), [1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(one.std(0)[1] / one.std(0)[0], train.std(0)[1] / train.std(0)[0])
    np.testing.assert_allclose(np.mean(one.var(0)), 1)


@pytest.mark.parametrize(
    ("kind", "task", "message"),
    [
        ("ridge", "within", "'within', expected tasks of behaviour"),
        ("knn", "continuous_across", "'continuous_across', expected tasks of classes"),
        ("angle", "identity", "'identity', expected tasks with directions"),
    ],
)
def test_a_probe_that_cannot_read_its_task_is_a_line(kind, task, message):
    with pytest.raises(InputError, match=f"probes.made.tasks: {message}"):
        build_probe("made", ProbeConfig(kind=kind, tasks=[task]))


def test_an_evaluation_waits_for_no_package_that_it_does_not_need():
    code = "import sys, neural_action.evaluation.evaluate; print({'sklearn', 'scipy', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
