"""Adapting a model from recordings, as the stage does from files of the workflow."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import neural_action
from neural_action.errors import InputError
from neural_action.stages.adapt import run as stage


@pytest.fixture(scope="module")
def model(made):
    return neural_action.load_model(made.model)


def known(made):
    return [*made.manifests["A"], *made.manifests["B"]]


def weights(model):
    return {name: value.numpy() for name, value in model.objective.state_dict().items()}


def test_only_the_neural_encoder_changes_and_the_model_stays(made, model):
    before = weights(model)
    adapted = model.adapt(made.manifests["C"], known(made), steps=3)
    after = weights(adapted)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("f_n.") for name in changed)
    assert all(np.array_equal(value, weights(model)[name]) for name, value in before.items())
    assert adapted.description["run"] == "adapted-C"
    assert adapted.description["adapted_from"] == model.description["run"] == "transductive"
    assert adapted.description["animals"] == ["A", "B", "C"]
    assert all(parameter.requires_grad for parameter in adapted.objective.parameters())


def test_it_is_what_the_stage_does(made, model, tmp_path):
    everything = (*known(made), *made.manifests["C"])
    (tmp_path / "run/seed-4").mkdir(parents=True)
    source = made.laid_out(everything, tmp_path, ["adapted-C-fold-1"])
    # The stage hides the animal's trials of the fold: which is tested follows from the table.
    (hidden,) = (
        trial
        for (animal, trial), (piece,) in source.table().pieces("adapted-C-fold-1").items()
        if not piece.sees_input
    )
    own = [path for path in made.manifests["C"] if path.name != f"C-{hidden}.manifest.json"]
    assert len(own) == 1
    config = json.loads(made.config)
    config["adapt"] = {"steps": 3, "learning_rate": 0.001}
    stage(
        config=json.dumps(config),
        method="swap_calcium",
        source=source,
        seed=4,
        weights=made.model,
        kernel=None,
        swaps=None,
        syllables=None,
        threads=1,
        output=tmp_path / "run/seed-4/model.safetensors",
        log=tmp_path / "run/seed-4/log.csv",
    )
    by_stage = neural_action.load_model(tmp_path / "run/seed-4")
    assert by_stage.description["run"] == "run"
    assert by_stage.description["animals"] == ["A", "B", "C"]
    expected = weights(by_stage)
    found = weights(model.adapt(own, known(made), steps=3, seed=4))
    assert all(np.array_equal(value, expected[name]) for name, value in found.items())


def test_views_that_need_swaps_and_a_kernel_get_them(made):
    model = neural_action.load_model(made.swapped)
    assert model.description["kernel"] == {"decay": 0.5, "rise": None}
    assert model.description["neighbors"]["neighbors"] == 8
    adapted = model.adapt(made.manifests["C"], known(made), steps=2)
    assert np.isfinite(adapted.transform(made.manifests["C"]).values).all()


def test_recordings_in_memory_do_as_well(made, model):
    new = [made.recording("C", trial) for trial in "12"]
    old = [made.recording(animal, trial) for animal in "AB" for trial in "12"]
    found, expected = (
        weights(model.adapt(*given, steps=2)) for given in ((new, old), (made.manifests["C"], known(made)))
    )
    assert all(np.array_equal(value, expected[name]) for name, value in found.items())


def test_a_saved_model_is_the_same_model(made, model, tmp_path):
    adapted = model.adapt(made.manifests["C"], steps=2)
    adapted.save(tmp_path / "adapted.safetensors")
    again = neural_action.load_model(tmp_path / "adapted.safetensors")
    assert again.description == adapted.description
    one, two = (each.transform(made.manifests["C"]).values for each in (adapted, again))
    assert np.array_equal(one, two)
    with pytest.raises(InputError, match=r"expected \.safetensors"):
        adapted.save(tmp_path / "adapted.pt")


def test_what_does_not_fit_is_a_line(made, model, tmp_path):
    recording = made.recording("C", "1")
    for given, others, words in (
        ([made.manifests["A"][0], made.manifests["C"][0]], (), "recordings of A, C, expected one new animal"),
        (made.manifests["A"], known(made), "A is both the new animal and a known one"),
        ([recording.neural], (), "adapting needs behaviour"),
        ([replace(recording, behavior_names=("x", "y", "w"))], (), r"behaviour is \['x', 'y', 'w'\]"),
        ([replace(recording, behavior_rate=100.0)], (), "100 behaviour samples per second"),
    ):
        with pytest.raises(InputError, match=words):
            model.adapt(given, others, steps=1)
    assert torch.get_num_threads() == 1
