"""Tables of decoding: what stands beside the published numbers, and what intervals are over."""

import numpy as np
import pandas as pd
import pytest

from neural_action.config.sections import Sections
from neural_action.evaluation.statistics import hierarchical_bootstrap, trial_bootstrap
from neural_action.tables.decoding import decoding, headline
from neural_action.tables.efficiency import label_efficiency
from neural_action.tables.render import html, latex, markdown
from neural_action.tables.scores import SplitScores

ANIMALS = ("chewie-10032013", "mihi-03032014")
METHODS = {
    "chance": {"label": "Chance", "representation": "none", "role": "reference"},
    "raw_logistic": {"label": "Rates", "representation": "raw"},
    "byol": {"label": "BYOL", "objective": {"name": "byol"}},
}
LEVEL = {"chance": 0.125, "raw_logistic": 0.6, "byol": 0.7}


def table(protocol: str, splits: int, labels=("all", "1", "4"), seeds: int = 2) -> pd.DataFrame:
    """Made-up scores; every row of a split shares its luck."""
    rng = np.random.default_rng(0)
    rows = []
    for animal in ANIMALS:
        for split in range(splits):
            luck = rng.normal(0, 0.1)
            for method, level in LEVEL.items():
                for seed in range(seeds):
                    for name in labels:
                        value = np.clip(level + luck + rng.normal(0, 0.01), 0, 1)
                        what = ("spikes", protocol, method, "x", name, "decoding")
                        fraction = 1.0 if name == "all" else int(name) / (15 + split)
                        metrics = {"accuracy": value, "macro_f1": value / 2}
                        if protocol == "published" and name == "all":
                            hits = rng.random(16) < level
                            metrics["accuracy"] = hits @ np.arange(3, 19) / np.arange(3, 19).sum()
                            rows += [
                                (*what, 1.0, at, animal, seed, "trial_accuracy", float(hit), 700, at + 3)
                                for at, hit in enumerate(hits)
                            ]
                        rows += [
                            (*what, fraction, split, animal, seed, metric, v, 700, 90)
                            for metric, v in metrics.items()
                        ]
    names = "dataset protocol method representation probe task fraction fold animal seed metric value n_train n_test"
    return pd.DataFrame(rows, columns=names.split())


def sections(protocol: str) -> Sections:
    made = Sections("{}")
    made.content = {
        "dataset": "spikes",
        "title": "Made up",
        "real": False,
        "split": {"protocol": protocol},
        "decoding": {"labelled_trials": [1, 4]},
        "tables": {"bootstrap": 300, "references": ["raw_logistic", "byol"], "figure_method": "byol"},
        "methods": METHODS,
    }
    return made


def scores(protocol: str, splits: int, tmp_path) -> SplitScores:
    table(protocol, splits).to_csv(tmp_path / "scores.csv", index=False)
    own = sections(protocol)
    return SplitScores.read(tmp_path / "scores.csv", own.methods, "spikes", protocol, own.tables)


def test_repeated_splits_are_compared_pair_by_pair(tmp_path):
    every = scores("repeated", 12, tmp_path)
    document, page = decoding(sections("repeated"), every)
    titles = [block.title for block in document.blocks]
    assert titles[0] == "Decoding accuracy"
    assert titles[-1] == f"Paired differences in accuracy, {ANIMALS[1]}"
    records = pd.DataFrame(page.records)
    byol = records[(records["method"] == "byol") & (records["animal"] == ANIMALS[0])].set_index("metric")
    assert byol.loc["accuracy", "published"] == 0.6665
    assert byol.loc["accuracy", "n_scores"] == 24
    # Splits share their luck, so the difference is known much better than either mean.
    difference = byol.loc["accuracy_minus_raw_logistic"]
    assert difference["mean"] == pytest.approx(0.1, abs=0.01)
    assert difference["high"] - difference["low"] < 0.2 * (
        byol.loc["accuracy", "high"] - byol.loc["accuracy", "low"]
    )
    assert np.isnan(byol.loc["macro_f1", "published"])


def test_one_split_has_an_interval_over_its_trials(tmp_path):
    every = scores("published", 1, tmp_path)
    column = headline(ANIMALS[0])
    cell = every.cell("byol", column)
    plain = every.pick("byol", column)["value"].mean()
    assert cell.mean == pytest.approx(plain)
    assert cell.high - cell.low > 0.2
    assert cell.n_scores == 2
    assert every.difference("byol", "chance", column).mean == pytest.approx(
        plain - every.pick("chance", column)["value"].mean()
    )
    # What was not scored trial by trial has an interval over seeds.
    assert every.cell("byol", headline(ANIMALS[0], "macro_f1")).mean < 0.5


def test_trials_count_by_their_bins():
    trials = pd.DataFrame(
        {"fold": [0, 1, 0, 1], "seed": [0, 0, 1, 1], "value": [1, 0, 1, 0.5], "n_test": [9, 1, 9, 1]}
    )
    mean, low, high = trial_bootstrap(trials, 500, 0)
    assert mean == pytest.approx((9 * 1 + 1 * 0.25) / 10)
    assert (low, high) == (pytest.approx(0.0, abs=0.51), 1.0)
    one_seed = trials[trials["seed"] == 0]
    assert hierarchical_bootstrap(one_seed.assign(animal="A"), 500, 0)[0] == pytest.approx(0.5)


def test_few_labels_have_columns_and_differences(tmp_path):
    every = scores("repeated", 5, tmp_path)
    document, page = label_efficiency(sections("repeated"), every)
    assert document.blocks[0].spans[0].columns == ("1", "4", "all")
    assert len(document.blocks) == 2 * 3
    records = pd.DataFrame(page.records)
    assert set(records["metric"]) == {"accuracy", "accuracy_minus_raw_logistic", "accuracy_minus_byol"}
    assert (records[records["metric"] == "accuracy"]["n_scores"] == 10).all()
    for render in (markdown, latex, html):
        assert "Labelled trials of each class" in render(document)
