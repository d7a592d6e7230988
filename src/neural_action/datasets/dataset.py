"""A dataset as one run sees it: the arrays of a layout, the trials in them, and their visibility.

Neural frames of all trials form one array and behaviour samples another; a window is a set of row numbers of both.
Hidden data are in the arrays too, because probes read them, but have ``sees_input`` False. Statistics are fitted on
visible data only.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.config.settings import WindowSettings
from neural_action.datasets.layout import DESCRIPTION, Entry, Layout, open_layout
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.split_table import Piece, Pieces, SplitTable
from neural_action.errors import InputError


@dataclass(frozen=True)
class TrialRows:
    """The rows of a trial, or of a piece of a trial in a split, in the arrays of a dataset.

    Attributes:
        animal: name of the animal.
        name: name of the recording, or ``<recording>/<trial>`` for a trial within a recording.
        frames, samples: its rows in ``neural`` and ``pose``.
        role: train, validation or test in its split; empty without a split.
        sees_input: whether pretraining may see it.
        sees_label: whether its labels may be used for training.
    """

    animal: str
    name: str
    frames: slice
    samples: slice
    role: str = ""
    sees_input: bool = True
    sees_label: bool = True


@dataclass(frozen=True)
class Dataset:
    """Concatenated recordings.

    Attributes:
        animals: names, sorted; the number of an animal is its index here.
        trials: the rows of each trial.
        neural: (frame, y, x) or (frame, unit) float32; empty if it was not requested. ``RaggedFrames`` if animals have
            their own units. With ``sessions``, units are side by side, and NaN in frames of other animals.
        neural_time: (frame,) float64 s, on the clock of each recording.
        pose: (sample, feature) float32, every ``behavior_stride``-th behaviour sample, normalised.
        pose_raw: ``pose`` before normalisation, in the unit of the store.
        pose_weight: what z-scores were multiplied by, (feature,) float32, or 1.
        pose_time: (sample,) float64 s.
        labels: (sample,) int16, -1 if unlabelled or not scored.
        class_names: the scored classes.
        behavior_names: names of keypoints or features.
        behavior_shape: shape of one behaviour sample, (feature,) or (keypoint, axis).
        neural_rate: frames per second.
        sessions: name and number of units of each animal, if units are side by side.
        units: name and number of units of each animal where they differ and are not laid side by side.
    """

    animals: tuple[str, ...]
    trials: tuple[TrialRows, ...]
    neural: np.ndarray | RaggedFrames
    neural_time: np.ndarray
    pose: np.ndarray
    pose_raw: np.ndarray
    pose_time: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    behavior_names: tuple[str, ...]
    behavior_shape: tuple[int, ...]
    neural_rate: float
    sessions: tuple[tuple[str, int], ...] = ()
    units: tuple[tuple[str, int], ...] = ()
    pose_weight: np.ndarray | float = 1.0

    @property
    def pose_animal(self) -> np.ndarray:
        """(sample,) int64: the animal of each behaviour sample."""
        return self._spread(lambda trial: self.animals.index(trial.animal))

    @property
    def pose_visible(self) -> np.ndarray:
        """(sample,) bool: whether pretraining may see the sample."""
        return self._spread(lambda trial: trial.sees_input).astype(bool)

    @property
    def fitted(self) -> np.ndarray:
        """(trial,) bool: ``may_fit`` of each trial."""
        return may_fit(self.trials)

    def _spread(self, value: Callable[[TrialRows], int]) -> np.ndarray:
        out = np.zeros(len(self.pose), np.int64)
        for trial in self.trials:
            out[trial.samples] = value(trial)
        return out


@dataclass(frozen=True)
class Source:
    """The input of a stage: a dataset and its splits.

    Attributes:
        folder: folder of the layout.
        splits: path of the split table; None if everything is visible.
        names: names of the splits; without names, everything is visible.
        animal: the only animal that is read; None for all.
        joint: whether units of different animals are put side by side.
    """

    folder: Path
    splits: Path | None = None
    names: tuple[str, ...] = ()
    animal: str | None = None
    joint: bool = False

    def table(self) -> SplitTable:
        """The split table. InputError if there is none."""
        if self.splits is None:
            raise InputError(f"split {self.names[0] if self.names else '(any)'}: --splits is missing")
        return SplitTable.read(self.splits)

    def layout(self, *, neural: bool = True) -> Layout:
        """The layout. Raises InputError as ``open_layout``."""
        return open_layout(self.folder, neural=neural)

    def open(self, settings: WindowSettings, *, neural: bool = True) -> Dataset:
        """The dataset as the splits see it. InputError if they see different inputs, or as ``dataset_of``."""
        pieces = self.table().inputs(self.names, self.animal) if self.names else None
        layout = self.layout(neural=neural)
        return dataset_of(layout, pieces, settings, animal=self.animal, joint=self.joint)

    def digest(self) -> bytes:
        """Digest of everything that is read, for fingerprints."""
        digest = hashlib.sha256((self.folder / DESCRIPTION).read_bytes())
        digest.update(b"" if self.splits is None else self.splits.read_bytes())
        return digest.digest()


def dataset_of(
    layout: Layout,
    pieces: Pieces | None,
    settings: WindowSettings,
    *,
    animal: str | None = None,
    joint: bool = False,
    sessions: Sequence[tuple[str, int]] = (),
) -> Dataset:
    """A layout as one split sees it.

    Args:
        layout: the recordings.
        pieces: pieces of the split; None: everything is visible.
        settings: behaviour stride, scored classes, pose normalisation.
        animal: the only animal that is read; None for all.
        joint: whether units of different animals are put side by side.
        sessions: name and number of units of the animals whose units are put side by side, which need not have a
            recording here; with ``joint`` and no sessions, the animals of the layout.

    Raises:
        InputError: a split that does not fit the recordings, an unknown animal or scored class, or animals whose
            images differ.
    """
    entries = [entry for entry in layout.entries if animal in (None, entry.animal)]
    if not entries:
        raise InputError(f"animal {animal!r}: is not one of {', '.join(layout.animals)}")
    if pieces is not None:
        _check_fits(entries, pieces)
    if joint and not sessions:
        if images := [entry.animal for entry in entries if len(entry.frame_shape) != 1]:
            raise InputError(f"animal {images[0]}: has images, expected units, which can be put side by side")
        sessions = tuple({entry.animal: entry.frame_shape[0] for entry in entries}.items())
    units = () if sessions or not len(layout.arrays["neural"]) else own_units(entries, settings)
    trials, rows = [], []
    frame = sample = 0
    for entry in entries:
        keep = np.arange(entry.samples.start, entry.samples.stop, settings.behavior_stride)
        own = None if pieces is None else pieces[entry.animal, entry.trial]
        for name, frames, samples, piece in _parts(layout, entry, own, keep):
            trials.append(
                TrialRows(
                    entry.animal,
                    name,
                    slice(frame + frames.start, frame + frames.stop),
                    slice(sample + samples.start, sample + samples.stop),
                    piece.role,
                    piece.sees_input,
                    piece.sees_label,
                )
            )
        rows.append(keep)
        frame, sample = frame + entry.frames.stop - entry.frames.start, sample + len(keep)
    kept = np.concatenate(rows)
    arrays = layout.arrays
    pose_raw = arrays["behavior"][kept]
    labels, class_names = _scored(arrays["labels"][kept], layout.class_names, settings)
    names = tuple(layout.attributes["behavior_names"])
    weight = np.ones(pose_raw.shape[1], np.float32)
    if settings.pose_normalisation == "block_zscore":
        weight = block_weights(names, layout.behavior_shape)
    pose = pose_raw if settings.pose_normalisation == "none" else normalise_pose(pose_raw, trials) * weight
    return Dataset(
        animals=tuple(sorted({trial.animal for trial in trials})),
        trials=tuple(trials),
        neural=_neural(layout, entries, tuple(sessions), ragged=bool(units)),
        neural_time=np.concatenate([arrays["neural_time"][entry.frames] for entry in entries]),
        pose=pose,
        pose_raw=pose_raw,
        pose_time=arrays["behavior_time"][kept],
        labels=labels,
        class_names=class_names,
        behavior_names=names,
        behavior_shape=layout.behavior_shape,
        neural_rate=layout.neural_rate,
        sessions=tuple(sessions),
        units=units,
        pose_weight=weight,
    )


def own_units(entries: Sequence[Entry], settings: WindowSettings) -> tuple[tuple[str, int], ...]:
    """Name and number of units of each animal where animals have their own (``windows.units``), otherwise ().

    InputError if images differ or are to be animals' own, or units that are to be shared differ in number.
    """
    shape, images = entries[0].frame_shape, any(len(entry.frame_shape) != 1 for entry in entries)
    different = [entry for entry in entries if entry.frame_shape != shape]
    if different and (images or settings.units == "shared"):
        what = "" if images else "windows.units is shared, but "
        raise InputError(
            f"animal {different[0].animal}: {what}neural frame {different[0].frame_shape} differs from {shape} of "
            f"{entries[0].animal}"
        )
    if images and settings.units == "own":
        raise InputError(
            f"windows.units: own, but neural frames of {entries[0].animal} are images, expected units"
        )
    units = {entry.animal: entry.frame_shape[0] for entry in entries}
    return tuple(units.items()) if are_own(units, settings) else ()


def are_own(units: Mapping[str, int], settings: WindowSettings) -> bool:
    """Whether animals have their own units, from the number of units of each (``windows.units``)."""
    differ = settings.units is None and len(set(units.values())) > 1
    return len(units) > 1 and (settings.units == "own" or differ)


def _neural(
    layout: Layout, entries: list[Entry], sessions: tuple[tuple[str, int], ...], *, ragged: bool
) -> np.ndarray | RaggedFrames:
    """(frame, ...) float32 of all ``entries``: a view of the layout, or a copy with units side by side."""
    shape = entries[0].frame_shape
    if not len(layout.arrays["neural"]):
        return np.empty((0, *shape), np.float32)
    if sessions:
        parts = [side_by_side(layout.neural(entry), sessions, entry.animal) for entry in entries]
        return np.concatenate(parts)
    # Entries are sorted by animal, so the entries of one animal, or of all, are contiguous.
    if ragged:
        by_animal = {
            entry.animal: [one for one in entries if one.animal == entry.animal] for entry in entries
        }
        return RaggedFrames([_end_to_end(layout, own) for own in by_animal.values()])
    return _end_to_end(layout, entries)


def _end_to_end(layout: Layout, entries: list[Entry]) -> np.ndarray:
    values = layout.arrays["neural"][entries[0].values.start : entries[-1].values.stop]
    return values.reshape(-1, *entries[0].frame_shape)


def _check_fits(entries: Sequence[Entry], pieces: Pieces) -> None:
    """Raise InputError unless the split is of these recordings."""
    names = {(entry.animal, entry.trial): entry for entry in entries}
    if missing := sorted(set(pieces) - set(names)):
        animal, trial = missing[0]
        raise InputError(f"split table: trial {trial} of {animal} has no recording; rerun rule splits")
    for (animal, trial), entry in names.items():
        if (animal, trial) not in pieces:
            raise InputError(f"split table: trial {trial} of {animal} is missing; rerun rule splits")
        count = entry.frames.stop - entry.frames.start
        if (stop := pieces[animal, trial][-1].stop) > count:
            raise InputError(
                f"split table: {animal}/{trial} ends at frame {stop}, but has {count} frames; rerun rule splits"
            )


def _parts(
    layout: Layout, entry: Entry, pieces: Sequence[Piece] | None, keep: np.ndarray
) -> list[tuple[str, slice, slice, Piece]]:
    """Name, frames and samples (within the recording) of each piece, or of each trial without a split."""
    count = entry.frames.stop - entry.frames.start
    if pieces is None:
        parts = [(start, stop) for _, start, stop in entry.segments] or [(0, count)]
        pieces = [Piece(start, stop, "", True, True) for start, stop in parts]
    names = {start: name for name, start, _ in entry.segments}
    index = layout.arrays["neural_index"][keep]
    out = []
    for piece in pieces:
        # The only trial of a recording includes samples that belong to no frame.
        if (piece.start, piece.stop) == (0, count) and not names:
            out.append((entry.trial, slice(0, count), slice(0, len(index)), piece))
            continue
        samples = np.searchsorted(index, [piece.start, piece.stop])
        name = f"{entry.trial}/{names.get(piece.start, piece.start)}"
        out.append((name, slice(piece.start, piece.stop), slice(*map(int, samples)), piece))
    return out


def side_by_side(neural: np.ndarray, sessions: Sequence[tuple[str, int]], session: str) -> np.ndarray:
    """(frame, unit) of one session as (frame, units of all sessions) float32; units of other sessions are NaN.

    Raises InputError for a session that is not one of ``sessions``, or has another number of units.
    """
    at = 0
    for name, count in sessions:
        if name == session:
            if neural.shape[1:] != (count,):
                raise InputError(f"session {session}: neural frames {neural.shape[1:]}, expected ({count},)")
            out = np.full((len(neural), sum(units for _, units in sessions)), np.nan, np.float32)
            out[:, at : at + count] = neural
            return out
        at += count
    raise InputError(f"session {session!r}: is not one of {', '.join(name for name, _ in sessions)}")


def may_fit(trials: Sequence[TrialRows]) -> np.ndarray:
    """(trial,) bool: whether statistics and closed forms of the trial's animal may be fitted to its unlabelled pairs.

    These are the visible trials. Of an animal that pretraining does not see, they are those outside the test.
    """
    seen = {trial.animal for trial in trials if trial.sees_input}
    return np.array(
        [trial.sees_input or (trial.animal not in seen and trial.role == "train") for trial in trials], bool
    )


def normalise_pose(pose: np.ndarray, trials: Sequence[TrialRows]) -> np.ndarray:
    """(sample, feature) float32: each animal's pose, z-scored by its own trials of ``may_fit``, without labels.

    An animal of which all trials are tested is z-scored by these, as a user with a new animal would do. No labels and
    no other animals are used (our choice). Constant features become 0.
    """
    out = np.empty_like(pose)
    kept = [trial for trial, fitted in zip(trials, may_fit(trials), strict=True) if fitted]
    for animal in {trial.animal for trial in trials}:
        own = [trial for trial in trials if trial.animal == animal]
        fitted = [trial for trial in kept if trial.animal == animal] or own
        fit = np.concatenate([pose[trial.samples] for trial in fitted])
        mean, sd = fit.mean(0, dtype=np.float64), fit.std(0, dtype=np.float64)
        scale = np.where(sd > 1e-6 * sd.max(initial=1.0), sd, np.inf)
        for trial in own:
            out[trial.samples] = (pose[trial.samples] - mean) / scale
    return out


def block_weights(names: Sequence[str], shape: Sequence[int]) -> np.ndarray:
    """(feature,) float32: 1 / sqrt(n) for each of the n variables of a block.

    A block is the variables whose names differ in a number at the end alone, as ``body_angle_1`` and ``body_angle_2``.
    With these weights, z-scored blocks have the same variance, whatever their number of variables: block scaling
    (Westerhuis et al. 1998), as in multi-block component analysis.

    Args:
        names: names of keypoints or features.
        shape: shape of one behaviour sample, (feature,) or (keypoint, axis).
    """
    blocks = [re.sub(r"[\s_.-]*\d+$", "", name) for name in names]
    axes = math.prod(shape[1:])
    weights = [1 / math.sqrt(blocks.count(block) * axes) for block in blocks]
    return np.repeat(np.array(weights, np.float32), axes)


def _scored(
    labels: np.ndarray, names: Sequence[str], settings: WindowSettings
) -> tuple[np.ndarray, tuple[str, ...]]:
    if settings.scored_classes is None:
        return labels, tuple(names)
    if unknown := [name for name in settings.scored_classes if name not in names]:
        raise InputError(f"windows.scored_classes: {unknown[0]!r} is not one of {', '.join(names)}")
    number = np.full(len(names) + 1, -1, np.int16)
    for new, name in enumerate(settings.scored_classes):
        number[list(names).index(name)] = new
    return number[labels], tuple(settings.scored_classes)
