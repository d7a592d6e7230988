"""The control: what is probed with permuted labels must end at chance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.diagnostics.finding import Finding, Value
from neural_action.tables.scores import Column, Scores

#: Metric of each task whose chance is one over a number.
_METRICS = {
    "within": "balanced_accuracy",
    "across": "balanced_accuracy",
    "decoding": "balanced_accuracy",
    "identity": "accuracy",
}


def check_control(
    scores: pd.DataFrame,
    methods: Mapping[str, MethodSettings],
    classes: int,
    animals: int,
    sections: Sections,
) -> list[Finding]:
    """Rows whose labels are permuted, by task and probe, with all labels: mean and interval beside chance.

    Chance is one over the number of classes or animals. A control whose interval lies above it by more than
    ``control_tolerance`` is reported; the tolerance allows for classes that a split does not have.

    Args:
        scores: all scores, as ``neural-action collect`` writes them.
        methods: the rows.
        classes: how many there are.
        animals: how many there are.
        sections: of the configuration: evaluation, probes, tables, diagnostics.
    """
    controls = [name for name, row in methods.items() if row.labels == "permuted"]
    every, findings = Scores(scores, sections.probes), []
    for method in controls:
        for task, probe in _read(sections):
            column = Column(task=task, probe=probe, label_budget="all", metric=_METRICS[task])
            cell = every.cell(method, column)
            if cell is None:
                continue
            chance = 1 / (animals if task == "identity" else classes)
            single = not np.isfinite(cell.low)
            low, high = (cell.mean, cell.mean) if single else (cell.low, cell.high)
            values: dict[str, Value] = {
                "mean": cell.mean,
                "low": low,
                "high": high,
                "chance": chance,
                "task": task,
                "probe": probe,
            }
            ends = "" if single else f" [{100 * low:.1f}, {100 * high:.1f}]"
            text = f"{task}, {probe}: {100 * cell.mean:.1f} %{ends}, chance {100 * chance:.1f} %"
            if single:
                findings.append(
                    Finding(
                        "control", method, "note", f"{text}; a single score cannot be told from it", values
                    )
                )
            elif low > chance + sections.diagnostics.control_tolerance:
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


def _read(sections: Sections) -> list[tuple[str, str]]:
    """Tasks of classes and the probes that read them."""
    return [
        (task, name)
        for task in sections.evaluation.tasks
        if task in _METRICS
        for name, probe in sections.probes.items()
        if task in probe.tasks
    ]
