"""Tables of decoding: what stands beside the published numbers, and what intervals are over."""

import json

import numpy as np
import pandas as pd
import pytest

from neural_action.config.sections import Sections
from neural_action.evaluation.columns import COLUMNS
from neural_action.tables.decoding import decoding, headline
from neural_action.tables.efficiency import label_efficiency
from neural_action.tables.render import html, latex, markdown
from neural_action.tables.scores import Scores, read_scores

ANIMALS = ("chewie-10032013", "mihi-03032014")
METHODS = {
    "chance": {"label": "Chance", "representation": "none", "role": "reference"},
    "raw": {"label": "Rates", "representation": "raw"},
    "byol": {"label": "BYOL", "objective": {"name": "byol"}},
}
LEVEL = {"chance": 0.125, "raw": 0.6, "byol": 0.7}
PROBES = {
    "angle": {"kind": "angle", "label": "(cos, sin)", "tasks": ["decoding"]},
    "softmax": {"kind": "softmax", "tasks": ["decoding"]},
}


def table(protocol: str, splits: int, budgets=("all", "1", "4"), seeds: int = 2) -> pd.DataFrame:
    """Made-up scores; every row of a split shares its luck, and raw rates are read better by a softmax."""
    rng = np.random.default_rng(0)
    rows = []
    for animal in ANIMALS:
        for split in range(splits):
            luck = rng.normal(0, 0.1)
            for method, level in LEVEL.items():
                layer = {"chance": "none", "raw": "raw"}.get(method, "encoder")
                for probe in PROBES:
                    for seed in range(seeds):
                        for budget in budgets:
                            more = 0.15 * (probe == "softmax" and method == "raw")
                            value = np.clip(level + more + luck + rng.normal(0, 0.01), 0, 1)
                            what = ("spikes", protocol, method, layer, "decoding", probe, budget)
                            where = (f"{protocol}-{split}", animal, seed)
                            metrics = {"accuracy": value, "macro_f1": value / 2}
                            if protocol == "published" and budget == "all":
                                windows = np.arange(3, 19)
                                hits = (rng.random(16) < level).astype(float)
                                metrics["accuracy"] = hits @ windows / windows.sum()
                                rows += [
                                    (*what, *where, str(at), "accuracy", hit, 700, count)
                                    for at, (hit, count) in enumerate(zip(hits, windows, strict=True))
                                ]
                            rows += [(*what, *where, "", metric, v, 700, 90) for metric, v in metrics.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def made(protocol: str, splits: int, tmp_path):
    content = {
        "dataset": "spikes",
        "title": "Made up",
        "real": False,
        "split": {"protocol": protocol},
        "evaluation": {"tasks": ["decoding"], "label_budgets": [1, 4, "all"]},
        "probes": PROBES,
        "tables": {"references": ["raw", "byol"], "figure_method": "byol"},
        "methods": METHODS,
    }
    sections = Sections(json.dumps(content))
    table(protocol, splits).to_csv(tmp_path / "scores.csv", index=False)
    return sections, read_scores(tmp_path / "scores.csv", sections)


def test_repeated_splits_are_compared_pair_by_pair_and_probe_by_probe(tmp_path):
    document, page = decoding(*made("repeated", 12, tmp_path))
    titles = [block.title for block in document.blocks]
    assert titles[0] == "Decoding accuracy, (cos, sin)"
    assert titles[-1] == f"Differences in accuracy, softmax, {ANIMALS[1]}"
    records = pd.DataFrame(page.records)
    byol = records[(records["method"] == "byol") & (records["animal"] == ANIMALS[0])]
    means = byol[byol["reference"] == ""].set_index(["probe", "metric"])
    # The paper reads directions by (cos, sin).
    assert means.loc[("angle", "accuracy"), "published"] == 0.6665
    assert np.isnan(means.loc[("softmax", "accuracy"), "published"])
    assert means.loc[("angle", "accuracy"), "n_scores"] == 24
    difference = byol[byol["reference"] == "raw"].set_index("probe")
    assert difference.loc["angle", "mean"] == pytest.approx(0.1, abs=0.01)
    assert difference.loc["softmax", "mean"] == pytest.approx(-0.05, abs=0.01)
    # Splits share their luck, so the difference is known much better than either mean.
    mean = means.loc[("angle", "accuracy")]
    assert (difference["high"] - difference["low"]).loc["angle"] < 0.2 * (mean["high"] - mean["low"])
    assert any("splits share trials" in text for _, text in document.notes)


def test_one_split_has_an_interval_over_its_trials(tmp_path):
    sections, every = made("published", 1, tmp_path)
    column = headline(ANIMALS[0], "angle")
    cell = every.cell("byol", column)
    picked = every.pick("byol", column)
    plain = picked[picked["unit"] == ""]["value"].mean()
    assert cell.mean == pytest.approx(plain)
    assert cell.high - cell.low > 0.15
    assert cell.n == 32
    assert every.difference("byol", "chance", column).mean == pytest.approx(
        plain - every.cell("chance", column).mean
    )
    # What was not scored trial by trial has no interval.
    assert np.isnan(every.cell("byol", headline(ANIMALS[0], "angle", "macro_f1")).low)
    document, _ = decoding(sections, every)
    assert any("test trials of the single split" in text for _, text in document.notes)


def test_few_labels_have_columns_and_differences(tmp_path):
    document, page = label_efficiency(*made("repeated", 5, tmp_path))
    assert document.blocks[0].spans[0].columns == ("1", "4", "all")
    assert len(document.blocks) == 2 * 2 * 3
    records = pd.DataFrame(page.records)
    assert set(records["reference"]) == {"", "raw", "byol"}
    assert (records[records["reference"] == ""]["n_scores"] == 10).all()
    for render in (markdown, latex, html):
        assert "Labelled trials of each class" in render(document)


def test_pictures_stand_beside_the_paper_and_another_library(tmp_path):
    sections, _ = made("published", 1, tmp_path)
    named = {**sections.content["tables"], "decoding": "image_recognition"}
    sections = Sections(json.dumps({**sections.content, "tables": named}))
    found = table("published", 1).replace({"animal": {ANIMALS[0]: "cifar10", ANIMALS[1]: "cifar20"}})
    found = found.replace({"probe": {"angle": "linear"}})
    probes = {"linear": sections.probes["angle"], "softmax": sections.probes["softmax"]}
    document, page = decoding(sections, Scores(found, probes))
    assert document.title == "Image recognition"
    block = document.blocks[0]
    assert block.title == "Image recognition accuracy, (cos, sin)"
    (span,) = block.spans
    assert span.columns == ("cifar10", "paper", "solo-learn", "cifar20", "paper")
    byol = next(line for line in block.lines if line.label == "BYOL")
    assert (byol.cells[1], byol.cells[2], byol.cells[4]) == ("91.7", "92.6", "76.9")
    assert block.aside == {1, 2, 4}
    notes = dict(document.notes)
    assert "poster of Azabou" in notes["paper"]
    assert "1,000 epochs" in notes["solo-learn"]
    assert "chooses the epoch" in notes["Published split"]
    records = pd.DataFrame(page.records).query("method == 'byol' and probe == 'linear' and reference == ''")
    records = records[records["metric"] == "accuracy"].set_index("animal")
    assert records.loc["cifar10", ["published", "elsewhere"]].tolist() == [0.9171, 0.9258]
    assert records["elsewhere"].isna()["cifar20"]
    for render in (markdown, latex, html):
        assert "solo-learn" in render(document)
