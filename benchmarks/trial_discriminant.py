"""Where does the trial discriminant gain, and what by? Its parts and controls, on splits of a seed of their own.

``python benchmarks/trial_discriminant.py --configfile config/monkey_reach.yaml --raw <folder>`` reads validation trials
by every probe, with few and with all labels, from: centred rates; as many principal components; the discriminant of
made-up trials, whose bins are drawn from all trials; the discriminant of the trials, without and with mined trials. No
row is told a label that another is not. Prints a table and how often a mined trial is of the same class, and writes a
picture; for monkey_reach it writes the table between its marks in docs/reference/rows_of_spikes.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from drawn_by import record
from learning_curves import ROOT, TASK, reads, settings_of, splits
from results_page import between
from threadpoolctl import threadpool_limits

from neural_action.config.evaluation_settings import FeatureSettings
from neural_action.datasets.runs import blocks
from neural_action.datasets.windows import Windows
from neural_action.evaluation.discriminant import nearest, trial_discriminant
from neural_action.evaluation.representation import raw_windows
from neural_action.evaluation.statistics import Estimate, over_splits
from neural_action.tables.document import interval
from neural_action.tables.pictures.style import new_figure, save, styled

LABEL_BUDGETS = ("1", "2", "4", "8", "all")
PAGE = ROOT / "docs/reference/rows_of_spikes.md"


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
    settings = settings_of(options.configfile, options.raw, LABEL_BUDGETS)
    if options.seed == settings.split.seed:
        parser.error(f"--seed {options.seed} is the seed of the reported splits")
    row = settings.methods["trial_discriminant"]
    records, same = [], []
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        for split in splits(settings, options, Path(folder)):
            windows = split.windows
            values = raw_windows(split.dataset.neural, windows, settings.evaluation)
            made = variants(row.features, values, windows, np.random.default_rng(split.number))
            for name, make in made.items():
                read = reads(settings, row, {name: make()}, split)
                records += [(probe, name, split.number, budget, value) for probe, budget, value in read]
            same.append(alike(row.features, values, windows))
    columns = ["probe", "variant", "split", "label_budget", "accuracy"]
    table = pd.DataFrame(records, columns=columns)
    wide = table.pivot_table(index=columns[:3], columns="label_budget", values="accuracy", sort=False)
    wide = wide[list(LABEL_BUDGETS)]
    print(f"task {TASK}, accuracy in validation (minus centred rates, points [95 %])")
    ratio = settings.split.validation / settings.split.train
    print(shown := page_table(wide, ratio))
    before, after, chance = np.mean(same, axis=0)
    print(
        f"of the same class: {before:.2f} of the nearest trials at first, {after:.2f} at last, chance {chance:.2f}"
    )
    output = ROOT / f"docs/images/{settings.dataset}_trial_discriminant.png"
    draw(wide, ratio, output)
    record(
        {output.name: ["benchmarks/trial_discriminant.py:draw", "src/neural_action/tables/pictures/style.py"]}
    )
    print(f"wrote {output}")
    if settings.dataset == "monkey_reach":
        PAGE.write_text(between(PAGE.read_text(), "trial_discriminant", shown))


def page_table(wide: pd.DataFrame, ratio: float) -> str:
    """The Markdown: accuracy by label budget, and the difference to centred rates in points [95 %]."""
    budgets = [f"{budget} trial a class" if budget == "1" else budget for budget in wide.columns]
    lines = [f"| probe | | {' | '.join(budgets)} |", "|---|---" + "|---:" * len(budgets) + "|"]
    for probe in wide.index.unique(0):
        rates = wide.loc[(probe, "centred rates")]
        for name in wide.loc[probe].index.unique(0):
            own = wide.loc[(probe, name)]
            cells = [
                f"{own[budget].mean():.3f}"
                + (
                    f", {points(over_split(own[budget] - rates[budget], ratio))}"
                    if name != "centred rates"
                    else ""
                )
                for budget in wide.columns
            ]
            lines.append(f"| {probe} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def variants(
    features: FeatureSettings, values: np.ndarray, windows: Windows, rng: np.random.Generator
) -> dict[str, Callable[[], np.ndarray]]:
    """What makes the representation of each variant."""
    trial, visible = blocks(windows.trial, features.block_bins), windows.sees_input
    rank, penalty = features.ranks[0], features.penalties[0]
    shuffled = trial.copy()
    shuffled[visible] = rng.permutation(trial[visible])
    plain = {"dimensions": rank, "penalty": penalty, "neighbors": 0, "rounds": 0}
    mined = {**plain, "neighbors": features.neighbors, "rounds": features.rounds}
    return {
        "centred rates": lambda: values,
        f"{rank} principal components": lambda: components(values, visible, rank),
        "discriminant of shuffled trials": lambda: trial_discriminant(values, shuffled, visible, **mined),
        "discriminant of trials": lambda: trial_discriminant(values, trial, visible, **plain),
        "with mined trials": lambda: trial_discriminant(values, trial, visible, **mined),
    }


def components(values: np.ndarray, visible: np.ndarray, rank: int) -> np.ndarray:
    """(bin, rank) principal components of the visible bins."""
    centre = values[visible].mean(0)
    return (values - centre) @ np.linalg.svd(values[visible] - centre, full_matrices=False)[2][:rank].T


def alike(features: FeatureSettings, values: np.ndarray, windows: Windows) -> tuple[float, float, float]:
    """Shares of neighbours of a trial that are of its class: before mining, after it, and of all trials.

    A trial's class is that of its first labelled bin.
    """
    trial, visible = blocks(windows.trial, features.block_bins), windows.sees_input
    labelled = visible & (windows.label >= 0)
    names, first = np.unique(trial[labelled], return_index=True)
    label = windows.label[labelled][first]
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


def points(found: Estimate) -> str:
    """A difference in points with its interval."""
    return interval(found.mean, found.low, found.high, sign=True)


def over_split(values: pd.Series, ratio: float) -> Estimate:
    """Mean and corrected resampled interval of a number a split; ``ratio`` of tested to training windows."""
    return over_splits(pd.DataFrame({"split": values.index, "seed": 0, "value": values.to_numpy()}), ratio)


def draw(wide: pd.DataFrame, ratio: float, output: Path) -> None:
    """Accuracy over label budgets [95 %], a panel a probe and a line a variant."""
    probes = list(wide.index.unique(0))
    with styled():
        figure = new_figure(2.4 * len(probes), 2.6)
        axes = figure.subplots(1, len(probes), sharey=True, squeeze=False)[0]
        at = range(len(wide.columns))
        for axis, probe in zip(axes, probes, strict=True):
            for name in wide.loc[probe].index.unique(0):
                own = wide.loc[(probe, name)]
                found = [over_split(own[budget], ratio) for budget in own]
                half = [estimate.high - estimate.mean for estimate in found]
                axis.errorbar(at, own.mean(), half, marker=".", capsize=2, label=name)
            axis.set_xticks(at, wide.columns)
            axis.set_title(probe)
            axis.set(xlabel="label budget")
        axes[0].set(ylabel="accuracy, validation")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        save(figure, output)


if __name__ == "__main__":
    main()
