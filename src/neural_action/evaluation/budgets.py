"""Label budgets: which labelled windows a probe is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.evaluation.tasks import CONTINUOUS, Problem, enough, split_number

if TYPE_CHECKING:
    from neural_action.datasets.windows import Windows

ALL = "all"


@dataclass(frozen=True)
class Budget:
    """Row numbers of the windows whose labels train a probe and choose its penalty."""

    name: str
    train: np.ndarray
    validation: np.ndarray


def label_budgets(
    windows: Windows, problem: Problem, settings: EvaluationSettings, split: str, seed: int
) -> Iterator[Budget]:
    """The budgets of the configuration that the problem's task can have, in its order.

    With few labels validation has as few: whoever labels eight trials has no other hundred to choose by. Draws depend
    on split and seed alone, so that every row and probe gets the same. Numbers of trials of each class are for
    classes of behaviour: identity has ``all`` and ``half`` only. The continuous tasks have ``all``: behaviour is
    recorded beside neural activity, nobody labels it. A budget with fewer than two classes is left out.
    """

    if problem.task in CONTINUOUS:
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
    """(window,) bool: the windows whose labels may be used when only half of each animal's may.

    Labels are kept or dropped in whole blocks of ``block_seconds``: dropping single windows would leave overlapping
    neighbours with the same label (our choice).
    """
    block = windows.trial * 1_000_000 + (windows.time // block_seconds).astype(np.int64)
    keep = np.zeros(len(block), bool)
    for number in np.unique(windows.animal):
        own = np.unique(block[windows.animal == number])
        rng = np.random.default_rng([seed, int(number)])
        keep |= np.isin(block, rng.permutation(own)[: max(1, round(0.5 * len(own)))])
    return keep


def labelled_trials(windows: Windows, seconds: float) -> np.ndarray:
    """(window,) int64: the labelled trial of each window, a run of one class in one trial, cut to ``seconds``.

    It is a reach, or a bout of a state in a recording without trials.
    """
    changes = (np.diff(windows.trial, prepend=-1) != 0) | (np.diff(windows.label, prepend=-2) != 0)
    run = np.cumsum(changes) - 1
    begin = windows.time[np.flatnonzero(changes)][run]
    return run * (1 << 20) + ((windows.time - begin) // seconds).astype(np.int64)


def _trials_of_each_class(
    windows: Windows, unit: np.ndarray, rows: np.ndarray, count: int, entropy: list[int]
) -> np.ndarray:
    """The windows among ``rows`` of ``count`` labelled trials of each class of each animal.

    Trials are drawn in turn, so that one is among two, two among four.
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
    """The first half of every animal's rows, which are in random order."""
    own = [rows[animal[rows] == number] for number in np.unique(animal[rows])]
    return np.concatenate([part[: max(1, round(0.5 * len(part)))] for part in own])
