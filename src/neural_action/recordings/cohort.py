"""All recordings of a dataset laid end to end, as index, kernel fit, training and probing see them.

Neural frames of all trials form one array, behaviour samples another; a clip is a handful of row numbers into
each. What a holdout hides is still in the arrays (probing reads it), but ``visible`` says so, and every statistic
here is fitted on visible samples alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.config.settings import ClipSettings
from neural_action.errors import InputError
from neural_action.recordings.partitions import Assignment, Piece, read_partition
from neural_action.recordings.recording import Recording
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.recordings.store import Manifest, copy_neural, read_manifest, read_recording


@dataclass(frozen=True)
class TrialSpan:
    """Where a trial lies in the cohort's arrays.

    Of a recording that holds many trials, each has a span; of a split, each run of frames of one part of it has one.
    """

    animal: str
    trial: str
    fold: int
    visible: bool
    frames: slice
    samples: slice
    part: str = ""


@dataclass(frozen=True)
class Cohort:
    """Recordings laid end to end.

    Attributes:
        animals: names, sorted; an animal's number is its place here.
        trials: the spans of the trials.
        neural: (frame, y, x) or (frame, unit) float32; memory-mapped when larger than the limit given. Of animals
            with units of their own (``sessions``), side by side: NaN where a unit is another animal's.
        neural_time: (frame,) float64 s, starting anew in every trial.
        pose: (sample, feature) float32, every ``behavior_stride``-th behaviour sample, normalised.
        pose_raw: the same before normalisation, in the store's unit.
        pose_time: (sample,) float64 s.
        labels: (sample,) int8, -1 where unlabelled or not scored.
        class_names: the scored classes.
        behavior_names: names of keypoints or features.
        behavior_shape: shape of one behaviour sample, (feature,) or (keypoint, axis).
        neural_rate: frames per second.
        sessions: name and number of units of each animal, if each has units of its own.
    """

    animals: tuple[str, ...]
    trials: tuple[TrialSpan, ...]
    neural: np.ndarray
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

    @property
    def pose_animal(self) -> np.ndarray:
        """(sample,) int64: the animal of each behaviour sample."""
        return self._spread(lambda span: self.animals.index(span.animal))

    @property
    def pose_visible(self) -> np.ndarray:
        """(sample,) bool: whether pretraining may see the sample."""
        return self._spread(lambda span: span.visible).astype(bool)

    def _spread(self, value: Callable[[TrialSpan], int]) -> np.ndarray:
        out = np.zeros(len(self.pose), np.int64)
        for span in self.trials:
            out[span.samples] = value(span)
        return out


def read_assignment(path: Path, holdout: Holdout) -> Assignment:
    """What ``load_cohort`` takes as ``folds``: folds, or the pieces of the holdout's split. Raises as their readers."""
    return read_partition(path, holdout.fold) if holdout.splits else read_folds(path)


