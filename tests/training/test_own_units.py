"""Animals with units of their own: batches of them, and every objective trained on them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from swap_tables import swap_table

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.config.settings import (
    AdaptSettings,
    AttentionSettings,
    AugmentationSettings,
    ComponentConfig,
    EncoderSettings,
    MethodSettings,
    TrainingSettings,
    WindowSettings,
)
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import window_table
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.unit_tiles import WIDTH
from neural_action.errors import InputError
from neural_action.evaluation.representation import represent
from neural_action.training.adapt import adapt
from neural_action.training.batches import BatchSampler, augmentation_context
from neural_action.training.loop import pretrain
from neural_action.training.model import create, fit_scales, load_model, save_model
from neural_action.training.sessions import with_animal

UNITS = {"A": 5, "B": 70, "C": 9}
WINDOWS = WindowSettings(frames=16, poses=4)
TRAINING = TrainingSettings(steps=6, batch=14, checkpoint_every=2)
ENCODERS = EncoderSettings(
    neural=ComponentConfig(name="trace_cnn", width=6, layers=1),
    behavior=ComponentConfig(name="pose_cnn", width=8),
    unit_width=4,
    dimension=8,
)
VIEWS = AugmentationSettings(
    neural=[
        ComponentConfig(name="calcium"),
        ComponentConfig(name="neural_mix", whose="own"),
        ComponentConfig(name="intensity"),
        ComponentConfig(name="dropout", units=True),
        ComponentConfig(name="noise"),
    ],
    behavior=[ComponentConfig(name="swap"), ComponentConfig(name="pose_noise")],
)


@pytest.fixture
def ragged(dataset):
    """The dataset of the tests with other units in every animal."""
    rng, count = np.random.default_rng(1), len(dataset.neural) // 3
    parts = [rng.random((count, units)).astype(np.float32) for units in UNITS.values()]
    return dataclasses.replace(dataset, neural=RaggedFrames(parts), units=tuple(UNITS.items()))


def without(dataset, animal):
    """The dataset with nothing of one animal seen."""
    trials = [
        dataclasses.replace(trial, sees_input=trial.sees_input and trial.animal != animal)
        for trial in dataset.trials
    ]
    return dataclasses.replace(dataset, trials=tuple(trials))


def shapes_of(names, frames=16):
    return Shapes(frames, (), 4, 6, 3, 3, units=tuple((name, UNITS[name]) for name in names))


def sampler_of(dataset, layers, augmentations=VIEWS, batch=14, **options):
    windows = window_table(dataset, WINDOWS, stride=1)
    swaps = swap_table(dataset)
    kernel = np.exp(-np.arange(16) / 8).astype(np.float32)
    states = np.full((len(dataset.pose), 3), 1 / 3, np.float32)
    context = augmentation_context(
        dataset, windows, torch.device("cpu"), kernel=kernel, swap=swaps, syllables=states, layers=layers
    )
    return BatchSampler(context, windows, augmentations, batch, 0, **options)


def test_batches_are_of_equally_many_windows_of_each_animal(ragged):
    sampler = sampler_of(ragged, list(UNITS), AugmentationSettings())
    batch, again = sampler(3), sampler(4)
    # 14 windows of three animals are four of each.
    assert torch.bincount(batch.animal).tolist() == [4, 4, 4]
    assert not torch.equal(batch.windows, again.windows)
    assert torch.equal(batch.windows, sampler(3).windows)
    windows = batch.neural()
    assert windows.values.shape == (12, 16, 2 * WIDTH)
    assert torch.equal(windows.layer, batch.animal)
    for values, start, animal in zip(windows.values, batch.rows.start.tolist(), batch.animal, strict=True):
        units = list(UNITS.values())[animal]
        np.testing.assert_array_equal(values[:, :units], ragged.neural[start : start + 16])
        assert not values[:, units:].any()
    drawn = torch.cat([sampler(step).rows.start for step in range(40)])
    hidden = [trial for trial in ragged.trials if not trial.sees_input]
    assert not any(((drawn >= trial.frames.start) & (drawn < trial.frames.stop)).any() for trial in hidden)


def test_animals_take_turns_unless_one_is_in_focus(ragged):
    plain, matched, focused = (
        sampler_of(ragged, list(UNITS), **given)(0) for given in ({}, {"matched": True}, {"focus": 1})
    )
    for batch in (plain, matched):
        windows = batch.neural()
        assert windows.turns == 3
        assert windows.layer.tolist() == [0, 1, 2] * 4
        # Windows of any numbers are of any animals.
        assert not batch.neural_of(batch.windows).turns
    assert not focused.neural().turns
    # An animal without a layer, and layers in another order.
    assert not sampler_of(ragged, ["B", "A", "C"])(0).neural().turns
    assert sampler_of(without(ragged, "B"), ["A", "C"])(0).neural().turns == 2


def test_a_batch_needs_a_window_of_each_animal(ragged):
    with pytest.raises(
        InputError, match=r"training.batch: 2, expected at least one window of each of 3 animals"
    ):
        sampler_of(ragged, list(UNITS), batch=2)


def test_an_animal_that_is_not_seen_has_no_layer(ragged):
    hidden = without(ragged, "B")
    sampler = sampler_of(hidden, ["A", "C"], AugmentationSettings())
    batch = sampler(0)
    assert torch.bincount(batch.animal).tolist() == [7, 0, 7]
    assert torch.equal(batch.neural().layer, batch.animal // 2)
    with pytest.raises(InputError, match="animal number 1: has no input layer"):
        sampler.context.layer_of(1)


def test_matched_groups_have_a_window_of_each_animal(ragged):
    batch = sampler_of(ragged, list(UNITS), matched=True)(0)
    assert batch.animal.view(-1, 3).tolist() == [[0, 1, 2]] * 4
    assert torch.equal(batch.neural().layer, batch.animal)


def test_units_are_scaled_by_what_may_be_seen(ragged):
    changed = RaggedFrames([part.copy() for part in ragged.neural.parts])
    for trial in ragged.trials:
        if not trial.sees_input:
            changed[trial.frames][:] = 1e6
    sampler = sampler_of(dataclasses.replace(ragged, neural=changed), list(UNITS))
    model = create(ComponentConfig(name="infonce"), ENCODERS, shapes_of(UNITS), 0)
    fit_scales(model, sampler.context)
    layer, seen = model.f_n.input, [trial.frames for trial in ragged.trials if trial.sees_input]
    expected = np.concatenate([ragged.neural[frames] for frames in seen[3:6]])
    np.testing.assert_allclose(layer.mean[1:3].flatten()[:70], expected.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.gain[1:3].flatten()[:70], 1 / expected.std(0), rtol=1e-4)


OBJECTIVES = {
    "infonce": {},
    "infonce_neural": {},
    "regression_recurrent": {},
    "regression_conv": {},
    "regression_linear": {},
    "behavenet": {},
    "byol": {},
    "myow": {"warmup": 0.0},
    "relative_position": {},
    "temporal_shuffling": {},
    "supervised": {},
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains_each_animals_layer_and_what_is_shared(ragged, tmp_path, name):
    sampler, named = sampler_of(ragged, list(UNITS)), ComponentConfig(name=name, **OBJECTIVES[name])
    model = create(named, ENCODERS, shapes_of(UNITS), 0)
    fit_scales(model, sampler.context)
    before = {key: value.clone() for key, value in model.f_n.named_parameters()}
    pretrain(model, sampler, TRAINING, tmp_path / "checkpoint.pt")
    for key, value in model.f_n.named_parameters():
        assert not torch.equal(value, before[key]), key
    # Tile by tile: every animal's weights are trained.
    assert (model.f_n.input.weight != before["input.weight"]).flatten(1).any(1).all()
    save_model(model, named, ENCODERS, shapes_of(UNITS), tmp_path / "model.safetensors", {})
    loaded, windows = load_model(tmp_path / "model.safetensors"), sampler(0).recorded()
    with torch.inference_mode():
        embedded = model.eval().embed(windows)["encoder"]
        torch.testing.assert_close(loaded.embed(windows)["encoder"], embedded)
    assert embedded.shape == (12, 8)


@pytest.mark.parametrize("name", ["autoencoder", "pi_vae"])
def test_objectives_that_rebuild_units_say_why_not(name):
    with pytest.raises(InputError, match="animals have their own units, expected common units"):
        create(ComponentConfig(name=name), ENCODERS, shapes_of(UNITS), 0)


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (ComponentConfig(name="neural_swap"), "augmentation neural_swap: animals have their own units"),
        (ComponentConfig(name="neural_mix"), "expected whose: own"),
    ],
)
def test_views_that_exchange_frames_say_why_not(ragged, view, says):
    with pytest.raises(InputError, match=says):
        sampler_of(ragged, list(UNITS), AugmentationSettings(neural=[view]))


def test_an_unseen_animal_gets_a_layer_and_the_rest_stays(ragged, tmp_path):
    known = sampler_of(without(ragged, "B"), ["A", "C"])
    model = create(ComponentConfig(name="infonce"), ENCODERS, shapes_of("AC"), 0)
    fit_scales(model, known.context)
    pretrain(model, known, TRAINING, tmp_path / "a.pt")
    recorded = known(0).recorded()
    before = model.eval().embed(recorded)["encoder"].detach()
    context = sampler_of(ragged, ["A", "C", "B"]).context
    seen = context.take(context.animal_frames[1])[:, :70]
    wider = with_animal(model, "B", seen, 0)
    fresh = {key: value.clone() for key, value in wider.state_dict().items()}
    settings, windows = AdaptSettings(steps=4), window_table(ragged, WINDOWS, stride=1)
    given = (wider, context, windows, VIEWS, 1, settings, TRAINING, tmp_path / "b.pt")
    adapt(*given, matched=False, seed=0)
    changed = {key for key, value in wider.state_dict().items() if not torch.equal(value, fresh[key])}
    assert changed == {"f_n.input.weight", "f_n.input.bias"}
    assert wider.shapes.units == (("A", 5), ("C", 9), ("B", 70))
    # A and C have a tile each, B two: only those of B were trained.
    moved = (wider.f_n.input.weight != fresh["f_n.input.weight"]).flatten(1).any(1)
    assert moved.tolist() == [False, False, True, True]
    torch.testing.assert_close(wider.eval().embed(recorded)["encoder"].detach(), before)


def read(dataset, model, named, tmp_path):
    """What a saved model makes of every window."""
    weights = tmp_path / "model.safetensors"
    save_model(model, named, model.encoders, model.shapes, weights, {})
    row = MethodSettings(label="row", objective=named)
    windows = window_table(dataset, WINDOWS, stride=4)
    return represent(row, dataset, windows, EvaluationSettings(), weights=weights), windows


@pytest.mark.parametrize("name", ["infonce", "regression_conv", "byol"])
def test_an_unseen_animal_is_read_in_closed_form_through_its_other_trials(ragged, tmp_path, name):
    hidden, named = without(ragged, "B"), ComponentConfig(name=name)
    model = create(named, ENCODERS, shapes_of("AC"), 0)
    fit_scales(model, sampler_of(hidden, ["A", "C"]).context)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found, windows = read(hidden, model, named, tmp_path)
    new, tested = windows.animal == 1, windows.role == "test"
    assert set(found) == ({"encoder", "projection"} if name == "infonce" else {"encoder"})
    for values in found.values():
        assert np.isfinite(values).all()
        known = values[(windows.animal != 1) & windows.sees_input]
        np.testing.assert_allclose(values[new & ~tested].mean(0), known.mean(0), atol=1e-3)
        np.testing.assert_allclose(values[new & ~tested].std(0), known.std(0), atol=1e-3)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    # What the new animal does in its tested trial changes nothing.
    moved = hidden.pose.copy()
    for trial in hidden.trials:
        if trial.animal == "B" and trial.role == "test":
            moved[trial.samples] += 9.0
    again = read(dataclasses.replace(hidden, pose=moved), model, named, tmp_path)[0]
    np.testing.assert_array_equal(again["encoder"], found["encoder"])


def test_an_unseen_animal_is_read_through_one_trial_and_without_any_has_no_numbers(ragged, tmp_path, capsys):
    hidden, named = without(ragged, "B"), ComponentConfig(name="infonce")
    model = create(named, ENCODERS, shapes_of("AC"), 0)
    for left in (1, 0):
        trials = tuple(one for one in hidden.trials if one.animal != "B" or int(one.name[1:]) <= left)
        found, windows = read(dataclasses.replace(hidden, trials=trials), model, named, tmp_path)
        assert np.isfinite(found["encoder"][windows.animal != 1]).all()
        assert np.isnan(found["encoder"][windows.animal == 1]).all() == (left == 0)
        assert np.isfinite(found["encoder"][windows.animal == 1]).all() == (left == 1)
    assert "B: has no input layer and is left out (ridge: 0 visible trials" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["regression_conv", "infonce"])
def test_attention_over_units_reads_an_unseen_animal_without_its_behaviour(ragged, tmp_path, name):
    hidden, named = without(ragged, "B"), ComponentConfig(name=name)
    encoders = ENCODERS.model_copy(update={"attention": AttentionSettings(hidden=8)})
    sampler = sampler_of(hidden, ["A", "C"])
    model = create(named, encoders, shapes_of("AC"), 0)
    fit_scales(model, sampler.context)
    before = {key: value.clone() for key, value in model.f_n.named_parameters()}
    pretrain(model, sampler, TRAINING, tmp_path / "a.pt")
    for key, value in model.f_n.named_parameters():
        assert not torch.equal(value, before[key]), key
    found, windows = read(hidden, model, named, tmp_path)
    new = windows.animal == 1
    assert np.isfinite(found["encoder"]).all()
    assert found["encoder"][new].std(0).min() > 0
    # It depends on the animal's activity outside the test, and on no behaviour.
    still = dataclasses.replace(hidden, pose=np.roll(hidden.pose, 7, axis=0))
    np.testing.assert_array_equal(read(still, model, named, tmp_path)[0]["encoder"], found["encoder"])
    parts = RaggedFrames([part.copy() for part in hidden.neural.parts])
    trials = [trial for trial in hidden.trials if trial.animal == "B"]
    parts[next(trial.frames for trial in trials if trial.role == "test")][:] = 3.0
    other = read(dataclasses.replace(hidden, neural=parts), model, named, tmp_path)[0]["encoder"]
    same = ~new | (windows.role != "test")
    np.testing.assert_array_equal(other[same], found["encoder"][same])
    assert not np.array_equal(other[~same], found["encoder"][~same])


def test_attention_over_units_is_adapted_as_a_whole(ragged, tmp_path):
    encoders = ENCODERS.model_copy(update={"attention": AttentionSettings(hidden=8)})
    model = create(ComponentConfig(name="infonce"), encoders, shapes_of("AC"), 0)
    fit_scales(model, sampler_of(without(ragged, "B"), ["A", "C"]).context)
    context = sampler_of(ragged, ["A", "C", "B"]).context
    wider = with_animal(model, "B", context.take(context.animal_frames[1])[:, :70], 0)
    fresh = {key: value.clone() for key, value in wider.state_dict().items()}
    windows = window_table(ragged, WINDOWS, stride=1)
    given = (wider, context, windows, VIEWS, 1, AdaptSettings(steps=3), TRAINING, tmp_path / "b.pt")
    adapt(*given, matched=False, seed=0)
    changed = {key for key, value in wider.state_dict().items() if not torch.equal(value, fresh[key])}
    assert "f_n.input.query" in changed
    assert all(key.startswith("f_n.") for key in changed)


class InterruptedRunError(Exception):
    """Stands for a killed job."""


def test_an_interrupted_run_ends_with_the_same_weights(ragged, tmp_path):
    def stop(done):
        if done == 3:
            raise InterruptedRunError

    def fresh():
        sampler = sampler_of(ragged, list(UNITS))
        model = create(ComponentConfig(name="infonce"), ENCODERS, shapes_of(UNITS), 0)
        fit_scales(model, sampler.context)
        return model, sampler

    whole, (resumed, sampler) = fresh(), fresh()
    pretrain(*whole, TRAINING, tmp_path / "a.pt")
    with pytest.raises(InterruptedRunError):
        pretrain(resumed, sampler, TRAINING, tmp_path / "b.pt", interrupt=stop)
    pretrain(resumed, sampler, TRAINING, tmp_path / "b.pt")
    for key, value in whole[0].state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
