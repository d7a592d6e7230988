"""The benchmark: what a training step and a conversion cost beside the bare minimum, and the order of the rows.

Run by ``make bench``. Figures are ratios of pairs taken in turn in one process, so that a machine whose speed drifts
does not matter; quartiles say how noisy it was.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.config.build import build
from neural_action.config.load import complete, effective, validate
from neural_action.config.settings import Settings
from neural_action.datasets.windows import Windows
from neural_action.encoders.shapes import Shapes
from neural_action.objectives.behavenet import BehaveNet
from neural_action.training.batches import BatchSampler
from neural_action.training.model import create

ROOT = Path(__file__).resolve().parent.parent
FRAMES, SIDE, POSES, FEATURES, ANIMALS = 8 * 4 * 1040, 32, 8 * 4 * 1625, 76, 8


def main() -> None:
    """Print every benchmark, or the one asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["step", "convert", "order", "rows", "rerun"])
    parser.add_argument("--gib", type=float, default=2.0, help="size of the converted movie")
    parser.add_argument(
        "--against", type=Path, help="an older checkout: compare the conversion with it, and stop"
    )
    options = parser.parse_args()
    if options.against is not None:
        bench_against(options.against, options.gib)
        return
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, numpy {np.__version__}")
    for name, run in (
        ("step", bench_step),
        ("convert", lambda: bench_convert(options.gib)),
        ("order", bench_order),
        ("rows", bench_rows),
        ("rerun", bench_rerun),
    ):
        if options.only in (None, name):
            print(f"\n## {name}")
            run()


def bench_step(pairs: int = 40) -> None:
    """A whole training step (gathering, all views, forward, backward, optimizer) against the bare one."""
    torch.set_num_threads(1)
    settings = default_settings()
    context, windows = synthetic(settings.windows.frames, settings.windows.poses, settings.syllables.states)
    shapes = Shapes(
        settings.windows.frames, (SIDE, SIDE), settings.windows.poses, FEATURES, settings.syllables.states
    )
    print(f"median of {pairs} pairs, batch {settings.training.batch}, one torch thread")
    for name, row in settings.methods.items():
        if row.objective is None:
            continue
        encoders = effective(settings, row, name).encoders
        model = create(row.objective, encoders, shapes, 0)
        trained = torch.nn.ModuleList([model])
        adaptation = None
        if row.adaptation is not None:
            given = (model.modalities, encoders.dimension, ANIMALS)
            adaptation = build("adaptation", row.adaptation, *given)
            trained.append(adaptation)
        matched = row.batches == "matched"
        sampler = BatchSampler(
            context, windows, row.augmentations, settings.training.batch, 0, matched=matched
        )
        optimizer = torch.optim.AdamW(trained.parameters(), lr=1e-3, fused=True)
        fixed = Fixed(sampler(0), isinstance(model, BehaveNet))

        def step(batch, model=model, optimizer=optimizer, adaptation=adaptation) -> None:
            encodings = model.encode(batch)
            loss = model.loss(encodings, batch)
            if adaptation is not None:
                loss = loss + adaptation(encodings, batch.animal, 0.5)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

        for number in range(3):
            step(fixed)
            step(sampler(number))
        bare, full = [], []
        for number in range(pairs):
            bare.append(_seconds(lambda step=step, fixed=fixed: step(fixed)))
            full.append(_seconds(lambda step=step, number=number, sampler=sampler: step(sampler(number))))
        ratio = np.array(full) / np.array(bare)
        low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75])
        print(
            f"{name:16} bare {1e3 * np.median(bare):6.1f} ms  full {1e3 * np.median(full):6.1f} ms  "
            f"ratio {middle:.3f} (quartiles {low:.3f} to {high:.3f})"
        )


class Fixed:
    """A batch whose views are tensors in place; a second view of the neural windows is another tensor."""

    def __init__(self, batch, with_syllables: bool):
        self.augmentations = batch.neural().clone(), batch.behavior()
        self.animal, self.states = batch.animal, batch.syllables() if with_syllables else None
        self.group, self.uniform = batch.groups, batch.uniform

    def neural(self):
        return self.augmentations[0]

    def syllables(self):
        return self.states

    def behavior(self):
        return self.augmentations[1]


