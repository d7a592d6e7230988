"""Made-up windows for tests of the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Windows:
    """What the evaluation reads of ``neural_action.datasets.windows.Windows``."""

    animal: np.ndarray
    trial: np.ndarray
    label: np.ndarray
    time: np.ndarray
    role: np.ndarray
    sees_input: np.ndarray
    sees_label: np.ndarray


@pytest.fixture
def make_windows() -> Callable[..., Windows]:
    """``roles`` of the trials of each animal, ``length`` windows a trial, .1 s apart."""

    def make(
        animals: int = 1,
        roles: str = "t" * 64 + "v" * 8 + "e" * 8,
        length: int = 5,
        classes: int = 8,
        bout: int | None = None,
        unlabelled: float = 0.0,
    ) -> Windows:
        """Classes last a whole trial, or ``bout`` windows."""
        rng = np.random.default_rng(0)
        trials, names = len(roles), {"t": "train", "v": "validation", "e": "test"}
        label, role = [], []
        for _ in range(animals):
            if bout is None:
                own = np.repeat(rng.permutation(np.arange(trials) % classes), length)
            else:
                own = np.repeat(rng.integers(classes, size=trials * length // bout + 1), bout)[
                    : trials * length
                ]
            label.append(np.where(rng.random(len(own)) < unlabelled, -1, own))
            role.append(np.repeat([names[letter] for letter in roles], length))
        part = np.concatenate(role)
        return Windows(
            np.repeat(np.arange(animals), trials * length),
            np.repeat(np.arange(animals * trials), length),
            np.concatenate(label),
            np.tile(0.1 * np.arange(length), animals * trials),
            part,
            part != "test",
            part == "train",
        )

    return make


@pytest.fixture
def windows(make_windows) -> Windows:
    """80 trials of 5 windows in eight directions: 64 train, 8 validate, 8 test."""
    return make_windows()


@pytest.fixture
def flies(make_windows) -> Windows:
    """3 animals x 4 trials of 60 windows in three classes that change every six windows; the last trial tests."""
    return make_windows(3, "ttte", 60, 3, bout=6, unlabelled=0.1)
