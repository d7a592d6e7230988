"""Class balance: which actions there are, for every animal and fold, among the clips that are probed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neural_action.diagnostics.finding import Finding
from neural_action.datasets.windows import Windows
from neural_action.datasets.dataset import Dataset

#: A class with this share of the labelled clips, or more, is named (our choice).
_DOMINANT = 0.8
#: What comes of it where a part of a split has none of a class.
_PARTS = {"train": "it is not trained on", "validation": "nothing is chosen by it"}


def class_counts(dataset: Dataset, clips: Windows) -> pd.DataFrame:
    """Clips of each animal, fold and class: columns ``animal, fold, class, clips``, unlabelled ones as class ``""``.

    Of a split, ``fold`` is the name of a part.
    """
    names = [*dataset.class_names, ""]
    where = np.array([span.part or span.fold for span in dataset.trials], object)[clips.trial]
    rows = [
        (animal, fold, action, int(np.count_nonzero(own & (clips.label == label))))
        for number, animal in enumerate(dataset.animals)
        for fold in dict.fromkeys(where[np.argsort(clips.fold, kind="stable")])
        if (own := (clips.animal == number) & (where == fold)).any()
        for label, action in [*enumerate(names[:-1]), (-1, "")]
    ]
    return pd.DataFrame(rows, columns=["animal", "fold", "class", "clips"])


def check_balance(dataset: Dataset, clips: Windows) -> tuple[list[Finding], pd.DataFrame]:
    """Classes that a fold or an animal does not have, and classes that are nearly all there is; with the counts."""
    counts = class_counts(dataset, clips)
    labelled = counts[counts["class"] != ""]
    if not labelled["clips"].sum():
        return [Finding("balance", "all", "note", "not checked: no clip is labelled")], counts
    findings = []
    for column, severity, consequence in (
        ("fold", "warning", "it is not tested there"),
        ("animal", "note", "no probe of this animal is trained or tested on it"),
    ):
        sums = labelled.groupby([column, "class"])["clips"].sum()
        for (where, action), count in sums.items():
            if count == 0:
                subject = f"fold-{where}" if column == "fold" and not isinstance(where, str) else str(where)
                message = f"no clip of {action}: {_PARTS.get(where, consequence)}"
                findings.append(Finding("balance", subject, severity, message, {"class": action}))
    cells = labelled.groupby(["animal", "fold", "class"])["clips"].sum()
    empty = int((cells == 0).sum())
    if empty:
        message = f"{empty} of {len(cells)} combinations of animal, fold and action have no clip"
        findings.append(Finding("balance", "all", "note", message, {"empty": empty, "cells": len(cells)}))
    total = labelled.groupby("class")["clips"].sum()
    if total.max() / total.sum() >= _DOMINANT:
        message = f"{total.max() / total.sum():.0%} of the labelled clips are {total.idxmax()}"
        findings.append(
            Finding("balance", "all", "note", message, {"share": float(total.max() / total.sum())})
        )
    if not findings:
        kind = "part" if isinstance(counts["fold"].iloc[0], str) else "fold"
        message = f"every animal has clips of all {len(total)} actions in every {kind}"
        findings.append(Finding("balance", "all", "ok", message, {"clips": int(total.sum())}))
    return findings, counts
