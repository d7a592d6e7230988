"""The training step on a CUDA device: steps a second, what the data path adds, memory, and no wait for the device.

``python benchmarks/gpu.py`` prints a Markdown table for the default images (32 x 32) and the full ones (128 x 128).
Times are of many steps enqueued and one wait at their end. The step runs under
``torch.cuda.set_sync_debug_mode("error")``: anything in it that waits for the device ends the benchmark.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
from bench import ANIMALS, Fixed, default_settings, synthetic

from neural_action.config.build import build
from neural_action.config.load import effective
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.behavenet import BehaveNet
from neural_action.training.batches import BatchSampler
from neural_action.training.model import create

FEATURES = 76


def main() -> None:
    """Print the table; exit status 2 and one line without a CUDA device."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", nargs="+", default=["simclr", "regression_conv", "swap_calcium", "matched_alignment"]
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16", "float16"])
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("benchmarks/gpu.py: no CUDA device is present", file=sys.stderr)
        sys.exit(2)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print("| row | image | precision | steps/s | data path | peak memory, GiB |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for side in options.sides:
        for row in options.rows:
            for precision in options.precisions:
                print(measure(row, side, precision, options.steps), flush=True)


def measure(name: str, side: int, precision: str, steps: int) -> str:
    """A line of the table."""
    settings = default_settings()
    row, window, states = settings.methods[name], settings.windows, settings.syllables.states
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    context, windows = synthetic(window.frames, window.poses, states, side=side, device="cuda")
    encoders = effective(settings, row, name).encoders
    shapes = Shapes(window.frames, (side, side), window.poses, FEATURES, states)
    model = create(row.objective, encoders, shapes, 0).cuda()
    trained, adaptation = torch.nn.ModuleList([model]), None
    if row.adaptation is not None:
        adaptation = build("adaptation", row.adaptation, model.modalities, encoders.dimension, ANIMALS).cuda()
        trained.append(adaptation)
    matched = row.batches == "matched"
    sampler = BatchSampler(context, windows, row.augmentations, settings.training.batch, 0, matched=matched)
    optimizer = torch.optim.AdamW(trained.parameters(), lr=1e-3, fused=True)
    scaler = torch.amp.GradScaler("cuda", enabled=precision == "float16")

    def step(batch) -> None:
        half = precision != "float32"
        # As ``training.loop``: the encoders alone.
        with torch.autocast("cuda", getattr(torch, precision)) if half else nullcontext():
            encodings = model.encode(batch)
        encodings = {
            name: value.float() if value.is_floating_point() else value for name, value in encodings.items()
        }
        loss = model.loss(encodings, batch)
        if adaptation is not None:
            loss = loss + adaptation(encodings, batch.animal, 0.5)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    fixed = Fixed(sampler(0), isinstance(model, BehaveNet))
    for number in range(20):
        step(fixed)
        step(sampler(number))
    torch.cuda.set_sync_debug_mode("error")
    bare = _seconds(lambda number: step(fixed), steps)
    full = _seconds(lambda number: step(sampler(number)), steps)
    torch.cuda.set_sync_debug_mode("default")
    memory = torch.cuda.max_memory_allocated() / 2**30
    share = max(0.0, 1 - bare / full)
    return f"| {name} | {side} x {side} | {precision} | {1 / full:.0f} | {share:.0%} | {memory:.1f} |"


def _seconds(step: Callable[[int], None], steps: int) -> float:
    """Seconds a step, of ``steps`` of them enqueued and awaited once."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start = time.perf_counter()
    begin.record()
    for number in range(steps):
        step(number)
    end.record()
    while not end.query():
        time.sleep(1e-4)
    return max(begin.elapsed_time(end) / 1e3, time.perf_counter() - start) / steps


if __name__ == "__main__":
    main()
