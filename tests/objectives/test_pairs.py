"""Relative positioning and temporal shuffling: their pairs against the definition, their loss against a loop."""

import math

import pytest
import torch
from spikes import ENCODERS, SHAPES, sampler_of, spikes

from neural_action.config.settings import ComponentConfig
from neural_action.objectives.relative_position import pair_loss
from neural_action.training.model import create


class Asked:
    """A batch that keeps the numbers of the windows it is asked for."""

    def __init__(self, batch):
        self.batch, self.asked = batch, []

    def __getattr__(self, name):
        return getattr(self.batch, name)

    def neural_of(self, windows):
        self.asked.append(windows)
        return self.batch.neural_of(windows)


def encoded(name, step, **parameters):
    """The model, its encodings of a batch, the windows and those asked for, and the order of all."""
    sampler = sampler_of(spikes())
    model = create(ComponentConfig(name=name, **parameters), ENCODERS, SHAPES, 0)
    batch = Asked(sampler(step))
    return model, model.encode(batch), batch.windows, batch.asked, sampler.order


def is_far(order, one, other, window):
    if window is None:
        return order.trial[one] != order.trial[other]
    return abs(int(order.start[one] - order.start[other])) > window


@pytest.mark.parametrize("far", [{}, {"far": "window", "window": 20}])
def test_pairs_of_relative_positioning(far):
    for step in range(5):
        _, encodings, windows, (near, distant), order = encoded("relative_position", step, near=2, **far)
        assert encodings["exists"].all()
        for window, one, other in zip(*(a.tolist() for a in (windows, near, distant)), strict=True):
            assert order.trial[window] == order.trial[one]
            assert 1 <= abs(window - one) <= 2
            assert is_far(order, window, other, far.get("window"))


@pytest.mark.parametrize("far", [{}, {"far": "window", "window": 20}])
def test_triplets_of_temporal_shuffling(far):
    for step in range(5):
        _, encodings, windows, asked, order = encoded("temporal_shuffling", step, near=4, **far)
        assert encodings["exists"].all()
        for window, end, between, other in zip(*(a.tolist() for a in (windows, *asked)), strict=True):
            assert order.trial[window] == order.trial[end]
            assert 2 <= abs(window - end) <= 4
            assert min(window, end) < between < max(window, end)
            assert is_far(order, window, other, far.get("window"))


def test_the_pair_loss_is_the_cross_entropy_of_those_that_exist():
    state = torch.Generator().manual_seed(0)
    true, false = torch.rand(2, 6, 4, generator=state)
    exists = torch.tensor([1, 1, 0, 1, 0, 1], dtype=torch.bool)
    classifier = torch.nn.Linear(4, 1)
    total = 0.0
    for i in range(6):
        if exists[i]:
            for features, sign in ((true[i], 1), (false[i], -1)):
                logit = classifier(features).item()
                total += math.log(1 + math.exp(-sign * logit))
    assert pair_loss(classifier, true, false, exists).item() == pytest.approx(total / 8, rel=1e-5)


def test_relative_positioning_reads_absolute_differences():
    model, encodings, *_ = encoded("relative_position", 0)
    h, near, far = (encodings[name] for name in model.modalities)
    expected = pair_loss(model.classifier, abs(h - near), abs(h - far), encodings["exists"])
    assert torch.equal(model.loss(encodings, None), expected)


def test_temporal_shuffling_reads_both_differences():
    model, encodings, *_ = encoded("temporal_shuffling", 0)
    h, end, between, far = (encodings[name] for name in model.modalities)
    true = torch.cat([abs(h - between), abs(between - end)], dim=1)
    false = torch.cat([abs(h - far), abs(far - end)], dim=1)
    expected = pair_loss(model.classifier, true, false, encodings["exists"])
    assert torch.equal(model.loss(encodings, None), expected)
