"""Tasks: the windows on which a probe is trained, validated and tested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neural_action.config.evaluation_settings import ACROSS_SESSIONS, OWN, VALUES, EvaluationSettings, Task
from neural_action.errors import InputError

if TYPE_CHECKING:
    from neural_action.datasets.windows import Windows

ALL_ANIMALS = "all"


@dataclass(frozen=True)
class Problem:
    """One task on one animal. Arrays are row numbers of windows, int64.

    Attributes:
        task: the task.
        animal: the tested animal; ``all`` for identity.
        train: windows on which the probe may be trained with all labels.
        validation: windows that choose penalties and candidates; empty if the split has none.
        test: windows that are scored.
        fitted: windows by which features are centred and scaled.
    """

    task: Task
    animal: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    fitted: np.ndarray


def problems(
    task: Task,
    windows: Windows,
    animals: Sequence[str],
    settings: EvaluationSettings,
    split: str,
    seed: int,
    owners: Sequence[str] = (),
) -> Iterator[Problem]:
    """The problems of a task in one split: one for each animal with test windows, or one for all for identity.

    ``within``, ``decoding``: the probe is trained on labelled training windows of the tested animal. ``across``: on
    those of the other animals. The continuous tasks and ``clusters`` likewise, with unlabelled windows too. Left out
    are problems with nothing to test or fewer than two classes to train on.

    If ``animals`` are sessions, ``owners`` names the animal of each. ``across`` is then trained on sessions of other
    animals, and ``across_sessions`` on all other sessions.

    Raises InputError if a trial trains and tests, or the labels of a test window may be seen.
    """
    owned = np.array(list(owners or animals))
    if task == "identity":
        made = _identity(windows, animals, settings, split, seed)
    else:
        made = (
            _of_animal(task, windows, number, animal, owned == owned[number])
            for number, animal in enumerate(animals)
        )
    for problem in made:
        if problem is None or not len(problem.test) or not enough(problem.task, windows, problem.train):
            continue
        check_apart(problem, windows, split)
        yield problem


def enough(task: Task, windows: Windows, train: np.ndarray) -> bool:
    """Whether a probe can be trained on these windows: two classes or animals, or two windows of behaviour."""
    if task in VALUES:
        return len(train) > 1
    return len(np.unique(classes_of(task, windows)[train])) > 1


def classes_of(task: Task, windows: Windows) -> np.ndarray:
    """(window,) int64 classes of the task: the animal for identity, otherwise the label."""
    return windows.animal if task == "identity" else windows.label


def split_number(split: str) -> int:
    """The number at the end of a split's name, which seeds its draws; 0 without a number (``published``)."""
    found = re.search(r"(\d+)$", split)
    return int(found[1]) if found else 0


def check_apart(problem: Problem, windows: Windows, split: str) -> None:
    """Raise InputError if a trial is in training (or validation) and in test, because its windows overlap.

    Also raised if the split table allows training with the label of a test window.
    """
    where = f"{problem.task}, split {split}, animal {problem.animal}"
    known = np.concatenate([problem.train, problem.validation])
    shared = np.intersect1d(windows.trial[known], windows.trial[problem.test])
    if len(shared):
        raise InputError(
            f"{where}: {len(shared)} trials are in both training (or validation) and test, expected none"
        )
    if seen := int(windows.sees_label[problem.test].sum()):
        raise InputError(f"{where}: labels of {seen} test windows may be used for training, expected none")


def _of_animal(task: Task, windows: Windows, number: int, animal: str, kin: np.ndarray) -> Problem:
    """The problem of one animal, or session; ``kin`` (animal,) bool are the sessions of the same animal."""
    own = windows.animal == number
    usable = np.ones(len(own), bool) if task in VALUES else windows.label >= 0
    teachers = own if task in OWN else ~own if task in ACROSS_SESSIONS else ~kin[windows.animal]
    training = (windows.role == "train") & teachers
    train = np.flatnonzero(training & usable & windows.sees_label)
    return Problem(
        task=task,
        animal=animal,
        train=train,
        validation=np.flatnonzero((windows.role == "validation") & teachers & usable),
        test=np.flatnonzero((windows.role == "test") & own & usable),
        # Decoding scales features by unlabelled training windows too.
        fitted=np.flatnonzero(training) if task == "decoding" else train,
    )


def _identity(
    windows: Windows, animals: Sequence[str], settings: EvaluationSettings, split: str, seed: int
) -> Iterator[Problem]:
    """The same number of windows from every animal, trained and tested on different trials.

    A quarter of ``identity_samples`` windows is drawn from test trials (1000 samples and four folds: Günel et al.;
    different trials: our choice, because neighbouring windows of a trial are almost equal). Unlabelled windows are used
    too. No problem if an animal has no training or no test windows.
    """
    each = settings.identity_samples // len(animals)
    trains = (windows.role == "train") & windows.sees_label
    # If an animal is left out, trials of the other animals that no probe is trained on are tested too.
    tests = (windows.role == "test") | ((windows.role == "train") & ~windows.sees_label)
    rng = np.random.default_rng([seed, split_number(split)])
    train, test = [], []
    for number in range(len(animals)):
        own = windows.animal == number
        train.append(rng.permutation(np.flatnonzero(own & trains))[: each - each // 4])
        test.append(rng.permutation(np.flatnonzero(own & tests))[: each // 4])
    if all(len(rows) for rows in (*train, *test)):
        rows = np.concatenate(train)
        yield Problem("identity", ALL_ANIMALS, rows, np.empty(0, np.int64), np.concatenate(test), rows)
