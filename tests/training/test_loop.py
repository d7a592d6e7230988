"""The loop: reproducible, resumable, and blind to what is hidden."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from swap_tables import swap_table

from neural_action.config.settings import (
    AugmentationSettings,
    ComponentConfig,
    EncoderSettings,
    TrainingSettings,
    WindowSettings,
)
from neural_action.datasets.windows import window_table
from neural_action.encoders.shapes import Shapes
from neural_action.training import loop
from neural_action.training.batches import BatchSampler, augmentation_context
from neural_action.training.loop import learning_rate, pretrain
from neural_action.training.model import create

WINDOWS = WindowSettings(frames=16, poses=4)
TRAINING = TrainingSettings(steps=12, batch=8, checkpoint_every=5)
ENCODERS = EncoderSettings(
    neural=ComponentConfig(name="image_cnn", width=4, layers=1),
    behavior=ComponentConfig(name="pose_cnn", width=8),
)
VIEWS = AugmentationSettings(
    neural=[
        ComponentConfig(name="calcium"),
        ComponentConfig(name="intensity"),
        ComponentConfig(name="noise"),
    ],
    behavior=[ComponentConfig(name="swap"), ComponentConfig(name="pose_noise")],
)


@pytest.fixture
def make(dataset):
    """A fresh (objective, sampler) pair."""
    swaps = swap_table(dataset)
    kernel = np.exp(-np.arange(16) / 8).astype(np.float32)

    def fresh(seed=0, data=dataset):
        windows = window_table(data, WINDOWS, stride=1)
        context = augmentation_context(data, windows, torch.device("cpu"), kernel=kernel, swap=swaps)
        sampler = BatchSampler(context, windows, VIEWS, TRAINING.batch, seed)
        return create(ComponentConfig(name="infonce"), ENCODERS, Shapes(16, (4, 4), 4, 6), seed), sampler

    return fresh


class InterruptedRunError(Exception):
    """Stands for a killed job."""


def stop_at(step):
    def interrupt(done):
        if done == step:
            raise InterruptedRunError

    return interrupt


@pytest.mark.parametrize("killed", [3, 5, 7, 11])
def test_an_interrupted_run_ends_with_the_same_weights(make, tmp_path, killed):
    model, sampler = make()
    log = pretrain(model, sampler, TRAINING, tmp_path / "a.pt")
    again, sampler = make()
    with pytest.raises(InterruptedRunError):
        pretrain(again, sampler, TRAINING, tmp_path / "b.pt", interrupt=stop_at(killed))
    resumed, sampler = make()
    other = pretrain(resumed, sampler, TRAINING, tmp_path / "b.pt")
    for key, value in model.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    assert log[-1][0] == other[-1][0] == 12


def test_a_checkpoint_of_another_run_is_not_resumed(make, tmp_path):
    model, sampler = make()
    with pytest.raises(InterruptedRunError):
        pretrain(model, sampler, TRAINING, tmp_path / "c.pt", fingerprint="one", interrupt=stop_at(6))
    fresh, sampler = make()
    steps = []
    pretrain(fresh, sampler, TRAINING, tmp_path / "c.pt", fingerprint="two", interrupt=steps.append)
    assert steps == list(range(1, 13))


def test_hidden_trials_do_not_influence_training(make, dataset, tmp_path):
    changed = dataset.neural.copy()
    for trial in dataset.trials:
        if not trial.sees_input:
            changed[trial.frames] = 1e6
    model, sampler = make()
    pretrain(model, sampler, TRAINING, tmp_path / "a.pt")
    other, sampler = make(data=dataclasses.replace(dataset, neural=changed))
    pretrain(other, sampler, TRAINING, tmp_path / "b.pt")
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in model.state_dict().items())


def test_batches_are_views_of_the_windows_they_name(make, dataset):
    _, sampler = make()
    sampler.neural_augmentations, sampler.behavior_augmentations = [], []
    batch = sampler(3)
    neural, pose = batch.neural(), batch.behavior()
    for b, start in enumerate(batch.rows.start.tolist()):
        assert np.array_equal(neural[b].numpy(), dataset.neural[start : start + 16].reshape(16, -1))
        assert np.array_equal(pose[b].numpy(), dataset.pose[batch.rows.pose[b].numpy()])
    assert batch.neural().data_ptr() != neural.data_ptr()  # a second view has memory of its own


def test_learning_rate_warms_up_and_falls_to_zero():
    settings = TrainingSettings(steps=100, learning_rate=0.1, warmup=0.1)
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(0.1)
    assert rates[-1] < 1e-4
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


@pytest.mark.parametrize("name", ["infonce", "supervised", "byol"])
def test_autocast_covers_the_encoders_alone(dataset, tmp_path, monkeypatch, name):
    """On CUDA the loop runs encoders under autocast: here the CPU's stands in for it."""
    monkeypatch.setattr(loop, "nullcontext", lambda: torch.autocast("cpu", torch.bfloat16))
    windows = window_table(dataset, WINDOWS, stride=1)
    context = augmentation_context(dataset, windows, torch.device("cpu"))
    sampler = BatchSampler(context, windows, AugmentationSettings(), TRAINING.batch, 0)
    model = create(ComponentConfig(name=name), ENCODERS, Shapes(16, (4, 4), 4, 6, 0, 3), 0)
    encode, loss, seen = model.encode, model.loss, []

    def spied_encode(batch):
        found = encode(batch)
        halves = {value.dtype for value in found.values() if value.is_floating_point()}
        seen.append(("encode", torch.is_autocast_enabled("cpu"), torch.bfloat16 in halves))
        return found

    def spied_loss(encodings, batch):
        kinds = {value.dtype for value in encodings.values() if value.is_floating_point()}
        value = loss(encodings, batch)
        single = kinds == {torch.float32} and value.dtype == torch.float32
        seen.append(("loss", torch.is_autocast_enabled("cpu"), single))
        return value

    monkeypatch.setattr(model, "encode", spied_encode)
    monkeypatch.setattr(model, "loss", spied_loss)
    pretrain(model, sampler, TRAINING.model_copy(update={"steps": 2}), tmp_path / "a.pt")
    assert seen == 2 * [("encode", True, True), ("loss", False, True)]
