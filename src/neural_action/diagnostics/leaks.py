"""Leaks: is anything that a split must not see among what it trains on?

Two questions. Does the split table keep what its protocol promises? Do windows, swaps and statistics keep to the table?
The second is answered from the frames that each piece owns, not from the flags that training uses.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from neural_action.datasets.dataset import Dataset, TrialSpan, normalise_pose
from neural_action.datasets.protocols import protocol_of
from neural_action.datasets.split_table import SplitTable
from neural_action.datasets.windows import Windows
from neural_action.diagnostics.finding import Finding, name
from neural_action.neighbors.table import HIDDEN, SwapTable


def check_table(table: SplitTable, split: str) -> list[Finding]:
    """What the protocol of ``split`` promises, as queries on the table; no recording is read.

    Labels are trained with in the role train alone. Frames that are tested are not seen by pretraining, except under
    ``transductive``; under ``new_animal`` nothing of the animal that is tested is.
    """
    rows = table.frame[table.frame["split"] == split]
    protocol, test = protocol_of(split), rows["role"] == "test"
    tested = rows.loc[test, "animal"].unique()
    queries = {
        "labels of frames that are not trained on are trained with": rows["sees_label"]
        & (rows["role"] != "train"),
        "frames that are tested are seen by pretraining": rows["sees_input"]
        & test
        & (protocol != "transductive"),
        "frames of the animal that is tested are seen by pretraining": rows["sees_input"]
        & rows["animal"].isin(tested)
        & (protocol == "new_animal"),
    }
    findings = [
        Finding("leak", split, "error", f"{message}: {_first(rows[bad])}", {"pieces": int(bad.sum())})
        for message, bad in queries.items()
        if bad.any()
    ]
    if not test.any():
        findings.append(Finding("leak", split, "error", "nothing is tested in this split"))
    if overlap := SplitTable(rows).overlaps():
        findings.append(Finding("leak", split, "error", overlap))
    if not findings:
        counts = {role: int((rows["role"] == role).sum()) for role in ("train", "validation", "test")}
        message = f"{counts['test']} pieces are tested, and none is seen or trained with against {protocol}"
        findings.append(Finding("leak", split, "ok", message, counts))
    return findings


def check_windows(dataset: Dataset, windows: Windows, split: str) -> list[Finding]:
    """That windows that may be trained on hold no frame and no sample of a hidden piece, and no window two roles."""
    frames, samples = _owners(dataset)
    findings = []
    for at, span in enumerate(dataset.trials):
        shared = np.count_nonzero(frames[span.frames] != at) + np.count_nonzero(samples[span.samples] != at)
        if shared:
            message = f"shares {shared} frames and samples with other trials"
            findings.append(Finding("leak", name(span.animal, span.trial), "error", message))
    hidden = np.array([not span.sees_input for span in dataset.trials])
    visible = windows.take(windows.sees_input)
    touched = _touched(visible, frames, samples)
    for at in np.flatnonzero(hidden):
        if inside := int((touched == at).any(1).sum()):
            span = dataset.trials[at]
            message = (
                f"{inside} windows of {name(span.animal, span.trial)}, which it must not see, are trained on"
            )
            findings.append(Finding("leak", split, "error", message, {"windows": inside}))
    roles = np.unique([span.role for span in dataset.trials], return_inverse=True)[1]
    touched = _touched(windows, frames, samples)
    if mixed := int((roles[touched].min(1) != roles[touched].max(1)).sum()):
        message = f"{mixed} windows hold frames or poses of two roles"
        findings.append(Finding("leak", split, "error", message, {"windows": mixed}))
    if not findings:
        count = int(hidden.sum())
        message = (
            f"none of {len(visible)} windows that may be trained on holds data of the {count} hidden trials"
        )
        values = {"windows": len(visible), "hidden_trials": count}
        findings.append(Finding("leak", split, "ok", message, values))
    return findings


def check_gaps(dataset: Dataset, split: str, seconds: float) -> list[Finding]:
    """That ``seconds`` are left out between pieces of a recording, cut by time, that have different roles.

    Neighbouring windows are alike: of two that are next to each other one must not train and one test.
    """
    findings = []
    for before, after in zip(dataset.trials, dataset.trials[1:], strict=False):
        same = (before.animal, _recording(before)) == (after.animal, _recording(after))
        if not same or before.role == after.role:
            continue
        left = float(dataset.neural_time[after.frames.start] - dataset.neural_time[before.frames.stop - 1])
        if left < seconds * (1 - 1e-6):
            message = (
                f"starts {left:.3g} s after {before.trial}, which is in {before.role} and this in {after.role}, "
                f"expected at least {seconds:g} s"
            )
            subject = name(after.animal, after.trial)
            findings.append(Finding("leak", subject, "error", message, {"seconds": left}))
    if not findings:
        message = f"at least {seconds:g} s are left out between roles"
        findings.append(Finding("leak", split, "ok", message))
    return findings


def check_swaps(dataset: Dataset, table: SwapTable, split: str) -> list[Finding]:
    """That hidden samples are neither swapped nor swap targets, and a target is of the animal that it stands for."""
    samples = _owners(dataset)[1]
    if len(table.targets) != len(dataset.pose) or tuple(table.animals) != dataset.animals:
        message = (
            f"the swap table is of {len(table.targets)} poses of {len(table.animals)} animals, the recordings "
            f"hold {len(dataset.pose)} of {len(dataset.animals)}"
        )
        return [Finding("swaps", split, "error", message)]
    concealed = np.array([not span.sees_input for span in dataset.trials])[samples]
    given = table.targets != HIDDEN
    animal = np.array([dataset.animals.index(span.animal) for span in dataset.trials])[samples]
    findings = []
    outside = given & ((table.targets < 0) | (table.targets >= len(samples)))
    targets = np.where(given & ~outside, table.targets, 0)
    for count, what in (
        (np.count_nonzero(outside), "swap targets are no poses at all"),
        (
            np.count_nonzero(given & ~outside & concealed[targets]),
            "swap targets are poses of trials that it must not see",
        ),
        (
            np.count_nonzero(given.any((1, 2)) & concealed),
            "poses of trials that it must not see are swapped",
        ),
        (
            np.count_nonzero(given & ~outside & (animal[targets] != np.arange(given.shape[1])[:, None])),
            "swap targets are of another animal than they stand for",
        ),
    ):
        if count:
            findings.append(
                Finding("swaps", split, "error", f"{count} {what}", {"count": int(count), "what": what})
            )
    if not findings:
        message = f"all {int(given.sum())} swap targets are visible poses of their animal"
        findings.append(Finding("swaps", split, "ok", message, {"targets": int(given.sum())}))
    return findings


def check_normalisation(dataset: Dataset, split: str) -> list[Finding]:
    """That behaviour is normalised by the visible samples of its animal, or not at all."""
    if 0 in dataset.pose.shape:
        return [Finding("normalisation", split, "note", "not checked: the recordings have no behaviour")]
    if np.array_equal(dataset.pose, dataset.pose_raw):
        return [Finding("normalisation", split, "ok", "behaviour is not normalised")]
    findings = []
    for animal in dataset.animals:
        every = [span for span in dataset.trials if span.animal == animal]
        # An animal of which nothing may be seen is scaled by itself.
        own = [span for span in every if span.sees_input] or every
        expected = normalise_pose(dataset.pose_raw, [replace(span, sees_input=span in own) for span in every])
        rows = np.concatenate([np.arange(span.samples.start, span.samples.stop) for span in every])
        apart = float(np.abs(dataset.pose[rows] - expected[rows]).max())
        if apart > 1e-3:
            message = (
                f"behaviour of {animal} is not normalised by its visible samples alone (up to {apart:.3g} standard "
                "deviations away)"
            )
            findings.append(Finding("normalisation", split, "error", message, {"difference": apart}))
    if not findings:
        message = f"behaviour of {len(dataset.animals)} animals is normalised by what may be seen of each"
        findings.append(Finding("normalisation", split, "ok", message))
    return findings


def _first(rows: pd.DataFrame) -> str:
    row = rows.iloc[0]
    return f"{row['animal']}/{row['trial']} frames {row['start']} to {row['stop']}"


def _recording(span: TrialSpan) -> str:
    return span.trial.split("/")[0]


def _owners(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """(frame,) and (sample,) int64: the trial that each belongs to, the last that claims it; -1 for none."""
    frames, samples = len(dataset.neural_time), len(dataset.pose)
    owners = np.full(frames, -1), np.full(samples, -1)
    for at, span in enumerate(dataset.trials):
        owners[0][span.frames] = at
        owners[1][span.samples] = at
    return owners


def _touched(windows: Windows, frames: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """(window, 2 + poses) int64: the trials that a window's first and last frame and its poses are of."""
    ends = windows.start[:, None] + [0, windows.frames - 1]
    return np.concatenate([frames[ends], samples[windows.pose]], axis=1)