def default_settings() -> Settings:
    """The settings of the default dataset."""
    return validate(complete({}, lambda name: ROOT / "config" / name))


def synthetic(
    frames: int, poses: int, states: int, *, side: int = SIDE, device: str = "cpu"
) -> tuple[AugmentationContext, Windows]:
    """Random data of the default dataset's size, images of ``side`` x ``side`` pixels, on ``device``."""
    state = torch.Generator(device).manual_seed(0)
    where = {"generator": state, "device": device}
    rng = np.random.default_rng(0)
    context = AugmentationContext(
        neural=torch.rand(FRAMES, side * side, **where),
        pose=torch.randn(POSES, FEATURES, **where),
        kernel=torch.exp(-torch.arange(frames, device=device) / 16.0),
        animal_frames=torch.arange(FRAMES, device=device).chunk(ANIMALS),
        swap_targets=torch.randint(POSES, (POSES, ANIMALS, 32), dtype=torch.int32, **where),
        swap_domains=torch.ones(ANIMALS, ANIMALS, dtype=torch.bool, device=device),
        frames=frames,
        syllables=torch.softmax(torch.randn(POSES, states, **where), dim=1),
    )
    own = FRAMES // ANIMALS
    animal = rng.integers(ANIMALS, size=20_000)
    start = animal * own + rng.integers(own - frames, size=20_000)
    nothing = np.zeros(20_000, np.int64)
    pose = rng.integers(POSES, size=(20_000, poses))
    starts = torch.as_tensor(rng.choice(start, POSES), device=device)
    windows = Windows(
        start=start,
        pose=pose,
        animal=animal,
        role=np.full(20_000, "train"),
        sees_input=nothing == 0,
        sees_label=nothing == 0,
        label=nothing,
        trial=nothing,
        time=nothing.astype(float),
        frames=frames,
    )
    return replace(context, window_starts=starts), windows


def bench_convert(gib: float) -> None:
    """Peak memory and speed of converting a long recording, against copying the same array to the same store."""
    size = int(gib * 2**30)
    if shutil.disk_usage(tempfile.gettempdir()).free < 3 * size:
        print(f"skipped: less than {3 * gib:g} GiB of disk are free in {tempfile.gettempdir()}")
        return
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        _write_release_trial(raw / "210301_X_Fly1_001", size)
        (Path(folder) / "samples.csv").write_text("animal,trial,path\nFly1,001,210301_X_Fly1_001\n")
        ratios = []
        for number in range(3):
            converted = _child(["convert", folder, str(number)])
            copied = _child(["copy", folder, str(number)])
            ratios.append(copied[0] / converted[0])
            print(
                f"{gib:g} GiB: convert {converted[0]:6.1f} s ({size / 2**20 / converted[0]:5.0f} MiB/s, peak "
                f"{converted[1]:4.0f} MiB)  plain copy {copied[0]:6.1f} s  speed ratio {ratios[-1]:.2f}"
            )
        print(f"median speed ratio {np.median(ratios):.2f}")


