"""Ridge regression from neural activity to behaviour within each animal, which needs no common neurons between animals.

It reads the same window of activity as the trained rows: a reference that saw less would flatter them. Predicted
behaviour has the same variables for all animals, so that a classifier trained on the predictions of some animals can be
tested on another animal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, reduce
from itertools import pairwise

import numpy as np

from neural_action.config.evaluation_settings import Scale
from neural_action.datasets.dataset import Dataset
from neural_action.datasets.frames import AnimalFrames, frames_by_animal
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.runs import run_ends
from neural_action.errors import InputError
from neural_action.evaluation.probes.ridge import axes_of, in_axes, moments_of
from neural_action.evaluation.scaling import Standard
from neural_action.principal import principal_axes

#: Penalties, relative to the unit variance of 1 (our choice: from almost none to almost no prediction).
PENALTIES = 10.0 ** np.arange(-2.0, 3.5, 0.5)
#: Most parts of the window of activity that predict the behaviour of a frame (our choice: few enough to solve).
PARTS = 8
#: Least number of visible groups: one is predicted, and two are needed to choose the penalty.
_LEAST = 3
#: Most groups of trials that are left out singly, because the ridges grow with their square (our choice).
_MOST = 5
#: Most units of an animal; of more, as many leading principal components are read (our choice: few enough to solve).
_UNITS = 128


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


def surrounding(values: np.ndarray, trial: np.ndarray, frames: int, parts: int = PARTS) -> np.ndarray:
    """(frame, part x unit): mean activity in equal parts of the window around each frame, the earliest part first.

    The window of frame t starts at t - ``frames`` // 2. Beyond the ends of a trial, its first or last frame is
    repeated; other trials are never used.

    Args:
        values: (frame, unit).
        trial: (frame,) int, trial numbers; the frames of a trial are consecutive.
        frames: length of the window.
        parts: number of parts; ``frames`` if that is less.
    """
    first, last = run_ends(trial)
    at = np.arange(len(trial))
    bounds = np.linspace(0, frames, min(parts, frames) + 1).astype(int) - frames // 2
    out = np.zeros((len(values), len(bounds) - 1, values.shape[1]))
    for part, (start, stop) in enumerate(pairwise(bounds)):
        for lag in range(start, stop):
            out[:, part] += values[np.clip(at + lag, first, last)]
        out[:, part] /= stop - start
    return out.reshape(len(values), -1)


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
    size, along, probed, offset = in_axes(train, target, others)
    return probed @ (along / (np.maximum(size, 0.0) + len(train) * penalties[:, None])[:, :, None]) + offset


def cross_fit(
    values: np.ndarray, target: np.ndarray, trial: np.ndarray, visible: np.ndarray, scale: Scale = "zscore"
) -> CrossFit:
    """Predict every trial of an animal by a ridge fitted on its other visible trials.

    The ridge for a hidden trial is fitted on all visible trials. The penalty is chosen for each target and each ridge
    by leaving out one of the fitted trials at a time. Features are scaled by their visible frames. With ``zscore``,
    features that are constant there are ignored.

    Args:
        values: (frame, feature) float, units and their lags.
        target: (frame, target) float; frames with a NaN are predicted but not learned from.
        trial: (frame,) int, trial numbers.
        visible: (frame,) bool, frames that may be learned from; whole trials.
        scale: of the features.

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
    x = Standard.of(values[visible], scale)(values)
    if x.shape[1] > known.sum():
        # Weights are in the span of the fitted frames.
        x = x @ np.linalg.qr(x[known].T)[0]
    features = x.shape[1]
    moments = {one: moments_of(x[rows], target[rows]) for one in learned for rows in [known & (trial == one)]}

    @cache
    def weights(fitted: frozenset) -> np.ndarray:
        """(penalty, feature + 1, target) of ridges on these trials, the intercept last."""
        return _weights(reduce(np.add, [moments[one] for one in sorted(fitted)]), features)

    @cache
    def chosen(fitted: frozenset) -> np.ndarray:
        """(target,) number of the penalty with which these trials predict each other best."""
        error = np.zeros((len(PENALTIES), target.shape[1]))
        for left in sorted(fitted):
            error += _squared_error(moments[left], weights(fitted - {left}))
        return error.argmin(0)

    out = np.empty((len(trials), target.shape[1]))
    predicted = np.empty(target.shape)
    for number, one in enumerate(trials):
        others, rows = frozenset(learned) - {one}, trial == one
        best = chosen(others)
        out[number] = PENALTIES[best]
        found = weights(others)[best, :, np.arange(len(best))].T
        predicted[rows] = x[rows] @ found[:-1] + found[-1]
    return CrossFit(predicted, out, trials)


