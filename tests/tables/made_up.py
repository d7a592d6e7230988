"""A small made-up dataset: scores, embeddings, logs, recordings and a swap table."""

import json

import numpy as np
import pandas as pd

from neural_action.neighbors.table import SwapTable
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import write_store

ANIMALS = ("Fly1", "Fly2", "Fly3")
CLASSES = ("forward_walking", "rest", "eye_grooming", "pushing")
FOLDS, SEEDS = (0, 1), (0, 1)
ODD_LABEL = r"A_b & 50% <i>#1</i> | {x} \y~^"
METHODS = {
    "random_guess": {"label": "Random guess", "group": "Raw", "representation": "none"},
    "neural_linear": {"label": "Neural (linear)", "group": "Raw", "representation": "raw"},
    "simclr": {"label": ODD_LABEL, "group": "Self-supervised", "objective": {"name": "infonce"}},
    "ours": {"label": "Ours", "group": "Self-supervised", "objective": {"name": "infonce"}},
}
LEVEL = {"random_guess": 0.25, "neural_linear": 0.4, "simclr": 0.5, "ours": 0.7}


def configuration(**changes):
    """The sections the stages are given, as inline JSON."""
    content = {
        "dataset": "made_up",
        "title": "Made-up flies",
        "real": False,
        "split": {"folds": 2, "protocol": "new_trials"},
        "clips": {"behavior_stride": 2},
        "methods": METHODS,
        "tables": {"metric": "balanced_accuracy", "bootstrap": 200},
    }
    return json.dumps({**content, **changes})


def score_rows(methods=METHODS):
    """Every score of the evaluate stage, with values that are known up to seeded noise."""
    rng = np.random.default_rng(0)
    rows = []

    def add(method, representation, probe, task, fraction, fold, animal, seed, metric):
        value = np.clip(LEVEL[method] + 0.1 * (fraction - 1) + 0.05 * rng.standard_normal(), 0, 1)
        where = (
            "made_up",
            "new_trials",
            method,
            representation,
            probe,
            task,
            fraction,
            fold,
            animal,
            seed,
            metric,
        )
        rows.append((*where, value, 100, 30))

    for method in methods:
        kind = METHODS[method].get("representation", "trained")
        for representation in ("encoder", "projection") if kind == "trained" else (kind,):
            for fraction in (0.5, 1.0):
                for fold in FOLDS:
                    for seed in SEEDS:
                        for animal in ANIMALS:
                            for task in ("single_animal", "multi_animal"):
                                for metric in ("accuracy", "balanced_accuracy", "macro_f1"):
                                    add(
                                        method,
                                        representation,
                                        "linear",
                                        task,
                                        fraction,
                                        fold,
                                        animal,
                                        seed,
                                        metric,
                                    )
                        where = ("identity", fraction, fold, "all", seed)
                        add(method, representation, "linear", *where, "accuracy")
                        add(method, representation, "knn", *where, "knn_same_animal")
                        if kind != "none":
                            add(method, representation, "mlp", *where, "accuracy")
    names = "dataset protocol method representation probe task fraction fold animal seed metric"
    return pd.DataFrame(rows, columns=[*names.split(), "value", "n_train", "n_test"])


def save_embedding(path, method, holdout="fold-0", clips=240):
    """What the evaluate stage keeps of a run."""
    rng = np.random.default_rng(1)
    label, animal = rng.integers(-1, len(CLASSES), clips), rng.integers(len(ANIMALS), size=clips)
    tested = (label >= 0) & (rng.random(clips) < 0.5)
    right = rng.random(clips) < LEVEL[method]
    predicted = np.where(tested, np.where(right, label, rng.integers(len(CLASSES), size=clips)), -1)
    centre = rng.normal(size=(len(CLASSES) + 1, 16)) * 3
    features = (centre[label] + rng.normal(size=(clips, 16))).astype(np.float16)
    kind = METHODS[method].get("representation", "trained")
    arrays = {
        "trained": {"encoder": features, "projection": features},
        "none": {"none": features[:, :0]},
    }.get(kind, {})
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        **arrays,
        label=label,
        animal=animal,
        trial=animal,
        fold=animal * 0,
        time=np.arange(clips) / 2,
        tested=tested,
        predicted=predicted,
        class_names=np.array(CLASSES),
        animals=np.array(ANIMALS),
        method=np.array(method),
        holdout=np.array(holdout),
        seed=np.array(0),
    )


def save_recording(folder, animal, trial, behavior_shape, seconds=20, rate=50):
    """A recording whose labels come in bouts and whose fly stands on its legs."""
    rng = np.random.default_rng([ANIMALS.index(animal), trial])
    samples = seconds * rate
    labels = np.repeat(rng.integers(-1, len(CLASSES), samples // 20), 20).astype(np.int8)
    behavior = rng.normal(size=(samples, *behavior_shape)).astype(np.float32) * 0.05
    if behavior_shape == (38, 2):
        behavior += np.stack([np.arange(38) // 5 % 4, -(np.arange(38) % 19 % 5)], axis=1)
    manifest = folder / f"{animal}-{trial}.manifest.json"
    recording = Recording(
        animal=animal,
        trial=f"{trial:03d}",
        neural=np.full((seconds * 4, 2), ANIMALS.index(animal) + trial / 10, np.float32),
        neural_time=np.arange(seconds * 4) / 4,
        behavior=behavior,
        behavior_time=np.arange(samples) / rate,
        labels=labels,
        neural_index=(np.arange(samples) * 4 // rate).astype(np.int32),
        class_names=CLASSES,
        behavior_names=tuple(f"b{k}" for k in range(behavior_shape[0])),
        neural_rate=4.0,
        behavior_rate=float(rate),
    )
    write_store(
        recording, folder / f"{animal}-{trial}.zarr", manifest, dataset="made_up", steps={}, chunk_mb=1
    )
    return manifest


def save_swaps(path, samples, draws=3):
    """Swaps of every pose with any pose of each animal; the animals' samples are laid end to end."""
    each = samples // len(ANIMALS)
    drawn = np.random.default_rng(2).integers(each, size=(samples, len(ANIMALS), draws))
    targets = (drawn + each * np.arange(len(ANIMALS))[:, None]).astype(np.int32)
    domains = np.ones((len(ANIMALS),) * 2, bool)
    SwapTable(targets, domains, ANIMALS, {"scale": 1.0}).save(path)
