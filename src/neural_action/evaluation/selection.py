"""Choose a penalty and the features of a row without the test windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from neural_action.evaluation.metrics import METRICS, Outcome
from neural_action.evaluation.probes.angle import directions
from neural_action.evaluation.probes.probe import Probe, Training
from neural_action.evaluation.probes.ridge import moments_of, ridge_errors

_FOLDS = 5


def best(outcomes: Sequence[Outcome], metric: str) -> int:
    """Index of the best outcome by ``metric``; ties are broken by the lower loss.

    The loss is cross-entropy, or the squared error of directions. Values of variables are ranked by squared error only.
    """
    return max(range(len(outcomes)), key=lambda at: _rank(outcomes[at], metric))


def _rank(outcome: Outcome, metric: str) -> tuple[float, float]:
    if outcome.output == "values":
        return -float(np.mean((outcome.scores - outcome.true) ** 2)), 0.0
    if outcome.output == "directions":
        loss = np.mean((outcome.scores - directions(outcome.classes)[outcome.true]) ** 2)
    else:
        loss = -np.mean(np.log(np.maximum(outcome.true_class_scores, 1e-12)))
    return METRICS[metric].of(outcome), -float(loss)


def inner_folds(trial: np.ndarray) -> np.ndarray:
    """(n,) int64: fold in which each training window is held out.

    Trials are assigned to at most five folds. The windows of a single trial are cut into folds in the given order.
    """
    trials, number = np.unique(trial, return_inverse=True)
    if len(trials) > 1:
        return number % min(_FOLDS, len(trials))
    return np.arange(len(trial)) * min(_FOLDS, len(trial)) // len(trial)


def held_out(probe: Probe, train: Training, trial: np.ndarray) -> np.ndarray:
    """(penalty, n, column) scores of each training window by a probe that did not see its ``trial`` ((n,) int64).

    Raises ValueError without windows."""
    out = None
    for kept, held in _parts(train, trial):
        scores = probe.scores(kept, train.values[held])
        if out is None:
            out = np.empty((scores.shape[0], len(trial), scores.shape[2]), scores.dtype)
        out[:, held] = scores
    if out is None:
        raise ValueError("no windows to train on")
    return out


def held_out_errors(train: Training, trial: np.ndarray, decays: np.ndarray) -> np.ndarray:
    """(decay,) squared error of what ``held_out`` gives for a ridge regression, summed."""
    values, fold = train.values, inner_folds(trial)
    if values.shape[1] > len(values):
        # As many features with the same inner products: a ridge regression needs no more.
        size, axes = np.linalg.eigh(values @ values.T)
        values = axes * np.sqrt(np.maximum(size, 0.0))
    parts = [(values[rows], train.target[rows]) for rows in (fold == at for at in np.unique(fold))]
    own = [moments_of(*part) for part in parts]
    total = np.sum(own, axis=0)
    return np.sum(
        [ridge_errors(total - one, *part, decays) for one, part in zip(own, parts, strict=True)], axis=0
    )


def _parts(train: Training, trial: np.ndarray) -> Iterator[tuple[Training, np.ndarray]]:
    """For each inner fold, the training windows outside it, and (n,) bool of those inside."""
    fold = inner_folds(trial)
    for at in np.unique(fold):
        held = fold == at
        yield replace(train, values=train.values[~held], target=train.target[~held]), held
