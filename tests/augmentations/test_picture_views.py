"""Views of pictures, image by image, against torchvision with the same drawn parameters."""

import dataclasses

import numpy as np
import pytest
import torch
import torchvision_parts

from neural_action.augmentations.augmentation import WindowRows
from neural_action.augmentations.color_jitter import ColorJitter
from neural_action.augmentations.grayscale import Changed, Grayscale
from neural_action.augmentations.resized_crop import ResizedCrop
from neural_action.errors import InputError

COUNT = 200


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictured(context, image):
    return dataclasses.replace(context, image=image, frames=1)


def drawn(image, frames=1, seed=0):
    values = torch.rand(COUNT, frames, int(np.prod(image)), generator=generator(seed))
    values[::7] = values[::7].round()  # black, white and pure colours: ties between channels
    values[3] = 0.5  # grey
    return values


@pytest.fixture(scope="module")
def v2():
    return torchvision_parts.transforms()


@pytest.mark.parametrize("image", [(3, 32, 32), (1, 8, 8), (3, 24, 40)])
@pytest.mark.parametrize("least", [0.2, 0.8])
def test_a_crop_is_torchvisions(v2, context, image, least):
    view = ResizedCrop(pictured(context, image), least=least)
    values = drawn(image)
    boxes = view.draw(COUNT, generator(1))
    assert 0 < int(boxes.flip[:, 0].sum()) < COUNT
    assert not boxes.flip[:, 1].any()
    after = view.apply(values.clone(), view.prepare(boxes))
    for at in range(COUNT):
        (left, top), (width, height) = (of[at].int().tolist() for of in (boxes.first, boxes.length))
        expected = v2.functional.resized_crop(
            values[at].view(image), top, left, height, width, list(image[1:]), antialias=True
        )
        if boxes.flip[at, 0]:
            expected = v2.functional.horizontal_flip(expected)
        assert torch.allclose(after[at].view(image), expected, atol=1e-5)


def test_a_crop_is_as_exact_where_networks_run_in_half_precision(context):
    view, values = ResizedCrop(pictured(context, (3, 8, 8))), drawn((3, 8, 8))
    boxes = view.draw(COUNT, generator(1))
    expected = view.apply(values.clone(), view.prepare(boxes))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(view.apply(values.clone(), view.prepare(boxes)), expected)


def test_boxes_have_torchvisions_distribution(v2, context):
    view, image = ResizedCrop(pictured(context, (3, 32, 32))), torch.zeros(3, 32, 32)
    mine = view.draw(4000, generator())
    torch.manual_seed(0)
    theirs = v2.RandomResizedCrop(32, scale=(0.2, 1.0))
    made = [theirs.make_params([image]) for _ in range(4000)]
    own = {
        "left": mine.first[:, 0],
        "top": mine.first[:, 1],
        "width": mine.length[:, 0],
        "height": mine.length[:, 1],
    }
    for name, ours in own.items():
        other = torch.tensor([float(one[name]) for one in made])
        assert abs(ours.mean() - other.mean()) < 0.4, name
        assert abs(ours.std() - other.std()) < 0.3, name
    assert abs(mine.flip[:, 0].double().mean() - 0.5) < 0.03
    assert (mine.first + mine.length).max() == 32
    assert mine.first.min() == 0


def test_where_no_box_fits_it_is_the_largest_in_the_middle(v2, context):
    view = ResizedCrop(pictured(context, (1, 2, 20)), least=0.99)
    boxes = view.draw(50, generator())
    theirs = v2.RandomResizedCrop((2, 20), scale=(0.99, 1.0)).make_params([torch.zeros(1, 2, 20)])
    assert (boxes.first == torch.tensor([theirs["left"], theirs["top"]])).all()
    assert (boxes.length == torch.tensor([theirs["width"], theirs["height"]])).all()


@pytest.mark.parametrize("channels", [3, 1])
def test_color_jitter_is_torchvisions(v2, context, channels):
    image = (channels, 16, 16)
    view = ColorJitter(pictured(context, image))
    values = drawn(image)
    factors = view.draw(COUNT, generator(2))
    after = view.apply(values.clone(), view.prepare(factors))
    functional = v2.functional
    changes = (
        functional.adjust_brightness,
        functional.adjust_contrast,
        functional.adjust_saturation,
        functional.adjust_hue,
    )
    for at in range(COUNT):
        expected = values[at].view(image)
        if factors.changed[at]:
            for number in factors.order[at].tolist():
                expected = changes[number](expected, float(factors.factor[at, number]))
        assert torch.allclose(after[at].view(image), expected, atol=2e-5), at


