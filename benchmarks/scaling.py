"""What the fly sets cost: measured at four sizes a stage, fitted, and carried on to the sizes of the papers' sets.

``python benchmarks/scaling.py`` runs the workflow on simulated trials of four lengths and the pose search on four
numbers of poses, takes seconds and memory from Snakemake's benchmark files, fits s = a n^b to each stage and writes
docs/development/scale_measured.md. Runs that are finished are not run again; they stand in
``results/scaling_<seconds>``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from threadpoolctl import threadpool_limits

from neural_action.config.settings import NeighborSettings
from neural_action.neighbors.table import build_swap_table

ROOT = Path(__file__).resolve().parent.parent
SECONDS = (28, 56, 112, 224)
ANIMALS, TRIALS, SIDE, STEPS = 2, 4, 64, 60
RULES = ("simulate", "convert", "neighbors", "calcium", "pretrain", "evaluate")
#: What a stage's cost is counted in: neural frames or kept behaviour samples, of a trial or of the whole set.
UNITS = {
    "simulate": ("frames of an animal", 16 * TRIALS),
    "convert": ("frames of a trial", 16),
    "neighbors": ("poses of an animal, two animals", 25 * TRIALS * 3 // 4),
    "calcium": ("frames", 16 * TRIALS * ANIMALS),
    "pretrain": ("frames", 16 * TRIALS * ANIMALS),
    "evaluate": ("frames", 16 * TRIALS * ANIMALS),
}
POSES = (5_000, 10_000, 20_000, 40_000)
LARGE = 93_000
#: Two recordings that the papers name: animals, trials, seconds. 100 poses and 16 images a second.
SETS = {"8 animals, 133 trials": (8, 133, 29_750), "40 animals, 364 trials": (40, 364, 81_000)}


def main() -> None:
    """Run, fit and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs/development/scale_measured.md")
    options = parser.parse_args()
    for seconds in SECONDS:
        run(seconds)
    lines = ["# Scale: what was measured", "", *stages(), "", *searches(), "", *stores()]
    options.output.write_text("\n".join(lines) + "\n")
    print(f"wrote {options.output}")


