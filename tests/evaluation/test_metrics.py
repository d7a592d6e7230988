"""Metrics against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from neural_action.evaluation.metrics import DELTA, METRICS, Outcome, measure, r2_by_variable
from neural_action.evaluation.probes.angle import directions


def of_classes(true, predicted, classes=4) -> dict[str, float]:
    return measure(Outcome("probabilities", np.eye(classes)[predicted], true, classes))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_of_classes(pairs):
    true, predicted = np.array(pairs).T
    ours, present = of_classes(true, predicted), np.unique(true)
    assert ours["accuracy"] == pytest.approx(oracle.accuracy_score(true, predicted))
    recall = [np.mean(predicted[true == c] == c) for c in present]
    assert ours["balanced_accuracy"] == pytest.approx(np.mean(recall))
    for average in ("macro", "weighted"):
        expected = oracle.f1_score(true, predicted, labels=present, average=average, zero_division=0)
        assert ours[f"{average}_f1"] == pytest.approx(expected)
    if set(predicted) <= set(present):
        assert ours["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(true, predicted))


@pytest.mark.parametrize("digits", [6, 1])
@pytest.mark.parametrize("classes", [2, 5])
def test_of_probabilities(digits, classes):
    rng = np.random.default_rng(0)
    true = rng.permutation(np.arange(200) % classes)
    raw = np.round(rng.random((200, classes)) + np.eye(classes)[true], digits) + 0.01
    scores = raw / raw.sum(1, keepdims=True)
    found = measure(Outcome("probabilities", scores, true, classes))
    given = scores[:, 1] if classes == 2 else scores
    assert found["auroc"] == pytest.approx(oracle.roc_auc_score(true, given, multi_class="ovr"))
    assert found["log_loss"] == pytest.approx(oracle.log_loss(true, scores))
    assert found["true_class_score"] == pytest.approx(scores[np.arange(200), true].mean())


def test_auroc_is_of_classes_that_some_windows_have_and_some_do_not():
    scores = np.array([[0.5, 0.4, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1]])
    true = np.array([0, 1, 1])
    assert measure(Outcome("probabilities", scores, true, 3))["auroc"] == 1.0
    assert "auroc" not in measure(Outcome("probabilities", scores, np.array([1, 1, 1]), 3))
    chance = np.full((3, 3), 1 / 3)
    assert measure(Outcome("probabilities", chance, true, 3))["auroc"] == 0.5


def test_a_probability_of_zero_is_a_finite_loss():
    assert of_classes(np.array([0]), np.array([1]))["log_loss"] == pytest.approx(-np.log(np.finfo(float).eps))


def test_of_directions():
    angle = np.array([0.0, 0.9 * DELTA, 1.1 * DELTA, np.pi])
    scores = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = measure(Outcome("directions", scores, np.zeros(4, int), 8))
    assert (found["accuracy"], found["delta_accuracy"]) == (0.25, 0.5)
    assert set(found) == {"accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "delta_accuracy"}
    true = np.arange(8)
    assert measure(Outcome("directions", directions(8), true, 8))["accuracy"] == 1.0


def test_of_shares_there_is_no_log_loss():
    scores = np.array([[0.9, 0.1], [0.0, 1.0]])
    found = measure(Outcome("shares", scores, np.array([0, 0]), 2))
    assert found["true_class_score"] == pytest.approx(0.45)
    assert "log_loss" not in found


def test_of_values():
    rng = np.random.default_rng(0)
    true = rng.standard_normal((100, 3)) * [1, 5, 0.1]
    scores = true + rng.standard_normal((100, 3))
    outcome = Outcome("values", scores, true, 0)
    expected = oracle.r2_score(true, scores, multioutput="variance_weighted")
    assert measure(outcome) == {"r2": pytest.approx(expected)}
    np.testing.assert_allclose(
        r2_by_variable(outcome), oracle.r2_score(true, scores, multioutput="raw_values")
    )
    still = Outcome("values", scores, np.column_stack([true[:, :2], np.ones(100)]), 0)
    assert np.isnan(r2_by_variable(still)).tolist() == [False, False, True]
    assert measure(Outcome("values", scores, np.ones((100, 3)), 0)) == {}


def test_a_metric_says_what_it_applies_to():
    assert METRICS["accuracy"].each is not None
    assert METRICS["r2"].outputs == {"values"}
