"""Adapting a model of animals with their own units: an input layer, a closed form, or attention over units."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import neural_action
from neural_action.cli.main import commands
from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.config.sections import Sections
from neural_action.datasets.dataset import dataset_of
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.evaluation.representation import represent
from neural_action.stages.adapt import run as stage
from neural_action.stages.pretrain import run as pretrain
from neural_action.training.model import load_model

#: The new animal, C, has as many units as A, but others.
UNITS, TRIALS = {"A": 7, "B": 70, "C": 7}, "1234"


def recording(made, animal, trial):
    """A recording whose units mix the six units of the other tests, in a way of their animal."""
    one = made.recording(animal, trial)
    mixed = one.neural @ np.random.default_rng(UNITS[animal] + ord(animal)).random((6, UNITS[animal]))
    return replace(one, neural=(mixed / mixed.max()).astype(np.float32))


@pytest.fixture(scope="module")
def own(made, tmp_path_factory):
    """``manifests`` of each animal, ``config``, and a function that trains a row on A and B and returns its weights."""
    folder = tmp_path_factory.mktemp("own")
    manifests = {
        animal: [made.store(recording(made, animal, trial), folder) for trial in TRIALS] for animal in UNITS
    }
    config = json.loads(made.config)
    config["windows"]["units"] = "own"
    config["encoders"]["unit_width"] = 4
    config["training"] |= {"steps": 60, "learning_rate": 0.01}
    noise = {"neural": [{"name": "noise", "sd": 0.1}], "behavior": []}
    config["methods"] = {
        "regression": {
            "label": "Regression",
            "objective": {"name": "regression_linear"},
            "augmentations": noise,
        },
        "simclr": {"label": "SimCLR", "objective": {"name": "infonce"}, "augmentations": noise},
    }
    asked = {name: json.dumps(config) for name in ("regression", "simclr")}
    config["encoders"]["attention"] = {"hidden": 8, "chunks": 2, "context": 8}
    asked["attention"] = json.dumps(config)
    known = (*manifests["A"], *manifests["B"])
    splits = [f"transductive-fold-{fold}" for fold in (0, 1)]
    source = made.laid_out(known, folder, splits, protocol="transductive")
    weights = {}
    for name, text in asked.items():
        weights[name] = folder / name / "seed-0/model.safetensors"
        method = "regression" if name == "attention" else name
        pretrain(
            text, method, source, 0, None, None, None, 1, weights[name], weights[name].with_name("log.csv")
        )
    return SimpleNamespace(manifests=manifests, known=known, config=asked, weights=weights, source=source)


@pytest.fixture(params=["regression", "simclr"])
def model(own, request):
    return neural_action.load_model(own.weights[request.param])


def state(model):
    return {name: value.clone() for name, value in model.objective.state_dict().items()}


def first(value, before):
    """The part of a tensor that was there before an animal was added, which comes at the end."""
    return value[: len(before)] if before.ndim else value


def again(model, tmp_path):
    model.save(tmp_path / "adapted.safetensors")
    return neural_action.load_model(tmp_path / "adapted.safetensors")


def test_a_new_animal_gets_an_input_layer_and_nothing_else_changes(own, model, tmp_path):
    before = state(model)
    with pytest.raises(InputError, match=r"the model only has units of A, B; adapt it to a new animal first"):
        model.transform(own.manifests["C"])
    adapted = model.adapt(own.manifests["C"], own.known, steps=5)
    for name, value in state(adapted).items():
        assert torch.equal(first(value, before[name]), before[name]), name
    assert adapted.description["animals"] == ["A", "B", "C"]
    assert adapted.description["recordings"]["sessions"] == UNITS
    assert all(torch.equal(value, state(model)[name]) for name, value in before.items())
    opened = again(adapted, tmp_path)
    assert opened.description == adapted.description
    for animal, trials in own.manifests.items():
        values = adapted.transform(trials).values
        np.testing.assert_array_equal(opened.transform(trials).values, values)
        assert np.isfinite(values).all()
        if animal != "C":
            np.testing.assert_allclose(values, model.transform(trials).values, atol=1e-6)
    # Without known animals too.
    alone = model.adapt(own.manifests["C"], steps=5)
    assert np.isfinite(alone.transform(own.manifests["C"]).values).all()


def test_a_probe_of_known_animals_reads_the_new_one(own):
    model = neural_action.load_model(own.weights["regression"])
    trained = model.adapt(own.manifests["C"][:3], own.known, steps=200, learning_rate=0.01)
    closed = model.adapt(own.manifests["C"][:1], own.known, train=False)
    fresh = model.adapt(own.manifests["C"][:3], own.known, steps=1, learning_rate=1e-9)
    scores = [one.score(own.manifests["C"][3], own.known) for one in (trained, closed, fresh)]
    # Chance is one half; a layer that was not trained says little.
    assert min(scores[:2]) > 0.8
    assert min(scores[:2]) > scores[2]


def of_stage(made, own, tmp_path, split):
    """The source of a split of all three animals, and the manifest of the trial of C that it tests."""
    source = made.laid_out((*own.known, *own.manifests["C"]), tmp_path, [split])
    tested = [
        trial
        for (animal, trial), (piece,) in source.table().pieces(split).items()
        if animal == "C" and piece.role == "test"
    ]
    return source, {path: path.name[2] in tested for path in own.manifests["C"]}


def test_training_is_what_the_stage_does(made, own, tmp_path):
    source, tested = of_stage(made, own, tmp_path, "adapted-C-fold-1")
    (tmp_path / "run/seed-4").mkdir(parents=True)
    output = tmp_path / "run/seed-4/model.safetensors"
    config = json.dumps({**json.loads(own.config["simclr"]), "adapt": {"steps": 3}})
    given = (config, "simclr", source, 4, own.weights["simclr"], None, None, None, 1, output)
    stage(*given, output.with_name("log.csv"))
    model = neural_action.load_model(own.weights["simclr"])
    found = state(
        model.adapt([path for path, test in tested.items() if not test], own.known, steps=3, seed=4)
    )
    expected = state(neural_action.load_model(output))
    assert all(torch.equal(value, expected[name]) for name, value in found.items())


def test_the_closed_form_is_that_of_the_tables(made, own, model, tmp_path):
    name = model.description["method"]
    source, tested = of_stage(made, own, tmp_path, "without-C-fold-1")
    # One of the four trials is tested.
    path = min(path for path, test in tested.items() if test)
    table = source.table()
    pieces = table.pieces("without-C-fold-1")
    for trial in TRIALS:
        (piece,) = pieces["C", trial]
        pieces["C", trial] = [replace(piece, role="test" if path.name[2] == trial else "train")]
    sections = Sections(own.config[name])
    dataset = dataset_of(source.layout(), pieces, sections.windows)
    windows = window_table(dataset, sections.windows, stride=4)
    row = sections.method(name)
    expected = represent(row, dataset, windows, EvaluationSettings(), weights=own.weights[name])
    rows = (windows.animal == 2) & (windows.role == "test")
    before = state(model)
    rest = [one for one in own.manifests["C"] if one != path]
    adapted = model.adapt(rest, own.known, train=False)
    assert all(torch.equal(value, before[name]) for name, value in state(adapted).items())
    opened = again(adapted, tmp_path)
    for layer, values in expected.items():
        for one in (adapted, opened):
            found = one.transform(path, stride=4, layer=layer).values
            # The tables normalise the behaviour of an animal that nothing is seen of by all of it.
            assert np.abs(found - values[rows]).mean() < 0.1 * values[rows].std()
    # Animals that the model knows are embedded as before.
    np.testing.assert_array_equal(
        opened.transform(own.manifests["B"]).values, model.transform(own.manifests["B"]).values
    )
    # The workflow opens the same file, and knows A and B in it.
    assert load_model(tmp_path / "adapted.safetensors").shapes.units == (("A", 7), ("B", 70))


def test_attention_over_units_needs_no_training_and_no_known_animal(own, tmp_path):
    model = neural_action.load_model(own.weights["attention"])
    before = state(model)
    adapted = model.adapt(own.manifests["C"], train=False)
    after = state(adapted)
    assert all(torch.equal(first(value, before[name]), before[name]) for name, value in after.items())
    assert not adapted.readers
    values = again(adapted, tmp_path).transform(own.manifests["C"]).values
    np.testing.assert_array_equal(values, adapted.transform(own.manifests["C"]).values)
    assert values.std(0).min() > 0
    trained = state(model.adapt(own.manifests["C"], own.known, steps=2))
    assert not torch.equal(trained["f_n.input.query"], before["f_n.input.query"])


def test_from_the_command_line(own, tmp_path, capsys):
    given = ["--model", str(own.weights["simclr"].parent)]
    for path in own.known:
        given += ["--known", str(path)]
    new = [str(path) for path in own.manifests["C"][:3]]
    for name, more in (("trained", ["--steps", "2"]), ("closed", ["--no-training"])):
        output = str(tmp_path / f"{name}.safetensors")
        commands.main(["adapt-animal", *given, *more, "--output", output, *new], standalone_mode=False)
        asked = ["transform", "--model", output, "--output", str(tmp_path / "e.npz")]
        commands.main([*asked, str(own.manifests["C"][3])], standalone_mode=False)
        with np.load(tmp_path / "e.npz", allow_pickle=False) as content:
            assert np.isfinite(content["embedding"]).all()
            assert content["embedding"].shape[1] == 5


def test_what_cannot_be_read_is_a_line(made, own, model):
    new = own.manifests["C"]
    other = recording(made, "C", "4")
    for given, known, options, words in (
        (
            new,
            (),
            {"train": False},
            r"adapt: no known animal, expected recordings of at least one \(--known\)",
        ),
        (new, [*own.known, replace(other, animal="D")], {}, "D is no known animal"),
        (own.manifests["A"], own.known, {}, "A is both the new animal and a known one"),
        (
            [*new[:2], replace(other, neural=other.neural[:, :3])],
            own.known,
            {},
            r"differs from \(7,\) of the same",
        ),
        (
            new,
            [replace(recording(made, "A", "1"), neural=other.neural[:, :3])],
            {},
            r"neural frames is \[3\]",
        ),
    ):
        with pytest.raises(InputError, match=words):
            model.adapt(given, known, steps=1, **options)
    shared = neural_action.load_model(made.model)
    with pytest.raises(InputError, match="has no input layer for each animal, expected training"):
        shared.adapt(made.manifests["C"], train=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values.pop("beside/C/weight"), r"weight is torch.float32 \(0,\), expected"),
        (lambda values: values.update({"beside/C/bias": torch.zeros(3)}), r"bias is torch.float32 \(3,\)"),
        (lambda values: values["beside/C/gain"].fill_(torch.nan), "gain holds NaN or infinity"),
        (lambda values: values.pop("beside/C/mean"), "0 features of 7 units"),
        (lambda values: values.update({"beside/x": torch.zeros(3)}), "unknown tensor x"),
    ],
)
def test_a_damaged_closed_form_is_a_line(own, tmp_path, change, words):
    model = neural_action.load_model(own.weights["simclr"])
    path = tmp_path / "adapted.safetensors"
    model.adapt(own.manifests["C"], own.known, train=False).save(path)
    values = load_file(path)
    change(values)
    save_file(values, path)
    with pytest.raises(InputError, match=words):
        neural_action.load_model(path)