def test_factors_have_their_ranges_and_every_order(context):
    factors = ColorJitter(pictured(context, (3, 8, 8))).draw(5000, generator())
    for number, (low, high) in enumerate([(0.6, 1.4)] * 3 + [(-0.1, 0.1)]):
        own = factors.factor[:, number]
        assert low <= own.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < own.max() <= high
    _, counts = factors.order.unique(dim=0, return_counts=True)
    assert len(counts) == 24
    assert counts.min() > 140
    assert abs(factors.changed.double().mean() - 0.8) < 0.02


def test_grayscale_is_torchvisions(v2, context):
    image = (3, 16, 16)
    view, values = Grayscale(pictured(context, image), probability=0.2), drawn(image)
    changed = torch.rand(COUNT, generator=generator()) < 0.2
    after = view.apply(values.clone(), Changed(changed))
    for at in range(COUNT):
        own = values[at].view(image)
        expected = v2.functional.rgb_to_grayscale(own, num_output_channels=3) if changed[at] else own
        assert torch.allclose(after[at].view(image), expected, atol=1e-6)


@pytest.mark.parametrize("make", [ResizedCrop, ColorJitter, Grayscale])
def test_frames_of_a_window_are_changed_alike_and_in_place(context, make):
    view = make(pictured(context, (3, 8, 8)))
    values = drawn((3, 8, 8))[:, :1].repeat(1, 4, 1)
    rows = WindowRows(*(torch.zeros(COUNT, dtype=torch.int64),) * 3)
    before = values.clone()
    after = view(values, rows, generator(4))
    assert after.data_ptr() == values.data_ptr()
    assert not torch.equal(values, before)
    assert all(torch.equal(values[:, 0], values[:, frame]) for frame in range(1, 4))
    again = view(before.clone(), rows, generator(4))
    assert torch.equal(again, values)


def test_images_of_one_channel_have_no_colour(context):
    view = Grayscale(pictured(context, (1, 8, 8)), probability=1.0)
    values = drawn((1, 8, 8))
    assert torch.equal(view.apply(values.clone(), Changed(torch.ones(COUNT, dtype=torch.bool))), values)


@pytest.mark.parametrize("make", [ResizedCrop, ColorJitter, Grayscale])
def test_frames_that_are_no_images_are_refused(context, make):
    with pytest.raises(InputError, match=f"augmentation {make.name}: needs images"):
        make(context)


@pytest.mark.parametrize(
    ("make", "values", "says"),
    [
        (ResizedCrop, {"least": 0.0}, "least 0, most 1, expected 0 < least"),
        (ResizedCrop, {"least": 0.9, "most": 0.8}, "least 0.9, most 0.8"),
        (ColorJitter, {"hue": 0.6}, "hue 0.6, expected none below 0 and hue at most 0.5"),
        (ColorJitter, {"contrast": -0.1}, "contrast -0.1"),
    ],
)
def test_values_that_make_no_view_are_refused(context, make, values, says):
    with pytest.raises(InputError, match=says):
        make(pictured(context, (3, 8, 8)), **values)


def test_colours_of_two_channels_are_refused(context):
    with pytest.raises(InputError, match="color_jitter: images of 2 channels, expected 1 or 3"):
        ColorJitter(pictured(context, (2, 8, 8)))


@pytest.mark.parametrize("make", [ResizedCrop, ColorJitter, Grayscale])
def test_a_single_picture(context, make):
    view = make(pictured(context, (3, 8, 8)))
    values = torch.rand(1, 1, 192)
    rows = WindowRows(*(torch.zeros(1, dtype=torch.int64),) * 3)
    for seed in range(6):
        assert view(values, rows, generator(seed)).shape == (1, 1, 192)


@pytest.mark.parametrize("make", [ResizedCrop, ColorJitter, Grayscale])
def test_once_a_batch_is_one_draw_for_all(context, make):
    view = make(pictured(context, (3, 8, 8)))
    view.once = True
    values = torch.rand(1, 1, 192).repeat(20, 1, 1)
    rows = WindowRows(*(torch.zeros(20, dtype=torch.int64),) * 3)
    seen = set()
    for seed in range(20):
        after = view(values.clone(), rows, generator(seed))
        assert torch.allclose(after, after[:1].expand_as(after), atol=1e-6)
        seen.add(round(after[0].sum().item(), 3))
    assert len(seen) > 1
