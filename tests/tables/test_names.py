"""Names in pictures: as they are, cut in the middle where long, and nothing lies on anything."""

from dataclasses import replace
from types import SimpleNamespace

import made_up
import numpy as np
import pytest

from drawn import assert_legible, said
from neural_action.names import shortened
from neural_action.neighbors.table import SwapTable
from neural_action.tables.pictures.confusion import draw_confusion
from neural_action.tables.pictures.embedding import draw_embeddings
from neural_action.tables.pictures.neighbors import draw_neighbors
from neural_action.tables.pictures.runs import Run
from neural_action.tables.pictures.statistics import draw_statistics

ANIMALS = tuple(f"ScholzEtAl2018.AML{strain}_moving.BrainScanner20180223_141721" for strain in (175, 32, 18))
CLASSES = ("class_0", "a_class_whose_name_is_rather_long", "class_2")


@pytest.fixture(params=[1, 3], ids=["one animal", "three animals"])
def named(request):
    """The recordings of the first animals, with long names, of animals as of a class."""
    count, dataset = request.param, made_up.recordings()
    renamed = dict(zip(dataset.animals, ANIMALS[:count], strict=False))
    trials = tuple(
        SimpleNamespace(**{**vars(trial), "animal": renamed[trial.animal]})
        for trial in dataset.trials
        if trial.animal in renamed
    )
    end = trials[-1].samples.stop
    names = ("pose", "pose_raw", "pose_time", "pose_animal", "labels")
    parts = {name: getattr(dataset, name)[:end] for name in names}
    parts["labels"] = np.minimum(parts["labels"], len(CLASSES) - 1)
    given = {"animals": ANIMALS[:count], "trials": trials, "class_names": CLASSES}
    return SimpleNamespace(**{**vars(dataset), **given, **parts})


@pytest.fixture
def runs(named, tmp_path):
    """Three rows with a run each."""
    rng, count = np.random.default_rng(0), 60
    np.savez(tmp_path / "run.npz", encoder=rng.normal(size=(count, 5)))
    drawn = [rng.integers(most, size=count) for most in (3, len(named.animals), 3)]
    run = Run("a", "fold-0", 0, *drawn, "across", CLASSES, named.animals, tmp_path / "run.npz")
    return {name: [replace(run, method=name)] for name in ("a", "b", "c")}


LABELS = {"a": "Neural (linear)", "b": "SimCLR", "c": "Matched batches and neighbour InfoNCE"}


def test_a_long_name_loses_its_middle_and_no_two_become_one():
    assert shortened(["short", "from_the_beginning_to_the_end"], 11) == ["short", "from_…e_end"]
    names = [f"sub-A_ses-{day}_behavior+ecephys" for day in range(12)]
    assert all(len(name) <= 20 for name in shortened(names, 20))
    assert len(set(shortened(names, 20))) == len(names)
    # What tells these apart is in the middle, too far from both ends.
    names = [f"{'a' * 30}{letter}{'a' * 30}" for letter in "bcd"]
    assert shortened(names, 12) == ["aaaaaaa…1", "aaaaaaa…2", "aaaaaaa…3"]
    assert shortened(["twice" * 9, "twice" * 9], 10) == ["twice…wice"] * 2


def test_neighbors(named):
    count = len(named.animals)
    targets = (
        np.random.default_rng(0).integers(len(named.pose), size=(len(named.pose), count, 2)).astype(np.int32)
    )
    figure = draw_neighbors(named, SwapTable(targets, np.ones((count, count), bool), named.animals, {}))
    assert_legible(figure)
    assert {"class_0", "class_2"} <= said(figure)


def test_statistics(named):
    figure = draw_statistics(named)
    assert_legible(figure)
    assert {"class_0", *shortened(named.animals)} <= said(figure)


def test_embedding(named, runs):
    figure = draw_embeddings(runs, LABELS, "a")
    assert_legible(figure)
    assert {"class_0", *shortened(named.animals)} <= said(figure)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_confusion(named, runs, rows):
    figure = draw_confusion({name: runs[name] for name in list(runs)[:rows]}, LABELS)
    assert_legible(figure)
    assert "class_0" in said(figure)
    assert any("trained on the other animals" in text for text in said(figure))
