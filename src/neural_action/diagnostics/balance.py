"""Class balance: windows of each action for each animal, split and role, among the windows that probes read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.split_table import ROLES
from neural_action.datasets.windows import Windows
from neural_action.diagnostics.finding import Finding

#: Share of the labelled windows from which a class is reported as dominant (our choice).
_DOMINANT = 0.8
#: Consequence if a role of a split has no window of a class.
_FOLLOWS = {
    "train": "no probe is trained on it",
    "validation": "it does not help to choose",
    "test": "it is not tested in this split",
}


def class_counts(dataset: Dataset, windows: Windows, split: str) -> pd.DataFrame:
    """Windows of each animal, role and class: columns ``animal, split, role, class, windows``.

    Unlabelled windows have class ``""``. Roles without windows are left out.
    """
    names = [*dataset.class_names, ""]
    rows = [
        (animal, split, role, action, int(np.count_nonzero(own & (windows.label == label))))
        for number, animal in enumerate(dataset.animals)
        for role in ROLES
        if (own := (windows.animal == number) & (windows.role == role)).any()
        for label, action in [*enumerate(names[:-1]), (-1, "")]
    ]
    return pd.DataFrame(rows, columns=["animal", "split", "role", "class", "windows"])


def check_balance(counts: pd.DataFrame) -> list[Finding]:
    """Findings on classes that a split or an animal lacks, and on a dominant class.

    Args:
        counts: output of ``class_counts`` for all splits.
    """
    labelled = counts[counts["class"] != ""]
    if not labelled["windows"].sum():
        return [Finding("balance", "all", "note", "not checked: no window is labelled")]
    findings = []
    for split, role, action, count in _summed(labelled, "split", "role", "class"):
        if count == 0:
            message = f"no {role} window of {action}: {_FOLLOWS[role]}"
            findings.append(Finding("balance", split, "warning", message, {"class": action}))
    tested = labelled[labelled["role"] == "test"]
    for animal, action, count in _summed(tested, "animal", "class"):
        if count == 0:
            message = f"no test window of {action}: probes of this animal are not tested on it"
            findings.append(Finding("balance", str(animal), "note", message, {"class": action}))
    cells = tested.groupby(["animal", "split", "class"])["windows"].sum()
    if empty := int((cells == 0).sum()):
        message = f"{empty} of {len(cells)} combinations of animal, split and action have no test window"
        findings.append(Finding("balance", "all", "note", message, {"empty": empty, "cells": len(cells)}))
    total = tested.groupby("class")["windows"].sum()
    share = float(total.max() / max(1, total.sum()))
    if share >= _DOMINANT:
        message = f"{share:.0%} of the labelled windows are {total.idxmax()}"
        findings.append(Finding("balance", "all", "note", message, {"share": share}))
    if not findings:
        message = f"every animal has test windows of all {len(total)} actions in every split"
        findings.append(Finding("balance", "all", "ok", message, {"windows": int(total.sum())}))
    return findings


def _summed(counts: pd.DataFrame, *keys: str) -> Iterator[tuple[Any, ...]]:
    """Values of ``keys`` and number of windows for each existing combination, sorted."""
    summed = counts.groupby(list(keys), as_index=False)["windows"].sum()
    yield from summed.itertuples(index=False, name=None)
