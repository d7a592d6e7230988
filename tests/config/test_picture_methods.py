"""The rows of pictures: each is valid, and what it says of the release is what the release does."""

from pathlib import Path

import pytest

from neural_action.config.load import complete, effective, merged, read_yaml, validate
from neural_action.config.settings import MethodSettings
from neural_action.config.signatures import check_parameters
from neural_action.tables.published import published

CONFIG = Path(__file__).resolve().parents[2] / "config"
ROWS = read_yaml(CONFIG / "methods_pictures.yaml")["methods"]


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


def settings(*names: str):
    config = {**merged([CONFIG / f"{name}.yaml" for name in names]), "raw": "here"}
    return validate(complete(config, lambda name: CONFIG / name))


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "cifar20", "tiny_imagenet"])
def test_each_set_has_the_schedule_of_the_release(name):
    made = settings(name)
    pictures = 100_000 if name == "tiny_imagenet" else 50_000
    assert made.training.steps == 800 * (pictures // 256)
    assert made.training.batch == 256
    assert made.training.learning_rate == 2.0
    assert made.training.warmup * 800 == 30
    assert made.convert.reader_options["name"] == made.dataset == name
    assert made.tables.decoding == "image_recognition"
    assert (made.encoders.neural.name, made.encoders.dimension) == ("resnet", 512)
    assert made.convert.reader_options.get("classes", "fine") == ("coarse" if name == "cifar20" else "fine")


def test_resnet50_is_three_more_rows_and_their_reference():
    made = settings("cifar100", "resnet50")
    for name in ("simclr", "byol", "myow"):
        ours, deep = made.methods[name], made.methods[f"{name}_resnet50"]
        assert (ours.objective, ours.augmentations, ours.batches) == (
            deep.objective,
            deep.augmentations,
            deep.batches,
        )
        encoders = effective(made, deep, name).encoders
        assert (encoders.neural.parameters, encoders.dimension) == ({"depth": 50}, 2048)
        assert encoders.head_hidden == 4096
    assert set(made.rows) == set(made.methods)


def test_published_numbers_stand_in_every_set():
    paper, other = published("image_recognition").values, published("solo_learn").values
    assert paper["myow", "linear", "decoding", "cifar20"] == 0.781
    assert paper["byol_resnet50", "linear", "decoding", "cifar100"] == 0.6787
    assert ("simclr", "linear", "decoding", "cifar20") not in paper
    assert other["byol", "linear", "decoding", "cifar100"] == 0.7046
    for (method, probe, *_), _ in [*paper.items(), *other.items()]:
        assert method in ROWS
        assert probe == "linear"
