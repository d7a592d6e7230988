"""Simulated animals with units of their own, from raw files to tables, stage by stage in one process."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from neural_action.config.dependencies import NEIGHBORS
from neural_action.config.load import merged
from neural_action.config.plan import Plan
from neural_action.datasets.dataset import Source
from neural_action.errors import InputError
from neural_action.inference.model import load_model
from neural_action.inference.onnx import export
from neural_action.stages import (
    adapt,
    calcium,
    collect,
    convert,
    neighbors,
    pretrain,
    simulate,
    splits,
    tables,
)
from neural_action.stages import dataset as layout
from neural_action.stages.evaluate import run as evaluate
from running import ROOT

ROWS = ["random_guess", "raw", "ridge", "canonical", "simclr", "swap_calcium", "regression_conv"]
CHANGES = """
simulation: {preset: units, overrides: {animals: 2, seconds: 14.0, types: 36}}
windows: {units: own}
convert: {root_relative: true, scale: {low: 0.5, high: 99.5}}
split: {test_folds: [0]}
rows: [random_guess, raw, ridge, canonical, simclr, swap_calcium, regression_conv]
calcium: {decay: 1.0}
training: {steps: 20}
adapt: {rows: [simclr], steps: 10}
encoders: {neural: {name: trace_cnn, width: 16, layers: 1}, unit_width: 16}
evaluation: {raw_pool_time: 8, label_budgets: [all], identity_samples: 80}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The plan of the run and the folder of its results."""
    folder = tmp_path_factory.mktemp("units")
    (folder / "changes.yaml").write_text(CHANGES)
    tiny = merged([ROOT / "config/methods.yaml", ROOT / "config/test/tiny.yaml"])
    # An encoder of images has other parameters.
    tiny["encoders"]["neural"] = {}
    (folder / "tiny.json").write_text(pd.Series(tiny).to_json())
    plan = Plan({**merged([folder / "tiny.json", folder / "changes.yaml"]), "results": str(folder)})
    results, raw = Path(plan.results), Path(plan.raw)
    for number, animal in enumerate(plan.simulated_animals):
        simulate.run(plan.depends_on.sections("simulation"), number, raw / animal)
    for row, manifest in zip(plan.rows, map(Path, plan.manifests), strict=True):
        store = manifest.with_name(f"{row.trial}.zarr")
        given = (plan.depends_on.sections("dataset", "convert"), raw, row.path, row.animal, row.trial)
        convert.run(*given, None, None, store, manifest, 1)
    layout.run(results / "dataset", tuple(map(Path, plan.manifests)))
    splits.run(plan.depends_on.splits, results / "splits.csv", tuple(map(Path, plan.manifests)))
    source = Source(results / "dataset", results / "splits.csv", ("fold-0",))
    kernel, swaps = results / "calcium.json", results / "swaps.npz"
    calcium.run(plan.depends_on.sections("calcium"), source, 1, kernel, results / "calcium.png")
    neighbors.run(
        plan.depends_on.variant_sections("default", *NEIGHBORS), source, 1, swaps, results / "n.json"
    )
    scores = []
    for method in plan.methods:
        run = results / "models" / method / "fold-0/seed-0"
        run.mkdir(parents=True)
        weights = run / "model.safetensors"
        if method in plan.trained:
            inputs = {"kernel": kernel, "swaps": swaps}
            needed = [path if name in plan.needs(method) else None for name, path in inputs.items()]
            config = plan.depends_on.pretrain(method)
            pretrain.run(config, method, source, 0, *needed, None, 1, weights, run / "log.csv")
        scores.append(run / "scores.csv")
        evaluate(
            *(plan.depends_on.evaluate(method), method, source, 0, 1),
            *(weights if method in plan.trained else None, None, None),
            *(scores[-1], run / "embedding.npz"),
        )
    collect.run(results / "scores.csv", tuple(scores))
    unseen = [results / "models/simclr/fold-0/seed-0/scores.csv", *unseen_animals(plan, results)]
    collect.run(results / "unseen.csv", tuple(unseen))
    (results / "tables").mkdir()
    tables.run(
        *(plan.depends_on.tables, results / "scores.csv", results / "tables"), unseen=results / "unseen.csv"
    )
    return SimpleNamespace(plan=plan, results=results, source=source)


def unseen_animals(plan, results):
    """Leave every animal out of pretraining in turn, adapt to it, and yield the scores."""
    for name, run in plan.unseen.items():
        source = Source(results / "dataset", results / "splits.csv", run.splits)
        folder = results / "models/simclr" / name / "seed-0"
        folder.mkdir(parents=True)
        weights, log = folder / "model.safetensors", folder / "log.csv"
        if run.starts_from is None:
            config = plan.depends_on.pretrain("simclr")
            pretrain.run(config, "simclr", source, 0, None, None, None, 1, weights, log)
        else:
            start = results / "models/simclr" / run.starts_from / "seed-0/model.safetensors"
            config = plan.depends_on.adapt("simclr")
            adapt.run(config, "simclr", source, 0, start, None, None, None, 1, weights, log)
        evaluate(
            *(plan.depends_on.evaluate("simclr"), "simclr", source, 0, 1, weights, None, None),
            *(folder / "scores.csv", folder / "embedding.npz"),
        )
        yield folder / "scores.csv"


def test_animals_differ_in_their_units(finished):
    counts = [shape[0] for shape in finished.source.layout().units.values()]
    assert len(set(counts)) == len(counts) == 2


def test_every_row_is_read_where_it_can_be(finished):
    scores = pd.read_csv(finished.results / "scores.csv", dtype={"unit": str})
    tasks = {name: set(own["task"]) for name, own in scores.groupby("method")}
    every = {"within", "across", "identity", "continuous_within", "continuous_across", "clusters"}
    # Units of one animal mean nothing in another: raw windows are read within animals alone.
    assert tasks == {name: {"within", "continuous_within"} if name == "raw" else every for name in ROWS}
    assert scores[scores["metric"] == "accuracy"]["value"].between(0, 1).all()
    read = scores[(scores["metric"] == "balanced_accuracy") & (scores["probe"] == "softmax")]
    mean = read[read["task"] == "within"].groupby("method")["value"].mean()
    assert mean["raw"] > mean["random_guess"]


def test_tables_leave_the_cells_of_raw_rows_across_animals_empty(finished):
    text = (finished.results / "tables/action_recognition.md").read_text()
    lines = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if line.startswith("| ")}
    assert "–" in lines["Neural"]
    assert lines["Swap + calcium (Günel et al.)"].split(" | ")[2] != "–"
    assert "each animal has its own units, so Neural can only be read within animals" in text


def test_an_unseen_animal_is_read_once_it_has_a_layer(finished):
    scores = pd.read_csv(finished.results / "unseen.csv")
    assert set(scores["protocol"]) == {"new_trials", "new_animal", "adapted"}
    for protocol in ("new_animal", "adapted"):
        across = scores[(scores["task"] == "across") & (scores["protocol"] == protocol)]
        assert set(across["animal"]) == {"Fly1", "Fly2"}
    frozen, adapted = (
        load_file(finished.results / f"models/simclr/{run}/seed-0/model.safetensors")
        for run in ("without-Fly1", "adapted-Fly1-fold-0")
    )
    same = {name for name, value in frozen.items() if np.array_equal(value, adapted[name])}
    assert {name for name in frozen if not name.startswith("f_n.input.")} <= same
    text = (finished.results / "tables/unseen_animal.md").read_text()
    assert "not seen, closed form |" in text
    assert "an animal that pretraining did not see has no input layer" in text


def test_a_rerun_trains_the_same_weights(finished, tmp_path):
    method, weights = "simclr", tmp_path / "models/simclr/fold-0/seed-0/model.safetensors"
    weights.parent.mkdir(parents=True)
    config = finished.plan.depends_on.pretrain(method)
    pretrain.run(
        config, method, finished.source, 0, None, None, None, 1, weights, weights.with_name("log.csv")
    )
    before = finished.results / "models/simclr/fold-0/seed-0/model.safetensors"
    assert weights.read_bytes() == before.read_bytes()
    with np.load(before.with_name("embedding.npz")) as content:
        own = (content["animal"] == 1) & (content["trial"] == content["trial"].max())
        embedded = content["encoder"][own]
    # A model that is opened reads the animals that it was trained on.
    model = load_model(before)
    values = model.transform(Path(finished.plan.manifests[-1]), stride=4).values
    np.testing.assert_allclose(values[: len(embedded)], embedded, atol=0.01)
    with pytest.raises(InputError, match="has input weights for the units of each animal"):
        export(model, tmp_path / "model.onnx", "encoder")
