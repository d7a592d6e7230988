"""Sessions of two monkeys with other neurons in each, from raw files to tables, stage by stage in one process."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_spikes_to_tables import write_session

from neural_action.config.load import merged
from neural_action.config.plan import Plan
from neural_action.datasets.dataset import Source
from neural_action.stages import collect, convert, pretrain, splits, tables
from neural_action.stages import dataset as layout
from neural_action.stages.evaluate import run as evaluate
from running import ROOT

ROWS = ["random_guess", "raw", "simclr", "ridge", "behavior"]
#: Equally many units, so that only `windows.units: own` says that they are others.
SESSIONS = {"ann-1": 12, "ann-2": 12, "bob-1": 12}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The plan of the run, the folder of its results, and its scores."""
    folder = tmp_path_factory.mktemp("sessions")
    (folder / "raw").mkdir()
    for seed, (session, units) in enumerate(SESSIONS.items()):
        write_session(folder / "raw", session, units, seed)
    content = merged([ROOT / "config/methods.yaml", ROOT / "config/monkey_across.yaml"])
    content |= {"rows": ROWS, "raw": str(folder / "raw"), "results": str(folder)}
    content["tables"]["figure_method"] = "simclr"
    content["training"]["steps"] = 20
    plan = Plan(content)
    results = Path(plan.results)
    for row, manifest in zip(plan.rows, map(Path, plan.manifests), strict=True):
        given = (
            plan.depends_on.sections("dataset", "convert"),
            Path(plan.raw),
            row.path,
            row.animal,
            row.trial,
        )
        convert.run(*given, row.start, row.stop, manifest.with_name(f"{row.trial}.zarr"), manifest, 1)
    layout.run(results / "dataset", tuple(map(Path, plan.manifests)))
    splits.run(plan.depends_on.splits, results / "splits.csv", tuple(map(Path, plan.manifests)))
    source = Source(results / "dataset", results / "splits.csv", ("fold-0",))
    made = []
    for method in plan.methods:
        run = results / "models" / method
        run.mkdir(parents=True)
        weights = run / "model.safetensors" if method in plan.trained else None
        if weights is not None:
            config = plan.depends_on.pretrain(method)
            pretrain.run(config, method, source, 0, None, None, None, 1, weights, run / "log.csv")
        made.append(run / "scores.csv")
        config = plan.depends_on.evaluate(method)
        evaluate(config, method, source, 0, 1, weights, None, None, made[-1], run / "embedding.npz")
    collect.run(results / "scores.csv", tuple(made))
    (results / "tables").mkdir()
    tables.run(plan.depends_on.tables, results / "scores.csv", results / "tables")
    return SimpleNamespace(plan=plan, results=results, scores=pd.read_csv(results / "scores.csv"))


def test_reaches_are_dealt_into_folds_whole(finished):
    table = pd.read_csv(finished.results / "splits.csv")
    own = table[table["split"] == "fold-0"]
    # Forty reaches of five bins a session, in five blocks of eight.
    assert (own["stop"] - own["start"]).eq(5).all()
    assert own.groupby("animal").size().eq(40).all()
    assert own[own["role"] == "test"].groupby("animal").size().eq(8).all()


@pytest.mark.parametrize("task", ["across_sessions", "across"])
def test_probes_are_trained_on_the_sessions_that_the_task_allows(finished, task):
    own = finished.scores.query("task == @task and probe == 'softmax' and label_budget == 'all'")
    trained = own[own["method"] == "behavior"].groupby("animal")["n_train"].first()
    # Each session trains with 32 reaches of three windows.
    each, others = 32 * 3, {"across_sessions": (2, 2, 2), "across": (1, 1, 2)}[task]
    assert trained.to_dict() == {
        session: each * count for session, count in zip(SESSIONS, others, strict=True)
    }
    # Sessions have other units.
    assert set(own["method"]) == {"random_guess", "simclr", "ridge", "behavior"}


def test_velocity_of_a_monkey_left_out_is_read_from_its_neurons(finished):
    own = finished.scores.query("metric == 'r2' and unit.isna()")
    mean = own.groupby(["method", "task"])["value"].mean()
    for task in ("continuous_across_sessions", "continuous_across"):
        assert mean["behavior", task] > 0.95
        assert mean["ridge", task] > 0.3
        assert np.isfinite(mean["simclr", task])
    tables = finished.results / "tables"
    assert "Across sessions" in (tables / "continuous.md").read_text()
    assert "The animals are ann, bob" in (tables / "action_recognition.md").read_text()
