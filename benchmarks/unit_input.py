"""The input layer of 40 animals of 50 to 1,500 units, by itself and in a whole training step.

By itself: against one dense layer of as many multiplications, and against a loop of layers. In a step of InfoNCE
(gathering windows, dropping units, both encoders, loss, backward, AdamW): against the bare step, which has its batch
already, and against the step of animals that share their units, as many as these animals have on average. CPU time of
one thread, so that other work of the machine counts little: ``python benchmarks/unit_input.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from neural_action.config.settings import ComponentConfig, EncoderSettings
from neural_action.encoders.neural import UnitEncoder
from neural_action.encoders.sequence_cnn import PoseCnn
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import PackedUnits, UnitWindows
from neural_action.objectives.infonce import infonce

ANIMALS, FEWEST, MOST, WIDTH, FRAMES, WINDOWS, RECORDED, FEATURES = 40, 50, 1500, 64, 8, 4, 200, 40
ENCODERS = EncoderSettings(
    neural=ComponentConfig(name="trace_cnn"), behavior=ComponentConfig(name="pose_cnn"), unit_width=WIDTH
)


def milliseconds(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Lower quartile of the CPU time of each step, taken in turn so that other work strikes all alike."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.process_time()
            step()
            taken[name].append(1e3 * (time.process_time() - began))
    return {name: float(np.quantile(values, 0.25)) for name, values in taken.items()}


class Shared(nn.Module):
    """The encoder behind one dense layer, for animals that share their units."""

    def __init__(self, units: int, rest: nn.Module):
        super().__init__()
        self.input, self.rest = nn.Linear(units, WIDTH), rest

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """(B, frames, unit) to (B, dimension)."""
        return self.rest(self.input(windows))


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    units = np.linspace(FEWEST, MOST, ANIMALS).astype(int).tolist()
    mean, count = sum(units) // ANIMALS, ANIMALS * WINDOWS
    generator = torch.Generator().manual_seed(0)
    neural = [torch.randn(RECORDED, each, generator=generator) for each in units]
    packed, layer = PackedUnits(neural), UnitInput(units, WIDTH)
    for number, values in enumerate(neural):
        layer.fit(number, values)
    start = RECORDED * torch.arange(ANIMALS)[:, None] + torch.randint(
        0, RECORDED - FRAMES, (ANIMALS, WINDOWS)
    )
    index = (start.T.reshape(-1, 1) + torch.arange(FRAMES)).flatten()
    animal, out = torch.arange(ANIMALS).repeat(WINDOWS), torch.empty(len(index), packed.width)
    common, x = torch.randn(ANIMALS * RECORDED, mean), torch.empty(len(index), mean)
    poses = torch.randn(count, FRAMES, FEATURES)

    def dropped(windows: torch.Tensor) -> torch.Tensor:
        return windows.mul_(torch.rand(count, 1, windows.shape[2], generator=generator) >= 0.1)

    def windows() -> torch.Tensor:
        return packed.take(index, out).view(count, FRAMES, -1)

    def own() -> UnitWindows:
        return UnitWindows(dropped(windows()), animal, turns=ANIMALS)

    def shared() -> torch.Tensor:
        return dropped(torch.index_select(common, 0, index, out=x).view(count, FRAMES, mean))

    def backward(part: nn.Module, given: object) -> None:
        part.zero_grad()
        part(given).square().mean().backward()

    def step(encoder: nn.Module, batch: Callable[[], object]) -> Callable[[], None]:
        poser = PoseCnn(shapes, ENCODERS.dimension)
        optimizer = torch.optim.AdamW(nn.ModuleList([encoder, poser]).parameters(), fused=True)

        def run() -> None:
            loss = infonce(poser(poses), encoder(batch()), 0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return run

    shapes = Shapes(
        FRAMES, (), FRAMES, FEATURES, units=tuple((str(at), each) for at, each in enumerate(units))
    )
    encoder = UnitEncoder(ENCODERS, shapes)
    fixed = own()
    unsorted = UnitWindows(fixed.values, fixed.layer)
    dense, alone = nn.Linear(mean, WIDTH), nn.ModuleList(nn.Linear(each, WIDTH) for each in units)
    flat, parts = torch.randn(len(index), mean), [torch.randn(WINDOWS * FRAMES, each) for each in units]
    loop = "a loop of layers, given each animal's scaled activity"

    def looped() -> None:
        alone.zero_grad()
        done = [part(values) for part, values in zip(alone, parts, strict=True)]
        torch.stack(done).square().mean().backward()

    print(f"{ANIMALS} animals of {FEWEST} to {MOST} units, {count} windows of {FRAMES} frames, one thread")
    first = milliseconds(
        {
            f"one dense layer of {mean} units": lambda: backward(dense, flat),
            loop: looped,
            "input layers, animals in any order": lambda: backward(layer, unsorted),
            "input layers, animals in turn": lambda: backward(layer, fixed),
            "gathering windows and dropping units": own,
        },
        rounds,
    )
    bare, whole, common_step = "step, bare", "step", "step of animals that share their units"
    second = milliseconds(
        {
            bare: step(encoder, lambda: fixed),
            whole: step(encoder, own),
            common_step: step(Shared(mean, UnitEncoder(ENCODERS, shapes).rest), shared),
        },
        rounds,
    )
    for name, value in {**first, **second}.items():
        print(f"{name:<56}{value:8.2f} ms")
    print(
        f"step to bare step {second[whole] / second[bare]:.2f}, to that of shared units "
        f"{second[whole] / second[common_step]:.2f}"
    )
    print(f"weights to units x {WIDTH}: {layer.weight.numel() / (WIDTH * sum(units)):.2f}")


if __name__ == "__main__":
    main()
