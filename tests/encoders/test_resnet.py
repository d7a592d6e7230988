"""ResNet of small pictures against torchvision's, and the scaling of channels against NumPy."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from neural_action.encoders.image_cnn import ImageCnn
from neural_action.encoders.resnet import ResNet
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[1] / "augmentations"))
import torchvision_parts

SHAPES = Shapes(frames=1, neural=(3, 32, 32), poses=1, behavior=1)
SIZES = {18: (512, 11_168_832), 50: (2048, 23_500_352)}


@pytest.mark.parametrize("depth", [18, 50])
def test_it_is_torchvisions_with_another_stem(depth):
    torchvision_parts.transforms()
    from torchvision import models

    theirs = getattr(models, f"resnet{depth}")()
    theirs.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    theirs.maxpool, theirs.fc = nn.Identity(), nn.Identity()
    mine = ResNet(SHAPES, SIZES[depth][0], depth=depth, scale="none")
    own = {key: value for key, value in mine.state_dict().items() if not key.startswith("scale.")}
    assert own.keys() == theirs.state_dict().keys()
    for name, value in theirs.named_parameters():
        if "conv" in name:
            assert own[name].std() == pytest.approx(value.std().item(), rel=0.1) or name == "conv1.weight"
    theirs.load_state_dict(own)
    mine, theirs = mine.double(), theirs.double()
    pictures = torch.rand(4, 1, 3 * 32 * 32, dtype=torch.float64)
    for mode in (True, False):
        mine.train(mode), theirs.train(mode)
        with torch.no_grad():
            expected = theirs(pictures.view(4, 3, 32, 32))
            assert torch.allclose(mine(pictures), expected, atol=1e-8)


@pytest.mark.parametrize("depth", [18, 50])
def test_sizes(depth):
    features, parameters = SIZES[depth]
    network = ResNet(SHAPES, features, depth=depth)
    assert sum(value.numel() for value in network.parameters()) == parameters
    out = network(torch.rand(2, 1, 3072))
    assert out.shape == (2, features)
    out.sum().backward()
    assert network.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    assert all(value.grad is not None for value in network.parameters())


def test_another_number_of_features_is_refused():
    with pytest.raises(
        InputError, match=r"encoders\.dimension: 128, expected 2048 with .* resnet of depth 50"
    ):
        ResNet(SHAPES, 128, depth=50)
    with pytest.raises(InputError, match=r"resnet needs images .*, found frames \(7,\)"):
        ResNet(Shapes(1, (7,), 1, 1), 512)


@pytest.mark.parametrize("neural", [(8, 8), (1, 8, 8), (3, 8, 8)])
def test_the_small_network_takes_pictures(neural):
    network = ImageCnn(Shapes(1, neural, 1, 1), 24)
    assert network(torch.rand(5, 1, int(np.prod(neural)))).shape == (5, 24)


def test_channels_are_scaled_each_as_a_whole():
    values = torch.rand(5000, 3 * 4 * 4, generator=torch.Generator().manual_seed(0))
    values[:, 16:32] = 3 * values[:, 16:32] + 7
    values[:, 32:] = 0.5
    scale = Standardise(Shapes(1, (3, 4, 4), 1, 1), "channel")
    scale.fit(values)
    out = scale(values).view(-1, 3, 16).numpy()
    planes = values.view(-1, 3, 16).double().numpy()
    for channel in (0, 1):
        own = planes[:, channel]
        assert np.allclose(out[:, channel], (own - own.mean()) / own.std(), atol=1e-4)
    assert (out[:, 2] == 0).all()
