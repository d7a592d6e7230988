"""Rows that train with labels: none of a trial that is tested, nor of an animal that is left out, is ever met."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import neural_action
from neural_action.config.sections import Sections
from neural_action.config.settings import AugmentationSettings
from neural_action.errors import InputError
from neural_action.stages.adapt import run as adapt
from neural_action.stages.evaluate import run as evaluate
from neural_action.stages.pretrain import run as pretrain
from neural_action.stages.training import Inputs, training_data
from neural_action.training.batches import BatchSampler

#: A split, its protocol, and the animals of which a label may be trained with.
SPLITS = [
    ("transductive-fold-0", "transductive", "ABC"),
    ("fold-0", "new_trials", "ABC"),
    ("without-C-fold-0", "new_trials", "AB"),
    ("adapted-C-fold-0", "new_trials", "ABC"),
]
CHANGES = {
    "evaluation": {
        "tasks": ["within", "across", "identity"],
        "identity_samples": 60,
        "label_block_seconds": 2.0,
    },
    "probes": {
        "softmax": {
            "kind": "softmax",
            "solver": "sgd",
            "steps": 20,
            "tasks": ["within", "across", "identity"],
        }
    },
}


@pytest.fixture
def config(made) -> str:
    """One supervised row, by the stages' configuration."""
    content = json.loads(made.config)
    content["methods"]["supervised"] = {"label": "Supervised", "objective": {"name": "supervised"}}
    return json.dumps({**content, **CHANGES})


@pytest.fixture
def source_of(made, tmp_path):
    """A function that stores every recording with the labels that ``change`` makes of them, and lays them out."""

    def source(splits, protocol, change=lambda animal, trial, labels: labels, name="d"):
        folder = tmp_path / name
        folder.mkdir()
        paths = []
        for animal in "ABC":
            for trial in "12":
                one = made.recording(animal, trial)
                paths.append(made.store(replace(one, labels=change(animal, trial, one.labels)), folder))
        return made.laid_out(paths, folder, splits, protocol=protocol)

    return source


@pytest.mark.parametrize(("split", "protocol", "known"), SPLITS)
def test_no_batch_holds_a_label_that_the_split_hides(config, source_of, split, protocol, known):
    source = source_of([split], protocol)
    data = training_data(Sections(config), Inputs(source, None, None, None), [split], 1)
    pieces = source.table().pieces(split)
    told = np.array([pieces[trial.animal, trial.name][0].sees_label for trial in data.dataset.trials])
    hidden = ~told[data.windows.trial]
    assert (data.windows.label[hidden] == -1).all()
    assert (data.windows.label[~hidden] >= 0).all()
    sampler, met = BatchSampler(data.context, data.windows, AugmentationSettings(), 16, 0), set()
    for step in range(30):
        batch = sampler(step)
        rows = data.windows.take(data.windows.sees_input).trial[batch.windows.numpy()]
        assert ((batch.label.numpy() >= 0) == told[rows]).all()
        met |= set(rows)
    # But for new trials, the inputs of some are met: it is their labels that are not.
    assert bool(set(np.flatnonzero(~told)) & met) == (split != "fold-0")
    assert {data.dataset.trials[at].animal for at in met if told[at]} == set(known)


def pretrained(config, source, folder):
    """The supervised row, trained by the stage."""
    output = folder / "run/seed-0/model.safetensors"
    files = {"log": output.with_name("log.csv"), "representation": output.with_name("representation.npz")}
    pretrain(config, "supervised", source, 0, None, None, None, 1, output, **files)
    return output


def weights(*given):
    return neural_action.load_model(pretrained(*given)).objective.state_dict()


@pytest.mark.parametrize(("split", "protocol", "known"), [SPLITS[0], SPLITS[2]])
def test_hidden_labels_do_not_influence_what_is_learned(config, source_of, tmp_path, split, protocol, known):
    source = source_of([split], protocol)
    hidden = {trial for trial, (piece,) in source.table().pieces(split).items() if not piece.sees_label}
    hidden |= {(animal, trial) for animal in set("ABC") - set(known) for trial in "12"}
    expected = weights(config, source, tmp_path / "a")

    def flipped(which):
        return lambda animal, trial, labels: 1 - labels if ((animal, trial) in hidden) == which else labels

    same, other = (
        weights(config, source_of([split], protocol, flipped(which), name), tmp_path / name)
        for which, name in ((True, "hidden"), (False, "seen"))
    )
    assert all(torch.equal(value, same[name]) for name, value in expected.items())
    assert not all(torch.equal(value, other[name]) for name, value in expected.items())


