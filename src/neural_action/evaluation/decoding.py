"""Decoding: classes read from single bins of one animal, with all training labels or a few trials of each class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from neural_action.config.settings import DecodingSettings, ReadoutSettings
from neural_action.evaluation.features import window_mean
from neural_action.evaluation.metrics import all_scores
from neural_action.evaluation.readouts import (
    Standard,
    angle_errors,
    angle_path,
    angles_of,
    direction_classes,
    softmax_path,
)

WHOLE = "all"


@dataclass(frozen=True)
class Bins:
    """The bins of one split, in the order of time; arrays are parallel.

    Attributes:
        label: (bin,) int64, -1 unlabelled.
        part: (bin,) str, train, validation or test.
        span: (bin,) int64, the trial of each bin, or the run of one part in a recording without trials.
        time: (bin,) float64 s.
        classes: number of classes.
    """

    label: np.ndarray
    part: np.ndarray
    span: np.ndarray
    time: np.ndarray
    classes: int

    def rows(self, part: str) -> np.ndarray:
        """Numbers of the labelled bins of a part."""
        return np.flatnonzero((self.part == part) & (self.label >= 0))

    def units(self, part: str, seconds: float) -> np.ndarray:
        """(bin,) int64: the labelled trial of each bin, -1 where there is none.

        A labelled trial is a run of bins of one class in one span, cut to ``seconds``: a reach, or a while of a state.
        """
        changes = (np.diff(self.span, prepend=-1) != 0) | (np.diff(self.label, prepend=-2) != 0)
        run = np.cumsum(changes) - 1
        begin = self.time[np.flatnonzero(changes)][run]
        unit = run * (1 << 20) + ((self.time - begin) // seconds).astype(np.int64)
        return np.where((self.part == part) & (self.label >= 0), unit, -1)


@dataclass(frozen=True)
class Labels:
    """Which labels a readout is given: rows of bins, and the trials of each class that they are of."""

    name: str
    fraction: float
    train: np.ndarray
    validation: np.ndarray


@dataclass(frozen=True)
class Decoded:
    """What one readout came to: scores by metric, and the class of every test bin."""

    labels: Labels
    scores: dict[str, float]
    test: np.ndarray
    predicted: np.ndarray
    error: np.ndarray | None


def label_sets(bins: Bins, settings: DecodingSettings, split: int, seed: int) -> Iterator[Labels]:
    """All labels, and ``labelled_trials`` of each class.

    With few, validation has as many trials of each class as training: whoever labels eight trials has no other hundred
    to choose by. Trials are drawn in turn, so that one is among two, two among four. The draw depends on split and
    seed alone: every row gets the same.
    """
    yield Labels(WHOLE, 1.0, bins.rows("train"), bins.rows("validation"))
    drawn = {}
    for at, part in enumerate(("train", "validation")):
        units = bins.units(part, settings.labelled_seconds)
        rng = np.random.default_rng([seed, split, at])
        drawn[part] = (units, [rng.permutation(np.unique(own[own >= 0])) for own in _by_class(bins, units)])
    total = sum(map(len, drawn["train"][1]))
    for count in settings.labelled_trials:
        chosen = {
            part: (np.isin(units, np.concatenate([own[:count] for own in by_class])), by_class)
            for part, (units, by_class) in drawn.items()
        }
        used = sum(len(own[:count]) for own in drawn["train"][1])
        yield Labels(
            str(count),
            round(used / total, 4),
            *(np.flatnonzero(chosen[part][0]) for part in ("train", "validation")),
        )


def _by_class(bins: Bins, units: np.ndarray) -> list[np.ndarray]:
    return [np.where(bins.label == label, units, -1) for label in range(bins.classes)]


def decode(
    candidates: Mapping[str, np.ndarray],
    bins: Bins,
    labels: Labels,
    readout: ReadoutSettings,
    settings: DecodingSettings,
    weighting: str,
    permuted: np.random.Generator | None = None,
) -> Decoded:
    """Train the readout on ``labels`` for every weight decay and candidate; score the one that validation chooses.

    Among equals in validation the one with the lower validation loss (squared error or cross-entropy) is taken.
    Features are centred and scaled by all training bins, labelled or not, of which there are as many with few labels.

    Args:
        candidates: (bin, feature) representations by name.
        bins: the bins.
        labels: which of them the readout may learn from.
        readout: of the row.
        settings: of the dataset.
        weighting: of the classes in the softmax.
        permuted: shuffles the labels of training and validation, each among themselves: a control.
    """
    decays = 2.0 ** np.arange(settings.weight_decays[0], settings.weight_decays[1] + 1)
    name = readout.name or settings.readout
    given, judged = bins.label[labels.train], bins.label[labels.validation]
    if permuted is not None:
        given, judged = permuted.permutation(given), permuted.permutation(judged)
    best: tuple[tuple[float, float], np.ndarray] | None = None
    for values in candidates.values():
        scaled = Standard.of(values[bins.part == "train"], readout.scaling)(values)
        train = scaled[labels.train]
        if name == "angle":
            path = angle_path(train, given, scaled, bins.classes, decays)
        else:
            path = softmax_path(train, given, scaled, bins.classes, decays, weighting, settings.softmax_steps)
        for output in path:
            voted = _voted(output, bins, readout)
            rank = _rank(voted[labels.validation], judged, name, bins.classes, settings.choose_by)
            if best is None or rank > best[0]:
                best = (rank, voted)
    if best is None:
        raise ValueError("no features to read")
    return _scored(best[1], name, bins, labels)


def guess(bins: Bins, labels: Labels, rng: np.random.Generator, name: str) -> Decoded:
    """Uniform guesses: the chance row, an angle or a class like any other readout's."""
    if name == "angle":
        angle = rng.uniform(0, 2 * np.pi, len(bins.label))
        return _scored(np.stack([np.cos(angle), np.sin(angle)], axis=1), name, bins, labels)
    return _scored(rng.random((len(bins.label), bins.classes)), name, bins, labels)


