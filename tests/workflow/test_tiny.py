"""The tiny workflow, end to end: what it writes, and what it does not do twice."""

import json
import os
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray
import yaml
import zarr
from safetensors.numpy import load_file

from neural_action.config.load import read_yaml, validate
from neural_action.evaluation.columns import COLUMNS
from running import ROOT, job_table, snakemake

METHODS = read_yaml(ROOT / "config/methods.yaml")["methods"]
pytestmark = pytest.mark.workflow


def run(results: Path, *arguments: str, changes: str = "") -> str:
    """Output of Snakemake on a fold of the tiny data set and every row, below ``results``, with YAML ``changes``."""
    fold, changed = results / "fold.yaml", results / "changes.yaml"
    fold.write_text("split: {test_folds: [0]}\n")
    changed.write_text(changes or "{}\n")
    done = snakemake(
        *("--cores", "2", "--configfile", "config/test/tiny.yaml", str(fold), str(changed)),
        *("--config", f"results={results}", *arguments),
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp("results")
    run(folder)
    return folder


def rules(output: str) -> set[str]:
    """Rules in the job table of a dry run."""
    return set(job_table(output))


def stage(*arguments: object) -> subprocess.CompletedProcess:
    """A command of the package."""
    return subprocess.run(
        [sys.executable, "-m", "neural_action", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=False,
    )


def scores_of(results: Path) -> pd.DataFrame:
    return pd.read_csv(
        results / "tiny/scores.csv", dtype={"unit": str, "label_budget": str}, keep_default_na=False
    )


def test_scores_keep_their_contract(results):
    scores = scores_of(results)
    assert list(scores.columns) == COLUMNS
    assert set(scores["method"]) == set(METHODS)
    tasks = {"within", "across", "identity", "continuous_within", "continuous_across", "clusters"}
    assert set(scores["task"]) == tasks
    assert set(scores["label_budget"]) == {"half", "all"}
    assert set(scores["split"]) == {"fold-0"}
    assert not scores.duplicated(
        [name for name in COLUMNS if name not in ("value", "n_train", "n_test")]
    ).any()
    # Scores of classes are shares; of behaviour R2, which has no lower end.
    shares = scores[~scores["metric"].isin(["r2", "log_loss"])]
    assert shares["value"].between(0, 1).all()
    guesses = scores.query(
        "method == 'random_guess' and task == 'identity' and metric == 'accuracy' and probe == 'softmax'"
    )
    assert guesses["value"].mean() == pytest.approx(1 / 3, abs=0.15)
    assert set(scores.query("method == 'behavior_swapped'")["task"]) == {"identity"}


def test_measures_without_labels_are_those_of_the_scores(results, monkeypatch):
    """The benchmark that compares measures reads embeddings anew: same probes, same numbers."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    script = runpy.run_path(str(ROOT / "benchmarks/label_free.py"))
    found = script["measured"](results / "tiny", script["settings_of"](results / "tiny")).set_index("label")
    scores = scores_of(results)
    scores = scores[
        (scores["unit"] == "") & (scores["layer"] == "encoder") & (scores["label_budget"] == "all")
    ]
    assert set(found.index) == {row["label"] for row in METHODS.values() if "objective" in row}
    for method in ("simclr", "matched_alignment"):
        own = scores[scores["method"] == method]
        for name, task in script["MEASURES"].items():
            told = own[(own["task"] == task) & (own["metric"] == "r2")]["value"].mean()
            assert found.loc[METHODS[method]["label"], name] == pytest.approx(told, abs=2e-3)


def test_every_probe_reads_every_row(results):
    scores = scores_of(results)
    probes = read_yaml(ROOT / "config/methods.yaml")["probes"]
    for method, own in scores[~scores["layer"].isin(["projection"])].groupby("method"):
        tasks = METHODS[method].get("tasks", sorted(set(scores["task"])))
        for task in tasks:
            expected = {name for name, probe in probes.items() if task in probe["tasks"]}
            assert set(own[own["task"] == task]["probe"]) == expected, (method, task)


def test_permuted_labels_score_at_chance(results):
    control = scores_of(results).query("method == 'permuted_labels' and probe == 'softmax'")
    for task, metric, chance in (
        ("within", "balanced_accuracy", 1 / 8),
        ("across", "balanced_accuracy", 1 / 8),
        ("identity", "accuracy", 1 / 3),
    ):
        values = control[(control["task"] == task) & (control["metric"] == metric)]["value"]
        assert values.mean() == pytest.approx(chance, abs=4 * values.std() / np.sqrt(len(values)))


def test_every_number_of_a_table_is_made_of_scores(results):
    every = scores_of(results)
    cells = pd.read_csv(results / "tiny/tables/action_recognition.csv", dtype={"label_budget": str})
    cells = cells[cells["reference"].isna() & (cells["n_scores"] > 0)]
    assert len(cells)
    for cell in cells.itertuples():
        own = every[
            (every["method"] == cell.method)
            & (every["task"] == cell.task)
            & (every["probe"] == cell.probe)
            & (every["label_budget"] == cell.label_budget)
            & (every["metric"] == cell.metric)
            & (every["layer"] == cell.layer)
        ]
        nested = own.groupby(["animal", "split"])["value"].mean().groupby("animal").mean().mean()
        assert cell.mean == pytest.approx(nested, abs=1e-5)


def test_tables_and_pictures_are_there(results):
    for table in ("action_recognition", "identity_recognition", "continuous", "label_free", "consistency"):
        for form in ("csv", "md", "tex", "html"):
            text = (results / f"tiny/tables/{table}.{form}").read_text()
            assert "Swap + calcium" in text
    pictures = [*(results / "tiny/figures").glob("*.png"), *(results / "tiny/calcium").glob("*.png")]
    assert len(pictures) == 8 + 1
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size > 5000


def test_what_is_looked_at_is_there(results):
    folder = results / "tiny"
    found = json.loads((folder / "diagnostics/diagnostics.json").read_text())
    verdicts = {name: check["severity"] for name, check in found["checks"].items()}
    # What was trained on is sound; what statistics say of twelve short trials is their own.
    assert all(verdicts[name] == "ok" for name in ("leak", "swaps", "normalisation", "duplicates"))
    assert "data:image/png;base64," in (folder / "overview.html").read_text()
    assert '"rows":[{"label":"Swap + calcium (' in (folder / "explore.html").read_text()


def test_the_report_is_one_file_that_holds_the_tables_and_pictures(results):
    report = results / "report.html"
    run(results, "--report", str(report))
    text = report.read_text()
    for table in ("action_recognition", "identity_recognition"):
        assert f"{table}.html" in text
    for picture in (*(results / "tiny/figures").glob("*.png"), results / "tiny/calcium/fold-0.png"):
        assert picture.name in text
    assert 'src="http' not in text


def test_stores_open_with_xarray(results):
    store = results / "tiny/recordings/Fly1/001.zarr"
    assert not list(store.rglob(".snakemake*"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = xarray.open_zarr(store)
        # Zarr reads the files themselves here, and warns of any that it does not know.
        opened = zarr.open_group(store, mode="r", use_consolidated=False)
        assert {name for name, _ in opened.members()} == {*data, *data.coords}
    assert {"neural", "behavior", "labels", "neural_index"} == set(data)
    assert {"neural_time", "behavior_time", "keypoint"} == set(data.coords)
    assert data["labels"].dtype == np.int16
    assert data["neural_index"].dtype == np.int32
    assert {"dataset", "animal", "trial", "units", "sources", "class_names", "version"} <= set(data.attrs)
    assert float(data["neural"].max()) <= 1


def test_the_resolved_configuration_is_one(results):
    assert validate(read_yaml(results / "tiny/config.yaml")).dataset == "tiny"


def test_a_finished_run_does_nothing(results):
    assert "Nothing to be done" in run(results)


def test_only_what_changed_runs_again(results):
    probe = rules(run(results, "--dry-run", changes="probes: {softmax: {steps: 90}}"))
    looks = {"diagnose", "explore", "overview"}
    assert probe == {"resolved_config", "evaluate", "collect", "consistency", "tables", "figures"} | looks
    kernel = rules(run(results, "--dry-run", changes="calcium: {decay: 1.0}"))
    assert kernel >= {"calcium", "pretrain"}
    assert not kernel & {"simulate", "convert", "neighbors", "syllables"}
    jobs = run(results, "--dry-run", "--forcerun", "calcium")
    assert "wildcards: method=swap_calcium, run=fold-0" in jobs
    assert "wildcards: method=simclr" not in jobs
    syllables = rules(run(results, "--dry-run", changes="syllables: {states: 5}"))
    assert syllables == {
        "resolved_config",
        "syllables",
        "pretrain",
        "evaluate",
        "collect",
        "consistency",
        "tables",
        "figures",
        "diagnose",
        "overview",
    }
    row = {"label": "'Swap + calcium, renamed'"}
    renamed = rules(
        run(results, "--dry-run", changes=f"methods: {{swap_calcium: {{label: {row['label']}}}}}")
    )
    assert renamed == {"resolved_config", "tables", "figures", "explore", "overview"}
    table = results / "tiny/tables/action_recognition.md"
    text = table.read_text()
    table.unlink()
    assert rules(run(results, "--dry-run")) == {"tables"}
    run(results)
    assert table.read_text() == text


def test_a_damaged_store_is_noticed_when_it_is_laid_out(results):
    chunk = max(
        (results / "tiny/recordings/Fly2/002.zarr/neural/c").rglob("*"), key=lambda path: path.stat().st_size
    )
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-4] + b"\0\0\0\0")
    manifests = sorted(str(path) for path in (results / "tiny/recordings").rglob("*.manifest.json"))
    done = stage("dataset", "--output", results / "again", *manifests)
    chunk.write_bytes(whole)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert "002.zarr: chunk" in last
    assert "rule convert" in last
    assert not (results / "again/dataset.json").exists()


def test_a_damaged_dataset_is_noticed_by_its_consumer(results):
    path = results / "tiny/dataset/neural.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + b"\0\0\0\1")
    done = stage(
        *("evaluate", "--config", results / "tiny/config.yaml", "--method", "raw", "--seed", 0),
        *("--dataset", path.parent, "--splits", results / "tiny/splits.csv", "--split", "fold-0"),
        *("--scores", results / "s.csv", "--embedding", results / "e.npz"),
    )
    path.write_bytes(whole)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert "neural.npy: changed or damaged" in last
    assert "rule dataset" in last
    assert not (results / "s.csv").exists()


EXTRAS = """
rows: [random_guess, swap_calcium, swap_others]
adapt: {rows: [swap_calcium], steps: 5}
methods:
  swap_others:
    label: Swap from the other animals only
    table: ablation
    objective: {name: infonce}
    augmentations: {behavior: [{name: swap}]}
    settings: {neighbors: {domains: others}}
"""


def test_ablations_and_unseen_animals_fill_tables_of_their_own(results):
    run(results, changes=EXTRAS)
    folder = results / "tiny"
    assert (folder / "neighbors/domains-others/fold-0.npz").exists()
    ablation = pd.read_csv(folder / "tables/ablation.csv")
    assert set(ablation["method"]) == {"swap_calcium", "swap_others"}
    assert "Swap from the other animals only" not in (folder / "tables/action_recognition.md").read_text()
    unseen = pd.read_csv(folder / "scores_unseen_animal.csv", dtype={"label_budget": str})
    assert set(unseen["protocol"]) == {"new_trials", "new_animal", "adapted"}
    actions = unseen[unseen["task"] == "across"]
    # Every animal is tested on the same windows, whatever was seen of it.
    fold = actions["split"].str.extract(r"fold-(\d)$")[0]
    counts = actions.groupby(["animal", fold, "label_budget", "probe", "metric"])["n_test"].nunique()
    tested = actions[fold == "0"].groupby(["animal", "protocol"])["n_test"].first().unstack()
    assert (counts == 1).all()
    assert tested.notna().all(axis=None)
    assert (folder / "models/swap_calcium/adapted-Fly2-fold-0/seed-0/model.safetensors").exists()
    frozen = load_file(folder / "models/swap_calcium/without-Fly2/seed-0/model.safetensors")
    adapted = load_file(folder / "models/swap_calcium/adapted-Fly2-fold-0/seed-0/model.safetensors")
    changed = {name for name, value in frozen.items() if not np.array_equal(value, adapted[name])}
    assert changed
    assert all(name.startswith("f_n.") for name in changed)
    assert "| Fly2 |" in (folder / "tables/unseen_animal.md").read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_gpu_that_is_demanded_and_missing_is_a_line(results, tmp_path):
    resolved = read_yaml(results / "tiny/config.yaml")
    resolved["training"]["device"] = "cuda"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(resolved))
    done = stage(
        *("pretrain", "--config", tmp_path / "config.yaml", "--method", "simclr", "--split", "fold-0"),
        *("--dataset", results / "tiny/dataset", "--splits", results / "tiny/splits.csv", "--seed", 0),
        *("--output", tmp_path / "model.safetensors", "--log", tmp_path / "log.csv"),
    )
    assert done.returncode == 2
    assert "training.device: 'cuda', but torch finds no CUDA device" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "model.safetensors").exists()


def test_a_row_that_a_dataset_changes_keeps_its_place(tmp_path):
    changes = "methods: {simclr: {label: SimCLR again}}"
    run(tmp_path, "--", f"{tmp_path}/tiny/config.yaml", changes=changes)
    resolved = read_yaml(tmp_path / "tiny/config.yaml")["methods"]
    assert list(resolved) == list(METHODS)
    assert resolved["simclr"]["label"] == "SimCLR again"
