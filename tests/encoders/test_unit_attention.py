"""Attention over units: against a loop over windows, queries and units, and what must not matter to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neural_action.config.settings import AttentionSettings
from neural_action.encoders.unit_attention import UnitAttention
from neural_action.encoders.unit_tiles import WIDTH, PackedUnits, UnitWindows
from neural_action.errors import InputError

UNITS, FRAMES, WIDE = (1, 50, WIDTH, 100), 4, 6
SETTINGS = AttentionSettings(hidden=8, chunks=3, context=5)
ANIMAL, START = [3, 1, 0, 2, 1, 3], [0, 9, 4, 22, 1, 17]


@pytest.fixture
def neural():
    generator = torch.Generator().manual_seed(0)
    return [2 + 3 * torch.randn(30, units, generator=generator) for units in UNITS]


def fitted(neural, **options):
    torch.manual_seed(1)
    layer = UnitAttention([part.shape[1] for part in neural], FRAMES, WIDE, SETTINGS, **options)
    for animal, values in enumerate(neural):
        layer.fit(animal, values)
    return layer


def windows_of(neural, animal=ANIMAL, start=START):
    packed = PackedUnits(neural)
    first = torch.as_tensor(start) + 30 * torch.as_tensor(animal)
    index = (first[:, None] + torch.arange(FRAMES)).flatten()
    return UnitWindows(packed.take(index).view(len(animal), FRAMES, -1), torch.as_tensor(animal))


@pytest.mark.parametrize("scale", ["zscore", "centred", "none"])
def test_it_is_attention_over_the_units_of_each_window(neural, scale):
    layer, starts = fitted(neural, scale=scale), [0, 12, 25]
    out = layer(windows_of(neural))
    assert out.shape == (len(ANIMAL), FRAMES, WIDE)
    for found, animal, first in zip(out, ANIMAL, START, strict=True):
        values = neural[animal]
        mean, sd = values.mean(0), values.std(0, correction=0)
        if scale == "centred":
            sd = sd.square().mean().sqrt().expand_as(sd)
        scaled = values if scale == "none" else (values - mean) / sd
        keys, contents = [], []
        for unit in range(values.shape[1]):
            chunks = torch.stack([scaled[at : at + SETTINGS.context, unit] for at in starts])
            identity = layer.of_unit(layer.of_chunk(chunks).mean(0))
            token = layer.norm(layer.lift(scaled[first : first + FRAMES, unit]) + identity)
            keys.append(layer.key(token))
            contents.append(layer.value(token))
        for query in range(WIDE):
            score = torch.stack([layer.query[query] @ key / math.sqrt(8) for key in keys])
            expected = (score.softmax(0)[:, None] * torch.stack(contents)).sum(0)
            torch.testing.assert_close(found[:, query], expected, atol=1e-4, rtol=1e-4)


def test_the_order_of_units_does_not_matter(neural):
    layer, order = fitted(neural), torch.from_numpy(np.random.default_rng(0).permutation(100))
    before = layer(windows_of(neural))
    mixed = [*neural[:3], neural[3][:, order]]
    layer.fit(3, mixed[3])
    torch.testing.assert_close(layer(windows_of(mixed)), before, atol=1e-5, rtol=1e-5)


def test_what_a_view_puts_where_no_unit_is_goes_no_further(neural):
    layer, windows = fitted(neural), windows_of(neural)
    expected = layer(windows)
    for values, animal in zip(windows.values, ANIMAL, strict=True):
        values[:, UNITS[animal] :] = 5.0
    torch.testing.assert_close(layer(windows), expected)


def test_windows_of_a_small_animal_alone_have_fewer_tiles(neural):
    layer = fitted(neural)
    expected = layer(windows_of(neural))[1]
    index = torch.arange(9, 9 + FRAMES)
    alone = UnitWindows(PackedUnits([neural[1]]).take(index)[None], torch.tensor([1]))
    assert alone.values.shape[2] == WIDTH
    torch.testing.assert_close(layer(alone)[0], expected)


def test_one_more_animal_needs_no_new_weight(neural):
    layer = fitted(neural)
    wider, more = layer.extended(200), [*neural, torch.randn(30, 200)]
    wider.fit(4, more[4])
    names = dict(layer.named_parameters())
    for name, value in wider.named_parameters():
        assert torch.equal(value, names[name])
    after = wider(windows_of(more, [*ANIMAL, 4], [*START, 3]))
    torch.testing.assert_close(after[:-1], layer(windows_of(neural)))
    assert torch.isfinite(after[-1]).all()
    assert after[-1].std() > 0


def test_too_few_frames_for_a_chunk(neural):
    with pytest.raises(
        InputError, match=r"animal 1: 4 frames, expected at least encoders.attention.context = 5"
    ):
        fitted(neural).fit(1, neural[1][:4])
    with pytest.raises(InputError, match="animal 1: 49 units, expected 50"):
        fitted(neural).fit(1, neural[1][:, 1:])