def bench_against(other: Path, gib: float, pairs: int = 7) -> None:
    """CPU seconds of a whole conversion process here and in another checkout, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        _write_release_trial(Path(folder) / "raw/210301_X_Fly1_001", int(gib * 2**30))
        for name in ("samples.csv", "sheet.csv"):  # The second is its name in older checkouts.
            (Path(folder) / name).write_text("animal,trial,path\nFly1,001,210301_X_Fly1_001\n")
        ratios = []
        for number in range(pairs):
            roots = (ROOT, other.resolve()) if number % 2 else (other.resolve(), ROOT)
            seconds = {root: _cpu_seconds(root, folder) for root in roots}
            ratios.append(seconds[ROOT] / seconds[other.resolve()])
            print(f"{gib:g} GiB: here {seconds[ROOT]:.2f} s, there {seconds[other.resolve()]:.2f} s of CPU")
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    print(f"median ratio {middle:.3f} (quartiles {low:.3f} to {high:.3f}) of {pairs} pairs")


def _cpu_seconds(root: Path, folder: str) -> float:
    """CPU seconds of a process that converts the made-up recording with the package below ``root``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, root / "benchmarks/bench.py", "--child", "convert", folder, "0"],
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _write_release_trial(folder: Path, size: int) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    frames = size // (4 * 128 * 128)
    with (folder / "2p_dff.mm").open("wb") as file:
        for first in range(0, frames, 256):
            shape = (min(256, frames - first), 128, 128)
            file.write((1 + rng.random(shape, dtype=np.float32)).tobytes())
    samples = int(frames * 100 / 16)
    rng.standard_normal((samples, 76)).astype(np.float32).tofile(folder / "pose_result.mm")
    np.save(folder / "indices.npy", np.minimum(np.arange(samples) * 16 // 100, frames - 1).astype(np.int32))
    np.save(folder / "labels.npy", np.zeros(samples, np.int8))


def _child(arguments: list[str]) -> tuple[float, float]:
    """Seconds and peak MiB of this script's ``arguments`` in a process of its own, imports left out of the time."""
    command = [sys.executable, __file__, "--child", *arguments]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(out[-2]), float(out[-1])


def child(what: str, folder: str, number: str) -> None:
    """Convert or copy the made-up recording; print seconds and peak MiB."""
    import zarr

    from neural_action.config.settings import ConvertSettings, ScaleSettings
    from neural_action.recordings.convert import convert_trial
    from neural_action.recordings.samples import read_samples

    base, store = Path(folder), Path(folder) / f"{what}{number}.zarr"
    settings = ConvertSettings(reader="mc2p", scale=ScaleSettings(), root_relative=True)
    row = read_samples(base / "samples.csv")[0]
    began = time.perf_counter()
    if what == "convert":
        convert_trial(settings, "bench", base / "raw", row, store, base / "manifest.json", threads=2)
    else:
        path = base / "raw" / row.path / "2p_dff.mm"
        movie = np.memmap(path, np.float32, "r").reshape(-1, 128, 128)
        rows = int(settings.chunk_mb * 2**20) // (4 * 128 * 128)
        group = zarr.open_group(store, mode="w", zarr_format=3)
        array = group.create_array(
            "neural",
            shape=movie.shape,
            dtype=movie.dtype,
            chunks=(rows, 128, 128),
            compressors=zarr.codecs.ZstdCodec(level=1),
        )
        for first in range(0, len(movie), rows):
            array[first : first + rows] = movie[first : first + rows]
    seconds = time.perf_counter() - began
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    shutil.rmtree(store)


def bench_order() -> None:
    """Balanced accuracy across animals of every pair (split, seed): raw < SimCLR < Swap + calcium?"""
    path = ROOT / "results/simulated/scores.csv"
    if not path.exists():
        print("skipped: no results/simulated/scores.csv; run `make run` first")
        return
    scores = pd.read_csv(path, dtype={"label_budget": str})
    chosen = scores.query(
        "task == 'across' and probe == 'softmax' and label_budget == 'all' and metric == 'balanced_accuracy'"
        " and layer != 'projection'"
    )
    table = chosen.pivot_table(index=["split", "seed"], columns="method", values="value")
    holds = (table["raw"] < table["simclr"]) & (table["simclr"] < table["swap_calcium"])
    print("task across, probe softmax, label budget all; balanced accuracy, mean over animals")
    print(table.T.round(3).to_string())
    print(f"raw < SimCLR < Swap + calcium in {int(holds.sum())} of {len(holds)} pairs")


def bench_rows() -> None:
    """Seconds of pretraining and evaluating a row, from the benchmark files of the last run."""
    folder = ROOT / "results/simulated/benchmarks"
    rows = [
        (path.parts[-4], path.parts[-3], pd.read_csv(path, sep="\t")["s"].mean())
        for path in sorted(folder.glob("*/*/*/seed-*.tsv"))
    ]
    if not rows:
        print("skipped: no benchmark files; run `make run` first")
        return
    table = pd.DataFrame(rows, columns=["stage", "method", "seconds"])
    print(table.pivot_table(index="method", columns="stage", values="seconds", aggfunc="median").round(1))


def bench_rerun() -> None:
    """A second run of the finished default workflow."""
    if not (ROOT / "results/simulated/tables").is_dir():
        print("skipped: no finished results; run `make run` first")
        return
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    began = time.perf_counter()
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    said = "Nothing to be done" in out.stdout + out.stderr
    print(f"{time.perf_counter() - began:.1f} s, {'nothing to be done' if said else 'but something ran'}")


def _seconds(run) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
