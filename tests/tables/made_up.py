"""A small made-up dataset: scores, embeddings, logs, recordings and a swap table."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd

from neural_action.neighbors.table import SwapTable
from neural_action.tables.scores import COLUMNS

ANIMALS = ("Fly1", "Fly2", "Fly3")
CLASSES = ("forward_walking", "rest", "eye_grooming", "pushing")
SPLITS, SEEDS = ("fold-0", "fold-1"), (0, 1)
ODD_LABEL = r"A_b & 50% <i>#1</i> | {x} \y~^"
METHODS = {
    "random_guess": {"label": "Random guess", "group": "Raw", "role": "reference", "representation": "none"},
    "raw": {"label": "Neural", "group": "Raw", "representation": "raw"},
    "simclr": {"label": ODD_LABEL, "group": "Self-supervised", "objective": {"name": "infonce"}},
    "swap_calcium": {
        "label": "Swap + calcium",
        "group": "Self-supervised",
        "role": "proposed",
        "objective": {"name": "infonce"},
    },
}
LEVEL = {"random_guess": 0.25, "raw": 0.4, "simclr": 0.5, "swap_calcium": 0.7}
ACTIONS = ["within", "across"]
PROBES = {
    "softmax": {"kind": "softmax", "solver": "sgd", "tasks": [*ACTIONS, "identity"]},
    "mlp": {"kind": "mlp", "label": "MLP", "tasks": [*ACTIONS, "identity"]},
    "knn": {"kind": "knn", "label": "10 nearest neighbours", "tasks": ["identity"]},
    "ridge": {"kind": "ridge", "label": "Ridge", "tasks": ["continuous_across"]},
}
#: What a probe adds to every row: probes differ more than rows do.
READ = {"softmax": 0.0, "mlp": 0.2, "knn": 0.05, "ridge": 0.0}
VARIABLES = ("forward", "turning")


def configuration(**changes):
    """The sections the stages are given, as inline JSON."""
    content = {
        "dataset": "made_up",
        "title": "Made-up flies",
        "real": False,
        "split": {"folds": 2, "protocol": "new_trials"},
        "methods": METHODS,
        "probes": PROBES,
        "evaluation": {"tasks": [*ACTIONS, "identity"], "label_budgets": ["half", "all"]},
        "tables": {"metric": "balanced_accuracy", "chosen_on": "simulator seeds 0 to 2."},
    }
    return json.dumps({**content, **changes})


def score_rows(methods=METHODS, budgets=("half", "all"), tasks=(*ACTIONS, "identity"), splits=SPLITS):
    """Every score, with values that are known up to seeded noise."""
    rng = np.random.default_rng(0)
    rows = []

    def add(method, layer, task, probe, budget, split, animal, seed, unit, metric):
        value = LEVEL[method] + READ[probe] - 0.05 * (budget != "all") + 0.05 * rng.standard_normal()
        where = (method, layer, task, probe, budget, split, animal, seed, unit, metric)
        rows.append(("made_up", "new_trials", *where, np.clip(value, 0, 1), 90, 30))

    for method in methods:
        kind = METHODS[method].get("representation", "trained")
        for layer in ("encoder", "projection") if kind == "trained" else (kind,):
            for probe, settings in PROBES.items():
                for task in (task for task in tasks if task in settings["tasks"]):
                    for budget in ["all"] if task.startswith("continuous") else budgets:
                        for split in splits:
                            for seed in SEEDS:
                                given = (method, layer, task, probe, budget, split)
                                if task == "identity":
                                    for metric in ("accuracy", "true_class_score"):
                                        add(*given, "all", seed, "", metric)
                                    continue
                                for animal in ANIMALS:
                                    if task.startswith("continuous"):
                                        for unit in ("", *VARIABLES):
                                            add(*given, animal, seed, unit, "r2")
                                        continue
                                    for metric in ("accuracy", "balanced_accuracy", "macro_f1"):
                                        add(*given, animal, seed, "", metric)
    return pd.DataFrame(rows, columns=COLUMNS)


def save_embedding(path, method, run="fold-0", windows=240):
    """What the evaluate stage keeps of a run."""
    rng = np.random.default_rng(1)
    label, animal = rng.integers(-1, len(CLASSES), windows), rng.integers(len(ANIMALS), size=windows)
    tested = (label >= 0) & (rng.random(windows) < 0.5)
    right = rng.random(windows) < LEVEL[method]
    predicted = np.where(tested, np.where(right, label, rng.integers(len(CLASSES), size=windows)), -1)
    centre = rng.normal(size=(len(CLASSES) + 1, 16)) * 3
    features = (centre[label] + rng.normal(size=(windows, 16))).astype(np.float16)
    kind = METHODS[method].get("representation", "trained")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        **({"encoder": features, "projection": features} if kind == "trained" else {}),
        label=label,
        animal=animal,
        trial=animal,
        split=np.full(windows, run),
        role=np.where(tested, "test", "train"),
        time=np.arange(windows) / 2,
        tested=tested,
        predicted=predicted,
        task=np.array("across"),
        class_names=np.array(CLASSES),
        animals=np.array(ANIMALS),
        method=np.array(method),
        run=np.array(run),
        seed=np.array(0),
    )


def recordings(behavior_shape=(38, 2), trials=2, seconds=20, rate=25):
    """What pictures take of a dataset: labels come in bouts, and the fly stands on its legs."""
    rng = np.random.default_rng(0)
    samples, count = seconds * rate, len(ANIMALS) * trials
    labels = np.repeat(rng.integers(-1, len(CLASSES), count * samples // 10), 10).astype(np.int8)
    pose = rng.normal(size=(count * samples, *behavior_shape)).astype(np.float32) * 0.05
    if behavior_shape == (38, 2):
        pose += np.stack([np.arange(38) // 5 % 4, -(np.arange(38) % 19 % 5)], axis=1)
    rows = tuple(
        SimpleNamespace(
            animal=animal,
            name=f"{trial:03d}",
            samples=slice((at * trials + trial) * samples, (at * trials + trial + 1) * samples),
        )
        for at, animal in enumerate(ANIMALS)
        for trial in range(trials)
    )
    return SimpleNamespace(
        animals=ANIMALS,
        trials=rows,
        pose=pose.reshape(len(pose), -1),
        pose_raw=pose.reshape(len(pose), -1),
        pose_time=np.tile(np.arange(samples) / rate, count),
        pose_animal=np.repeat(np.arange(len(ANIMALS)), trials * samples),
        labels=labels,
        class_names=CLASSES,
        behavior_names=tuple(f"b{k}" for k in range(behavior_shape[0])),
        behavior_shape=behavior_shape,
    )


def consistency_rows():
    """Pairs of animals and of runs, in both directions."""
    rows = []
    for method in ("simclr", "swap_calcium"):
        for kind, names in (("animals", ANIMALS), ("runs", SPLITS)):
            for measure, more in (("held_out", 0.0), ("cebra", 0.1)):
                rows += [
                    (method, kind, measure, one, other, LEVEL[method] + more - 0.01 * (one > other))
                    for one in names
                    for other in names
                    if one != other
                ]
    return pd.DataFrame(rows, columns=["row", "kind", "measure", "one", "other", "value"])


def mined_rows(seed):
    """Pairs of mined views whose classes agree more and more."""
    rng = np.random.default_rng(seed)
    rows = []
    for step in range(100, 401, 100):
        for anchor in CLASSES:
            for mined in CLASSES:
                pairs = int(rng.integers(20, 40)) + (step if mined == anchor else 0)
                rows.append(("fold-0", step, anchor, mined, pairs, step // 10 if mined == anchor else 0))
    return pd.DataFrame(rows, columns=["model", "step", "anchor", "mined", "pairs", "itself"])


def save_swaps(path, samples, draws=3):
    """Swaps of every pose with any pose of each animal; the animals' samples are laid end to end."""
    each = samples // len(ANIMALS)
    drawn = np.random.default_rng(2).integers(each, size=(samples, len(ANIMALS), draws))
    targets = (drawn + each * np.arange(len(ANIMALS))[:, None]).astype(np.int32)
    domains = np.ones((len(ANIMALS),) * 2, bool)
    SwapTable(targets, domains, ANIMALS, {"scale": 1.0}).save(path)
