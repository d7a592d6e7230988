"""Leaks: does training use data that the split hides?

There are two questions. Does the split table satisfy its protocol? Do windows, swaps and statistics respect the table?
The second is answered from the frames of each piece, not from the flags that training uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from neural_action.datasets.dataset import Dataset, TrialRows, normalise_pose
from neural_action.datasets.layout import Layout
from neural_action.datasets.protocols import protocol_of
from neural_action.datasets.split_table import ROLES, Piece, Pieces, Row, SplitTable, overlaps
from neural_action.datasets.windows import Windows
from neural_action.diagnostics.finding import Finding, name
from neural_action.neighbors.table import HIDDEN, SwapTable


def check_table(table: SplitTable, split: str) -> list[Finding]:
    """Check the split table against the protocol of ``split``; no recording is read.

    Only the role train may use labels. Pretraining must not see tested frames, except under ``transductive``. Under
    ``new_animal`` it must not see the tested animal at all.
    """
    rows = [row for row in table.rows if row.split == split]
    protocol, test = protocol_of(split), [row for row in rows if row.role == "test"]
    tested = {row.animal for row in test} if protocol == "new_animal" else set()
    queries = {
        "training uses labels of frames outside the role train": [
            row for row in rows if row.sees_label and row.role != "train"
        ],
        "pretraining sees tested frames": [
            row for row in test if row.sees_input and protocol != "transductive"
        ],
        "pretraining sees frames of the tested animal": [
            row for row in rows if row.sees_input and row.animal in tested
        ],
    }
    findings = [
        Finding("leak", split, "error", f"{message}: {_first(bad)}", {"pieces": len(bad)})
        for message, bad in queries.items()
        if bad
    ]
    if not test:
        findings.append(Finding("leak", split, "error", "this split has no test frames"))
    if overlap := overlaps(rows):
        findings.append(Finding("leak", split, "error", overlap))
    if not findings:
        counts = {role: sum(row.role == role for row in rows) for role in ROLES}
        message = (
            f"{counts['test']} test pieces; inputs and labels are hidden as protocol {protocol} requires"
        )
        findings.append(Finding("leak", split, "ok", message, counts))
    return findings


def check_windows(
    layout: Layout, pieces: Pieces, dataset: Dataset, windows: Windows, stride: int, split: str
) -> list[Finding]:
    """Check windows against the split table, frame by frame and sample by sample.

    Which frames may be seen follows from the table and the layout, not from the flags of ``dataset``.

    Args:
        layout: the recordings.
        pieces: the pieces of the split.
        dataset: the dataset as a run of the split reads it.
        windows: the windows of the dataset.
        stride: subsampling step of behaviour; every ``stride``-th sample is kept.
        split: name of the split.
    """
    frames, samples = _owners(layout, pieces, stride)
    findings = []
    for trial in dataset.trials:
        used = {(trial.role, trial.sees_input)}
        expected = {frames.what(owner) for owner in np.unique(frames.piece[trial.frames])}
        if used != expected:
            message = f"is used as {_said(used)}, expected {_said(expected)} as in the split table"
            findings.append(Finding("leak", name(trial.animal, trial.name), "error", message))
    ends = windows.start[:, None] + np.arange(windows.frames)
    touched = np.concatenate([frames.piece[ends], samples[windows.pose]], axis=1)
    for flag, used_as in (
        ("sees_input", "are visible in pretraining, but the split hides them"),
        ("sees_label", "are trained on with labels, but the split hides these labels"),
    ):
        flagged = touched[getattr(windows, flag)]
        for at in np.unique(flagged):
            if at >= 0 and getattr(frames.pieces[at][2], flag):
                continue
            inside = int((flagged == at).any(1).sum())
            message = f"{inside} windows of {frames.called(at)} {used_as}"
            findings.append(Finding("leak", split, "error", message, {"windows": inside}))
    roles = np.array([frames.what(at)[0] for at in range(-1, len(frames.pieces))])[touched + 1]
    if mixed := int((roles != roles[:, :1]).any(1).sum()):
        message = f"{mixed} windows have frames or poses of two roles, expected one role"
        findings.append(Finding("leak", split, "error", message, {"windows": mixed}))
    if not findings:
        visible, hidden = int(windows.sees_input.sum()), sum(not one[2].sees_input for one in frames.pieces)
        message = f"none of the {visible} visible windows has data of the {hidden} hidden pieces"
        values = {"windows": visible, "hidden_trials": hidden}
        findings.append(Finding("leak", split, "ok", message, values))
    return findings


def check_gaps(dataset: Dataset, split: str, seconds: float) -> list[Finding]:
    """Check that at least ``seconds`` are left out between blocks of one recording with different roles.

    Neighbouring windows are similar, so they must not be split into training and test.
    """
    findings = []
    for before, after in zip(dataset.trials, dataset.trials[1:], strict=False):
        same = (before.animal, _recording(before)) == (after.animal, _recording(after))
        if not same or before.role == after.role:
            continue
        left = float(dataset.neural_time[after.frames.start] - dataset.neural_time[before.frames.stop - 1])
        if left < seconds * (1 - 1e-6):
            message = (
                f"starts {left:.3g} s after {before.name}, expected at least {seconds:g} s between the roles "
                f"{before.role} and {after.role}"
            )
            subject = name(after.animal, after.name)
            findings.append(Finding("leak", subject, "error", message, {"seconds": left}))
    if not findings:
        message = f"at least {seconds:g} s are left out between roles"
        findings.append(Finding("leak", split, "ok", message))
    return findings


def check_swaps(dataset: Dataset, table: SwapTable, split: str) -> list[Finding]:
    """Check that hidden samples are neither swapped nor swap targets, and that each target is of the right animal."""
    if len(table.targets) != len(dataset.pose) or tuple(table.animals) != dataset.animals:
        message = (
            f"the swap table has {len(table.targets)} poses of {len(table.animals)} animals, expected "
            f"{len(dataset.pose)} poses of {len(dataset.animals)} animals as in the recordings"
        )
        return [Finding("swaps", split, "error", message)]
    concealed, animal = ~dataset.pose_visible, dataset.pose_animal
    given = table.targets != HIDDEN
    findings = []
    outside = given & ((table.targets < 0) | (table.targets >= len(concealed)))
    targets = np.where(given & ~outside, table.targets, 0)
    for count, what in (
        (np.count_nonzero(outside), "swap targets are not poses of the dataset"),
        (
            np.count_nonzero(given & ~outside & concealed[targets]),
            "swap targets are poses of hidden trials",
        ),
        (
            np.count_nonzero(given.any((1, 2)) & concealed),
            "poses of hidden trials are swapped",
        ),
        (
            np.count_nonzero(given & ~outside & (animal[targets] != np.arange(given.shape[1])[:, None])),
            "swap targets are of another animal than expected",
        ),
    ):
        if count:
            findings.append(
                Finding("swaps", split, "error", f"{count} {what}", {"count": int(count), "what": what})
            )
    if not findings:
        message = f"all {int(given.sum()):,} swap targets are visible poses of their animal"
        findings.append(Finding("swaps", split, "ok", message, {"targets": int(given.sum())}))
    return findings


def check_normalisation(dataset: Dataset, split: str) -> list[Finding]:
    """Check that behaviour is normalised by samples of its animal outside the test, or not normalised."""
    if 0 in dataset.pose.shape:
        return [Finding("normalisation", split, "note", "not checked: the recordings have no behaviour")]
    if np.array_equal(dataset.pose, dataset.pose_raw):
        return [Finding("normalisation", split, "ok", "behaviour is not normalised")]
    findings = []
    for animal in dataset.animals:
        every = [trial for trial in dataset.trials if trial.animal == animal]
        visible = [trial for trial in every if trial.sees_input]
        # An animal without visible samples is normalised by its samples outside the test, if there are any.
        own = visible or [trial for trial in every if trial.role == "train"] or every
        expected = normalise_pose(
            dataset.pose_raw, [replace(trial, sees_input=trial in own) for trial in every]
        )
        rows = np.concatenate([np.arange(trial.samples.start, trial.samples.stop) for trial in every])
        apart = float(np.abs(dataset.pose[rows] - expected[rows] * dataset.pose_weight).max())
        if apart > 1e-3:
            message = (
                f"behaviour of {animal} differs by up to {apart:.3g} standard deviations from behaviour normalised by "
                "samples outside the test"
            )
            findings.append(Finding("normalisation", split, "error", message, {"difference": apart}))
    if not findings:
        message = (
            f"behaviour of {len(dataset.animals)} animals is normalised by samples of each outside the test"
        )
        findings.append(Finding("normalisation", split, "ok", message))
    return findings


def _first(rows: Sequence[Row]) -> str:
    return f"{rows[0].animal}/{rows[0].trial} frames {rows[0].start} to {rows[0].stop}"


def _recording(trial: TrialRows) -> str:
    return trial.name.split("/")[0]


@dataclass(frozen=True)
class _Frames:
    """The piece of the split table of each frame: ``piece`` (frame,) int64, -1 for none."""

    piece: np.ndarray
    pieces: list[tuple[str, str, Piece]]

    def what(self, at: int) -> tuple[str, bool]:
        """Role and visibility of piece number ``at``; ("none", False) for -1."""
        return ("none", False) if at < 0 else (self.pieces[at][2].role, self.pieces[at][2].sees_input)

    def called(self, at: int) -> str:
        """Name of piece number ``at`` in messages."""
        if at < 0:
            return "frames outside all pieces"
        animal, trial, piece = self.pieces[at]
        return f"{name(animal, trial)} from frame {piece.start}"


def _owners(layout: Layout, pieces: Pieces, stride: int) -> tuple[_Frames, np.ndarray]:
    """The piece of each frame, and (sample,) of each behaviour sample that is kept."""
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
