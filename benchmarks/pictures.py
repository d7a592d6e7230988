"""The training step of each row of pictures, what its views add, and what a whole run would take at that step.

``python benchmarks/pictures.py --set cifar10`` prints Markdown: bare step (views fixed) and whole step, their ratio,
images a second, memory, and the hours of all steps of the configuration; then a SLURM command with these hours. Times
are of this machine: on a CPU, processor time of one thread; on CUDA, the device's. Nothing is extrapolated to another.

``--minutes 5 --raw <folder>`` then trains ``--rows`` on the recordings, in turn, for as many whole epochs as
fit, and reads them with every probe of the configuration, under ``results/benchmark``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import yaml

from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.config.load import complete, effective, merged, validate
from neural_action.config.settings import Settings
from neural_action.datasets.windows import Windows
from neural_action.encoders.shapes import Shapes
from neural_action.training.ahead import STEPS
from neural_action.training.batches import BatchSampler
from neural_action.training.loop import optimizer_of
from neural_action.training.model import create

ROOT = Path(__file__).resolve().parent.parent
#: Shape of a picture, and how many pictures pretraining sees and probes read.
SETS = {
    "digits": ((1, 8, 8), 1297, 1797),
    "cifar10": ((3, 32, 32), 50_000, 60_000),
    "cifar100": ((3, 32, 32), 50_000, 60_000),
    "cifar20": ((3, 32, 32), 50_000, 60_000),
    "tiny_imagenet": ((3, 64, 64), 100_000, 110_000),
}
CLASSES, DRAWN = 10, 4096


def main() -> None:
    """Print the steps and the plan; train if minutes are given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=list(SETS), default="digits")
    parser.add_argument("--resnet50", action="store_true", help="with config/resnet50.yaml")
    parser.add_argument("--rows", nargs="+", default=["simclr", "byol", "myow"])
    parser.add_argument("--steps", type=int, default=2 * STEPS, help="timed steps of each row")
    parser.add_argument("--seeds", type=int, default=1, help="seeds that the plan counts")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--minutes", type=float, default=0.0, help="minutes of training, all rows together")
    parser.add_argument("--raw", help="folder of the recordings, for --minutes")
    options = parser.parse_args()
    files = [f"config/{options.set}.yaml", *(["config/resnet50.yaml"] if options.resnet50 else [])]
    config = {**merged([ROOT / file for file in files]), "raw": options.raw or "."}
    settings = validate(complete(config, lambda name: ROOT / "config" / name))
    cuda = torch.cuda.is_available() if options.device == "auto" else options.device == "cuda"
    device = torch.device("cuda" if cuda else "cpu")
    torch.set_num_threads(1)
    name = torch.cuda.get_device_name() if cuda else "one CPU thread"
    print(f"{' + '.join(files)}, batch {settings.training.batch}, {name}, torch {torch.__version__}\n")
    print(
        "| row | bare step, ms | step, ms | ratio | images/s | memory, GiB | epochs | hours | reading, min |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    found = {row: measure(settings, row, options.set, options.steps, device) for row in options.rows}
    hours = max(step * settings.training.steps / 3600 for step, _ in found.values())
    reading = max(minutes for _, minutes in found.values())
    jobs = len(found) * options.seeds
    print(
        f"\n{jobs} jobs of pretraining, {hours:.1f} h the longest. {'' if cuda else 'These are hours of this CPU. '}"
    )
    print(
        "snakemake --workflow-profile profiles/slurm --configfile "
        f"{' '.join(files)} --config raw=<folder> 'seeds={list(range(options.seeds))}' --set-resources "
        f"pretrain:runtime={int(72 * hours) + 10} evaluate:runtime={int(1.2 * reading) + 10}"
    )
    if options.minutes and options.raw:
        seconds = sum(step for step, _ in found.values())
        train(options.set, files, options.rows, settings, 60 * options.minutes / seconds, options.raw)


def measure(settings: Settings, name: str, of: str, steps: int, device: torch.device) -> tuple[float, float]:
    """Print a line of the table; seconds of a step, and minutes of reading all pictures with one CPU thread."""
    shape, visible, pictures = SETS[of]
    row, training = settings.methods[name], settings.training
    encoders = effective(settings, row, name).encoders
    context, windows = drawn(shape, device)
    model = create(row.objective, encoders, Shapes(1, shape, 1, 0, 0, CLASSES), 0).to(device)
    # Late in training, when every term of the loss is on.
    model.progress = 0.9
    sampler = BatchSampler(
        context, windows, row.augmentations, training.batch, 0, epochs=row.batches == "epochs"
    )
    optimizer = optimizer_of(model, training)
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()

    def step(batch) -> None:
        # As ``training.loop``: the encoders alone run in half precision.
        with torch.autocast("cuda", getattr(torch, training.cuda_precision)) if cuda else nullcontext():
            encodings = model.encode(batch)
        encodings = {
            key: value.float() if value.is_floating_point() else value for key, value in encodings.items()
        }
        loss = model.loss(encodings, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        model.follow()

    fixed = Fixed(sampler(0))
    pairs = []
    for number in range(steps + 1):
        bare = seconds(lambda: step(fixed.again()), cuda)
        pairs.append((bare, seconds(lambda: step(sampler(number)), cuda)))  # noqa: B023
    # Not the median: the numbers of views are drawn once in many steps.
    bare, full = np.mean(pairs[1:], axis=0)
    memory = "–"
    if cuda:
        data = 4 * (visible - DRAWN) * int(np.prod(shape))
        memory = f"{(torch.cuda.max_memory_allocated() + data) / 2**30:.1f}"
    model = model.cpu().eval()
    with torch.inference_mode():
        each = seconds(lambda: model.embed(context.neural[:64, None].cpu()), False) / 64
    reading = each * pictures / 60
    epochs = training.steps // (visible // training.batch)
    print(
        f"| {name} | {1e3 * bare:.1f} | {1e3 * full:.1f} | {full / bare:.3f} | {training.batch / full:.0f} | {memory} "
        f"| {epochs} | {full * training.steps / 3600:.1f} | {reading:.1f} |",
        flush=True,
    )
    return float(full), reading


class Fixed:
    """A batch whose views are drawn once."""

    def __init__(self, batch):
        self.batch = batch
        self.views = [batch.neural().clone() for _ in range(2)]
        self.mined: dict[int, torch.Tensor] = {}

    def __getattr__(self, name: str):
        return getattr(self.batch, name)

    def again(self) -> Fixed:
        """The same views from the first on."""
        self.order: Iterator[torch.Tensor] = iter(self.views)
        return self

    def neural(self) -> torch.Tensor:
        """(B, 1, pixels)."""
        return next(self.order)

    def mined_of(self, windows: torch.Tensor) -> torch.Tensor:
        """(M, 1, pixels)."""
        if len(windows) not in self.mined:
            self.mined[len(windows)] = self.batch.mined_of(windows).clone()
        return self.mined[len(windows)]


def drawn(shape: tuple[int, int, int], device: torch.device) -> tuple[AugmentationContext, Windows]:
    """Random pictures, each a trial of one frame."""
    count, generator = DRAWN, torch.Generator().manual_seed(0)
    context = AugmentationContext(
        neural=torch.rand(count, int(np.prod(shape)), generator=generator).to(device),
        pose=torch.zeros(1, 0, device=device),
        kernel=None,
        animal_frames=(torch.arange(count, device=device),),
        swap_targets=None,
        swap_domains=None,
        frames=1,
        image=shape,
    )
    at = np.arange(count)
    windows = Windows(
        start=at,
        pose=at[:, None],
        animal=np.zeros(count, int),
        role=np.full(count, "train"),
        sees_input=at >= 0,
        sees_label=at >= 0,
        label=at % CLASSES,
        trial=at,
        time=at.astype(float),
        frames=1,
    )
    return context, windows


def seconds(call: Callable[[], object], cuda: bool) -> float:
    """Seconds of a call: of the device on CUDA, otherwise of this process, so that other work does not count."""
    clock = time.perf_counter if cuda else time.process_time
    if cuda:
        torch.cuda.synchronize()
    began = clock()
    call()
    if cuda:
        torch.cuda.synchronize()
    return clock() - began


def train(of: str, files: list[str], rows: list[str], settings: Settings, steps: float, raw: str) -> None:
    """Run the workflow on ``rows`` with as many whole epochs as ``steps`` allow; print its table."""
    length = SETS[of][1] // settings.training.batch
    epochs = int(steps // length)
    if epochs < 1:
        print(
            f"benchmarks/pictures.py: {steps:.0f} steps fit, expected an epoch of {length}", file=sys.stderr
        )
        sys.exit(2)
    print(f"\n{epochs} epochs of {length} steps")
    changes = {
        "rows": ["chance", "pixels", *rows],
        "training": {"steps": epochs * length},
        "tables": {"figure_method": rows[-1], "references": [rows[0]]},
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "changes.yaml").write_text(yaml.safe_dump(changes))
        given = [
            "--configfile",
            *files,
            f"{folder}/changes.yaml",
            "--config",
            f"raw={raw}",
            "results=results/benchmark",
        ]
        subprocess.run([sys.executable, "-m", "snakemake", "--cores", "2", *given], cwd=ROOT, check=True)
    print((ROOT / f"results/benchmark/{of}/tables/image_recognition.md").read_text())


if __name__ == "__main__":
    main()
