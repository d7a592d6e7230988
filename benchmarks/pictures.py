"""What augmentations of pictures cost: beside torchvision's, one image at a time, and beside a training step.

``python benchmarks/pictures.py`` prints microseconds of processor time an image, one thread; torchvision's are left
out where it is not installed. ``--network`` chooses the step that the views are compared with.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.config.build import build
from neural_action.config.settings import ComponentConfig, EncoderSettings, TrainingSettings
from neural_action.encoders.shapes import Shapes
from neural_action.training.loop import optimizer_of
from neural_action.training.model import create

VIEWS = {
    "resized_crop": {"least": 0.2},
    "color_jitter": {},
    "grayscale": {},
}
#: Shape of a picture, encoder, features and batch of each step.
NETWORKS = {
    "digits": ((1, 8, 8), {"name": "image_cnn", "width": 32, "layers": 3}, 128, 128),
    "resnet18": ((3, 32, 32), {"name": "resnet", "depth": 18}, 512, 16),
}


def main() -> None:
    """Print the costs of views, and their share of a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=list(NETWORKS), default="digits")
    parser.add_argument("--steps", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    shape, encoder, features, batch = NETWORKS[options.network]
    context = AugmentationContext(
        neural=torch.rand(1000, int(np.prod(shape))),
        pose=torch.zeros(1, 1),
        kernel=None,
        animal_frames=(torch.arange(1000),),
        swap_targets=None,
        swap_domains=None,
        frames=1,
        image=shape,
    )
    generator = torch.Generator().manual_seed(0)
    views = [
        build("augmentations", ComponentConfig(name=name, **given), context) for name, given in VIEWS.items()
    ]
    print(f"pictures {shape}, batch {batch}, torch {torch.__version__}, one thread")
    values = context.neural[:batch, None].clone()
    for view in views:
        ours = seconds(lambda view=view: view(values, None, generator), options.steps)
        theirs = torchvisions(view.name, shape)
        other = "" if theirs is None else f"  torchvision {1e6 * seconds(theirs, options.steps):7.1f}"
        print(f"{view.name:14} {1e6 * ours / batch:7.1f} us an image{other}")

    encoders = EncoderSettings(
        neural=ComponentConfig(**encoder), behavior=ComponentConfig(name="pose_cnn"), dimension=features
    )
    model = create(ComponentConfig(name="byol", projection=64), encoders, Shapes(1, shape, 1, 1), 0)
    optimizer = optimizer_of(model, TrainingSettings())
    fixed = context.neural[:batch, None].clone(), context.neural[-batch:, None].clone()

    def step(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
        made = Pair(pair)
        loss = model.loss(model.encode(made), made)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        model.follow()

    def augmented() -> tuple[torch.Tensor, torch.Tensor]:
        pair = tuple(one.clone() for one in fixed)
        for one in pair:
            for view in views:
                view(one, None, generator)
        return pair

    bare = [seconds(lambda: step(fixed), 1) for _ in range(options.steps)]
    full = [seconds(lambda: step(augmented()), 1) for _ in range(options.steps)]
    ratio = np.median(full) / np.median(bare)
    print(
        f"step of BYOL, bare {1e3 * np.median(bare):.1f} ms, with views {1e3 * np.median(full):.1f} ms: {ratio:.3f}"
    )


class Pair:
    """A batch whose two views are there."""

    def __init__(self, views: tuple[torch.Tensor, torch.Tensor]):
        self.neural = iter(views).__next__


def torchvisions(name: str, shape: tuple[int, int, int]) -> Callable[[], object] | None:
    """A call of torchvision's transform on one image, or None where it is not installed or does not fit torch."""
    try:
        from torchvision.transforms import v2
    except (ImportError, RuntimeError):
        return None
    made = {
        "resized_crop": lambda: v2.RandomResizedCrop(shape[1:], scale=(0.2, 1.0), antialias=True),
        "color_jitter": lambda: v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
        "grayscale": lambda: v2.RandomGrayscale(0.2),
    }[name]()
    picture = torch.rand(shape)
    return lambda: made(picture)


def seconds(call: Callable[[], object], times: int) -> float:
    """Processor time of a call: other work on the machine does not count."""
    call()
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times


if __name__ == "__main__":
    main()
