"""Where does the trial discriminant gain, and what by? Its parts and controls, on splits of a seed of their own.

``python benchmarks/trial_discriminant.py --configfile config/monkey_reach.yaml --raw <folder>`` reads validation trials
with few and with all labels from: centred rates; as many principal components; the discriminant of made-up trials,
whose bins are drawn from all trials; the discriminant of the trials, without and with mined trials. No row is told a
label that another is not. Prints a table and how often a mined trial is of the same class, and writes a picture.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from learning_curves import ROOT, bins_of, reads, splits
from neural_action.evaluation.decoding import Bins
from snakemake.utils import update_config
from threadpoolctl import threadpool_limits

from neural_action.config.load import read_yaml, validate
from neural_action.evaluation.discriminant import nearest, trial_discriminant, whiles
from neural_action.tables.pictures.style import save, sheet, styled

LABELLED = (1, 2, 4, 8)


def main() -> None:
    """Read every variant on every split; print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the splits; not the one of the configuration")
    options = parser.parse_args()
    config = read_yaml(ROOT / "config/methods_spikes.yaml")
    update_config(config, read_yaml(options.configfile))
    settings = validate({**config, "raw": str(options.raw)})
    if options.seed == settings.split.seed:
        parser.error(f"--seed {options.seed} is the seed of the reported splits")
    row = settings.methods["trial_discriminant"]
    records, same = [], []
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        for split, dataset, clips in splits(settings, options, Path(folder)):
            values, bins = dataset.neural[clips.start], bins_of(dataset, clips)
            made = variants(row.features, values, bins, clips.sees_input, np.random.default_rng(split))
            for name, make in made.items():
                read = reads(settings, row, {name: make()}, bins, split, LABELLED)
                records += [(name, split, labels, value) for labels, value in read]
            same.append(alike(row.features, values, bins, clips.sees_input))
    table = pd.DataFrame(records, columns=["variant", "split", "labels", "accuracy"])
    wide = table.pivot_table(index=["variant", "split"], columns="labels", values="accuracy", sort=False)
    wide = wide[[*map(str, LABELLED), "all"]]
    for name in wide.index.unique(0):
        apart = wide.loc[name] - wide.loc["centred rates"]
        error = 1.96 * apart.std() / np.sqrt(len(apart))
        cells = [
            f"{a:.3f} ({100 * d:+5.1f} +- {100 * e:.1f})"
            for a, d, e in zip(wide.loc[name].mean(), apart.mean(), error, strict=True)
        ]
        print(f"{name:32} {'  '.join(cells)}")
    before, after, chance = np.mean(same, axis=0)
    print(
        f"of the same class: {before:.2f} of the nearest trials at first, {after:.2f} at last, chance {chance:.2f}"
    )
    output = ROOT / f"docs/images/{settings.dataset}_trial_discriminant.png"
    draw(wide, output)
    print(f"wrote {output}")


def variants(
    features, values: np.ndarray, bins: Bins, visible: np.ndarray, rng: np.random.Generator
) -> dict[str, Callable[[], np.ndarray]]:
    """What makes the representation of each variant."""
    trial = whiles(bins.span, features.while_bins)
    rank, penalty = features.ranks[0], features.penalties[0]
    shuffled = trial.copy()
    shuffled[visible] = rng.permutation(trial[visible])
    plain = {"dimensions": rank, "penalty": penalty, "neighbors": 0, "rounds": 0}
    mined = {**plain, "neighbors": features.neighbors, "rounds": features.rounds}
    return {
        "centred rates": lambda: values,
        "principal components": lambda: components(values, visible, rank),
        "discriminant of shuffled trials": lambda: trial_discriminant(values, shuffled, visible, **mined),
        "discriminant of trials": lambda: trial_discriminant(values, trial, visible, **plain),
        "with mined trials": lambda: trial_discriminant(values, trial, visible, **mined),
    }


def components(values: np.ndarray, visible: np.ndarray, rank: int) -> np.ndarray:
    """(bin, rank) principal components of the visible bins."""
    centre = values[visible].mean(0)
    return (values - centre) @ np.linalg.svd(values[visible] - centre, full_matrices=False)[2][:rank].T


def alike(features, values: np.ndarray, bins: Bins, visible: np.ndarray) -> tuple[float, float, float]:
    """Shares of neighbours of a trial that are of its class: before mining, after it, and of all trials.

    A trial's class is that of its first labelled bin.
    """
    trial = whiles(bins.span, features.while_bins)
    labelled = visible & (bins.label >= 0)
    names, first = np.unique(trial[labelled], return_index=True)
    label = bins.label[labelled][first]
    shares = []
    for rounds in (0, features.rounds):
        made = trial_discriminant(
            values,
            trial,
            visible,
            dimensions=features.ranks[0],
            neighbors=features.neighbors,
            rounds=rounds,
            penalty=features.penalties[0],
        )
        means = np.stack([made[trial == name].mean(0) for name in names])
        near = nearest(means, 5)
        own = np.arange(len(names))[:, None]
        shares.append(float(np.mean((label[near] == label[own])[near != own])))
    counts = np.bincount(label)
    return shares[0], shares[1], float((counts * (counts - 1)).sum() / (len(label) * (len(label) - 1)))


def draw(wide: pd.DataFrame, output: Path) -> None:
    """Accuracy over labelled trials, a line a variant."""
    with styled():
        figure = sheet(3.6, 2.6)
        axis = figure.subplots()
        at = range(len(wide.columns))
        for name in wide.index.unique(0):
            own = wide.loc[name]
            axis.errorbar(
                at, own.mean(), 1.96 * own.std() / np.sqrt(len(own)), marker=".", capsize=2, label=name
            )
        axis.set_xticks(at, wide.columns)
        axis.set(xlabel="labelled trials a class", ylabel="accuracy, validation")
        axis.legend(fontsize=6)
        save(figure, output)


if __name__ == "__main__":
    main()
