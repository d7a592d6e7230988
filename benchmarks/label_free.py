"""Which measure without labels chooses the row that reads actions best on the animal left out? Rank correlations.

``python benchmarks/label_free.py --results results/simulated_seed_101 ...`` takes finished runs. For each trained row
it computes two measures that need no labels, and takes the balanced accuracy across animals from ``scores.csv`` (probe
softmax, all labels, same splits):

- *decoding*: R2 of behaviour on the animal left out, by a ridge from the representations of the other animals;
- *clusters*: R2 of the membership of behaviour clusters on the animal left out, by the same ridge.

It writes Spearman's rank correlations over the rows of each dataset, and the accuracy that is lost by taking the row
that a measure puts first. Beside them stands what accuracy itself can do: the rank correlation of the accuracies on one
half of the animals with those on the other half, mean over all halves. All this goes between the marks of
``docs/results/label_free.md``; and every value into ``--values`` (CSV), if given.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from results_page import ROOT, between, head
from scipy.stats import spearmanr

from neural_action.config.load import complete, merged, validate
from neural_action.config.settings import MethodSettings, Settings
from neural_action.datasets.dataset import Source
from neural_action.datasets.protocols import animals_of
from neural_action.datasets.windows import window_table
from neural_action.evaluation.evaluate import EvaluationData, evaluate
from neural_action.files import load_npz
from neural_action.stages.evaluate import centre_behavior, clusters_of, variables_of
from neural_action.tables.document import EMPTY

OUTPUT = ROOT / "docs/results/label_free.md"
TASK, PROBE, METRIC = "across", "softmax", "balanced_accuracy"
#: Measures without labels: name on the page, and task.
MEASURES = {"decoding": "continuous_across", "clusters": "clusters"}


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, nargs="+", required=True)
    parser.add_argument("--values", type=Path, help="CSV of every row and measure to write")
    options = parser.parse_args()
    tables = [measured(folder, settings_of(folder)) for folder in options.results]
    if options.values:
        pd.concat(tables).to_csv(options.values, index=False)
    OUTPUT.write_text(between(OUTPUT.read_text(), "label_free:measures", page(pd.concat(tables))))
    print(f"wrote {OUTPUT.relative_to(ROOT)}")


def settings_of(folder: Path) -> Settings:
    """The settings of a run."""
    return validate(complete(merged([folder / "config.yaml"]), lambda name: ROOT / "config" / name))


def measured(folder: Path, settings: Settings) -> pd.DataFrame:
    """Columns ``dataset, label, accuracy`` and one for each measure: one line a trained row, means over its splits."""
    scores = pd.read_csv(folder / "scores.csv", dtype={"unit": str, "label_budget": str})
    chosen = (scores["task"] == TASK) & (scores["probe"] == PROBE) & (scores["metric"] == METRIC)
    chosen &= (scores["label_budget"] == "all") & scores["unit"].isna() & (scores["layer"] == "encoder")
    chosen &= scores["protocol"] == settings.split.protocol
    scores = scores[chosen]
    rows = trained(settings)
    lines, halves = [], agreement(scores[scores["method"].isin(rows)])
    for split, of_split in scores.groupby("split"):
        data = windows_of(folder, settings, str(split))
        for method, own in of_split.groupby("method"):
            path = folder / f"models/{method}/{split}/seed-{own['seed'].min()}/embedding.npz"
            if (row := rows.get(str(method))) is None or not path.exists():
                continue
            found = without_labels(path, data, settings, row, str(split))
            lines.append((folder.name, row.label, own["value"].mean(), halves, *found))
    table = pd.DataFrame(lines, columns=["dataset", "label", "accuracy", "halves", *MEASURES])
    return table.groupby(["dataset", "label"], as_index=False).mean()


def trained(settings: Settings) -> dict[str, MethodSettings]:
    """The rows that are trained, without references."""
    return {
        name: row
        for name, row in settings.methods.items()
        if row.objective is not None and row.role != "reference"
    }


def agreement(scores: pd.DataFrame) -> float:
    """Rank correlation over rows between the accuracies on two halves of the animals, mean over all halves."""
    by_animal = scores.pivot_table(index="method", columns="animal", values="value")
    animals = list(by_animal)
    found = [
        spearmanr(
            by_animal[list(half)].mean(axis=1), by_animal.drop(columns=list(half)).mean(axis=1)
        ).statistic
        for half in combinations(animals, len(animals) // 2)
    ]
    return float(np.mean(found))


def windows_of(folder: Path, settings: Settings, split: str) -> EvaluationData:
    """The windows of a split, with their behaviour and clusters."""
    dataset = Source(folder / "dataset", folder / "splits.csv", (split,)).open(settings.windows, neural=False)
    windows = window_table(dataset, settings.windows, stride=settings.windows.stride)
    return EvaluationData(
        windows,
        dataset.animals,
        dataset.class_names,
        centre_behavior(dataset, windows),
        variables_of(dataset),
        clusters_of(dataset, windows, settings.evaluation),
        list(animals_of(dataset.animals, settings.split).values()),
    )


def without_labels(
    embedding: Path, data: EvaluationData, settings: Settings, row: MethodSettings, split: str
) -> list[float]:
    """The measures of one embedding."""
    tasks = list(MEASURES.values())
    asked = settings.evaluation.model_copy(update={"tasks": tasks, "variables": None})
    readers = {"ridge": settings.probes["ridge"].model_copy(update={"tasks": tasks})}
    features = {"encoder": np.nan_to_num(load_npz(embedding, "encoder")["encoder"].astype(np.float32))}
    found = evaluate(features, data, row.model_copy(update={"tasks": None}), readers, asked, split, 0)
    values: dict[str, list[float]] = {task: [] for task in tasks}
    for one in found.scores:
        if one.metric == "r2" and not one.unit:
            values[one.task].append(one.value)
    return [float(np.mean(of)) for of in values.values()]


def page(table: pd.DataFrame) -> str:
    """Markdown: each dataset by each measure, and the mean over datasets."""
    measures = [f"{what}, {one}" for one in MEASURES for what in ("Rank correlation", "Points lost")]
    first = list(MEASURES)[-1]
    lines = head(["Dataset", f"First by {first}"], ["Halves of the animals", *measures])
    gathered: dict[str, list[tuple[float, float]]] = {one: [] for one in MEASURES}
    for name, own in table.groupby("dataset"):
        cells = []
        for one in MEASURES:
            correlation = float(spearmanr(own[one], own["accuracy"]).statistic)
            lost = 100 * (own["accuracy"].max() - own.loc[own[one].idxmax(), "accuracy"])
            gathered[one].append((correlation, lost))
            cells.append(f"{correlation:.2f} | {lost:.1f}".replace("-", "−"))
        row = own.loc[own[first].idxmax(), "label"].removesuffix(" (Günel et al.)")
        lines.append(f"| {name} | {row} | {own['halves'].iloc[0]:.2f} | {' | '.join(cells)} |")
    means = {one: np.mean(values, axis=0) for one, values in gathered.items()}
    cells = [f"{means[one][0]:.2f} | {means[one][1]:.1f}" for one in MEASURES]
    halves = table.groupby("dataset")["halves"].first().mean()
    return "\n".join([*lines, f"| mean | {EMPTY} | {halves:.2f} | {' | '.join(cells)} |"])


if __name__ == "__main__":
    main()