@pytest.mark.parametrize(
    ("splits", "protocol", "across"),
    [
        (["transductive-fold-0", "transductive-fold-1"], "transductive", set()),
        (["without-C-fold-0", "without-C-fold-1"], "new_trials", {"C"}),
    ],
)
def test_it_is_scored_where_it_did_not_train_on_the_answer(
    config, source_of, tmp_path, splits, protocol, across
):
    source = source_of(splits, protocol)
    weights_file = pretrained(config, source, tmp_path)
    folder = weights_file.parent
    # Folds show other labels, so that each has a model of its own though all inputs are seen.
    models = json.loads((folder / "model.json").read_text())["models"]
    assert list(models) == splits
    files = {"scores": folder / "scores.csv", "embedding": folder / "embedding.npz"}
    evaluate(config, "supervised", source, 0, 1, weights_file, None, None, **files)
    scores = pd.read_csv(files["scores"])
    assert set(scores["split"]) == set(splits)
    assert set(scores["label_budget"]) == {"all"}
    assert set(scores.query("task == 'across'")["animal"]) == across
    assert {"within", "identity"} <= set(scores["task"]) or protocol == "new_trials"
    # A row that trains without labels is read across animals, and with half of the labels.
    raw = {**json.loads(config)["methods"], "raw": {"label": "Raw", "representation": "raw"}}
    config = json.dumps({**json.loads(config), "methods": raw})
    evaluate(config, "raw", source, 0, 1, None, None, None, **files)
    scores = pd.read_csv(files["scores"])
    assert set(scores["label_budget"]) == {"all", "half"}
    assert set(scores.query("task == 'across'")["animal"]) == (across or set("ABC"))


def test_each_fold_is_adapted_from_the_model_that_did_not_see_its_labels(config, source_of, tmp_path):
    source = source_of(["without-C-fold-0", "without-C-fold-1"], "new_trials")
    start = pretrained(config, source, tmp_path)
    config = json.dumps({**json.loads(config), "adapt": {"steps": 2}})
    for fold in (0, 1):
        output = tmp_path / f"adapted-C-fold-{fold}/seed-0/model.safetensors"
        splits = replace(source, names=(f"adapted-C-fold-{fold}",))
        given = (start, None, None, None, 1, output, output.with_name("log.csv"))
        adapt(config, "supervised", splits, 0, *given)
        before = neural_action.load_model(start, split=f"without-C-fold-{fold}").objective.state_dict()
        after = neural_action.load_model(output).objective.state_dict()
        # The classifier is no part of the neural encoder, which alone goes on learning.
        kept = [name for name in before if name.startswith("classifier")]
        assert kept
        assert all(torch.equal(before[name], after[name]) for name in kept)
        assert not all(torch.equal(before[name], after[name]) for name in before)


def test_an_evaluation_reads_the_representation_that_pretraining_wrote(config, source_of, tmp_path):
    source = source_of(["transductive-fold-0", "transductive-fold-1"], "transductive")
    weights_file = pretrained(config, source, tmp_path)
    representation = weights_file.with_name("representation.npz")
    no_model = tmp_path / "no_model.safetensors"
    no_model.write_text("unread")
    content = json.loads(config)
    other = json.dumps({**content, "windows": {**content["windows"], "stride": 3}})

    def scores(config, weights, **given):
        files = {"scores": tmp_path / "scores.csv", "embedding": tmp_path / "run/seed-0/embedding.npz"}
        evaluate(config, "supervised", source, 0, 1, weights, None, None, **files, **given)
        return files["scores"].read_text()

    expected = scores(config, weights_file)
    assert scores(config, no_model, representation=representation) == expected
    # It lacks the windows of another stride, which the model embeds.
    assert scores(other, weights_file, representation=representation) == scores(other, weights_file)
    with pytest.raises(InputError, match="cannot be loaded as a model"):
        scores(other, no_model, representation=representation)
    representation.write_bytes(representation.read_bytes()[:500])
    with pytest.raises(InputError, match=r"cannot be read as representations.*rerun rule pretrain"):
        scores(config, weights_file, representation=representation)
