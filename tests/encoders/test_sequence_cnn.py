"""What the linear layer of a sequence encoder reads: the mean over time, or every moment."""

from __future__ import annotations

import pytest
import torch

from neural_action.config.build import build
from neural_action.config.settings import ComponentConfig
from neural_action.encoders.sequence_cnn import PoseCnn, TraceCnn
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError

SHAPES = Shapes(frames=6, neural=(5,), poses=4, behavior=3)
LENGTHS = {TraceCnn: (6, 5), PoseCnn: (4, 3)}


@pytest.mark.parametrize("kind", LENGTHS)
def test_only_without_pooling_the_order_of_frames_counts(kind):
    """With kernels of one frame, the convolutions themselves do not know the order."""
    torch.manual_seed(0)
    windows = torch.randn(7, *LENGTHS[kind])
    turned = windows.flip(1)
    for pooling, same in (("mean", True), ("none", False)):
        encoder = kind(SHAPES, 8, width=9, layers=2, kernel=1, pooling=pooling).eval()
        with torch.no_grad():
            assert torch.allclose(encoder(windows), encoder(turned), atol=1e-6) is same


@pytest.mark.parametrize("kind", LENGTHS)
def test_without_pooling_it_can_name_the_frame_of_an_event(kind):
    """A linear layer on every moment tells which frame an impulse stands at: one output is one frame."""
    frames, features = LENGTHS[kind]
    encoder = kind(SHAPES, frames, width=2, layers=1, kernel=1, pooling="none").eval()
    with torch.no_grad():
        encoder.convolutions[0].weight.fill_(1.0)
        encoder.linear.weight.zero_()
        encoder.linear.bias.zero_()
        for frame in range(frames):
            encoder.linear.weight[frame, frame] = (
                1.0  # Channels come first: column frame is channel 0 at the frame.
            )
        impulse = torch.eye(frames)[:, :, None].expand(-1, -1, features)
        found = encoder(impulse.contiguous())
    assert (found.argmax(1) == torch.arange(frames)).all()


def test_another_pooling_is_refused():
    with pytest.raises(InputError, match="pooling"):
        build("encoders", ComponentConfig(name="trace_cnn", pooling="max"), SHAPES, 8)
