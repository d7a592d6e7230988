"""The input layer of 40 animals of 50 to 1,500 units against one dense layer of as many multiplications.

Forward, backward and, for the whole step, gathering windows, dropping units and AdamW. Run it on idle cores:
``python benchmarks/unit_input.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from neural_action.encoders.unit_input import UnitInput
from neural_action.encoders.unit_tiles import PackedUnits, UnitWindows

ANIMALS, FEWEST, MOST, WIDTH, FRAMES, WINDOWS, RECORDED, ROUNDS = 40, 50, 1500, 64, 8, 4, 200, 40


def milliseconds(steps: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Median time of each step, taken in turn so that other work strikes all alike."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            taken[name].append(1e3 * (time.perf_counter() - began))
    return {name: float(np.median(values)) for name, values in taken.items()}


def main() -> None:
    """Print a line for each."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    units = np.linspace(FEWEST, MOST, ANIMALS).astype(int).tolist()
    generator = torch.Generator().manual_seed(0)
    neural = [torch.randn(RECORDED, count, generator=generator) for count in units]
    packed, layer = PackedUnits(neural), UnitInput(units, WIDTH)
    for animal, values in enumerate(neural):
        layer.fit(animal, values)
    start = RECORDED * torch.arange(ANIMALS)[:, None] + torch.randint(
        0, RECORDED - FRAMES, (ANIMALS, WINDOWS)
    )
    rows, mean = ANIMALS * WINDOWS * FRAMES, sum(units) // ANIMALS
    dense, x = nn.Linear(mean, WIDTH), torch.randn(rows, mean)
    alone = nn.ModuleList(nn.Linear(count, WIDTH) for count in units)
    parts = [torch.randn(WINDOWS * FRAMES, count) for count in units]
    index = (start.T.reshape(-1, 1) + torch.arange(FRAMES)).flatten()
    animal, out = torch.arange(ANIMALS).repeat(WINDOWS), torch.empty(len(index), packed.width)

    def windows() -> UnitWindows:
        return UnitWindows(packed.take(index, out).view(len(animal), FRAMES, -1), animal)

    def dropped() -> UnitWindows:
        batch = windows()
        kept = torch.rand(len(animal), 1, packed.width, generator=generator) >= 0.1
        return UnitWindows(batch.values.mul_(kept), animal)

    batch = windows()
    optimizer = torch.optim.AdamW(layer.parameters(), fused=True)
    # Of a dense layer with as many weights as all animals have: what the optimizer costs whatever the layout.
    many = nn.Linear(sum(units), WIDTH)
    for parameter in many.parameters():
        parameter.grad = torch.ones_like(parameter)
    plain = torch.optim.AdamW(many.parameters(), fused=True)

    def backward(out: torch.Tensor, part: nn.Module) -> None:
        part.zero_grad()
        out.square().mean().backward()

    def whole() -> None:
        backward(layer(dropped()), layer)
        optimizer.step()

    found = milliseconds(
        {
            f"dense layer, {rows} rows of {mean} units": lambda: backward(dense(x), dense),
            f"{ANIMALS} layers in a loop": lambda: backward(
                torch.stack([part(values) for part, values in zip(alone, parts, strict=True)]), alone
            ),
            f"UnitInput, {ANIMALS} animals of {FEWEST} to {MOST} units": lambda: backward(
                layer(batch), layer
            ),
            "gathering the windows": lambda: windows() and None,
            "gathering and dropping units": lambda: dropped() and None,
            f"AdamW on {sum(units)} x {WIDTH} weights": lambda: plain.step() and None,
            "UnitInput with gathering, dropping and AdamW": whole,
        }
    )
    for name, value in found.items():
        print(f"{name:<60}{value:8.2f} ms")
    print(f"threads: {torch.get_num_threads()}")


if __name__ == "__main__":
    main()
