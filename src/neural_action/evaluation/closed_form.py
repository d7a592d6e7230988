"""Read an animal with its own units that a model has no input layer for, without training: two ridge regressions.

Behaviour is what all animals share. One ridge, fitted on the animals of the model, says which neural encoding goes with
which behaviour, as the model's behaviour encoder encodes it, or as it is if the model has none. Another, fitted on the
new animal's unlabelled pairs, predicts that encoding from its units. The new animal is then in the same space as the
others, and no weight changes. That both steps are linear is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neural_action.errors import InputError
from neural_action.evaluation.ridge import PENALTIES, cross_fit, ridge_path
from neural_action.evaluation.scaling import Standard

#: Parts of a window of activity (our choice).
_PARTS = 4


@dataclass(frozen=True)
class Known:
    """Windows of the animals that a model has input layers for, of what pretraining saw.

    Attributes:
        behavior: (window, feature), behaviour or its encodings.
        neural: (window, dimension), encodings of neural activity.
        group: (window,) int, the animals, or trials of a single animal.
    """

    behavior: np.ndarray
    neural: np.ndarray
    group: np.ndarray


def closed_form(
    known: Known, activity: np.ndarray, behavior: np.ndarray, trial: np.ndarray, learned: np.ndarray
) -> np.ndarray:
    """(window, dimension) float32: the windows of a new animal in the space of the known animals.

    Every trial is predicted by a ridge fitted on the other trials of ``learned`` windows (``ridge.cross_fit``). Each
    dimension then gets the mean and standard deviation of the known animals: a ridge pulls predictions towards their
    mean, and a probe that is trained on the known animals expects their spread (our choice).

    Args:
        known: windows of the known animals.
        activity: (window, feature), activity of the new animal, as ``lags``.
        behavior: (window, feature), its behaviour, as that of ``known``.
        trial: (window,) int, trial numbers.
        learned: (window,) bool, windows that may be learned from; whole trials.

    Raises:
        InputError: no behaviour, or fewer than three trials (or groups, ``ridge.in_groups``) to learn from.
    """
    target = between(known, behavior)
    found = cross_fit(activity, target, trial, learned).predicted
    mean, sd = found[learned].mean(0), found[learned].std(0)
    scaled = (found - mean) / np.where(sd > 0, sd, np.inf)
    return (scaled * known.neural.std(0) + known.neural.mean(0)).astype(np.float32)


@dataclass(frozen=True)
class ClosedForm:
    """The closed form of an animal, for windows of other recordings: ``(activity - mean) * gain @ weight + bias``.

    Attributes:
        mean: (feature,) float64, mean activity of the fitted windows, as ``lags``.
        gain: (feature,) float64, 1 / standard deviation; 0 for constant features.
        weight: (feature, dimension) float32.
        bias: (dimension,) float32.
    """

    mean: np.ndarray
    gain: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    def __call__(self, activity: np.ndarray) -> np.ndarray:
        """(window, dimension) float32 in the space of the known animals, of activity (window, feature), as ``lags``."""
        return ((activity - self.mean) * self.gain @ self.weight + self.bias).astype(np.float32)


def fit_closed_form(
    known: Known, activity: np.ndarray, behavior: np.ndarray, trial: np.ndarray
) -> ClosedForm:
    """What ``closed_form`` makes of windows that it does not learn from, for any such windows.

    Arguments and errors as ``closed_form``, which learns from all windows given here.
    """
    target, scale = between(known, behavior), Standard.of(activity, "zscore")
    x = scale(activity)
    # One more trial, of a window that is not learned from, gets the penalties of the ridge on all trials.
    learned = np.arange(len(x) + 1) < len(x)
    padded = np.append(x, x[:1], 0), np.append(target, target[:1], 0)
    fit = cross_fit(*padded, np.append(trial, trial.max() + 1), learned)
    chosen = np.searchsorted(PENALTIES, fit.penalty[-1])
    # A ridge is an affine map, which its values at zero and at the unit vectors give.
    at = np.concatenate([np.zeros((1, x.shape[1])), np.eye(x.shape[1])])
    found = ridge_path(x, target, at, PENALTIES)[chosen, :, np.arange(len(chosen))].T
    mean, sd = fit.predicted[learned].mean(0), fit.predicted[learned].std(0)
    gain = known.neural.std(0) / np.where(sd > 0, sd, np.inf)
    return ClosedForm(
        scale.mean,
        1 / np.broadcast_to(scale.spread, scale.mean.shape),
        ((found[1:] - found[0]) * gain).astype(np.float32),
        ((found[0] - mean) * gain + known.neural.mean(0)).astype(np.float32),
    )


def by_layer(values: np.ndarray, layers: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Layers that lie side by side in (window, dimension), by name; ``layers`` has the dimension of each."""
    parts = np.split(values, np.cumsum(list(layers.values()))[:-1], axis=1)
    return dict(zip(layers, parts, strict=True))


def between(known: Known, behavior: np.ndarray) -> np.ndarray:
    """(n, dimension) float64: the neural encodings that go with ``behavior`` (n, feature), by a ridge.

    The penalty of each dimension is chosen by leaving out one group of known windows at a time. Raises InputError
    without behaviour.
    """
    if not behavior.shape[1]:
        raise InputError("closed form: needs behaviour, and these recordings have none")
    scaled = Standard.of(known.behavior, "zscore")
    x, y = scaled(known.behavior), known.neural.astype(np.float64)
    error = np.zeros((len(PENALTIES), y.shape[1]))
    for group in np.unique(known.group):
        left = known.group == group
        error += np.square(ridge_path(x[~left], y[~left], x[left], PENALTIES) - y[left]).sum(1)
    best = error.argmin(0)
    return ridge_path(x, y, scaled(behavior), PENALTIES)[best, :, np.arange(len(best))].T


def lags(neural: np.ndarray, start: np.ndarray, frames: int) -> np.ndarray:
    """(window, part x unit) float64: mean activity in equal parts of each window, at most four.

    Args:
        neural: (frame, unit).
        start: (window,) int, first frames.
        frames: number of frames of a window.
    """
    edges = np.linspace(0, frames, min(_PARTS, frames) + 1).astype(int)
    sums = np.concatenate([np.zeros((1, neural.shape[1])), np.cumsum(neural, 0, dtype=np.float64)])
    parts = np.diff(sums[start[:, None] + edges], axis=1) / np.diff(edges)[:, None]
    return parts.reshape(len(start), -1)
