"""Spikes from raw files to tables: a made-up session, and a small run on the real ones where they are."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from neural_action.config.load import read_yaml
from neural_action.files import load_npz
from neural_action.stages.arrays import run as make_arrays
from neural_action.stages.evaluate import run as evaluate
from running import snakemake

pytestmark = pytest.mark.workflow
COLUMNS = [
    "dataset",
    "method",
    "task",
    "fraction",
    "fold",
    "animal",
    "seed",
    "metric",
    "value",
    "n_train",
    "n_test",
]
ROWS = ["chance", "raw_logistic", "byol", "myow_together"]
SMALL = {
    "rows": ROWS,
    "split": {"splits": 2, "splits_per_job": 2},
    "training": {"steps": 20},
    "decoding": {"labelled_trials": [1, 2]},
    "tables": {"figure_method": "byol", "references": ["raw_logistic"], "curves": [], "bootstrap": 200},
}


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


def test_scores_keep_their_contract(made_up):
    scores = pd.read_csv(made_up / "monkey_reach/scores.csv")
    assert list(scores.columns) == COLUMNS
    assert set(scores["method"]) == set(ROWS)
    assert set(scores["task"]) == {"decoding"}
    assert set(scores["animal"]) == {"one", "two"}
    assert set(scores["fold"]) == {0, 1}
    assert set(scores["metric"]) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "weighted_f1",
        "delta_accuracy",
    }
    assert scores["fraction"].nunique() == 3
    assert not scores.duplicated(COLUMNS[:8]).any()
    whole = scores[(scores["fraction"] == 1) & (scores["metric"] == "accuracy")]
    assert (whole["n_train"] + whole["n_test"] == 36 * 5).all()
    means = whole.groupby("method")["value"].mean()
    assert means["raw_logistic"] > 0.4 > means["chance"]


def test_tables_are_made_of_scores(made_up):
    scores = pd.read_csv(made_up / "monkey_reach/scores.csv")
    cells = pd.read_csv(made_up / "monkey_reach/tables/decoding.csv")
    measured = cells[(cells["n_scores"] > 0) & ~cells["metric"].str.contains("minus")]
    assert set(measured["animal"]) == {"one", "two"}
    for cell in measured.itertuples():
        own = scores[
            (scores["method"] == cell.method)
            & (scores["metric"] == cell.metric)
            & (scores["animal"] == cell.animal)
            & (scores["fraction"] == 1)
        ]
        assert (cell.n_scores, cell.mean) == (len(own), pytest.approx(own["value"].mean(), abs=1e-5))
    differences = cells[cells["metric"] == "accuracy_minus_raw_logistic"]
    assert set(differences["method"]) == {"chance", "byol", "myow_together"}
    few = pd.read_csv(made_up / "monkey_reach/tables/label_efficiency.csv", dtype={"probe": str})
    assert set(few["probe"]) == {"1", "2", "all"}
    for table in ("decoding", "label_efficiency"):
        for suffix in ("md", "tex", "html"):
            assert "logistic" in (made_up / f"monkey_reach/tables/{table}.{suffix}").read_text()
    for picture in ("scores_by_split", "label_efficiency", "training"):
        assert (made_up / f"monkey_reach/figures/{picture}.png").stat().st_size > 5000
    assert not list((made_up / "monkey_reach").rglob("checkpoint*"))


def test_what_would_make_its_numbers_wrong_is_looked_for(made_up):
    folder = made_up / "monkey_reach"
    found = json.loads((folder / "diagnostics/diagnostics.json").read_text())
    verdicts = {name: check["severity"] for name, check in found["checks"].items()}
    assert all(verdicts[name] == "ok" for name in ("leak", "normalisation", "duplicates"))
    looked_at = {one["subject"] for one in found["findings"] if one["check"] == "leak"}
    assert looked_at == {f"{session}, split {split}" for session in ("one", "two") for split in (0, 1)}
    overview = (folder / "overview.html").read_text()
    assert "Read bin by bin" in overview
    assert overview.count("data:image/png;base64,") == 2


def test_nothing_is_done_twice_and_a_readout_trains_nothing_anew(made_up):
    again = run(made_up, "monkey_reach", made_up / "raw", SMALL, "-n")
    assert "Nothing to be done" in again
    changed = {**SMALL, "decoding": {"labelled_trials": [1, 2], "choose_by": "balanced_accuracy"}}
    planned = run(made_up, "monkey_reach", made_up / "raw", changed, "-n", "--quiet", "rules")
    assert "pretrain" not in planned
    assert "evaluate" in planned


def test_a_row_of_another_package_is_given_each_split_and_read_from_it(made_up, tmp_path):
    folder, holdout = made_up / "monkey_reach", "split-0-1-one"
    manifests, splits = (folder / "recordings/one/reaches.manifest.json",), folder / "splits.csv"
    arrays = tmp_path / "arrays.npz"
    config = read_yaml(folder / "config.yaml")
    make_arrays(json.dumps({"clips": config["clips"]}), splits, holdout, arrays, manifests)
    content = load_npz(
        arrays, *(f"split-{k}/{name}" for k in (0, 1) for name in ("visible", "behavior", "neural"))
    )
    trials = pd.read_csv(splits).query("animal == 'one'")
    seen = [content[f"split-{k}/visible"] for k in (0, 1)]
    for k in (0, 1):
        own = trials[trials["split"] == k].sort_values("segment")
        assert np.array_equal(seen[k], np.repeat((own["part"] == "train").to_numpy(), 5))
        assert np.allclose(content[f"split-{k}/behavior"][seen[k]].mean(0), 0, atol=1e-5)
    assert not np.array_equal(*seen)
    # A package that returns what it was given scores like the raw rates.
    np.savez(tmp_path / "frames.npz", **{f"split-{k}": content[f"split-{k}/neural"] for k in (0, 1)})
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
        evaluate(
            asked,
            name,
            splits,
            holdout,
            0,
            1,
            **given,
            scores=scores,
            embedding=tmp_path / "e.npz",
            manifests=manifests,
        )
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
        "rows": ["chance", "raw_readout", "raw_logistic", "byol"],
        "split": {"protocol": "published"},
        "decoding": {"labelled_trials": []},
    }
    run(tmp_path, "monkey_reach", real("monkey_reach"), changes)
    scores = pd.read_csv(tmp_path / "monkey_reach/scores.csv")
    accuracy = scores[scores["metric"] == "accuracy"].set_index("method")["value"]
    # Measured elsewhere with other code: .633 by (cos, sin), .671 z-scored; the test has 16 trials.
    assert 0.55 < accuracy["raw_readout"] < 0.75
    assert 0.6 < accuracy["raw_logistic"] < 0.85
    assert accuracy["chance"] < 0.25
    cells = pd.read_csv(tmp_path / "monkey_reach/tables/decoding.csv")
    byol = cells[(cells["method"] == "byol") & (cells["metric"] == "accuracy")].iloc[0]
    assert (byol["published"], byol["animal"]) == (0.6665, "chewie-10032013")
    # Over test trials the interval of one split is wide.
    raw = cells[(cells["method"] == "raw_logistic") & (cells["metric"] == "accuracy")].iloc[0]
    assert 0.1 < raw["high"] - raw["low"] < 0.5


@pytest.mark.real_data
def test_the_published_split_of_the_real_mouse(tmp_path):
    changes = {
        "rows": ["chance", "raw_readout"],
        "split": {"protocol": "published"},
        "decoding": {"labelled_trials": []},
        "tables": {"figure_method": "raw_readout", "references": [], "curves": [], "bootstrap": 200},
    }
    run(tmp_path, "rodent_sleep", real("rodent_sleep"), changes)
    scores = pd.read_csv(tmp_path / "rodent_sleep/scores.csv")
    own = scores[scores["method"] == "raw_readout"].set_index("metric")["value"]
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
    assert "states of rat" in lines[0]
