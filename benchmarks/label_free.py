"""Does behaviour retrieval choose the row that reads actions best on the animal left out? Rank correlations.

``python benchmarks/label_free.py --results results/simulated_seed_101 ...`` takes finished runs. For each trained row
it measures behaviour retrieval across animals (task ``retrieval``, no labels) and takes the balanced accuracy across
animals from ``scores.csv`` (probe softmax, all labels, same split). It writes Spearman's rank correlation over the rows
of each data set, and the accuracy that is lost by taking the row that retrieval puts first, into
``docs/results/label_free.md``. ``--configfile`` is the configuration of the runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from results_page import ROOT
from scipy.stats import spearmanr

from neural_action.config.load import complete, merged, validate
from neural_action.config.settings import Settings
from neural_action.datasets.dataset import Source
from neural_action.datasets.windows import window_table
from neural_action.evaluation.evaluate import evaluate
from neural_action.evaluation.retrieval import behavior_summary
from neural_action.files import load_npz

OUTPUT = ROOT / "docs/results/label_free.md"
TASK, PROBE, METRIC = "across", "softmax", "balanced_accuracy"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, nargs="+", required=True)
    parser.add_argument("--configfile", type=Path, default=ROOT / "config/config.yaml")
    parser.add_argument("--split", default="fold-0")
    options = parser.parse_args()
    settings = validate(complete(merged([options.configfile]), lambda name: ROOT / "config" / name))
    table = pd.concat([measured(folder, settings, options.split) for folder in options.results])
    OUTPUT.write_text(page(table, settings))
    print(f"wrote {OUTPUT.relative_to(ROOT)}")


def measured(folder: Path, settings: Settings, split: str) -> pd.DataFrame:
    """Columns ``dataset, method, retrieval, accuracy``: one line a trained row of a finished run."""
    dataset = Source(folder / "dataset", folder / "splits.csv", (split,)).open(settings.windows, neural=False)
    windows = window_table(dataset, settings.windows, stride=settings.windows.stride)
    summary = behavior_summary(dataset.pose[windows.pose], np.flatnonzero(windows.role == "train"))
    asked = settings.evaluation.model_copy(update={"tasks": ["retrieval"]})
    scores = pd.read_csv(folder / "scores.csv", dtype={"unit": str, "label_budget": str})
    chosen = (scores["task"] == TASK) & (scores["probe"] == PROBE) & (scores["metric"] == METRIC)
    chosen &= (scores["split"] == split) & (scores["label_budget"] == "all") & scores["unit"].isna()
    accuracy = scores[chosen & (scores["layer"] == "encoder")].groupby("method")["value"].mean()
    lines = []
    for name, row in settings.methods.items():
        path = folder / f"models/{name}/{split}/seed-0/embedding.npz"
        if row.role == "reference" or row.representation != "trained" or not path.exists():
            continue
        features = {"encoder": np.nan_to_num(load_npz(path, "encoder")["encoder"].astype(np.float32))}
        found = evaluate(
            features,
            windows,
            np.empty((len(windows), 0)),
            dataset.animals,
            dataset.class_names,
            row,
            settings.probes,
            asked,
            split,
            0,
            summary=summary,
        )
        retrieval = np.mean([score.value for score in found.scores if score.metric == "r2"])
        lines.append((folder.name, name, retrieval, accuracy[name]))
    return pd.DataFrame(lines, columns=["dataset", "method", "retrieval", "accuracy"])


def page(table: pd.DataFrame, settings: Settings) -> str:
    """Markdown: the rows, then each data set."""
    of_datasets = []
    for name, own in table.groupby("dataset"):
        first = own.loc[own["retrieval"].idxmax()]
        correlation = spearmanr(own["retrieval"], own["accuracy"]).statistic
        of_datasets.append((name, correlation, first["method"], own["accuracy"].max() - first["accuracy"]))
    correlations = [correlation for _, correlation, _, _ in of_datasets]
    means = table.groupby("method")[["retrieval", "accuracy"]].mean().sort_values("accuracy")
    over_rows = spearmanr(means["retrieval"], means["accuracy"]).statistic
    best = sum(lost == 0 for *_, lost in of_datasets)
    lost = 100 * np.mean([lost for *_, lost in of_datasets])
    lines = [
        "# Choosing without labels",
        "",
        "Can a row be chosen where nobody has labelled an action? Task `retrieval` predicts the behaviour in a test "
        "window from the windows of *other animals* that are nearest to it in the representation. It uses the "
        "behaviour of test windows, and no label. This page compares it with balanced accuracy on the animal left "
        "out, which needs labels.",
        "",
        f"{table['dataset'].nunique()} data sets, {table['method'].nunique()} trained rows, one split and one training "
        "seed. Made by `python benchmarks/label_free.py --results results/simulated_seed_*` from the runs of "
        "[fresh seeds](fresh_seeds.md). **Simulated, not recorded**.",
        "",
        f"- Spearman's rank correlation over rows is {np.mean(correlations):.2f} on average over data sets, from "
        f"{min(correlations):.2f} to {max(correlations):.2f}. Over the rows' means it is {over_rows:.2f}.",
        f"- The row that retrieval puts first is the best row in {best} of {len(of_datasets)} data sets. Taking it "
        f"loses {lost:.1f} points on average.",
        "- One row is far ahead of the others here, so a low rank correlation can still choose well. Retrieval says "
        "little about rows whose accuracies are close.",
        "",
        "| Row | Retrieval, R2 | Animal left out, % |",
        "| --- | ---: | ---: |",
    ]
    for method, values in means.iterrows():
        label = settings.methods[str(method)].label
        lines.append(f"| {label} | {values['retrieval']:.2f} | {100 * values['accuracy']:.1f} |")
    lines += [
        "",
        "| Data set | Rank correlation | First by retrieval | Points lost |",
        "| --- | ---: | --- | ---: |",
    ]
    for name, correlation, first, lost in of_datasets:
        lines.append(f"| {name} | {correlation:.2f} | {settings.methods[first].label} | {100 * lost:.1f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
