"""The canonical recording: one trial of one animal, independent of the raw format."""

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
    """Neural activity and behaviour of one trial, on two clocks with the same zero.

    Attributes:
        animal: name of the animal; unique in a dataset.
        trial: name of the trial; unique within its animal.
        neural: (time, y, x) or (time, channel, y, x) images or (time, unit) traces, float16 or float32, or uint8 with
            255 for 1; a NumPy or a lazy dask array.
        neural_time: (time,) float64, seconds, strictly increasing.
        behavior: (sample, feature) or (sample, keypoint, axis), float32; NumPy or dask. (sample, 0) if none was
            recorded.
        behavior_time: (sample,) float64, seconds, strictly increasing.
        labels: (sample,) int16 index into ``class_names``, or ``UNLABELLED``.
        neural_index: (sample,) int32, the neural frame of each behaviour sample; non-decreasing.
        class_names: the action classes.
        behavior_names: keypoint names for (sample, keypoint, axis), feature names for (sample, feature).
        neural_rate: neural frames per second.
        behavior_rate: behaviour samples per second.
        units: unit of each array, such as ``{"neural": "dF/F", "behavior": "mm"}``.
        sources: SHA-256 of each raw file, by its path relative to the raw folder.
        segment: (frame,) int32, non-decreasing: the behavioural trial of each neural frame, an index into
            ``segment_names``; None if the recording is one trial.
        segment_names: names of these trials, in temporal order.
        unit_names: identified cell of each unit, "" if unknown; empty for a recording without identified cells. Only
            references that match cells use them.
        notes: what the reader did that a user should know, such as units that it left out; ``check`` prints them.
        neural_names: names of the units, if the file has them; otherwise empty.
        part: train, validation or test, if the recordings were published in these parts; otherwise "".
        streams: the streams as read, before samples were left out, each with its file, signal, unit and clock; ``init``
            and ``check`` print them.
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
    part: str = ""
    streams: tuple[Stream, ...] = ()

    @property
    def segments(self) -> list[tuple[str, int, int]]:
        """Name, first frame and end (exclusive) of each segment, in temporal order; empty without segments."""
        if self.segment is None:
            return []
        edges = np.flatnonzero(np.diff(self.segment, prepend=-1, append=-1)).tolist()
        return [(self.segment_names[self.segment[start]], start, stop) for start, stop in pairwise(edges)]

    def check(self, where: str) -> Recording:
        """Return this recording. InputError naming ``where`` and the first inconsistency, if there is one."""
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
                f"{where}: {frames} neural frames and {samples} behaviour samples, expected at least one of each"
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
                f"{where}: {len(self.unit_names)} unit names, expected one for each unit of neural activity of shape "
                f"{self.neural.shape}"
            )
        if len(self.behavior_names) != self.behavior.shape[1]:
            raise InputError(
                f"{where}: {len(self.behavior_names)} behaviour names, expected {self.behavior.shape[1]}, one for each "
                "keypoint or feature"
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
                    f"{where}: {name} does not increase at entry {at + 1} ({clock[at]:g} s, then {clock[at + 1]:g} s), "
                    "expected strictly increasing times"
                )
        low, high = int(self.neural_index.min()), int(self.neural_index.max())
        if low < 0 or high >= frames:
            bad = low if low < 0 else high
            raise InputError(
                f"{where}: neural_index {bad}, expected 0 to {frames - 1} ({frames} neural frames)"
            )
        if np.any(np.diff(self.neural_index) < 0):
            at = int(np.argmax(np.diff(self.neural_index) < 0))
            raise InputError(
                f"{where}: neural_index decreases at entry {at + 1}, expected non-decreasing frames"
            )
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < UNLABELLED or high >= len(self.class_names):
            bad = low if low < UNLABELLED else high
            raise InputError(
                f"{where}: label {bad}, expected {UNLABELLED} (unlabelled) or "
                f"0 to {len(self.class_names) - 1} ({', '.join(self.class_names)})"
            )
        if self.segment is not None:
            self._check_segments(self.segment, where, frames)
        return self

    def between(self, start: float, stop: float, where: str) -> Recording:
        """The frames from ``start`` to before ``stop`` (s, neural clock) and their behaviour; times are not shifted.

        InputError, naming ``where``, if no frame or no sample is left.
        """
        first, last = np.searchsorted(self.neural_time, (start, stop))
        samples = np.flatnonzero((self.neural_index >= first) & (self.neural_index < last))
        if last - first < 1 or len(samples) < 1:
            raise InputError(
                f"{where}: {last - first} neural frames and {len(samples)} behaviour samples from {start:g} to "
                f"{stop:g} s, expected at least one of each; the recording is from {self.neural_time[0]:g} to "
                f"{self.neural_time[-1]:g} s"
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
            raise InputError(f"{where}: {len(self.class_names)} actions, expected at most {MOST_CLASSES}")
        for kind, names in (("action", self.class_names), ("behaviour", self.behavior_names)):
            for name in names:
                if not name.strip() or has_hidden(name):
                    raise InputError(
                        f"{where}: {kind} {name!r}, expected a name that is not blank, without control characters"
                    )
        if len(set(self.class_names)) < len(self.class_names):
            raise InputError(f"{where}: two actions have the same name, expected different names")

    def _check_segments(self, segment: np.ndarray, where: str, frames: int) -> None:
        if len(segment) != frames:
            raise InputError(f"{where}: segment has {len(segment)} entries, expected {frames}")
        if np.any(np.diff(segment) < 0):
            at = int(np.argmax(np.diff(segment) < 0))
            raise InputError(f"{where}: segment decreases at entry {at + 1}, expected non-decreasing numbers")
        low, high = int(segment[0]), int(segment[-1])
        if low < 0 or high >= len(self.segment_names):
            bad = low if low < 0 else high
            raise InputError(
                f"{where}: segment {bad}, expected 0 to {len(self.segment_names) - 1}, the named segments"
            )
        if len(set(self.segment_names)) < len(self.segment_names):
            raise InputError(f"{where}: two segments have the same name, expected different names")
