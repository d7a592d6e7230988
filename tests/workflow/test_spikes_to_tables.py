"""Spikes from raw files to tables: a made-up session, and a small run on the real ones where they are."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from neural_action.config.load import read_yaml
from neural_action.datasets.dataset import Source
from neural_action.evaluation.columns import COLUMNS
from neural_action.files import load_npz
from neural_action.stages.arrays import run as make_arrays
from neural_action.stages.evaluate import run as evaluate
from running import snakemake

pytestmark = pytest.mark.workflow
ROWS = ["chance", "rates_centred", "byol", "myow_together"]
SMALL = {
    "rows": ROWS,
    "split": {"repeats": 2, "repeats_per_job": 2},
    "training": {"steps": 20},
    "evaluation": {"label_budgets": [1, 2, "all"]},
    "tables": {"figure_method": "byol", "references": ["rates_centred"], "curves": []},
}
PROBES = {"softmax", "softmax_neighbors", "softmax_trial", "angle"}


def run(results: Path, dataset: str, raw: Path, changes: dict, *arguments: str) -> str:
    changed = results / "changes.yaml"
    changed.write_text(yaml.safe_dump(changes))
    together = ["config/together.yaml"] if "myow_together" in changes["rows"] else []
    done = snakemake(
        *("--cores", "2", "--configfile", f"config/{dataset}.yaml", *together, str(changed)),
        *("--config", f"results={results}", f"raw={raw}", *arguments),
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def write_session(folder: Path, name: str, units: int, seed: int) -> None:
    """40 trials of 5 bins of 0.1 s; units are tuned to the direction, no two sessions move alike."""
    rng = np.random.default_rng(seed)
    direction = np.repeat(np.tile(np.arange(8), 5), 5)
    tuned = 20 + 15 * np.cos(2 * np.pi * direction[:, None] / 8 - rng.uniform(0, 2 * np.pi, units))
    angle = 2 * np.pi * direction / 8
    np.savez(
        folder / f"full-{name}-bin0.10-vel_thresh5.00.npz",
        x=10.0 * rng.poisson(tuned / 10),
        vel=20 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.standard_normal((200, 2)),
        y=direction,
        timestep=np.tile(np.arange(5), 40),
        trial_id=np.repeat(np.arange(40), 5),
    )


@pytest.fixture(scope="module")
def made_up(tmp_path_factory) -> Path:
    """A finished run on two made-up sessions with other neurons."""
    folder = tmp_path_factory.mktemp("spikes")
    (folder / "raw").mkdir()
    write_session(folder / "raw", "one", 12, 0)
    write_session(folder / "raw", "two", 9, 1)
    run(folder, "monkey_reach", folder / "raw", SMALL)
    return folder


def scores_of(folder: Path) -> pd.DataFrame:
    text = {"unit": str, "label_budget": str}
    return pd.read_csv(folder / "monkey_reach/scores.csv", dtype=text, keep_default_na=False)


def test_scores_keep_their_contract(made_up):
    scores = scores_of(made_up)
    assert list(scores.columns) == COLUMNS
    assert set(scores["method"]) == set(ROWS)
    assert set(scores["task"]) == {"decoding", "continuous_within"}
    assert set(scores["animal"]) == {"one", "two"}
    assert set(scores["split"]) == {"repeat-0", "repeat-1"}
    decoding = scores[scores["task"] == "decoding"]
    assert set(decoding["label_budget"]) == {"1", "2", "all"}
    # Every probe reads every row.
    assert set(map(tuple, decoding[["method", "probe"]].drop_duplicates().to_numpy())) == {
        (row, probe) for row in ROWS for probe in PROBES
    }
    assert set(decoding[decoding["metric"] == "delta_accuracy"]["probe"]) == {"angle"}
    assert not scores.duplicated(
        [name for name in COLUMNS if name not in ("value", "n_train", "n_test")]
    ).any()
    whole = decoding.query("label_budget == 'all' and metric == 'accuracy' and probe == 'softmax'")
    assert (whole["n_train"] + whole["n_test"] == 36 * 5).all()
    means = whole.groupby("method")["value"].mean()
    assert means["rates_centred"] > 0.4 > means["chance"]


def test_tables_are_made_of_scores(made_up):
    scores = scores_of(made_up)
    cells = pd.read_csv(made_up / "monkey_reach/tables/decoding.csv", dtype={"label_budget": str})
    measured = cells[(cells["n_scores"] > 0) & cells["reference"].isna()]
    assert set(measured["animal"]) == {"one", "two"}
    assert set(measured["probe"]) == PROBES
    for cell in measured.itertuples():
        own = scores[
            (scores["method"] == cell.method)
            & (scores["metric"] == cell.metric)
            & (scores["probe"] == cell.probe)
            & (scores["animal"] == cell.animal)
            & (scores["label_budget"] == cell.label_budget)
            & (scores["task"] == "decoding")
        ]
        assert cell.mean == pytest.approx(own["value"].mean(), abs=1e-5)
    differences = cells[cells["reference"] == "rates_centred"]
    assert set(differences["method"]) == {"chance", "byol", "myow_together"}
    # A difference is of one probe.
    assert set(differences["probe"]) == PROBES
    few = pd.read_csv(made_up / "monkey_reach/tables/label_efficiency.csv", dtype={"label_budget": str})
    assert set(few["label_budget"]) == {"1", "2", "all"}
    for table in ("decoding", "label_efficiency", "continuous"):
        for suffix in ("md", "tex", "html"):
            assert "centred" in (made_up / f"monkey_reach/tables/{table}.{suffix}").read_text()
    for picture in ("scores", "label_efficiency", "training", "confusion", "embedding", "continuous"):
        assert (made_up / f"monkey_reach/figures/{picture}.png").stat().st_size > 5000
    assert '"rows":[{"label":"BYOL"' in (made_up / "monkey_reach/explore.html").read_text()
    assert not list((made_up / "monkey_reach").rglob("checkpoint*"))


def test_what_would_make_its_numbers_wrong_is_looked_for(made_up):
    folder = made_up / "monkey_reach"
    found = json.loads((folder / "diagnostics/diagnostics.json").read_text())
    verdicts = {name: check["severity"] for name, check in found["checks"].items()}
    assert all(verdicts[name] == "ok" for name in ("leak", "normalisation", "duplicates"))
    looked_at = {one["subject"] for one in found["findings"] if one["check"] == "leak"}
    assert looked_at == {"repeat-0", "repeat-1"}
    overview = (folder / "overview.html").read_text()
    assert overview.count("data:image/png;base64,") == 2


def test_nothing_is_done_twice_and_a_probe_trains_nothing_anew(made_up):
    again = run(made_up, "monkey_reach", made_up / "raw", SMALL, "-n")
    assert "Nothing to be done" in again
    changed = {**SMALL, "evaluation": {"label_budgets": [1, 2, "all"], "choose_by": "balanced_accuracy"}}
    planned = run(made_up, "monkey_reach", made_up / "raw", changed, "-n", "--quiet", "rules")
    assert "pretrain" not in planned
    assert "evaluate" in planned


def test_a_row_of_another_package_is_given_each_split_and_read_from_it(made_up, tmp_path):
    folder = made_up / "monkey_reach"
    splits = ("repeat-0", "repeat-1")
    source = Source(folder / "dataset", folder / "splits.csv", splits, "one")
    arrays = tmp_path / "arrays.npz"
    config = read_yaml(folder / "config.yaml")
    make_arrays(json.dumps({"windows": config["windows"]}), source, arrays)
    content = load_npz(
        arrays, *(f"{split}/{name}" for split in splits for name in ("visible", "behavior", "neural"))
    )
    trials = pd.read_csv(folder / "splits.csv").query("animal == 'one'")
    seen = [content[f"{split}/visible"] for split in splits]
    for split, visible in zip(splits, seen, strict=True):
        own = trials[trials["split"] == split].sort_values("start")
        assert np.array_equal(visible, np.repeat((own["role"] == "train").to_numpy(), 5))
        assert np.allclose(content[f"{split}/behavior"][visible].mean(0), 0, atol=1e-5)
    assert not np.array_equal(*seen)
    # A package that returns what it was given scores like the raw rates.
    np.savez(tmp_path / "frames.npz", **{split: content[f"{split}/neural"] for split in splits})
    rows = {
        "echo": {
            "label": "Echo",
            "representation": "external",
            "external": {"name": "cebra", "conditional": "time"},
        },
        "raw": {"label": "Raw", "representation": "raw"},
    }
    values = {}
    for name, row in rows.items():
        given = {
            "weights": None,
            "swaps": None,
            "external": tmp_path / "frames.npz" if name == "echo" else None,
        }
        scores = tmp_path / f"{name}.csv"
        asked = json.dumps({**config, "methods": {name: row}})
        embedding = tmp_path / "e.npz"
        evaluate(asked, name, source, seed=0, threads=1, **given, scores=scores, embedding=embedding)
        values[name] = pd.read_csv(scores)["value"]
    assert len(values["raw"]) > 10
    assert np.array_equal(values["echo"], values["raw"])


def real(name: str) -> Path:
    if not (folder := os.environ.get("NEURAL_ACTION_DATA")):
        pytest.skip("NEURAL_ACTION_DATA names no folder of real recordings")
    return Path(folder) / name


@pytest.mark.real_data
def test_the_published_split_of_the_real_monkey(tmp_path):
    changes = {
        **SMALL,
        "rows": ["chance", "rates_centred", "rates_zscore", "byol"],
        "split": {"protocol": "published"},
        "evaluation": {"label_budgets": ["all"]},
    }
    run(tmp_path, "monkey_reach", real("monkey_reach"), changes)
    scores = scores_of(tmp_path).query("metric == 'accuracy' and task == 'decoding' and unit == ''")
    accuracy = scores.set_index(["method", "probe"])["value"]
    # Measured elsewhere with other code: .633 by (cos, sin), .671 z-scored; the test has 16 trials.
    assert 0.55 < accuracy["rates_centred", "angle"] < 0.75
    assert 0.6 < accuracy["rates_centred", "softmax"] < 0.85
    assert (accuracy["chance"] < 0.25).all()
    cells = pd.read_csv(tmp_path / "monkey_reach/tables/decoding.csv")
    cells = cells[(cells["metric"] == "accuracy") & cells["reference"].isna()]
    byol = cells[(cells["method"] == "byol") & (cells["probe"] == "angle")].iloc[0]
    assert (byol["published"], byol["animal"]) == (0.6665, "chewie-10032013")
    # Over test trials the interval of one split is wide.
    rates = cells[(cells["method"] == "rates_centred") & (cells["probe"] == "softmax")].iloc[0]
    assert 0.1 < rates["high"] - rates["low"] < 0.5


@pytest.mark.real_data
def test_the_published_split_of_the_real_mouse(tmp_path):
    changes = {
        "rows": ["chance", "rates_centred"],
        "split": {"protocol": "published"},
        "evaluation": {"label_budgets": ["all"]},
        "tables": {"figure_method": "rates_centred", "references": [], "curves": []},
    }
    run(tmp_path, "rodent_sleep", real("rodent_sleep"), changes)
    scores = pd.read_csv(tmp_path / "rodent_sleep/scores.csv", keep_default_na=False)
    own = scores[
        (scores["method"] == "rates_centred") & (scores["probe"] == "softmax") & (scores["unit"] == "")
    ]
    own = own.set_index("metric")["value"]
    # Measured elsewhere with other code, at a decay that nothing chose: .918. Validation is a tenth of the night in one
    # piece, and what it chooses costs some points of that.
    assert 0.86 < own["accuracy"] < 0.94
    assert 0.86 < own["weighted_f1"] < 0.94
    assert "delta_accuracy" not in own


@pytest.mark.real_data
def test_a_rat_without_spikes_is_one_line(tmp_path):
    done = snakemake(
        *("-n", "--configfile", "config/rodent_sleep.yaml"),
        *("--config", f"results={tmp_path}", f"raw={real('rodent_sleep')}"),
        "convert={'reader_options': {'animals': ['rat']}}",
    )
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if "no such file" in line]
    assert len(lines) == 1
    assert "spike counts of rat beside its states" in lines[0]
