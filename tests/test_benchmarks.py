"""Benchmarks: each is there to be run, and what it reports says what it is of."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

from running import ROOT

FOLDER = ROOT / "benchmarks"


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Benchmarks import each other by names that only their folder should have."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(FOLDER)):
            del sys.modules[name]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_benchmark_imports_and_explains_itself(path: Path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")


def test_pages_of_seeds_take_one_task_probe_and_label_budget(tmp_path):
    import fresh_seeds
    import presets

    rows = fresh_seeds.rows("default")
    for seed in (1, 2):
        folder = tmp_path / fresh_seeds.dataset("default", seed)
        folder.mkdir(parents=True)
        made_up_scores(rows, seed).to_csv(folder / "scores.csv", index=False)
    scores = pd.concat(fresh_seeds.read("default", seed, tmp_path) for seed in (1, 2))
    # One value a row, task, animal and seed: projection, other probes, budgets and metrics stay out.
    assert len(scores) == len(rows) * 2 * (2 + 2 + 1)
    page = fresh_seeds.page(scores, rows, "default", [1, 2])
    assert "probe `softmax`, label budget `all`" in page["made"]
    assert "| Neural | 51.5 [45.1, 57.9] | 51.5 [45.1, 57.9] | 51.5 [45.1, 57.9] |" in page["scores"]
    assert "| Neural | 0.0 [0.0, 0.0] 0 of 2 |" in page["across"]
    text = presets.page({"small_gap": scores})
    assert "| small_gap | Neural (raw) |" + 3 * " 51.5 (51.0, 52.0) |" in text


def made_up_scores(rows, seed: int) -> pd.DataFrame:
    """Scores of every row, 0.5 and a hundredth a seed; whatever should not be read is 0."""
    lines = []
    for row in rows:
        for task, animals in (
            ("within", ("Fly1", "Fly2")),
            ("across", ("Fly1", "Fly2")),
            ("identity", ("all",)),
        ):
            for animal in animals:
                for layer in ("encoder", "projection"):
                    for probe in ("softmax", "mlp"):
                        for budget in ("half", "all"):
                            for metric in ("accuracy", "balanced_accuracy"):
                                right = metric == ("accuracy" if task == "identity" else "balanced_accuracy")
                                right &= (layer, probe, budget) == ("encoder", "softmax", "all")
                                value = 0.5 + 0.01 * seed if right else 0.0
                                lines.append((row, layer, task, probe, budget, animal, "", metric, value))
    names = ["method", "layer", "task", "probe", "label_budget", "animal", "unit", "metric", "value"]
    return pd.DataFrame(lines, columns=names)


def test_a_row_is_also_compared_on_what_the_old_version_read():
    from evaluate_row import as_before

    probes = {
        "softmax": {"kind": "softmax", "tasks": ["within", "across", "identity"]},
        "mlp": {"kind": "mlp", "tasks": ["within", "identity"]},
        "ridge": {"kind": "ridge", "tasks": ["continuous_within"]},
    }
    config = {"evaluation": {"tasks": ["within", "identity", "continuous_within"]}, "probes": probes}
    before, told, after = as_before(["--config", json.dumps(config), "--threads=1"])
    same = json.loads(told)
    assert (before, after) == ("--config", "--threads=1")
    assert same["evaluation"]["tasks"] == ["within", "identity"]
    assert {name: probe["tasks"] for name, probe in same["probes"].items()} == {
        "softmax": ["within", "identity"],
        "mlp": ["identity"],
    }
