"""The control: probes trained on permuted labels must score at chance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.diagnostics.finding import Finding, Value
from neural_action.tables.scores import Column, Scores

#: Metric of each task for which chance is 1 / number of classes or animals.
_METRICS = {
    "within": "balanced_accuracy",
    "across_sessions": "balanced_accuracy",
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
    """Compare rows with permuted labels with chance: mean and interval for each task and probe, with all labels.

    Chance is 1 / number of classes or animals. A control is reported if its interval lies above chance by more than
    ``control_tolerance``, which allows for classes that a split lacks.

    Args:
        scores: all scores, as ``neural-action collect`` writes them.
        methods: the rows.
        classes: number of classes.
        animals: number of animals.
        sections: the sections evaluation, probes and diagnostics of the configuration.
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
                        "control",
                        method,
                        "note",
                        f"{text}; a single score cannot be compared with chance",
                        values,
                    )
                )
            elif low > chance + sections.diagnostics.control_tolerance:
                text += ": permuted labels score above chance, so something leaks"
                findings.append(Finding("control", method, "warning", text, values))
            else:
                findings.append(Finding("control", method, "ok", text, values))
    if not findings:
        message = "not checked: no row has permuted labels"
        if controls:
            message = f"not checked: no scores of {', '.join(controls)}"
        findings.append(Finding("control", "all", "note", message))
    return findings


def _read(sections: Sections) -> list[tuple[str, str]]:
    """Pairs of a class task and a probe that reads it."""
    return [
        (task, name)
        for task in sections.evaluation.tasks
        if task in _METRICS
        for name, probe in sections.probes.items()
        if task in probe.tasks
    ]
