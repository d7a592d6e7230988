"""Epochs, and which parameters decay."""

import numpy as np
import pytest
import torch
from torch import nn

from neural_action.config.settings import AugmentationSettings, TrainingSettings, WindowSettings
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.training.batches import BatchSampler, augmentation_context
from neural_action.training.loop import learning_rate, optimizer_of


@pytest.fixture
def make(dataset):
    def fresh(batch, seed=0, **options):
        windows = window_table(dataset, WindowSettings(frames=16, poses=4), stride=8)
        context = augmentation_context(dataset, windows, torch.device("cpu"))
        return BatchSampler(context, windows, AugmentationSettings(), batch, seed, **options)

    return fresh


def test_every_window_comes_once_in_an_epoch(make):
    sampler = make(10, epochs=True)
    count = len(sampler.rows.start)
    length = count // 10
    epochs = [
        torch.cat([sampler(epoch * length + at).windows for at in range(length)]).tolist()
        for epoch in range(3)
    ]
    for order in epochs:
        assert len(order) == len(set(order)) == 10 * length > count - 10
    assert epochs[0] != epochs[1]
    # A run that was interrupted goes on with the same batches.
    again = make(10, epochs=True)
    assert torch.equal(again(2 * length + 1).windows, sampler(2 * length + 1).windows)
    assert not torch.equal(make(10, 1, epochs=True)(0).windows, again(0).windows)


def test_epochs_shorter_than_a_batch_are_refused(make):
    count = len(make(2).rows.start)
    with pytest.raises(
        InputError, match=rf"batches: epochs with {count} visible windows and training\.batch 5000"
    ):
        make(5000, epochs=True)
    with pytest.raises(InputError, match="no matched or focused batches"):
        make(2, epochs=True, focus=0)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_norms_and_biases_do_not_decay(optimizer):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2))
    settings = TrainingSettings(optimizer=optimizer, weight_decay=0.5, learning_rate=0.1, decayed="weights")
    before = {name: value.clone() for name, value in network.named_parameters()}
    made = optimizer_of(network, settings)
    for value in network.parameters():
        value.grad = torch.zeros_like(value)
    made.step()
    for name, value in network.named_parameters():
        weight = name in ("0.weight", "2.weight")
        assert torch.allclose(value, before[name] * (0.95 if weight else 1.0)), name


def test_a_term_that_starts_later_has_momentum_from_then_on():
    one, late = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    settings = TrainingSettings(optimizer="sgd", weight_decay=0.0, learning_rate=0.1)
    made = optimizer_of(nn.ParameterList([one, late]), settings)
    for step in range(4):
        one.grad = torch.ones(2)
        late.grad = torch.ones(2) if step >= 2 else None
        made.step()
    momentum, value = 0.0, 1.0
    for _ in range(2):
        momentum = 0.9 * momentum + 1
        value -= 0.1 * momentum
    assert torch.allclose(late, torch.full((2,), value))


def test_the_schedule_of_the_paper_of_pictures():
    # 800 epochs of 50,000 pictures in batches of 256, 30 of them warm-up, up to 2.0.
    settings = TrainingSettings(steps=156_250, learning_rate=2.0, warmup=30 / 800, optimizer="sgd")
    warm = round(156_250 * 30 / 800)
    assert learning_rate(warm - 1, settings) == pytest.approx(2.0)
    assert learning_rate(warm // 2, settings) == pytest.approx(1.0, abs=1e-3)
    middle = (warm + 156_250) // 2
    assert learning_rate(middle, settings) == pytest.approx(1.0, abs=1e-3)
    assert learning_rate(156_249, settings) == pytest.approx(0.0, abs=1e-6)
    assert np.all(np.diff([learning_rate(step, settings) for step in range(warm, 156_250, 5000)]) < 0)
