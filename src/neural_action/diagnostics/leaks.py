"""Leaks: is anything that a run must not see among what it trains on?

These checks do not trust the flags that training uses: what is hidden follows anew from folds and holdout, or from the
parts of a split and its protocol, and is looked for in clips, swaps and statistics.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neural_action.diagnostics.finding import Finding, name
from neural_action.neighbors.table import HIDDEN, SwapTable
from neural_action.datasets.windows import Windows
from neural_action.datasets.dataset import Dataset, TrialSpan, normalise_pose
from neural_action.datasets.partitions import SEEN, Assignment
from neural_action.recordings.splits import Holdout


def check_leak(
    dataset: Dataset, clips: Windows, assigned: Assignment, holdout: str, protocol: str = ""
) -> list[Finding]:
    """That visible clips hold no frame and no sample of a hidden trial, and no clip those of two folds or parts.

    Args:
        dataset: as the run reads it.
        clips: its clips.
        assigned: the fold of each trial, or the pieces of the split.
        holdout: its name.
        protocol: of the split, which says what its parts are for.
    """
    subject, must_hide = called(holdout), _hidden(dataset, assigned, holdout, protocol)
    frames, samples = _owners(dataset)
    findings = []
    for at, span in enumerate(dataset.trials):
        used, expected = span.part or span.fold, _assigned(span, assigned)
        if used != expected:
            message = f"is used in {_group(used)}, expected {_group(expected)}"
            findings.append(Finding("leak", name(span.animal, span.trial), "error", message))
        shared = np.count_nonzero(frames[span.frames] != at) + np.count_nonzero(samples[span.samples] != at)
        if shared:
            message = f"shares {shared} frames and samples with other trials"
            findings.append(Finding("leak", name(span.animal, span.trial), "error", message))
    visible = clips.take(clips.sees_input)
    touched = _touched(visible, frames, samples)
    for at in np.flatnonzero(must_hide):
        inside = int((touched == at).any(1).sum())
        if inside:
            span = dataset.trials[at]
            message = (
                f"{inside} clips of {name(span.animal, span.trial)}, which it must not see, are trained on"
            )
            findings.append(Finding("leak", subject, "error", message, {"clips": inside}))
    groups = np.array([_group(_assigned(span, assigned)) for span in dataset.trials])
    group_of = np.unique(groups, return_inverse=True)[1]
    touched = _touched(clips, frames, samples)
    mixed = int((group_of[touched].min(1) != group_of[touched].max(1)).sum())
    if mixed:
        message = f"{mixed} clips hold frames or poses of two folds or parts"
        findings.append(Finding("leak", subject, "error", message, {"clips": mixed}))
    if not findings:
        count = int(must_hide.sum())
        message = (
            f"none of {len(visible)} clips that may be trained on holds data of the {count} hidden trials"
        )
        findings.append(
            Finding("leak", subject, "ok", message, {"clips": len(visible), "hidden_trials": count})
        )
    return findings


def check_gaps(dataset: Dataset, holdout: str, seconds: float) -> list[Finding]:
    """That ``seconds`` are left out between pieces of a recording, cut by time, that are in different parts of a split.

    Neighbouring bins are alike: of two that are next to each other one must not train and one test.
    """
    findings = []
    for before, after in zip(dataset.trials, dataset.trials[1:], strict=False):
        if before.trial.split("/")[0] != after.trial.split("/")[0] or before.part == after.part:
            continue
        left = float(dataset.neural_time[after.frames.start] - dataset.neural_time[before.frames.stop - 1])
        if left < seconds * (1 - 1e-6):
            message = (
                f"starts {left:.3g} s after {before.trial}, which is in {before.part} and this in {after.part}, "
                f"expected at least {seconds:g} s"
            )
            subject = name(after.animal, after.trial)
            findings.append(Finding("leak", subject, "error", message, {"seconds": left}))
    if not findings:
        message = f"at least {seconds:g} s are left out between parts"
        findings.append(Finding("leak", called(holdout), "ok", message))
    return findings


def check_swaps(dataset: Dataset, table: SwapTable, assigned: Assignment, holdout: str) -> list[Finding]:
    """That hidden samples are neither swapped nor swap targets, and a target is of the animal that it stands for."""
    subject, must_hide = called(holdout), _hidden(dataset, assigned, holdout)
    samples = _owners(dataset)[1]
    if len(table.targets) != len(dataset.pose) or tuple(table.animals) != dataset.animals:
        message = (
            f"the swap table is of {len(table.targets)} poses of {len(table.animals)} animals, the recordings "
            f"hold {len(dataset.pose)} of {len(dataset.animals)}"
        )
        return [Finding("swaps", subject, "error", message)]
    concealed = must_hide[samples]
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
                Finding("swaps", subject, "error", f"{count} {what}", {"count": int(count), "what": what})
            )
    if not findings:
        message = f"all {int(given.sum())} swap targets are visible poses of their animal"
        findings.append(Finding("swaps", subject, "ok", message, {"targets": int(given.sum())}))
    return findings


def check_normalisation(
    dataset: Dataset, assigned: Assignment, holdout: str, protocol: str = ""
) -> list[Finding]:
    """That behaviour is normalised by the visible samples of its animal, or not at all."""
    subject, hidden = called(holdout), _hidden(dataset, assigned, holdout, protocol)
    if 0 in dataset.pose.shape:
        return [Finding("normalisation", subject, "note", "not checked: the recordings have no behaviour")]
    if np.array_equal(dataset.pose, dataset.pose_raw):
        return [Finding("normalisation", subject, "ok", "behaviour is not normalised")]
    seen = [span for span, conceal in zip(dataset.trials, hidden, strict=True) if not conceal]
    findings = []
    for animal in dataset.animals:
        own = [span for span in seen if span.animal == animal]
        # Nothing of it may be seen: it is scaled by itself.
        fitted = own or [span for span in dataset.trials if span.animal == animal]
        every = [span for span in dataset.trials if span.animal == animal]
        expected = normalise_pose(dataset.pose_raw, [replace(span, visible=span in fitted) for span in every])
        rows = np.concatenate([np.arange(span.samples.start, span.samples.stop) for span in every])
        apart = float(np.abs(dataset.pose[rows] - expected[rows]).max())
        if apart > 1e-3:
            message = (
                f"behaviour of {animal} is not normalised by its visible samples alone (up to {apart:.3g} standard "
                "deviations away)"
            )
            findings.append(Finding("normalisation", subject, "error", message, {"difference": apart}))
    if not findings:
        message = f"behaviour of {len(dataset.animals)} animals is normalised by what may be seen of each"
        findings.append(Finding("normalisation", subject, "ok", message))
    return findings


def called(holdout: str) -> str:
    """What findings call a run: its holdout; of a split, the animal and the number."""
    hidden = Holdout.parse(holdout)
    return f"{hidden.value}, split {hidden.fold}" if hidden.kind == "split" else holdout


def _hidden(dataset: Dataset, assigned: Assignment, holdout: str, protocol: str = "") -> np.ndarray:
    """(trial,) bool: what the run must not see."""
    hidden = Holdout.parse(holdout)
    where = [_assigned(span, assigned) for span in dataset.trials]
    return np.array(
        [
            hidden.hides(span.animal, group) if isinstance(group, int) else group not in SEEN[protocol]
            for span, group in zip(dataset.trials, where, strict=True)
        ]
    )


def _assigned(span: TrialSpan, assigned: Assignment) -> int | str:
    """The fold of a trial, or the part of the split that its piece is in."""
    recording, _, segment = span.trial.partition("/")
    found = assigned[span.animal, recording]
    if isinstance(found, int):
        return found
    return next(piece.part for piece in found if piece.segment == segment)


def _group(where: int | str) -> str:
    return where if isinstance(where, str) else f"fold {where}"


def _owners(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """(frame,) and (sample,) int64: the trial that each belongs to, the last that claims it; -1 for none."""
    frames, samples = len(dataset.neural), len(dataset.pose)
    # The neural array is empty where it was not read.
    frames = max(frames, *(span.frames.stop for span in dataset.trials))
    owners = np.full(frames, -1), np.full(samples, -1)
    for at, span in enumerate(dataset.trials):
        owners[0][span.frames] = at
        owners[1][span.samples] = at
    return owners


def _touched(clips: Windows, frames: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """(clip, 2 + poses) int64: the trials that a clip's first and last frame and its poses are of."""
    ends = clips.start[:, None] + [0, clips.frames - 1]
    return np.concatenate([frames[ends], samples[clips.pose]], axis=1)
