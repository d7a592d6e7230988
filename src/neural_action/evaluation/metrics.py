"""Metrics of a probe's scores against the truth.

A metric is a function of an ``Outcome``, registered for the outputs of probes to which it applies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neural_action.evaluation.probes.angle import angle_errors, angles_of, direction_classes
from neural_action.evaluation.probes.probe import Output

#: Tolerance to each side, rad: 1.5 times half a sector of eight directions (the release of MYOW).
DELTA = 3 * np.pi / 16


@dataclass(frozen=True)
class Outcome:
    """Scores of test windows; arrays are parallel.

    Attributes:
        output: the kind of scores.
        scores: (n, class) float64 scores of classes, (n, 2) cosines and sines, or (n, variable) values.
        true: (n,) int64 classes, or (n, variable) float64.
        classes: number of classes; 0 for values.
    """

    output: Output
    scores: np.ndarray
    true: np.ndarray
    classes: int

    @cached_property
    def predicted(self) -> np.ndarray:
        """(n,) int64: the class with the highest score, or with the nearest direction."""
        if self.output == "directions":
            return direction_classes(angles_of(self.scores), self.classes)
        return self.scores.argmax(1)

    @cached_property
    def confusion(self) -> np.ndarray:
        """(class, class) int64 counts; rows are true, columns predicted classes."""
        return confusion(self.true, self.predicted, self.classes)

    @property
    def true_class_scores(self) -> np.ndarray:
        """(n,) float64: score of the true class of each window."""
        return self.scores[np.arange(len(self.true)), self.true]


@dataclass(frozen=True)
class Metric:
    """A metric. ``of`` computes one number of an outcome; ``each``, if given, computes the values whose mean it is."""

    of: Callable[[Outcome], float]
    outputs: frozenset[str]
    each: Callable[[Outcome], np.ndarray] | None = None


METRICS: dict[str, Metric] = {}
_PROBABILITIES, _SHARES, _DIRECTIONS = "probabilities", "shares", "directions"
_CLASSES = (_PROBABILITIES, _SHARES, _DIRECTIONS)


def _metric(*outputs: str) -> Callable[[Callable[[Outcome], float]], Callable[[Outcome], float]]:
    def register(of: Callable[[Outcome], float]) -> Callable[[Outcome], float]:
        METRICS[of.__name__] = Metric(of, frozenset(outputs))
        return of

    return register


def _mean_of(*outputs: str) -> Callable[[Callable[[Outcome], np.ndarray]], Callable[[Outcome], np.ndarray]]:
    def register(each: Callable[[Outcome], np.ndarray]) -> Callable[[Outcome], np.ndarray]:
        METRICS[each.__name__] = Metric(
            lambda outcome: float(np.mean(each(outcome))), frozenset(outputs), each
        )
        return each

    return register


def measure(outcome: Outcome) -> dict[str, float]:
    """All metrics that apply to the outcome and are finite, by name."""
    values = {
        name: metric.of(outcome) for name, metric in METRICS.items() if outcome.output in metric.outputs
    }
    return {name: value for name, value in values.items() if np.isfinite(value)}


def confusion(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """(class, class) int64 counts; rows are true, columns predicted classes."""
    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


@_mean_of(*_CLASSES)
def accuracy(outcome: Outcome) -> np.ndarray:
    """Share of windows whose class is predicted."""
    return outcome.predicted == outcome.true


@_metric(*_CLASSES)
def balanced_accuracy(outcome: Outcome) -> float:
    """Mean recall of the classes that occur in the truth."""
    counts = outcome.confusion.sum(1)
    return float(np.mean(np.diag(outcome.confusion)[counts > 0] / counts[counts > 0]))


@_metric(*_CLASSES)
def macro_f1(outcome: Outcome) -> float:
    """Mean F1 of the classes that occur in the truth."""
    return float(_f1(outcome).mean())


@_metric(*_CLASSES)
def weighted_f1(outcome: Outcome) -> float:
    """Mean F1 of the classes, weighted by their number of true windows."""
    counts = outcome.confusion.sum(1)
    return float(np.average(_f1(outcome), weights=counts[counts > 0]))


def _f1(outcome: Outcome) -> np.ndarray:
    table = outcome.confusion
    present = table.sum(1) > 0
    return 2 * np.diag(table)[present] / (table.sum(1) + table.sum(0))[present]


@_mean_of(_DIRECTIONS)
def delta_accuracy(outcome: Outcome) -> np.ndarray:
    """Share of windows with an angular error below ``DELTA``."""
    return angle_errors(angles_of(outcome.scores), outcome.true, outcome.classes) < DELTA


@_mean_of(_PROBABILITIES, _SHARES)
def true_class_score(outcome: Outcome) -> np.ndarray:
    """Mean score of the true class; for nearest neighbours, their share with the true class."""
    return outcome.true_class_scores


@_metric(_PROBABILITIES, _SHARES)
def auroc(outcome: Outcome) -> float:
    """Mean over classes of the area under the ROC curve of the class against the rest; ties count half.

    Only classes that some but not all windows have are used; NaN without such classes. As ``roc_auc_score`` of
    scikit-learn with ``ovr`` and ``macro``.
    """
    counts = np.bincount(outcome.true, minlength=outcome.classes)
    classes = np.flatnonzero((counts > 0) & (counts < len(outcome.true)))
    if not len(classes):
        return float("nan")
    areas = []
    for at in classes:
        _, inverse, ties = np.unique(outcome.scores[:, at], return_inverse=True, return_counts=True)
        rank = (np.cumsum(ties) - (ties - 1) / 2)[inverse]
        positive = counts[at]
        above = rank[outcome.true == at].sum() - positive * (positive + 1) / 2
        areas.append(above / (positive * (len(outcome.true) - positive)))
    return float(np.mean(areas))


@_metric(_PROBABILITIES)
def log_loss(outcome: Outcome) -> float:
    """Mean of -log of the probability of the true class (nats); probabilities are clipped at the machine epsilon."""
    return float(-np.mean(np.log(np.maximum(outcome.true_class_scores, np.finfo(float).eps))))


@_metric("values")
def r2(outcome: Outcome) -> float:
    """Share of variance explained, over all variables together (weighted by their variance)."""
    left, total = _squares(outcome)
    return float(1 - left.sum() / total.sum()) if total.sum() > 0 else float("nan")


def r2_by_variable(outcome: Outcome) -> np.ndarray:
    """(variable,) float64: share of variance explained of each variable; NaN for a constant variable."""
    left, total = _squares(outcome)
    return 1 - np.divide(left, total, out=np.full(len(total), np.nan), where=total > 0)


def _squares(outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
    """(variable,) sums of squares: of the residuals, and around the mean of the tested windows."""
    left = ((outcome.true - outcome.scores) ** 2).sum(0)
    return left, ((outcome.true - outcome.true.mean(0)) ** 2).sum(0)