def run(seconds: int) -> None:
    """The workflow on trials of so many seconds."""
    changes = {
        "dataset": f"scaling_{seconds}",
        "simulation": {
            "preset": "default",
            "overrides": {"animals": ANIMALS, "trials": TRIALS, "seconds": float(seconds), "side": SIDE},
        },
        "split": {"test_folds": [0]},
        "training": {"steps": STEPS},
        "rows": ["raw", "swap_calcium"],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(changes, file)
        file.flush()
        command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nolock", "--quiet", "all"]
        command += ["--configfile", str(ROOT / "config/config.yaml"), file.name, "--"]
        subprocess.run([*command, f"results/scaling_{seconds}/scores.csv"], cwd=ROOT, check=True)


def measured(rule: str, seconds: int) -> tuple[float, float]:
    """Mean CPU seconds and largest memory (MB) of a rule's jobs; of evaluation, those of the trained row."""
    folder = ROOT / f"results/scaling_{seconds}/benchmarks" / rule
    if rule == "evaluate":
        folder /= "swap_calcium"
    table = pd.concat(pd.read_csv(path, sep="\t") for path in sorted(folder.rglob("*.tsv")))
    return float(table["cpu_time"].mean()), float(table["max_rss"].max())


def stages() -> list[str]:
    """A line a stage: seconds at every size, the fitted exponent, memory."""
    lines = [
        "## Stages",
        "",
        f"{ANIMALS} animals of {TRIALS} trials, images of {SIDE} x {SIDE}, {STEPS} training steps; CPU seconds of "
        "a job, one thread, starting Python included. Evaluation is of every task, probe and label budget of the "
        "default configuration on one split. Exponents are of what grows: a constant is fitted beside it.",
        "",
        "| stage | counted in | sizes | CPU s | exponent | peak memory, MB |",
        "| --- | --- | --- | --- | ---: | --- |",
    ]
    for rule in RULES:
        unit, each = UNITS[rule]
        sizes = np.array([each * seconds for seconds in SECONDS], float)
        seconds, memory = np.array([measured(rule, seconds) for seconds in SECONDS]).T
        lines.append(
            f"| {rule} | {unit} | {_list(sizes, 0)} | {_list(seconds, 1)} | {exponent(sizes, seconds):.2f} "
            f"| {_list(memory, 0)} |"
        )
    return lines


def exponent(sizes: np.ndarray, seconds: np.ndarray) -> float:
    """b of c + a n^b: c over a grid below the smallest, a and b by least squares of logarithms."""
    best = (np.inf, 0.0)
    for constant in np.linspace(0, 0.98 * seconds.min(), 50):
        x, y = np.log(sizes), np.log(seconds - constant)
        slope, level = np.polyfit(x, y, 1)
        error = float(np.square((constant + np.exp(level + slope * x) - seconds) / seconds).sum())
        best = min(best, (error, float(slope)))
    return best[1]


def searches() -> list[str]:
    """The pose search of a pair of animals: exact, approximate, and the remedies."""
    variants = {
        "exact": {"exact_below": 10**9},
        "pynndescent": {"exact_below": 0},
        "exact, 20,000 targets": {"exact_below": 10**9, "target_samples": 20_000},
        "exact, 20,000 targets, 16 components": {
            "exact_below": 10**9,
            "target_samples": 20_000,
            "components": 16,
        },
    }
    lines = [
        "## Pose search",
        "",
        "Poses of 76 features of two animals (four pairs), 128 neighbours: CPU seconds a pair, one thread.",
        "",
        f"| search | {' | '.join(f'{n:,}' for n in (*POSES, LARGE))} | exponent | recall | peak memory, GB |",
        f"| --- |{' ---: |' * (len(POSES) + 4)}",
    ]
    for name, changes in variants.items():
        cells, times, last = [], [], None
        for count in (*POSES, LARGE):
            # Exact search of the largest is what the remedies are for: its time follows from the exponent.
            if name == "exact" and count == LARGE:
                cells.append("–")
                continue
            with get_context("spawn").Pool(1) as pool:
                last = pool.apply(_search, (count, changes))
            times.append(last[0])
            cells.append(f"{last[0]:.1f}")
        fitted = exponent(np.array((*POSES, LARGE)[: len(times)], float), np.array(times))
        lines.append(f"| {name} | {' | '.join(cells)} | {fitted:.2f} | {last[1]:.3f} | {last[2]:.1f} |")
    return lines


def _search(count: int, changes: dict) -> tuple[float, float, float]:
    """CPU seconds a pair, mean recall, and peak memory in GB."""
    poses = walk(2 * count)
    animal, settings = np.repeat([0, 1], count), NeighborSettings(device="cpu", **changes)
    began = time.process_time()
    with threadpool_limits(1):
        table = build_swap_table(poses, animal, np.ones(2 * count, bool), settings)
    seconds = (time.process_time() - began) / 4
    return seconds, table.report["recall_mean"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def walk(count: int) -> np.ndarray:
    """(count, 76) float32 poses that move smoothly along 12 directions, as a fly's do, with noise."""
    rng = np.random.default_rng(0)
    phase = np.cumsum(rng.normal(0.3, 0.1, (count, 6)), axis=0)
    slow = np.concatenate([np.sin(phase), np.cos(phase)], axis=1)
    return (slow @ rng.normal(size=(12, 76)) + 0.2 * rng.normal(size=(count, 76))).astype(np.float32)


def stores() -> list[str]:
    """Bytes of the papers' sets at every stage, by arithmetic from rates and types."""
    lines = [
        "## Bytes",
        "",
        "By arithmetic: 16 images of 128 x 128 and 100 poses of 76 numbers a second, every fourth pose kept; swap "
        "tables of 8 draws. The trials of the larger set are taken to be as long as those of the smaller one.",
        "",
        "| set | images, float32 | store, float16 before compression | poses | swap table, one split |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, (animals, _, seconds) in SETS.items():
        images = 16 * seconds * 128 * 128
        kept = 25 * seconds
        sizes = (4 * images, 2 * images, 4 * 76 * 100 * seconds, 4 * kept * animals * 8)
        lines.append(f"| {name} | " + " | ".join(f"{size / 2**30:.1f} GiB" for size in sizes) + " |")
    return lines


def _list(values: np.ndarray, digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)


if __name__ == "__main__":
    main()
