"""Label budgets: the labelled windows that a probe may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neural_action.config.evaluation_settings import VALUES, EvaluationSettings
from neural_action.evaluation.tasks import Problem, enough, split_number

if TYPE_CHECKING:
    from neural_action.datasets.windows import Windows

ALL = "all"


@dataclass(frozen=True)
class Budget:
    """Windows (row numbers, int64) whose labels train a probe (``train``) and choose its penalty (``validation``)."""

    name: str
    train: np.ndarray
    validation: np.ndarray


def label_budgets(
    windows: Windows, problem: Problem, settings: EvaluationSettings, split: str, seed: int
) -> Iterator[Budget]:
    """The configured budgets that apply to the task of the problem, in configured order.

    With few labels, validation has equally few: a user who labels eight trials does not have a hundred more. Draws
    depend only on split and seed, so that every row and probe gets the same labels. Identity has only ``all`` and
    ``half``, because numbers of trials refer to classes of behaviour. Tasks computed from behaviour have only ``all``,
    because recorded behaviour needs no labels. Budgets with fewer than two classes are left out.
    """

    if problem.task in VALUES:
        yield Budget(ALL, problem.train, problem.validation)
        return
    unit = labelled_trials(windows, settings.labelled_seconds)
    parts = (problem.train, problem.validation)
    for budget in settings.label_budgets:
        if budget == ALL:
            kept = list(parts)
        elif budget == "half" and problem.task == "identity":
            kept = [_first_half(problem.train, windows.animal), problem.validation]
        elif budget == "half":
            keep = half_of_blocks(windows, settings.label_block_seconds, seed)
            kept = [rows[keep[rows]] for rows in parts]
        elif problem.task == "identity":
            continue
        else:
            entropy = [seed, split_number(split)]
            kept = [
                _trials_of_each_class(windows, unit, rows, int(budget), [*entropy, at])
                for at, rows in enumerate(parts)
            ]
        if enough(problem.task, windows, kept[0]):
            yield Budget(str(budget), *kept)


def half_of_blocks(windows: Windows, block_seconds: float, seed: int) -> np.ndarray:
    """(window,) bool: windows in a random half of each animal's blocks of ``block_seconds``.

    Whole blocks are dropped, because the overlapping neighbours of a dropped window would keep its label (our choice).
    """
    block = windows.trial * 1_000_000 + (windows.time // block_seconds).astype(np.int64)
    keep = np.zeros(len(block), bool)
    for number in np.unique(windows.animal):
        own = np.unique(block[windows.animal == number])
        rng = np.random.default_rng([seed, int(number)])
        keep |= np.isin(block, rng.permutation(own)[: max(1, round(0.5 * len(own)))])
    return keep


def labelled_trials(windows: Windows, seconds: float) -> np.ndarray:
    """(window,) int64: id of the labelled trial of each window, a run of one class in one trial, cut to ``seconds``.

    Such a run is a reach, or in a recording without trials a bout of one state.
    """
    changes = (np.diff(windows.trial, prepend=-1) != 0) | (np.diff(windows.label, prepend=-2) != 0)
    run = np.cumsum(changes) - 1
    begin = windows.time[np.flatnonzero(changes)][run]
    return run * (1 << 20) + ((windows.time - begin) // seconds).astype(np.int64)


def _trials_of_each_class(
    windows: Windows, unit: np.ndarray, rows: np.ndarray, count: int, entropy: list[int]
) -> np.ndarray:
    """The windows among ``rows`` of ``count`` labelled trials of each class and animal.

    The order of trials is fixed by ``entropy``, so that a larger ``count`` contains the trials of a smaller one.
    """
    kept = np.zeros(len(rows), bool)
    for animal in np.unique(windows.animal[rows]):
        rng = np.random.default_rng(entropy)
        own = windows.animal[rows] == animal
        for label in np.unique(windows.label[rows[own]]):
            units = np.unique(unit[rows[own & (windows.label[rows] == label)]])
            kept |= np.isin(unit[rows], rng.permutation(units)[:count])
    return rows[kept]


def _first_half(rows: np.ndarray, animal: np.ndarray) -> np.ndarray:
    """The first half of each animal's rows, which are in random order."""
    own = [rows[animal[rows] == number] for number in np.unique(animal[rows])]
    return np.concatenate([part[: max(1, round(0.5 * len(part)))] for part in own])
