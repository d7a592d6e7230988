"""The canonical recording: one trial of one animal, whatever the raw files looked like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from neural_action.config.kinds import MOST_CLASSES
from neural_action.errors import InputError
from neural_action.recordings.streams import Stream
from neural_action.text import has_hidden

UNLABELLED = -1
_OF_SAMPLES = ("behavior", "behavior_time", "labels")


@dataclass(frozen=True)
class Recording:
    """Neural activity and behaviour of one trial, on two clocks that share one zero.

    Attributes:
        animal: name of the animal; unique in a dataset.
        trial: name of the trial; unique within its animal.
        neural: (time, y, x) or (time, channel, y, x) images or (time, unit) traces, float16/32, or uint8 where
            255 stands for 1; a NumPy or a lazy dask array.
        neural_time: (time,) float64, seconds, strictly increasing.
        behavior: (sample, feature) or (sample, keypoint, axis), float32; NumPy or dask. (sample, 0) where none was
            recorded.
        behavior_time: (sample,) float64, seconds, strictly increasing.
        labels: (sample,) int8 index into ``class_names``; ``UNLABELLED`` where there is none.
        neural_index: (sample,) int32, the neural frame that each behaviour sample belongs to; non-decreasing.
        class_names: the action classes.
        behavior_names: keypoint names for (sample, keypoint, axis), feature names for (sample, feature).
        neural_rate: neural frames per second.
        behavior_rate: behaviour samples per second.
        units: unit of each array, such as ``{"neural": "dF/F", "behavior": "mm"}``.
        sources: SHA-256 of each raw file, by its path relative to the raw folder.
        segment: (frame,) int32, the behavioural trial of each neural frame, a place in ``segment_names``, in runs that
            do not come back; None for a recording that is one trial itself.
        segment_names: names of those trials, in the order of time.
        unit_names: the cell that each unit is, where it is known, else an empty text; none for a recording that knows
            no cell. Only references that match cells use them.
        notes: what the reader did that a user should know, such as units that it left out; ``check`` prints them.
        neural_names: of the units, where the file names them; else empty.
        neural_source: which signal of the raw files the neural activity is, in a phrase; "" where there is no choice.
        part: train, validation or test, where the recordings were published in these parts; else "".
        streams: what was read, before the clocks were put on one zero and samples left out.
    """

    animal: str
    trial: str
    neural: Any
    neural_time: np.ndarray
    behavior: Any
    behavior_time: np.ndarray
    labels: np.ndarray
    neural_index: np.ndarray
    class_names: tuple[str, ...]
    behavior_names: tuple[str, ...]
    neural_rate: float
    behavior_rate: float
    units: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    segment: np.ndarray | None = None
    segment_names: tuple[str, ...] = ()
    unit_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    neural_names: tuple[str, ...] = ()
    neural_source: str = ""
    part: str = ""
    streams: tuple[Stream, ...] = ()

    @property
    def segments(self) -> list[tuple[str, int, int]]:
        """Name, first frame and end of each trial in a recording that holds many, in the order of time; else none."""
        if self.segment is None:
            return []
        edges = np.flatnonzero(np.diff(self.segment, prepend=-1, append=-1)).tolist()
        return [(self.segment_names[self.segment[start]], start, stop) for start, stop in pairwise(edges)]

    def check(self, where: str) -> Recording:
        """Return this recording, or raise InputError naming ``where`` and the first thing that is inconsistent."""
        frames, samples = self.neural.shape[0], self.behavior.shape[0]
        for name, length, expected in (
            ("neural_time", len(self.neural_time), frames),
            ("behavior_time", len(self.behavior_time), samples),
            ("labels", len(self.labels), samples),
            ("neural_index", len(self.neural_index), samples),
        ):
            if length != expected:
                raise InputError(f"{where}: {name} has {length} entries, expected {expected}")
        if frames == 0 or samples == 0:
            raise InputError(
                f"{where}: {frames} neural frames and {samples} behaviour samples, expected at least one each"
            )
        if self.neural.ndim not in (2, 3, 4):
            raise InputError(
                f"{where}: neural has shape {self.neural.shape}, expected (time, y, x), (time, channel, y, x) or "
                "(time, unit)"
            )
        if self.behavior.ndim not in (2, 3):
            raise InputError(
                f"{where}: behavior has shape {self.behavior.shape}, expected (time, feature) or (time, keypoint, axis)"
            )
        if self.unit_names and (self.neural.ndim, self.neural.shape[1]) != (2, len(self.unit_names)):
            raise InputError(
                f"{where}: {len(self.unit_names)} unit names for neural activity of shape {self.neural.shape}"
            )
        if len(self.behavior_names) != self.behavior.shape[1]:
            raise InputError(
                f"{where}: {len(self.behavior_names)} behaviour names for {self.behavior.shape[1]} columns"
            )
        self._check_names(where)
        for name, clock in (("neural_time", self.neural_time), ("behavior_time", self.behavior_time)):
            if not np.all(np.isfinite(clock)):
                raise InputError(
                    f"{where}: {name} holds NaN or infinity at entry {int(np.argmin(np.isfinite(clock)))}"
                )
            steps = np.diff(clock)
            if len(steps) and steps.min() <= 0:
                at = int(np.argmax(steps <= 0))
                raise InputError(
                    f"{where}: {name} runs backwards at entry {at + 1} ({clock[at]:g} s then {clock[at + 1]:g} s), "
                    "expected strictly increasing times"
                )
        low, high = int(self.neural_index.min()), int(self.neural_index.max())
        if low < 0 or high >= frames:
            bad = low if low < 0 else high
            raise InputError(f"{where}: neural_index {bad} points outside the {frames} neural frames")
        if np.any(np.diff(self.neural_index) < 0):
            at = int(np.argmax(np.diff(self.neural_index) < 0))
            raise InputError(
                f"{where}: neural_index runs backwards at entry {at + 1}, expected non-decreasing frames"
            )
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < UNLABELLED or high >= len(self.class_names):
            bad = low if low < UNLABELLED else high
            raise InputError(
                f"{where}: label {bad} belongs to no class, expected {UNLABELLED} (unlabelled) or "
                f"0 to {len(self.class_names) - 1} ({', '.join(self.class_names)})"
            )
        if self.segment is not None:
            self._check_segments(self.segment, where, frames)
        return self

    def between(self, start: float, stop: float, where: str) -> Recording:
        """The frames from ``start`` to before ``stop`` (s, neural clock) and their behaviour; times stay as they are.

        InputError, naming ``where``, if that leaves nothing.
        """
        first, last = np.searchsorted(self.neural_time, (start, stop))
        samples = np.flatnonzero((self.neural_index >= first) & (self.neural_index < last))
        if last - first < 1 or len(samples) < 1:
            raise InputError(
                f"{where}: {last - first} neural frames and {len(samples)} behaviour samples from {start:g} to "
                f"{stop:g} s, expected some of {self.neural_time[0]:g} to {self.neural_time[-1]:g} s"
            )
        kept = {name: getattr(self, name)[samples] for name in _OF_SAMPLES}
        return replace(
            self,
            neural=self.neural[first:last],
            neural_time=self.neural_time[first:last],
            neural_index=(self.neural_index[samples] - first).astype(np.int32),
            segment=None if self.segment is None else self.segment[first:last],
            **kept,
        )

    def _check_names(self, where: str) -> None:
        if len(self.class_names) > MOST_CLASSES:
            raise InputError(
                f"{where}: {len(self.class_names)} actions, expected at most {MOST_CLASSES}, which int8 counts"
            )
        for kind, names in (("action", self.class_names), ("behaviour", self.behavior_names)):
            for name in names:
                if not name.strip() or has_hidden(name):
                    raise InputError(
                        f"{where}: {kind} {name!r}, expected a name that is not blank, without control characters"
                    )
        if len(set(self.class_names)) < len(self.class_names):
            raise InputError(f"{where}: two actions have the same name, expected a name each")

    def _check_segments(self, segment: np.ndarray, where: str, frames: int) -> None:
        if len(segment) != frames:
            raise InputError(f"{where}: segment has {len(segment)} entries, expected {frames}")
        if np.any(np.diff(segment) < 0):
            at = int(np.argmax(np.diff(segment) < 0))
            raise InputError(
                f"{where}: segment runs backwards at entry {at + 1}, expected non-decreasing trials"
            )
        low, high = int(segment[0]), int(segment[-1])
        if low < 0 or high >= len(self.segment_names):
            bad = low if low < 0 else high
            raise InputError(
                f"{where}: segment {bad} is none of the {len(self.segment_names)} that have names"
            )
        if len(set(self.segment_names)) < len(self.segment_names):
            raise InputError(f"{where}: two segments have the same name, expected a name each")
