"""A dataset whose neural activity follows movement, and whose labels are what the animal does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from laid_out import ANIMALS, FEATURES, TRIALS, UNITS, WINDOWS, fold, laid_out, recording

from neural_action.config.output_settings import DiagnosticsSettings
from neural_action.datasets.dataset import Dataset, dataset_of
from neural_action.datasets.layout import Layout
from neural_action.datasets.split_table import Pieces


@pytest.fixture(scope="session")
def recordings() -> dict[tuple[str, str], dict]:
    """The arrays of 3 animals x 4 trials of a minute."""
    rng, made = np.random.default_rng(0), {}
    for animal in ANIMALS:
        baseline = rng.random(UNITS) * 3
        tuning = rng.standard_normal((2, UNITS))
        body = rng.standard_normal(FEATURES)
        for trial in range(TRIALS):
            made[animal, f"t{trial}"] = recording(rng, body, tuning, baseline)
    return made


@pytest.fixture(scope="session")
def layout(recordings) -> Layout:
    """All of them laid out."""
    return laid_out(list(recordings), list(recordings.values()))


@pytest.fixture
def pieces() -> Pieces:
    """Fold 0, to be changed."""
    return fold(0)


@pytest.fixture(scope="session")
def coupled(layout) -> Dataset:
    """The dataset as fold 0 sees it: t0 of every animal is hidden."""
    return dataset_of(layout, fold(0), WINDOWS)


@pytest.fixture
def settings() -> DiagnosticsSettings:
    """As configured by default."""
    return DiagnosticsSettings()


@pytest.fixture
def changed(coupled: Dataset) -> Callable[..., Dataset]:
    """The dataset with what a function makes of one of its arrays in one trial, shape kept."""

    def change(number: int, name: str, make: Callable[[np.ndarray], np.ndarray]) -> Dataset:
        values = getattr(coupled, name).copy()
        trial = coupled.trials[number]
        rows = trial.frames if name.startswith("neural") else trial.samples
        values[rows] = make(values[rows])
        return replace(coupled, **{name: values})

    return change
