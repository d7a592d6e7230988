"""Leaks: is anything that a split must not see among what it trains on?

Two questions. Does the split table keep what its protocol promises? Do windows, swaps and statistics keep to the table?
The second is answered from the frames that each piece owns, not from the flags that training uses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from neural_action.datasets.dataset import Dataset, TrialSpan, normalise_pose
from neural_action.datasets.layout import Layout
from neural_action.datasets.protocols import protocol_of
from neural_action.datasets.split_table import Piece, Pieces, SplitTable
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


def check_windows(
    layout: Layout, pieces: Pieces, dataset: Dataset, windows: Windows, stride: int, split: str
) -> list[Finding]:
    """That windows keep to the split table, frame by frame and sample by sample.

    What may be seen follows here from the table and the layout alone, not from the flags of ``dataset``.

    Args:
        layout: the recordings.
        pieces: of the split.
        dataset: as a run of the split reads it.
        windows: of the dataset.
        stride: every how many samples behaviour is kept.
        split: its name.
    """
    frames, samples = _owners(layout, pieces, stride)
    findings = []
    for span in dataset.trials:
        used = {(span.role, span.sees_input)}
        expected = {frames.what(owner) for owner in np.unique(frames.piece[span.frames])}
        if used != expected:
            message = f"is used as {_said(used)}, the split table says {_said(expected)}"
            findings.append(Finding("leak", name(span.animal, span.trial), "error", message))
    ends = windows.start[:, None] + np.arange(windows.frames)
    touched = np.concatenate([frames.piece[ends], samples[windows.pose]], axis=1)
    for flag, used_as in (
        ("sees_input", "which it must not see, are trained on"),
        ("sees_label", "whose labels it must not use, are trained with"),
    ):
        flagged = touched[getattr(windows, flag)]
        for at in np.unique(flagged):
            if at >= 0 and getattr(frames.pieces[at][2], flag):
                continue
            inside = int((flagged == at).any(1).sum())
            message = f"{inside} windows of {frames.called(at)}, {used_as}"
            findings.append(Finding("leak", split, "error", message, {"windows": inside}))
    roles = np.array([frames.what(at)[0] for at in range(-1, len(frames.pieces))])[touched + 1]
    if mixed := int((roles != roles[:, :1]).any(1).sum()):
        message = f"{mixed} windows hold frames or poses of two roles"
        findings.append(Finding("leak", split, "error", message, {"windows": mixed}))
    if not findings:
        visible, hidden = int(windows.sees_input.sum()), sum(not one[2].sees_input for one in frames.pieces)
        message = f"none of {visible} windows that may be trained on holds data of the {hidden} hidden trials"
        values = {"windows": visible, "hidden_trials": hidden}
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
    if len(table.targets) != len(dataset.pose) or tuple(table.animals) != dataset.animals:
        message = (
            f"the swap table is of {len(table.targets)} poses of {len(table.animals)} animals, the recordings "
            f"hold {len(dataset.pose)} of {len(dataset.animals)}"
        )
        return [Finding("swaps", split, "error", message)]
    concealed, animal = ~dataset.pose_visible, dataset.pose_animal
    given = table.targets != HIDDEN
    findings = []
    outside = given & ((table.targets < 0) | (table.targets >= len(concealed)))
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


@dataclass(frozen=True)
class _Frames:
    """Which piece of the split table each frame is in: ``piece`` (frame,) int64, -1 in none."""

    piece: np.ndarray
    pieces: list[tuple[str, str, Piece]]

    def what(self, at: int) -> tuple[str, bool]:
        """Role and visibility of piece number ``at``; of -1 none."""
        return ("none", False) if at < 0 else (self.pieces[at][2].role, self.pieces[at][2].sees_input)

    def called(self, at: int) -> str:
        """The piece as a subject."""
        if at < 0:
            return "frames that are in no piece"
        animal, trial, piece = self.pieces[at]
        return f"{name(animal, trial)} from frame {piece.start}"


def _owners(layout: Layout, pieces: Pieces, stride: int) -> tuple[_Frames, np.ndarray]:
    """The pieces of frames, and (sample,) those of the behaviour samples that are kept."""
    every: list[tuple[str, str, Piece]] = []
    count = layout.entries[-1].frames.stop - layout.entries[0].frames.start
    frames, samples = np.full(count, -1), []
    for entry in layout.entries:
        first = entry.frames.start - layout.entries[0].frames.start
        for piece in pieces[entry.animal, entry.trial]:
            frames[first + piece.start : first + piece.stop] = len(every)
            every.append((entry.animal, entry.trial, piece))
        kept = np.arange(entry.samples.start, entry.samples.stop, stride)
        samples.append(frames[first + layout.arrays["neural_index"][kept]])
    return _Frames(frames, every), np.concatenate(samples)


def _said(found: set[tuple[str, bool]]) -> str:
    return " and ".join(f"{role} ({'seen' if seen else 'hidden'})" for role, seen in sorted(found))
