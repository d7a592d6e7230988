"""The input layer of animals with units of their own: it is a linear layer an animal, for all of them at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import WIDTH, PackedUnits, Tiles, UnitWindows
from neural_action.errors import InputError

UNITS, FRAMES, WIDE = (1, 50, WIDTH, 200), (30, 40, 25, 50), 6


@pytest.fixture
def neural():
    generator = torch.Generator().manual_seed(0)
    return [
        3 + 2 * torch.randn(frames, units, generator=generator)
        for frames, units in zip(FRAMES, UNITS, strict=True)
    ]


def linears(layer):
    """The layer as one nn.Linear an animal."""
    out, at = [], 0
    for animal, (units, count) in enumerate(zip(layer.tiles.units, layer.tiles.counts, strict=True)):
        linear = nn.Linear(units, layer.width)
        weight = layer.weight[at : at + count].reshape(-1, layer.width)
        assert not weight[units:].any()
        linear.weight.data, linear.bias.data = (
            weight[:units].T.detach().clone(),
            layer.bias[animal].detach().clone(),
        )
        out.append(linear)
        at += count
    return out


def fitted(neural, **options):
    torch.manual_seed(1)
    layer = UnitInput(UNITS, WIDE, **options)
    for animal, values in enumerate(neural):
        layer.fit(animal, values)
    return layer


def windows_of(neural, start, frames, animal, *, turns=0):
    """The windows that start at these frames of their animals, gathered from packed units."""
    packed, firsts = PackedUnits(neural), np.cumsum([0, *(len(values) for values in neural)])
    first = torch.as_tensor(start) + torch.as_tensor(firsts)[animal]
    index = first[:, None] + torch.arange(frames)
    values = packed.take(index.flatten()).view(len(first), frames, -1)
    return UnitWindows(values, torch.as_tensor(animal), turns)


def zscored(values):
    return (values - values.mean(0)) / values.std(0, correction=0)


ANIMAL, START = [0, 0, 1, 1, 2, 2, 3, 3], [3, 0, 5, 30, 0, 15, 44, 7]


def test_frames_are_gathered_with_zeros_behind_their_units(neural):
    windows = windows_of(neural, START, 4, ANIMAL)
    assert windows.values.shape == (8, 4, 4 * WIDTH)
    for values, first, animal in zip(windows.values, START, ANIMAL, strict=True):
        torch.testing.assert_close(values[:, : UNITS[animal]], neural[animal][first : first + 4])
        assert not values[:, UNITS[animal] :].any()


def test_it_is_a_linear_layer_of_each_animal(neural):
    layer = fitted(neural)
    out = layer(windows_of(neural, START, 4, ANIMAL))
    assert out.shape == (8, 4, WIDE)
    for values, first, animal in zip(out, START, ANIMAL, strict=True):
        expected = linears(layer)[animal](zscored(neural[animal])[first : first + 4])
        torch.testing.assert_close(values, expected, atol=1e-5, rtol=1e-5)


IN_TURN = [0, 1, 2, 3, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("animal", "start", "turns"),
    [
        (ANIMAL, START, 0),
        ([3, 1, 3, 3, 0, 1, 3], [40, 7, 0, 12, 19, 30, 5], 0),
        (IN_TURN, START, 4),
    ],
)
def test_gradients_are_those_of_the_linear_layers(neural, animal, start, turns):
    start = [min(first, FRAMES[who] - 4) for first, who in zip(start, animal, strict=True)]
    layer = fitted(neural)
    layer(windows_of(neural, start, 4, animal, turns=turns)).square().sum().backward()
    alone, at = linears(layer), 0
    for who, first in zip(animal, start, strict=True):
        alone[who](zscored(neural[who])[first : first + 4]).square().sum().backward()
    for who, linear in enumerate(alone):
        count, units = layer.tiles.counts[who], UNITS[who]
        gradient = layer.weight.grad[at : at + count].reshape(-1, WIDE)
        expected = torch.zeros_like(gradient[:units]) if who not in animal else linear.weight.grad.T
        torch.testing.assert_close(gradient[:units], expected, atol=1e-3, rtol=1e-4)
        if who in animal:
            torch.testing.assert_close(layer.bias.grad[who], linear.bias.grad, atol=1e-3, rtol=1e-4)
        # What is no unit stays no unit, whatever the optimizer.
        assert not gradient[units:].any()
        at += count


def test_a_batch_of_any_windows_is_sorted_and_found_again(neural):
    layer, animal, start = fitted(neural), [3, 1, 3, 3, 0, 1, 3], [40, 7, 0, 12, 19, 30, 5]
    out = layer(windows_of(neural, start, 5, animal))
    for values, first, who in zip(out, start, animal, strict=True):
        expected = linears(layer)[who](zscored(neural[who])[first : first + 5])
        torch.testing.assert_close(values, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("scale", ["zscore", "centred", "none"])
def test_animals_that_take_turns_are_read_as_in_any_order(neural, scale):
    layer, start = fitted(neural, scale=scale), [3, 5, 0, 44, 0, 30, 15, 7]
    given = windows_of(neural, start, 4, IN_TURN, turns=4)
    found = layer(given)
    assert torch.equal(found, layer(UnitWindows(given.values, given.layer)))
    with torch.profiler.profile() as profile:
        layer(given)
    # Nothing is sorted, and no number is read back, which a GPU would wait for.
    called = {event.key for event in profile.key_averages()}
    assert "aten::bmm" in called
    assert not called & {
        "aten::_unique2",
        "aten::sort",
        "aten::argsort",
        "aten::item",
        "aten::_local_scalar_dense",
    }


@pytest.mark.parametrize("scale", ["zscore", "none"])
def test_what_a_view_puts_where_no_unit_is_goes_no_further(neural, scale):
    layer = fitted(neural, scale=scale)
    windows = windows_of(neural, START, 3, ANIMAL)
    expected = layer(windows)
    for values, animal in zip(windows.values, ANIMAL, strict=True):
        values[:, UNITS[animal] :] = 5.0
    out = layer(windows)
    torch.testing.assert_close(out, expected)
    out.square().sum().backward()
    assert not layer.weight.grad[~Tiles(UNITS).filled].any()


@pytest.mark.parametrize("scale", ["zscore", "centred", "none"])
def test_scales_are_those_of_standardise(neural, scale):
    neural[1][:, 7] = 4.0
    layer = fitted(neural, scale=scale)
    other = Standardise(Shapes(1, (50,), 1, 1), scale)
    other.fit(neural[1])
    out = layer(windows_of(neural, [0], 40, [1]))
    torch.testing.assert_close(out[0], linears(layer)[1](other(neural[1])), atol=1e-4, rtol=1e-4)


def test_one_more_animal_leaves_the_others_as_they_are(neural):
    layer = fitted(neural)
    wider = layer.extended(70)
    more = [*neural, torch.randn(20, 70)]
    wider.fit(4, more[4])
    before = layer(windows_of(neural, START, 4, ANIMAL))
    after = wider(windows_of(more, [*START, 0], 4, [*ANIMAL, 4]))
    torch.testing.assert_close(after[:8], before)
    assert torch.isfinite(after[8]).all()
    assert wider.weight.requires_grad


def test_memory_is_linear_in_units():
    small, large = Tiles((50,) * 39 + (1500,)), Tiles((1500,) * 40)
    assert small.total == 39 + 24
    layer = UnitInput(small.units, WIDE)
    assert layer.weight.numel() <= 2 * WIDE * sum(small.units)
    assert large.total == 40 * 24


def test_the_number_of_operations_does_not_grow_with_animals():
    def operations(animals):
        layer = UnitInput((30,) * animals, WIDE)
        windows = windows_of([np.ones((10, 30))] * animals, [0] * animals, 4, list(range(animals)))
        with torch.profiler.profile() as profile:
            layer(windows).sum().backward()
        return sum(event.count for event in profile.key_averages())

    assert operations(40) == operations(4)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (np.zeros((0, 3)), r"animal 1: neural activity of shape \(0, 3\)"),
        (np.zeros((5, 0)), r"animal 1: neural activity of shape \(5, 0\)"),
        (np.full((5, 3), np.nan), "animal 1: NaN or infinity in frame 0"),
    ],
)
def test_activity_that_cannot_be(bad, says):
    with pytest.raises(InputError, match=says):
        PackedUnits([np.ones((4, 2)), bad])


def test_another_number_of_units(neural):
    with pytest.raises(InputError, match="animal 1: 49 units, expected 50"):
        fitted(neural).fit(1, neural[1][:, 1:])
