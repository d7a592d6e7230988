"""Ridge from units to behaviour within an animal: a closed form that needs no neuron in common between animals.

What it predicts is in units of behaviour, the same for all animals, so that a classifier that is trained on the
predictions of some animals can be tested on those of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.frames import frame_behavior
from neural_action.datasets.ragged import RaggedFrames
from neural_action.errors import InputError

#: Added to the variance of every unit, which is 1 (our choice: from no regularisation to hardly any prediction).
PENALTIES = 10.0 ** np.arange(-2.0, 3.5, 0.5)
#: Frames that a frame's behaviour is predicted from, beside itself (our choice).
LAGS = (-3, -2, -1, 0)
#: A trial to predict, and two to choose the penalty with.
_LEAST = 3


@dataclass(frozen=True)
class CrossFit:
    """Predictions of frames by models that were not fitted to their trial.

    Attributes:
        predicted: (frame, target) float64.
        penalty: (trial, target) float64, what each trial was predicted with, in the order of ``trials``.
        trials: (trial,) their numbers, ascending.
    """

    predicted: np.ndarray
    penalty: np.ndarray
    trials: np.ndarray


def lagged(values: np.ndarray, trial: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """(frame, lag x unit): units at each frame plus each of ``lags``.

    Beyond the ends of a trial its first or last frame stands; no other trial is reached into.

    Args:
        values: (frame, unit).
        trial: (frame,) numbers; the frames of a trial follow each other.
        lags: in frames; negative ones are earlier.
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

    Minimises the mean over training frames of ``|y - x W - b|^2`` plus ``penalty |W|^2`` exactly, in features or in
    frames, whichever are fewer.

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
    penalties: np.ndarray = PENALTIES,
) -> CrossFit:
    """Predict every trial of an animal from its other visible ones.

    A visible trial is predicted by a ridge on the other visible ones, a hidden one by a ridge on all of them. The
    penalty is chosen for each target and each ridge by leaving one of the trials out that it is fitted to. Units
    are scaled by their visible frames, without targets; units that never change there are ignored.

    Args:
        values: (frame, feature) float, units and their lags.
        target: (frame, target) float; frames where one is NaN are predicted and not learned from.
        trial: (frame,) numbers.
        visible: (frame,) bool, what may be learned from; a trial is visible or not.
        penalties: (penalty,), positive.

    Raises:
        InputError: fewer than three visible trials with known targets.
    """
    known = visible & np.isfinite(target).all(1)
    learned, trials = np.unique(trial[known]), np.unique(trial)
    if len(learned) < _LEAST:
        raise InputError(
            f"ridge: {len(learned)} trials to learn from, expected {_LEAST}: one is predicted, and one of the others "
            "is left out to choose the penalty"
        )
    mean, sd = values[visible].mean(0, dtype=np.float64), values[visible].std(0, dtype=np.float64)
    x = (values - mean) / np.where(sd > 1e-6 * max(1e-6, float(sd.max())), sd, np.inf)
    paths: dict[frozenset, np.ndarray] = {}

    def path(fitted: frozenset) -> np.ndarray:
        """(penalty, frame, target) of all frames by a ridge on these trials; many sets of trials occur twice."""
        if fitted not in paths:
            rows = known & np.isin(trial, list(fitted))
            paths[fitted] = ridge_path(x[rows], target[rows], x, penalties)
        return paths[fitted]

    out = np.empty((len(trials), target.shape[1]))
    predicted = np.empty(target.shape)
    for number, one in enumerate(trials):
        others = frozenset(learned) - {one}
        error = np.zeros((len(penalties), target.shape[1]))
        for left in sorted(others):
            rows = known & (trial == left)
            error += np.square(path(others - {left})[:, rows] - target[rows]).sum(1)
        best = error.argmin(0)
        out[number] = penalties[best]
        rows = trial == one
        predicted[rows] = path(others)[best[None], rows.nonzero()[0][:, None], np.arange(len(best))]
    return CrossFit(predicted, out, trials)


def predicted_behavior(dataset: Dataset, pooled: np.ndarray | RaggedFrames) -> np.ndarray:
    """(frame, feature) float32: the normalised behaviour as each animal's own ridge predicts it, trials cross-fitted.

    NaN for an animal of which nothing is visible.

    Args:
        dataset: behaviour, trials and what may be seen.
        pooled: its neural frames, (frame, ...).
    """
    found = frame_behavior(dataset)
    target = np.where(found["covered"][:, None], found["behavior"], np.nan).astype(np.float64)
    out = np.full(target.shape, np.nan, np.float32)
    for animal in range(len(dataset.animals)):
        own = np.flatnonzero(found["animal"] == animal)
        trial, visible = found["trial"][own], found["visible"][own]
        if not visible.any():
            continue
        # Frames of an animal lie end to end.
        values = pooled[slice(int(own[0]), int(own[-1]) + 1)].reshape(len(own), -1).astype(np.float64)
        try:
            out[own] = cross_fit(lagged(values, trial, LAGS), target[own], trial, visible).predicted
        except InputError as error:
            raise InputError(f"{dataset.animals[animal]}: {error}") from None
    return out


def r_squared(target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(target,) share of the variance that is predicted, below 0 where the mean would do better; NaN for a constant."""
    spread = np.square(target - target.mean(0)).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, 1 - np.square(target - predicted).sum(0) / spread, np.nan)
