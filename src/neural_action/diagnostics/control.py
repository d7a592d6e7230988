"""The control: what is probed with permuted labels must end at chance."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from neural_action.config.settings import DiagnosticsSettings, MethodSettings, TableSettings
from neural_action.diagnostics.finding import Finding
from neural_action.evaluation.decoding import WHOLE
from neural_action.evaluation.statistics import hierarchical_bootstrap

#: Metric by task; of identity, that of the linear probe.
_METRICS = {
    "single_animal": "balanced_accuracy",
    "multi_animal": "balanced_accuracy",
    "identity": "accuracy",
    "decoding": "balanced_accuracy",
}


def check_control(
    scores: pd.DataFrame,
    methods: Mapping[str, MethodSettings],
    classes: int,
    animals: int,
    tables: TableSettings,
    settings: DiagnosticsSettings,
) -> list[Finding]:
    """Rows whose labels are permuted, task by task, with all labels: mean and 95 % interval beside chance.

    Chance is one over the number of classes or animals. A control whose interval lies above it by more than
    ``control_tolerance`` is reported; the tolerance allows for classes that a fold does not have.

    Args:
        scores: every score, as ``neural-action collect --all`` writes them.
        methods: the rows.
        classes: how many there are.
        animals: how many there are.
        tables: draws and seed of the intervals.
        settings: the tolerance.
    """
    controls = [name for name, row in methods.items() if row.labels == "permuted"]
    every = scores[scores["method"].isin(controls) & (scores["representation"] != "projection")]
    findings = []
    for method in controls:
        for task, metric in _METRICS.items():
            picked = every[
                (every["method"] == method) & (every["task"] == task) & (every["metric"] == metric)
            ]
            # The probe of a row that is decoded is which labels it had.
            probe = {"identity": "linear", "decoding": WHOLE}.get(task, methods[method].probe)
            picked = picked[picked["probe"] == probe]
            picked = picked[picked["fraction"] == picked["fraction"].max()]
            if picked.empty:
                continue
            mean, low, high = hierarchical_bootstrap(picked, tables.bootstrap, tables.seed)
            chance = 1 / (animals if task == "identity" else classes)
            single = len(picked) == 1
            if single:
                low = high = mean
            values = {"mean": mean, "low": low, "high": high, "chance": chance}
            ends = "" if single else f" [{100 * low:.1f}, {100 * high:.1f}]"
            text = f"{task}: {100 * mean:.1f} %{ends}, chance {100 * chance:.1f} %"
            if single or (task == "decoding" and picked["fold"].nunique() < 2):
                of = "score" if single else "split"
                findings.append(
                    Finding("control", method, "note", f"{text}; of one {of}, it cannot be told", values)
                )
            elif low > chance + settings.control_tolerance:
                text += ": permuted labels are read above chance, so something other than labels leaks"
                findings.append(Finding("control", method, "warning", text, values))
            else:
                findings.append(Finding("control", method, "ok", text, values))
    if not findings:
        message = "not run: no row has `labels: permuted`"
        if controls:
            message = f"not run: {', '.join(controls)} has no scores"
        findings.append(Finding("control", "all", "note", message))
    return findings