def _voted(output: np.ndarray, bins: Bins, readout: ReadoutSettings) -> np.ndarray:
    if readout.vote == "none":
        return output
    return window_mean(output, bins.span, readout.vote_bins if readout.vote == "neighbors" else None)


def _classes(output: np.ndarray, name: str, classes: int) -> np.ndarray:
    return direction_classes(angles_of(output), classes) if name == "angle" else output.argmax(1)


def _rank(output: np.ndarray, true: np.ndarray, name: str, classes: int, metric: str) -> tuple[float, float]:
    """Validation score and, among equals, minus the validation loss."""
    if name == "angle":
        angle = 2 * np.pi * true / classes
        loss = np.mean((output - np.stack([np.cos(angle), np.sin(angle)], axis=1)) ** 2)
    else:
        loss = -np.mean(np.log(np.maximum(output[np.arange(len(output)), true], 1e-12)))
    return all_scores(true, _classes(output, name, classes), classes)[metric], -float(loss)


def _scored(output: np.ndarray, name: str, bins: Bins, labels: Labels) -> Decoded:
    """Scores of the test bins. An angle also has delta accuracy: the share that is less than 3 pi / 16 off."""
    test = bins.rows("test")
    true, predicted = bins.label[test], _classes(output[test], name, bins.classes)
    scores, error = all_scores(true, predicted, bins.classes), None
    if name == "angle":
        error = angle_errors(angles_of(output[test]), true, bins.classes)
        scores["delta_accuracy"] = float(np.mean(error < DELTA))
    return Decoded(labels, scores, test, predicted, error)


#: Half as wide again as the sector of one of eight directions (the release).
DELTA = 3 * np.pi / 16
#: Values of what is averaged over test trials, of one readout.
TRIAL_METRICS: dict[str, Callable[[Decoded, np.ndarray], np.ndarray | None]] = {
    "accuracy": lambda decoded, label: decoded.predicted == label[decoded.test],
    "delta_accuracy": lambda decoded, label: None if decoded.error is None else decoded.error < DELTA,
}