def load_cohort(
    manifests: Sequence[Path],
    folds: Assignment,
    holdout: Holdout,
    settings: ClipSettings,
    *,
    neural: bool = True,
    scratch: Path | None = None,
    memory_limit: float = np.inf,
    sessions: Sequence[tuple[str, int]] = (),
) -> Cohort:
    """Read verified recordings and lay them end to end, and the units of sessions side by side.

    Args:
        manifests: manifest of every recording of the dataset.
        folds: the fold of each (animal, trial); for the holdout of a split, its pieces.
        holdout: what pretraining does not see.
        settings: behaviour stride, scored classes, pose normalisation.
        neural: False leaves the neural array empty (the pose index needs none).
        scratch: folder for a memory-mapped neural array, used above ``memory_limit`` bytes.
        memory_limit: largest neural array held in memory, bytes.
        sessions: name and number of units of sessions to lay side by side, some of which may have no recording here;
            of a joint holdout, those of the animals without being asked.

    Raises:
        InputError: recordings that do not fit each other, an unknown scored class, or (from the store) a
            recording that does not match its manifest.
    """
    opened = sorted(
        ((read_manifest(path), path) for path in manifests), key=lambda pair: (pair[0].animal, pair[0].trial)
    )
    if holdout.kind == "split":
        opened = [pair for pair in opened if pair[0].animal == holdout.value]
        if not opened:
            raise InputError(f"holdout of {holdout.value}: no recording of that animal is given")
    first = opened[0][0]
    _check_distinct(opened)
    expected = {trial for trial in folds if holdout.kind != "split" or trial[0] == holdout.value}
    if missing := sorted(expected - {(manifest.animal, manifest.trial) for manifest, _ in opened}):
        raise InputError(f"trial {missing[0][1]} of {missing[0][0]} has a fold but no recording")
    for manifest, path in opened:
        if (manifest.animal, manifest.trial) not in folds:
            raise InputError(f"{path}: trial {manifest.trial} of {manifest.animal} has no fold or split")
        for what, here, there in (
            ("class_names", manifest.class_names, first.class_names),
            ("behaviour", manifest.behavior_names, first.behavior_names),
        ):
            if tuple(here) != tuple(there):
                raise InputError(f"{path}: {what} {here} differs from {there} in {opened[0][1]}")
    units = _units(opened)
    if holdout.kind == "joint" and not sessions:
        if images := [name for name, shape in units.items() if len(shape) != 1]:
            raise InputError(f"animal {images[0]}: has images, expected units: those are laid side by side")
        sessions = [(name, shape[0]) for name, shape in units.items()]
    frame_shape: tuple[int, ...] = units[first.animal]
    if sessions:
        frame_shape = (sum(count for _, count in sessions),)
    elif different := [name for name, shape in units.items() if shape != frame_shape]:
        found = units[different[0]]
        raise InputError(
            f"animal {different[0]}: neural frame {found} differs from {frame_shape} of {first.animal}"
        )
    frames = [manifest.arrays["neural"].shape[0] for manifest, _ in opened]
    shape = (sum(frames), *frame_shape)
    array = _allocate(shape, scratch, memory_limit) if neural else np.empty((0, *shape[1:]), np.float32)

    spans, parts = [], []
    frame = sample = 0
    for (manifest, path), count in zip(opened, frames, strict=True):
        recording = read_recording(path, with_neural=False)
        if neural and sessions:
            own = np.empty((count, *units[manifest.animal]), np.float32)
            copy_neural(path, own)
            array[frame : frame + count] = side_by_side(own, sessions, manifest.animal)
        elif neural:
            copy_neural(path, array[frame : frame + count])
        keep = slice(None, None, settings.behavior_stride)
        behavior = recording.behavior[keep]
        assigned = folds[manifest.animal, manifest.trial]
        fold = assigned if isinstance(assigned, int) else holdout.fold
        # A recording of one trial is one span, also where it holds samples that belong to no frame.
        for name, frames_of, samples_of, part, visible in _spans(recording, assigned, count, keep):
            spans.append(
                TrialSpan(
                    manifest.animal,
                    name,
                    fold,
                    visible and not holdout.hides(manifest.animal, fold),
                    slice(frame + frames_of.start, frame + frames_of.stop),
                    slice(sample + samples_of.start, sample + samples_of.stop),
                    part,
                )
            )
        parts.append((recording.neural_time, behavior, recording.behavior_time[keep], recording.labels[keep]))
        frame, sample = frame + count, sample + len(behavior)

    behavior_shape = parts[0][1].shape[1:]
    pose_raw = np.concatenate([part[1].reshape(len(part[1]), -1) for part in parts]).astype(np.float32)
    labels, class_names = _scored(np.concatenate([part[3] for part in parts]), first.class_names, settings)
    pose = normalise_pose(pose_raw, spans) if settings.pose_normalisation == "animal_zscore" else pose_raw
    return Cohort(
        animals=tuple(sorted({span.animal for span in spans})),
        trials=tuple(spans),
        neural=array,
        neural_time=np.concatenate([part[0] for part in parts]),
        pose=pose,
        pose_raw=pose_raw,
        pose_time=np.concatenate([part[2] for part in parts]),
        labels=labels,
        class_names=class_names,
        behavior_names=tuple(first.behavior_names),
        behavior_shape=tuple(behavior_shape),
        neural_rate=first.neural_rate,
        sessions=tuple(sessions),
    )


