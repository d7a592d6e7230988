"""Class balance and the control."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from laid_out import WINDOWS, fold

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.datasets.dataset import dataset_of
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.balance import check_balance, class_counts
from neural_action.diagnostics.control import check_control
from neural_action.diagnostics.finding import CHECKS, worst
from neural_action.evaluation.columns import COLUMNS

METHODS = {
    "swap_calcium": MethodSettings(label="Swap + calcium", objective={"name": "infonce"}),
    "permuted": MethodSettings(label="Permuted", model="swap_calcium", labels="permuted"),
}


TASKS = {"within": "softmax", "across": "softmax", "identity": "knn"}


def counted(layout):
    """Windows of every fold."""
    datasets = [(f"fold-{number}", dataset_of(layout, fold(number), WINDOWS)) for number in range(4)]
    return pd.concat(
        class_counts(dataset, window_table(dataset, WINDOWS, stride=8), split) for split, dataset in datasets
    )


def test_balance_counts_every_window(layout, coupled):
    counts = counted(layout)
    assert worst(check_balance(counts)) == "ok"
    windows = window_table(coupled, WINDOWS, stride=8)
    assert counts.query("split == 'fold-0'")["windows"].sum() == len(windows)
    for role in ("train", "test"):
        query = f"animal == 'B' and split == 'fold-0' and role == '{role}' and `class` == 'walk'"
        expected = (windows.animal == 1) & (windows.role == role) & (windows.label == 1)
        assert counts.query(query)["windows"].item() == np.count_nonzero(expected)
    # Every window is tested in one fold, and trains in the three others.
    by_role = counts.groupby("role")["windows"].sum()
    assert (by_role["test"], by_role["train"]) == (len(windows), 3 * len(windows))


def test_a_class_that_the_test_of_a_split_does_not_have(layout):
    labels = layout.arrays["labels"].copy()
    for entry in layout.entries:
        if entry.trial == "t3":
            labels[entry.samples] = np.where(labels[entry.samples] == 2, 1, labels[entry.samples])
    gone = replace(layout, arrays={**layout.arrays, "labels": labels})
    warned = [finding for finding in check_balance(counted(gone)) if finding.severity == "warning"]
    assert [(finding.subject, finding.values["class"]) for finding in warned] == [("fold-3", "groom")]
    assert warned[0].message == "no test window of groom: it is not tested in this split"


def scores(level, rng, tasks=TASKS):
    """The control with all labels and with half of them, by each probe of each task."""
    rows = [
        {
            "dataset": "d",
            "protocol": "new_trials",
            "method": "permuted",
            "layer": "encoder",
            "task": task,
            "probe": probe,
            "label_budget": budget,
            "split": f"fold-{fold}",
            "animal": animal,
            "seed": 0,
            "unit": "",
            "metric": "accuracy" if task == "identity" else "balanced_accuracy",
            "value": (level if budget == "all" else 0.9) + 0.02 * rng.standard_normal(),
            "n_train": 300,
            "n_test": 100,
        }
        for task, probe in tasks.items()
        for budget in ("half", "all")
        for fold in range(4)
        for animal in (["all"] if task == "identity" else "ABC")
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@pytest.fixture
def sections():
    probes = {
        "softmax": {"kind": "softmax", "tasks": ["within", "across"]},
        "knn": {"kind": "knn", "tasks": ["identity"]},
    }
    return Sections(json.dumps({"evaluation": {"tasks": list(TASKS)}, "probes": probes}))


@pytest.mark.parametrize(("level", "severity"), [(1 / 3, "ok"), (0.5, "warning")])
def test_the_control_is_held_against_chance(level, severity, sections):
    found = check_control(scores(level, np.random.default_rng(0)), METHODS, 3, 3, sections)
    assert [finding.severity for finding in found] == [severity] * 3
    # One finding a task and probe, of all labels: half of them does not count.
    assert {finding.values["task"]: finding.values["probe"] for finding in found} == TASKS
    assert all(finding.values["chance"] == pytest.approx(1 / 3) for finding in found)
    assert all(finding.values["mean"] == pytest.approx(level, abs=0.03) for finding in found)


def test_chance_is_one_over_the_classes_or_the_animals(sections):
    found = check_control(scores(1 / 3, np.random.default_rng(0)), METHODS, 5, 4, sections)
    chance = {finding.values["task"]: finding.values["chance"] for finding in found}
    assert chance == {"within": 0.2, "across": 0.2, "identity": 0.25}


def test_a_control_of_one_score_is_no_alarm(sections):
    table = scores(0.6, np.random.default_rng(0))
    single = table[(table["split"] == "fold-0") & table["animal"].isin(["A", "all"])]
    found = check_control(single, METHODS, 3, 3, sections)
    assert [finding.severity for finding in found] == ["note"] * 3
    assert all("a single score cannot be compared with chance" in finding.message for finding in found)


def test_a_control_that_was_not_run_is_said(sections):
    table = scores(0.3, np.random.default_rng(0))
    only = {"swap_calcium": METHODS["swap_calcium"]}
    (finding,) = check_control(table, only, 3, 3, sections)
    assert (finding.severity, finding.subject) == ("note", "all")
    (finding,) = check_control(table.assign(method="swap_calcium"), METHODS, 3, 3, sections)
    assert finding.message == "not checked: no scores of permuted"


def test_every_check_is_named():
    assert list(CHECKS) == list(dict.fromkeys(CHECKS))
    assert worst([]) == "ok"
