"""The probe ``angle`` over twenty weight decays: one decomposition beside twenty trainings, as the paper does it.

Twenty linear layers to (cos, sin) are trained for 100 epochs by AdamW, batch 512, one weight decay each. Both choose by
validation and are scored on the same test bins; one thread.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.evaluation.probes.angle import Angle, angle_errors, angles_of, directions
from neural_action.evaluation.probes.probe import Training, penalties
from neural_action.evaluation.scaling import Standard

CONFIG = ProbeConfig(kind="angle", tasks=["decoding"], penalties=[-10, 9])
CLASSES, UNITS, SIZES = 8, 64, (720, 90, 2000)


def bins(rng: np.random.Generator, count: int, preferred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A tuned representation with noise, and the direction of each bin."""
    labels = rng.integers(CLASSES, size=count)
    tuned = np.cos(2 * np.pi * labels[:, None] / CLASSES - preferred)
    return tuned + 2.5 * rng.standard_normal(tuned.shape), labels


def accuracy(found: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(decay,) share of bins less than pi / 8 off."""
    return (angle_errors(angles_of(found), labels, CLASSES) < np.pi / 8).mean(1)


def adamw(x: np.ndarray, labels: np.ndarray, others: np.ndarray, epochs: int = 100) -> np.ndarray:
    """(decay, n, 2) predictions of ``others`` by twenty trainings."""
    inputs = torch.from_numpy(x).float()
    target = torch.from_numpy(directions(CLASSES)[labels]).float()
    out = []
    for decay in penalties(CONFIG):
        layer = torch.nn.Linear(x.shape[1], 2)
        optimizer = torch.optim.AdamW(layer.parameters(), lr=0.01, weight_decay=float(decay))
        for _ in range(epochs):
            for rows in torch.randperm(len(inputs)).split(512):
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(layer(inputs[rows]), target[rows]).backward()
                optimizer.step()
        with torch.no_grad():
            out.append(np.nan_to_num(layer(torch.from_numpy(others).float()).numpy()))
    return np.stack(out)


def main() -> None:
    """Print the time and the accuracy of both, and their difference over draws of the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    draws = parser.parse_args().draws
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(
        f"task decoding, probe angle, label budget all: {SIZES[0]} training windows of {UNITS} units, made up"
    )
    ways = ("twenty trainings", "closed form")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    scores: dict[str, list[float]] = {way: [] for way in ways}
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        preferred = rng.uniform(0, 2 * np.pi, UNITS)
        (x, labels), (v, v_labels), (t, t_labels) = (bins(rng, count, preferred) for count in SIZES)
        scale = Standard.of(x, "centred")
        x, both = scale(x), scale(np.concatenate([v, t]))
        for name, fit in (
            ("twenty trainings", adamw),
            ("closed form", lambda x, y, z: Angle(CONFIG).scores(Training(x, y, CLASSES), z)),
        ):
            began = time.perf_counter()
            outputs = fit(x, labels, both)
            seconds[name].append(time.perf_counter() - began)
            best = accuracy(outputs[:, : len(v)], v_labels).argmax()
            scores[name].append(accuracy(outputs[best : best + 1, len(v) :], t_labels)[0])
    for name in seconds:
        print(f"{name:17} {1e3 * np.median(seconds[name]):8.1f} ms, accuracy {np.mean(scores[name]):.3f}")
    ratio = np.median(np.array(seconds["twenty trainings"]) / seconds["closed form"])
    difference = np.array(scores["closed form"]) - scores["twenty trainings"]
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    print(
        f"closed form takes 1/{ratio:.0f} of the time; accuracy {difference.mean():+.4f} +- {1.96 * error:.4f}"
    )


if __name__ == "__main__":
    main()
