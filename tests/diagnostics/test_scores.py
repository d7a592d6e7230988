"""Class balance and the control."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neural_action.config.settings import ClipSettings, MethodSettings, TableSettings
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.balance import check_balance
from neural_action.diagnostics.control import check_control
from neural_action.diagnostics.finding import CHECKS, worst

CLIPS = ClipSettings(frames=16, poses=4)
METHODS = {
    "ours": MethodSettings(label="Ours", objective={"name": "infonce"}),
    "permuted": MethodSettings(label="Permuted", model="ours", labels="permuted"),
}


def test_balance_counts_every_clip(coupled):
    clips = window_table(coupled, CLIPS, stride=8)
    findings, counts = check_balance(coupled, clips)
    assert worst(findings) == "ok"
    assert counts["clips"].sum() == len(clips)
    one = counts.query("animal == 'B' and fold == 2 and `class` == 'walk'")["clips"].item()
    assert one == np.count_nonzero((clips.animal == 1) & (clips.fold == 2) & (clips.label == 1))


def test_a_class_that_a_fold_does_not_have(coupled):
    labels = coupled.labels.copy()
    for span in coupled.trials:
        if span.fold == 3:
            labels[span.samples] = np.where(labels[span.samples] == 2, 1, labels[span.samples])
    gone = replace(coupled, labels=labels)
    findings, _ = check_balance(gone, window_table(gone, CLIPS, stride=8))
    warned = [finding for finding in findings if finding.severity == "warning"]
    assert [(finding.subject, finding.values["class"]) for finding in warned] == [("fold-3", "groom")]


def scores(level, rng):
    rows = [
        (
            "permuted",
            "encoder",
            "linear",
            task,
            1.0,
            fold,
            animal,
            0,
            metric,
            level + 0.02 * rng.standard_normal(),
        )
        for task, metric in (("multi_animal", "balanced_accuracy"), ("identity", "accuracy"))
        for fold in range(4)
        for animal in (["all"] if task == "identity" else "ABC")
    ]
    names = "method representation probe task fraction fold animal seed metric value"
    return pd.DataFrame(rows, columns=names.split())


@pytest.mark.parametrize(("level", "severity"), [(1 / 3, "ok"), (0.5, "warning")])
def test_the_control_is_held_against_chance(level, severity, settings):
    table = scores(level, np.random.default_rng(0))
    found = check_control(table, METHODS, 3, 3, TableSettings(bootstrap=200), settings)
    assert [finding.severity for finding in found] == [severity, severity]
    assert all(finding.values["chance"] == pytest.approx(1 / 3) for finding in found)


def test_a_control_of_one_score_is_no_alarm(settings):
    table = scores(0.6, np.random.default_rng(0))
    single = table[(table["fold"] == 0) & table["animal"].isin(["A", "all"])]
    found = check_control(single, METHODS, 3, 3, TableSettings(bootstrap=200), settings)
    assert [finding.severity for finding in found] == ["note", "note"]
    assert all("of one score, it cannot be told" in finding.message for finding in found)


def test_a_control_that_was_not_run_is_said(settings):
    only = {"ours": METHODS["ours"]}
    (finding,) = check_control(scores(0.3, np.random.default_rng(0)), only, 3, 3, TableSettings(), settings)
    assert (finding.severity, finding.subject) == ("note", "all")


def test_every_check_is_named():
    assert list(CHECKS) == list(dict.fromkeys(CHECKS))
    assert worst([]) == "ok"
