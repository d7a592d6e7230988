"""Read one representation on one problem: scale it once, then apply every probe with every label budget."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from neural_action.config.evaluation_settings import ProbeConfig, Scale
from neural_action.evaluation.budgets import Budget
from neural_action.evaluation.features import window_mean
from neural_action.evaluation.metrics import Outcome
from neural_action.evaluation.probes import KINDS, build_probe
from neural_action.evaluation.probes.probe import Training, penalties
from neural_action.evaluation.scaling import Standard
from neural_action.evaluation.selection import best, held_out, held_out_errors
from neural_action.evaluation.tasks import Problem

if TYPE_CHECKING:
    from neural_action.datasets.windows import Windows

# Keys of a probe that do not change its fit.
_AFTER_THE_FIT = {"label", "tasks", "vote", "vote_windows"}


class Reading:
    """Reads a representation, or several candidates among which validation chooses.

    Args:
        candidates: (window, feature) by name.
        windows: all windows of the split.
        problem: the windows for training, validation and test.
        target: (window,) int64 classes or (window, variable) float64 behaviour.
        classes: number of classes; 0 for behaviour.
        scale: scaling of features.
        choose_by: metric by which validation chooses.
        split: name of the split.
        seed: seed of the probes.
        permuted: whether the targets of training and of validation are shuffled, each separately, as a control.
    """

    def __init__(
        self,
        candidates: Mapping[str, np.ndarray],
        windows: Windows,
        problem: Problem,
        target: np.ndarray,
        classes: int,
        *,
        scale: Scale,
        choose_by: str,
        split: str,
        seed: int,
        permuted: bool = False,
    ):
        self.windows, self.problem, self.target, self.classes = windows, problem, target, classes
        self.choose_by, self.split, self.seed, self.permuted = choose_by, split, seed, permuted
        known = np.concatenate([problem.validation, problem.test])
        # A vote also uses the unlabelled windows of validation and test trials.
        self.read_rows = np.flatnonzero(np.isin(windows.trial, windows.trial[known]))
        self.candidates, self.scale = candidates, scale
        self._paths: dict[tuple[str, str], list[np.ndarray]] = {}

    @cached_property
    def scaled(self) -> list[np.ndarray]:
        """(window, feature) float64 of each candidate; 0 for windows that are not used."""
        rows = np.union1d(self.problem.train, self.read_rows)
        out = []
        for values in self.candidates.values():
            out.append(np.zeros(values.shape))
            out[-1][rows] = Standard.of(values[self.problem.fitted], self.scale)(values[rows])
        return out

    def read(self, name: str, config: ProbeConfig, budget: Budget) -> Outcome:
        """Scores of the test windows by the probe ``name``, with the penalty and candidate that validation chooses.

        If the split has no validation windows, held-out training trials choose, without votes.
        """
        if config.kind == "ridge" and not len(budget.validation):
            at, config = self._least_error(config, budget)
            paths, penalty = self._path(name, config, budget), 0
        else:
            paths = self._path(name, config, budget)
            choices = [(at, penalty) for at, path in enumerate(paths) for penalty in range(len(path))]
            at, penalty = choices[0 if len(choices) == 1 else self._best(name, config, budget, paths)]
        scores = self._voted(paths[at][penalty : penalty + 1], config)[0].astype(np.float64)
        test = self.problem.test
        tested = scores[np.searchsorted(self.read_rows, test)]
        return Outcome(KINDS[config.kind].output, tested, self.target[test], self.classes)

    def guess(self, name: str, config: ProbeConfig, budget: Budget) -> Outcome:
        """Scores of a guess without features: a random class or direction, or the mean over training.

        The guessed class has a probability higher by 1e-9, so that all probabilities are at chance.
        """
        rng = self._rng(f"{budget.name} {name}")
        test, output = self.problem.test, KINDS[config.kind].output
        if output == "values":
            scores = np.tile(self.target[budget.train].mean(0), (len(test), 1))
        elif output == "directions":
            angle = rng.uniform(0, 2 * np.pi, len(test))
            scores = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        else:
            scores = np.full((len(test), self.classes), 1 / self.classes)
            scores[np.arange(len(test)), rng.integers(self.classes, size=len(test))] += 1e-9
        return Outcome(output, scores, self.target[test], self.classes)

    def _least_error(self, config: ProbeConfig, budget: Budget) -> tuple[int, ProbeConfig]:
        """Number of the candidate that predicts held-out training trials best by a ridge, and only its best penalty.

        The errors need no predictions, and one penalty needs no decomposition.
        """
        trial, powers = self.windows.trial[budget.train], penalties(config)
        trainings = self._trainings(budget, self._targets(budget)[0])
        errors = np.stack([held_out_errors(train, trial, powers) for train in trainings])
        at, best = np.unravel_index(errors.argmin(), errors.shape)
        power = config.penalties[0] + int(best)
        return int(at), config.model_copy(update={"penalties": [power, power]})

    def _best(self, name: str, config: ProbeConfig, budget: Budget, paths: list[np.ndarray]) -> int:
        """Number of the best candidate and penalty, counted through the penalties of one candidate after the other."""
        given, judged = self._targets(budget)
        if len(budget.validation):
            where = np.searchsorted(self.read_rows, budget.validation)
            judges, true = [self._voted(path, config)[:, where] for path in paths], judged
        else:
            trial = self.windows.trial[budget.train]
            judges = [
                held_out(build_probe(name, config), train, trial) for train in self._trainings(budget, given)
            ]
            true = given
        output = KINDS[config.kind].output
        outcomes = [Outcome(output, scores, true, self.classes) for judge in judges for scores in judge]
        return best(outcomes, self.choose_by)

    def _targets(self, budget: Budget) -> tuple[np.ndarray, np.ndarray]:
        given, judged = self.target[budget.train], self.target[budget.validation]
        if not self.permuted:
            return given, judged
        rng = self._rng(budget.name)
        return rng.permutation(given), rng.permutation(judged)

    def _rng(self, what: str) -> np.random.Generator:
        text = f"{self.seed} {self.split} {self.problem.task} {self.problem.animal} {what}"
        return np.random.default_rng(zlib.crc32(text.encode()))

    def _path(self, name: str, config: ProbeConfig, budget: Budget) -> list[np.ndarray]:
        """(penalty, read row, column) scores of each candidate, shared by probes that differ only in their vote."""
        key = (config.model_dump_json(exclude=_AFTER_THE_FIT), budget.name)
        if key not in self._paths:
            probe, read = build_probe(name, config), [scaled[self.read_rows] for scaled in self.scaled]
            self._paths[key] = [
                probe.scores(train, others)
                for train, others in zip(self._trainings(budget, self._targets(budget)[0]), read, strict=True)
            ]
        return self._paths[key]

    def _trainings(self, budget: Budget, given: np.ndarray) -> list[Training]:
        """The scaled training windows of each candidate."""
        return [Training(scaled[budget.train], given, self.classes, self.seed) for scaled in self.scaled]

    def _voted(self, path: np.ndarray, config: ProbeConfig) -> np.ndarray:
        if config.vote == "none":
            return path
        lag = config.vote_windows if config.vote == "neighbors" else None
        flat = path.transpose(1, 0, 2).reshape(path.shape[1], -1)
        voted = window_mean(flat, self.windows.trial[self.read_rows], lag)
        return voted.reshape(path.shape[1], path.shape[0], -1).transpose(1, 0, 2)
