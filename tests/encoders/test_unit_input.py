"""The input layer of animals with units of their own: it is a linear layer an animal, for all of them at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import WIDTH, PackedUnits, Tiles, by_animal, drop_units
from neural_action.errors import InputError

UNITS, FRAMES, WIDE = (1, 50, WIDTH, 200), (30, 40, 25, 50), 6
FIRST = np.concatenate([[0], np.cumsum(FRAMES)[:-1]])


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


def zscored(values):
    return (values - values.mean(0)) / values.std(0, correction=0)


def test_it_is_a_linear_layer_of_each_animal(neural):
    layer, packed = fitted(neural), PackedUnits(neural)
    start = torch.tensor([[3, 0], [5, 30], [0, 15], [44, 7]]) + torch.as_tensor(FIRST)[:, None]
    out = layer(packed.clips(start, 4))
    assert out.shape == (4, 2, 4, WIDE)
    for animal, linear in enumerate(linears(layer)):
        for clip in range(2):
            at = int(start[animal, clip]) - FIRST[animal]
            expected = linear(zscored(neural[animal])[at : at + 4])
            torch.testing.assert_close(out[animal, clip], expected, atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_the_linear_layers(neural):
    layer, packed = fitted(neural), PackedUnits(neural)
    start = torch.tensor([[3, 0], [5, 30], [0, 15], [44, 7]]) + torch.as_tensor(FIRST)[:, None]
    layer(packed.clips(start, 4)).square().sum().backward()
    alone, at = linears(layer), 0
    for animal, linear in enumerate(alone):
        rows = (start[animal] - FIRST[animal])[:, None] + torch.arange(4)
        linear(zscored(neural[animal])[rows.flatten()]).square().sum().backward()
        count, units = layer.tiles.counts[animal], UNITS[animal]
        gradient = layer.weight.grad[at : at + count].reshape(-1, WIDE)
        torch.testing.assert_close(gradient[:units], linear.weight.grad.T, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(layer.bias.grad[animal], linear.bias.grad, atol=1e-3, rtol=1e-4)
        # What is no unit stays no unit, whatever the optimizer.
        assert not gradient[units:].any()
        at += count


def test_a_batch_of_any_clips_is_sorted_and_found_again(neural):
    layer, packed = fitted(neural), PackedUnits(neural)
    generator = torch.Generator().manual_seed(2)
    animal = torch.tensor([3, 1, 3, 3, 0, 1, 3])
    start = torch.as_tensor(FIRST)[animal] + torch.randint(0, 20, (7,), generator=generator)
    table, animals, place = by_animal(start, animal)
    assert animals.tolist() == [0, 1, 3]
    assert table.shape == (3, 4)
    out = layer(packed.clips(table, 5, animals)).flatten(0, 1)[place]
    assert torch.isfinite(out).all()
    for clip, (first, who) in enumerate(zip(start.tolist(), animal.tolist(), strict=True)):
        values = zscored(neural[who])[first - FIRST[who] :][:5]
        torch.testing.assert_close(out[clip], linears(layer)[who](values), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("scale", ["zscore", "none"])
def test_what_a_view_puts_where_no_unit_is_goes_no_further(neural, scale):
    layer, packed = fitted(neural, scale=scale), PackedUnits(neural)
    start = torch.as_tensor(FIRST)[:, None]
    expected = layer(packed.clips(start, 3))
    batch = packed.clips(start, 3)
    batch.values[~Tiles(UNITS).filled[:, None, None].expand_as(batch.values)] = 5.0
    out = layer(batch)
    torch.testing.assert_close(out, expected)
    out.square().sum().backward()
    assert not layer.weight.grad[~Tiles(UNITS).filled].any()


@pytest.mark.parametrize("scale", ["zscore", "centred", "none"])
def test_scales_are_those_of_standardise(neural, scale):
    neural[1][:, 7] = 4.0
    layer, packed = fitted(neural, scale=scale), PackedUnits(neural)
    other = Standardise(Shapes(1, (50,), 1, 1), scale)
    other.fit(neural[1])
    out = layer(packed.clips(torch.tensor([[30]]), 40, torch.tensor([1])))
    expected = linears(layer)[1](other(neural[1]))
    torch.testing.assert_close(out[0, 0], expected, atol=1e-4, rtol=1e-4)


def test_units_are_dropped_from_whole_clips(neural):
    packed = PackedUnits([torch.ones_like(values) for values in neural])
    start = torch.as_tensor(FIRST)[:, None] + torch.arange(10)
    batch = drop_units(packed.clips(start, 3), 0.5, torch.Generator().manual_seed(0))
    values = batch.values
    assert (values[:, :, :1] == values).all()
    filled = Tiles(UNITS).filled
    kept = torch.stack([values[:, clip, 0][filled].mean() for clip in range(10)])
    assert 0.5 < kept.mean() < 0.95
    assert set(values.unique().tolist()) == {0.0, 1.0}
    again = drop_units(packed.clips(start, 3), 0.5, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again.values, values)


def test_one_more_animal_leaves_the_others_as_they_are(neural):
    layer = fitted(neural)
    wider = layer.extended(70)
    more = [*neural, torch.randn(20, 70)]
    wider.fit(4, more[4])
    start = torch.as_tensor(FIRST)[:, None]
    before = layer(PackedUnits(neural).clips(start, 4))
    after = wider(PackedUnits(more).clips(torch.cat([start, torch.tensor([[sum(FRAMES)]])]), 4))
    torch.testing.assert_close(after[:4], before)
    assert torch.isfinite(after[4]).all()
    assert wider.weight.requires_grad


def test_memory_is_linear_in_units():
    small, large = Tiles((50,) * 39 + (1500,)), Tiles((1500,) * 40)
    assert small.total == 39 + 24
    layer = UnitInput(small.units, WIDE)
    assert layer.weight.numel() <= 2 * WIDE * sum(small.units)
    assert large.total == 40 * 24


def test_the_number_of_operations_does_not_grow_with_animals():
    def operations(animals):
        layer, packed = UnitInput((30,) * animals, WIDE), PackedUnits([np.ones((10, 30))] * animals)
        start = 10 * torch.arange(animals)[:, None]
        with torch.profiler.profile() as profile:
            layer(packed.clips(start, 4)).sum().backward()
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