def _weights(moments: np.ndarray, features: int) -> np.ndarray:
    """(penalty, feature + 1, target) weights as in ``ridge_path``, from moments; the intercept is last."""
    size, axes, along, mean = axes_of(moments, features)
    shrunk = size + moments[features, features] * PENALTIES[:, None]
    slopes = axes @ (along / shrunk[:, :, None])
    return np.concatenate([slopes, (mean[features + 1 :] - mean[:features] @ slopes)[:, None]], axis=1)


def _squared_error(moments: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(penalty, target) squared error of ``weights``, summed over the rows of the moments."""
    own = weights.shape[1]
    linear = moments[:own, :own] @ weights - 2 * moments[:own, own:]
    return moments.diagonal()[own:] + (weights * linear).sum(1)


def in_groups(trial: np.ndarray, visible: np.ndarray, most: int = _MOST) -> np.ndarray:
    """(frame,) int: numbers of groups that are left out together, so that three to ``most`` of them are visible.

    Usually, each trial is a group: its own number. More than ``most`` visible trials are joined to groups of
    consecutive trials, as even as can be. Of fewer than three, each is cut into blocks of consecutive frames. Hidden
    trials are then one more group.

    Args:
        trial: (frame,) int, trial numbers; the frames of a trial are consecutive.
        visible: (frame,) bool; whole trials.
        most: largest number of groups.
    """
    names, number = np.unique(trial[visible], return_inverse=True)
    if _LEAST <= len(names) <= most or not len(names):
        return trial
    out = np.full(len(trial), most)
    if len(names) > most:
        out[visible] = number * most // len(names)
        return out
    blocks = -(-_LEAST // len(names))
    length = np.bincount(number)
    within = np.arange(len(number)) - (np.cumsum(length) - length)[number]
    out[visible] = number * blocks + within * blocks // length[number]
    return out


def predicted_behavior(dataset: Dataset, neural: np.ndarray | RaggedFrames, frames: int) -> np.ndarray:
    """(frame, feature) float32: normalised behaviour predicted by each animal's own ridge, cross-fitted over trials.

    Fitted to visible trials, or to those outside the test of an animal that pretraining does not see. Few or many
    trials are cross-fitted by ``in_groups``. NaN for an animal without such trials. Raises InputError, naming the
    animal, as ``cross_fit``.

    Args:
        dataset: the dataset, with behaviour.
        neural: its neural frames, (frame, ...).
        frames: length of the window around a frame that predicts it.
    """
    out = np.full((len(dataset.neural_time), dataset.pose.shape[1]), np.nan, np.float32)
    for name, own in frames_by_animal(dataset, neural).items():
        values = surrounding(_scored(own), own.trial, frames)
        try:
            groups = in_groups(own.trial, own.fitted)
            found = cross_fit(values, own.behavior.astype(np.float64), groups, own.fitted, "centred")
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        out[own.rows] = found.predicted
    return out


def _scored(own: AnimalFrames) -> np.ndarray:
    """(frame, at most ``_UNITS``) float64: z-scored units of an animal, or the leading components of many."""
    scored = Standard.of(own.neural[own.fitted], "zscore")(own.neural)
    if scored.shape[1] <= _UNITS:
        return scored
    seen = scored[own.fitted]
    return scored @ principal_axes(seen.T @ seen, _UNITS)
