"""The multi-layer perceptron and the statistics it scales by."""

import numpy as np
import pytest
import torch

from neural_action.encoders.mlp import Mlp
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise

SHAPES = Shapes(3, (5,), 1, 1)


@pytest.fixture
def neural():
    rates = torch.randn(400, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 2, 3, 0.1, 0])
    return rates + torch.tensor([5.0, 0, -1, 2, 7])


@pytest.mark.parametrize("scale", ["zscore", "centred"])
def test_scales_are_those_of_the_given_frames(neural, scale):
    part = Standardise(SHAPES, scale)
    part.fit(neural)
    values = neural.numpy().astype(np.float64)
    sd = values.std(0)
    divisor = np.where(sd > 1e-9, sd, np.inf) if scale == "zscore" else np.sqrt(np.mean(sd**2))
    expected = (values - values.mean(0)) / divisor
    assert np.allclose(part(neural.view(20, 20, 5)).view(400, 5), expected, atol=1e-5)


def test_a_silent_unit_becomes_zero_and_none_changes_nothing(neural):
    part = Standardise(SHAPES, "zscore")
    part.fit(neural)
    assert (part(neural + torch.tensor([0.0, 0, 0, 0, 3]))[:, 4] == 0).all()
    part = Standardise(SHAPES, "none")
    part.fit(neural)
    assert torch.equal(part(neural), neural)


@pytest.mark.parametrize("scale", ["zscore", "centred"])
def test_sessions_side_by_side_are_each_scaled_by_their_own_frames(neural, scale):
    shapes = Shapes(1, (8,), 1, 1, sessions=(("one", 5), ("two", 3)))
    other = 3 * torch.randn(100, 3, generator=torch.Generator().manual_seed(1)) + 4
    both = torch.full((500, 8), torch.nan)
    both[:400, :5], both[400:, 5:] = neural, other
    part = Standardise(shapes, scale)
    part.fit(both)
    found = part(both)
    sd = torch.cat([neural.std(0, correction=0), other.std(0, correction=0)])
    sd = sd if scale == "zscore" else sd.square().mean().sqrt().expand(8)
    one = (neural - neural.mean(0)) / sd[:5]
    one[:, 4] = 0  # silent
    assert torch.allclose(found[:400, :5], one, atol=1e-4)
    assert torch.allclose(found[400:, 5:], (other - other.mean(0)) / sd[5:], atol=1e-4)
    assert (found[:400, 5:] == 0).all()
    assert (found[400:, :5] == 0).all()


def test_a_session_teaches_its_own_first_weights_alone():
    shapes = Shapes(1, (8,), 1, 1, sessions=(("one", 5), ("two", 3)))
    encoder = Mlp(shapes, 4, width=6, layers=1)
    windows = torch.randn(10, 1, 8, generator=torch.Generator().manual_seed(0))
    windows[:, :, 5:] = torch.nan
    encoder(windows).square().sum().backward()
    first = encoder.layers[0].weight.grad
    assert (first[:, :5].abs().sum(0) > 0).all()
    assert (first[:, 5:] == 0).all()


def test_the_perceptron_is_its_layers_written_out(neural):
    encoder = Mlp(SHAPES, 4, width=6, layers=2, scale="none").eval()
    x = neural[:30].reshape(10, 3, 5)
    state = encoder.state_dict()
    h = x.reshape(10, 15)
    for layer in (0, 3):
        h = h @ state[f"layers.{layer}.weight"].T
        mean, variance = (state[f"layers.{layer + 1}.running_{which}"] for which in ("mean", "var"))
        h = (h - mean) / torch.sqrt(variance + 1e-5)
        h = torch.where(h > 0, h, 0.25 * h)
    assert torch.allclose(encoder(x), h @ state["layers.6.weight"].T, atol=1e-5)


def test_without_hidden_layers_it_is_linear(neural):
    encoder = Mlp(SHAPES, 4, layers=0, scale="none")
    x = neural[:30].reshape(10, 3, 5)
    assert torch.allclose(encoder(2 * x), 2 * encoder(x), atol=1e-5)