def side_by_side(neural: np.ndarray, sessions: Sequence[tuple[str, int]], session: str) -> np.ndarray:
    """(frame, unit) of one session as (frame, units of all), NaN where a unit is another session's.

    InputError for a session that is not one of ``sessions``, or whose units are not as many.
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


def _units(opened: Sequence[tuple[Manifest, Path]]) -> dict[str, tuple[int, ...]]:
    """Shape of a neural frame of each animal. InputError if an animal's recordings differ in it."""
    units: dict[str, tuple[int, ...]] = {}
    for manifest, path in opened:
        here = tuple(manifest.arrays["neural"].shape[1:])
        there = units.setdefault(manifest.animal, here)
        if here != there:
            raise InputError(f"{path}: neural frame {here} differs from {there} of the same animal")
    return units


def _spans(
    recording: Recording, assigned: int | Sequence[Piece], count: int, keep: slice
) -> list[tuple[str, slice, slice, str, bool]]:
    """Name, frames, samples, part and visibility within its split of each span of a recording of ``count`` frames."""
    index = recording.neural_index[keep]
    if isinstance(assigned, int):
        if recording.segment is None:
            return [(recording.trial, slice(0, count), slice(0, len(index)), "", True)]
        pieces = [Piece(name, start, stop, "", True) for name, start, stop in recording.segments]
    else:
        pieces = list(assigned)
        if pieces[-1].stop > count:
            raise InputError(
                f"{recording.animal}/{recording.trial}: its split ends at frame {pieces[-1].stop}, it has {count} "
                "frames; rerun rule splits"
            )
    out = []
    for piece in pieces:
        samples = np.searchsorted(index, [piece.start, piece.stop])
        name = f"{recording.trial}/{piece.segment}"
        out.append(
            (name, slice(piece.start, piece.stop), slice(*map(int, samples)), piece.part, piece.visible)
        )
    return out


def _check_distinct(opened: Sequence[tuple[Manifest, Path]]) -> None:
    """InputError for two recordings of one name, or with the same neural data under two names."""
    known: dict[tuple[str, tuple[str, ...]], Path] = {}
    for manifest, path in opened:
        name, content = (manifest.animal, manifest.trial), manifest.arrays["neural"].sha256
        for key in (("name", name), ("neural data", content)):
            if key in known:
                raise InputError(f"{path}: has the {key[0]} of {known[key]}, expected a recording of its own")
            known[key] = path


def normalise_pose(pose: np.ndarray, trials: Sequence[TrialSpan]) -> np.ndarray:
    """z-score each animal's pose by its own visible samples, without labels (our choice).

    An animal of which nothing is visible is scaled by its own hidden samples: that uses no label and no other
    animal, and is what a user with a new animal would do. Features without variance become 0.
    """
    out = np.empty_like(pose)
    for animal in {span.animal for span in trials}:
        own = [span for span in trials if span.animal == animal]
        fit = np.concatenate(
            [pose[span.samples] for span in own if span.visible] or [pose[span.samples] for span in own]
        )
        mean, sd = fit.mean(0, dtype=np.float64), fit.std(0, dtype=np.float64)
        scale = np.where(sd > 1e-6 * max(1.0, float(sd.max())), sd, np.inf)
        for span in own:
            out[span.samples] = (pose[span.samples] - mean) / scale
    return out


def _scored(
    labels: np.ndarray, names: Sequence[str], settings: ClipSettings
) -> tuple[np.ndarray, tuple[str, ...]]:
    if settings.scored_classes is None:
        return labels, tuple(names)
    if unknown := [name for name in settings.scored_classes if name not in names]:
        raise InputError(f"clips.scored_classes: {unknown[0]!r} is not one of {', '.join(names)}")
    number = np.full(len(names) + 1, -1, np.int8)
    for new, name in enumerate(settings.scored_classes):
        number[list(names).index(name)] = new
    return number[labels], tuple(settings.scored_classes)


def _allocate(shape: tuple[int, ...], scratch: Path | None, limit: float) -> np.ndarray:
    if 4 * np.prod(shape, dtype=float) <= limit or scratch is None:
        return np.empty(shape, np.float32)
    return np.lib.format.open_memmap(scratch / "neural.npy", mode="w+", dtype=np.float32, shape=shape)
