"""Ridge regression from units to behaviour within each animal, which needs no common neurons between animals.

Predicted behaviour has the same variables for all animals, so that a classifier trained on the predictions of some
animals can be tested on another animal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.frames import frames_by_animal
from neural_action.datasets.ragged import RaggedFrames
from neural_action.errors import InputError
from neural_action.evaluation.scaling import Standard

#: Penalties, relative to the unit variance of 1 (our choice: from almost none to almost no prediction).
PENALTIES = 10.0 ** np.arange(-2.0, 3.5, 0.5)
#: Frames from which the behaviour of a frame is predicted, relative to it (our choice).
LAGS = (-3, -2, -1, 0)
#: Least number of visible trials: one is predicted, and two are needed to choose the penalty.
_LEAST = 3
#: Most visible trials that are left out singly, because the ridges grow with their square (our choice).
_MOST = 10


@dataclass(frozen=True)
class CrossFit:
    """Predictions of frames by models that were not fitted to their trial.

    Attributes:
        predicted: (frame, target) float64.
        penalty: (trial, target) float64, penalty used for each trial, in the order of ``trials``.
        trials: (trial,) int, trial numbers, ascending.
    """

    predicted: np.ndarray
    penalty: np.ndarray
    trials: np.ndarray


def lagged(values: np.ndarray, trial: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """(frame, lag x unit): the units at each frame plus each of ``lags``.

    Beyond the ends of a trial, its first or last frame is repeated; other trials are never used.

    Args:
        values: (frame, unit).
        trial: (frame,) int, trial numbers; the frames of a trial are consecutive.
        lags: lags in frames; negative lags are earlier.
    """
    edges = np.flatnonzero(np.diff(trial)) + 1
    first, last = np.concatenate([[0], edges]), np.concatenate([edges, [len(trial)]]) - 1
    run = np.zeros(len(trial), np.int64)
    run[edges] = 1
    run = run.cumsum()
    at = np.arange(len(trial))
    rows = [np.clip(at + lag, first[run], last[run]) for lag in lags]
    return np.concatenate([values[row] for row in rows], axis=1)


def ridge_path(
    train: np.ndarray, target: np.ndarray, others: np.ndarray, penalties: np.ndarray
) -> np.ndarray:
    """(penalty, n, target) predictions of ``others`` for each penalty, from one decomposition.

    Minimises the mean over training frames of ``|y - x W - b|^2`` plus ``penalty |W|^2`` exactly, in the space of
    features or of frames, whichever is smaller.

    Args:
        train: (frame, feature).
        target: (frame, target).
        others: (n, feature).
        penalties: (penalty,), positive.
    """
    count = len(train)
    centre, offset = train.mean(0), target.mean(0)
    x, y, probe = train - centre, target - offset, others - centre
    if count > x.shape[1]:
        size, axes = np.linalg.eigh(x.T @ x / count)
        along, probe = axes.T @ (x.T @ y) / count, probe @ axes
    else:
        size, axes = np.linalg.eigh(x @ x.T / count)
        along, probe = axes.T @ y, probe @ (x.T @ axes) / count
    shrunk = along / (np.maximum(size, 0.0) + penalties[:, None])[:, :, None]
    return probe @ shrunk + offset


def cross_fit(
    values: np.ndarray,
    target: np.ndarray,
    trial: np.ndarray,
    visible: np.ndarray,
) -> CrossFit:
    """Predict every trial of an animal by a ridge fitted on its other visible trials.

    The ridge for a hidden trial is fitted on all visible trials. The penalty is chosen for each target and each ridge
    by leaving out one of the fitted trials at a time. Units are z-scored by their visible frames; units that are
    constant there are ignored.

    Args:
        values: (frame, feature) float, units and their lags.
        target: (frame, target) float; frames with a NaN are predicted but not learned from.
        trial: (frame,) int, trial numbers.
        visible: (frame,) bool, frames that may be learned from; whole trials.

    Raises:
        InputError: fewer than three visible trials with known targets.
    """
    known = visible & np.isfinite(target).all(1)
    learned, trials = np.unique(trial[known]), np.unique(trial)
    if len(learned) < _LEAST:
        raise InputError(
            f"ridge: {len(learned)} visible trials, expected at least {_LEAST}: one is predicted, and one of the "
            "others is left out to choose the penalty"
        )
    x = Standard.of(values[visible], "zscore")(values)
    paths: dict[frozenset, np.ndarray] = {}

    def path(fitted: frozenset) -> np.ndarray:
        """(penalty, frame, target) predictions of all frames by a ridge on these trials, cached as many sets recur."""
        if fitted not in paths:
            rows = known & np.isin(trial, list(fitted))
            paths[fitted] = ridge_path(x[rows], target[rows], x, PENALTIES)
        return paths[fitted]

    out = np.empty((len(trials), target.shape[1]))
    predicted = np.empty(target.shape)
    for number, one in enumerate(trials):
        others = frozenset(learned) - {one}
        error = np.zeros((len(PENALTIES), target.shape[1]))
        for left in sorted(others):
            rows = known & (trial == left)
            error += np.square(path(others - {left})[:, rows] - target[rows]).sum(1)
        best = error.argmin(0)
        out[number] = PENALTIES[best]
        rows = trial == one
        predicted[rows] = path(others)[best[None], rows.nonzero()[0][:, None], np.arange(len(best))]
    return CrossFit(predicted, out, trials)


def in_groups(trial: np.ndarray, visible: np.ndarray, most: int = _MOST) -> np.ndarray:
    """(frame,) int: numbers of groups of consecutive trials, as even as can be, at most ``most`` of them visible.

    Hidden trials are one more group. Without more than ``most`` visible trials, each is a group: its own number.

    Args:
        trial: (frame,) int, trial numbers.
        visible: (frame,) bool; whole trials.
        most: largest number of groups.
    """
    names = np.unique(trial[visible])
    if len(names) <= most:
        return trial
    return np.where(visible, np.searchsorted(names, trial) * most // len(names), most)


def predicted_behavior(dataset: Dataset, pooled: np.ndarray | RaggedFrames) -> np.ndarray:
    """(frame, feature) float32: normalised behaviour predicted by each animal's own ridge, cross-fitted over trials.

    Fitted to visible trials, or to those outside the test of an animal that pretraining does not see. Many trials, such
    as reaches, are cross-fitted in groups of consecutive trials. NaN for an animal without such trials. Raises
    InputError, naming the animal, as ``cross_fit``.

    Args:
        dataset: the dataset, with behaviour.
        pooled: its neural frames, (frame, ...).
    """
    out = np.full((len(dataset.neural_time), dataset.pose.shape[1]), np.nan, np.float32)
    for name, own in frames_by_animal(dataset, pooled).items():
        values, target = (
            lagged(own.neural.astype(np.float64), own.trial, LAGS),
            own.behavior.astype(np.float64),
        )
        try:
            groups = in_groups(own.trial, own.fitted)
            out[own.rows] = cross_fit(values, target, groups, own.fitted).predicted
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    return out
