"""The rows of pictures: each is valid, and what it says of the release is what the release does."""

from pathlib import Path

import pytest

from neural_action.config.load import read_yaml
from neural_action.config.settings import MethodSettings
from neural_action.config.signatures import check_parameters

ROWS = read_yaml(Path(__file__).resolve().parents[2] / "config/methods_pictures.yaml")["methods"]


@pytest.mark.parametrize("name", list(ROWS))
def test_every_row_is_valid(name):
    row = MethodSettings.model_validate(ROWS[name])
    if row.objective is not None:
        check_parameters("objectives", row.objective.name, row.objective.parameters, name)
    for view in (*row.augmentations.neural, *row.augmentations.mined):
        check_parameters("augmentations", view.name, view.parameters, name)


def test_as_released_differs_from_ours_only_in_pool_exclusion_and_draws():
    ours, theirs = (MethodSettings.model_validate(ROWS[name]) for name in ("myow", "myow_as_released"))
    changed = {
        key: (ours.objective.parameters[key], theirs.objective.parameters[key])
        for key in ours.objective.parameters
        if ours.objective.parameters[key] != theirs.objective.parameters[key]
    }
    assert changed == {"exclude": ("trial", "none"), "pool": (512, 0)}
    assert (ours.augmentations.draws, theirs.augmentations.draws) == ("window", "batch")
    assert ours.augmentations.neural == theirs.augmentations.neural
    assert ours.objective.parameters["start"] == 100 / 800
    assert ours.objective.parameters["warmup"] == 110 / 800
