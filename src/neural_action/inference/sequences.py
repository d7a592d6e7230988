"""Input of a model in a common form: neural frames with times, names, and labels if there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.config.settings import ConvertSettings
from neural_action.datasets.windows import nearest
from neural_action.errors import InputError
from neural_action.inference.given import Data, as_array, is_array, listed
from neural_action.recordings.convert import normalised
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.resample import at_rate, resampled
from neural_action.recordings.store import Manifest, read_manifest, read_recording
from neural_action.recordings.streams import rate_of

#: Relative tolerance of rates (our choice): within a window of 32 frames, the error is less than a frame.
RATE_TOLERANCE = 0.02
#: Tolerance of the range [0, 1] of scaled frames, because of rounding in float16.
_RANGE_SLACK = 0.01
#: Steps of ``convert`` that change neural values or their shape.
STEPS = ("dff", "scale", "resize")


@dataclass(frozen=True)
class NeuralSequence:
    """One trial as a model reads it.

    Attributes:
        where: name in messages.
        animal: name of the animal.
        trial: name of the trial.
        neural: (frame, ...) float.
        time: (frame,) float64 s.
        labels: (sample,) int64, indices into ``class_names``; -1 unlabelled.
        label_time: (sample,) float64 s, on the same clock as ``time``.
        class_names: the action classes.
    """

    where: str
    animal: str
    trial: str
    neural: np.ndarray
    time: np.ndarray
    labels: np.ndarray
    label_time: np.ndarray
    class_names: tuple[str, ...]

    def label_at(self, moments: np.ndarray) -> np.ndarray:
        """(moment,) int64: label nearest to each moment (s); -1 if none is within 1.5 label periods."""
        if len(self.labels) < 2:
            return np.full(len(moments), UNLABELLED, np.int64)
        at = nearest(self.label_time, moments)
        near = np.abs(self.label_time[at] - moments) <= 1.5 * np.median(np.diff(self.label_time))
        return np.where(near, self.labels[at], UNLABELLED)


def sequences(
    data: Data,
    trained_on: Mapping[str, Any],
    *,
    rate: float | None = None,
    time: np.ndarray | Sequence[np.ndarray] | None = None,
    convert: bool = False,
) -> Iterator[NeuralSequence]:
    """The trials in ``data``, one after another, each checked against the training recordings of the model.

    Trials within a recording (``segment``) are separate, with names ``<trial>/<segment>``.

    Args:
        data: path of a manifest, of a store beside one, or of a folder of these; a ``Recording``; an array (frame, ...)
            of NumPy, torch, xarray or dask; or a list of these.
        trained_on: ``recordings`` of the model's description.
        rate: frames per second of arrays.
        time: (frame,) s of arrays, instead of ``rate``; a list for a list of arrays. A DataArray with times as the
            coordinate of its frames needs neither.
        convert: whether to apply the conversion steps of the model's recordings to arrays and recordings in memory,
            with statistics of each recording, as ``convert`` does. Stores are already converted.

    Raises:
        InputError: recordings that cannot be read, or that differ from the training recordings.
    """
    given = listed(data)
    if not given:
        raise InputError("recordings: none given, expected at least one")
    clocks = time if isinstance(time, list | tuple) else [time] * len(given)
    if len(clocks) != len(given):
        raise InputError(f"time: {len(clocks)} clocks for {len(given)} recordings, expected one each")
    for at, (one, clock) in enumerate(zip(given, clocks, strict=True)):
        if isinstance(one, str | Path):
            path = manifest_path(Path(one))
            check_steps(read_manifest(path), path, trained_on, STEPS)
            recording = read_recording(path)
            yield from _segments(_checked(_of_recording(recording, str(path)), trained_on), recording)
        elif isinstance(one, Recording):
            if convert and trained_on["steps"].get("neural_rate") is not None:
                one = resampled(one, trained_on["steps"]["neural_rate"], None, f"recording {at}")
            sequence = _in_memory(one, trained_on, convert=convert)
            yield from _segments(_checked(sequence, trained_on), one)
        elif is_array(one):
            values, own = as_array(one)
            clock = own if clock is None and rate is None else clock
            yield _checked(_array(values, at, rate, clock, trained_on, convert=convert), trained_on)
        else:
            raise InputError(
                f"recordings: {type(one).__name__} at index {at}, expected a path, a Recording or an array"
            )


def manifest_path(path: Path) -> Path:
    """The path of a manifest, from that path or from the path of the store beside it."""
    return path.with_name(f"{path.stem}.manifest.json") if path.suffix == ".zarr" else path


def _segments(whole: NeuralSequence, recording: Recording) -> Iterator[NeuralSequence]:
    """The trials of a recording, or the recording if it is one trial. Labels are not cut, as they are found by time."""
    if recording.segment is None:
        yield whole
        return
    for name, start, stop in recording.segments:
        yield replace(
            whole, trial=f"{whole.trial}/{name}", neural=whole.neural[start:stop], time=whole.time[start:stop]
        )


def check_steps(manifest: Manifest, path: Path, trained_on: Mapping[str, Any], steps: Sequence[str]) -> None:
    """Raise InputError if ``steps`` of a store differ from those of the model's recordings."""
    for step in steps:
        here, there = manifest.attributes["steps"].get(step), trained_on["steps"].get(step)
        if here != there:
            raise InputError(
                f"{path}: converted with convert.{step} {here}, the model was trained with {there}; convert it like "
                "the model's recordings"
            )


def check_rate(where: str, what: str, here: float, there: float) -> None:
    """Raise InputError if a rate differs from that of the training recordings."""
    if abs(here / there - 1) > RATE_TOLERANCE:
        raise InputError(
            f"{where}: {here:.4g} {what} per second, the model was trained on {there:.4g} (within {RATE_TOLERANCE:.0%})"
        )


def _in_memory(recording: Recording, trained_on: Mapping[str, Any], *, convert: bool) -> NeuralSequence:
    where = f"recording {recording.animal}/{recording.trial}"
    recording.check(where)
    sequence = _of_recording(recording, where)
    return _converted(sequence, trained_on) if convert else sequence


def _of_recording(recording: Recording, where: str) -> NeuralSequence:
    return NeuralSequence(
        where,
        recording.animal,
        recording.trial,
        np.asarray(recording.neural),
        np.asarray(recording.neural_time, np.float64),
        np.asarray(recording.labels, np.int64),
        np.asarray(recording.behavior_time, np.float64),
        recording.class_names,
    )


def _array(
    values: np.ndarray,
    at: int,
    rate: float | None,
    clock: np.ndarray | None,
    trained_on: Mapping[str, Any],
    *,
    convert: bool,
) -> NeuralSequence:
    where = f"array {at}"
    if values.ndim < 2 or values.dtype.kind not in "fiu" or not len(values):
        raise InputError(f"{where}: {values.dtype} of shape {values.shape}, expected numbers (frame, ...)")
    if rate is not None and clock is None:
        if not rate > 0:
            raise InputError(f"{where}: rate {rate!r}, expected frames per second above 0")
        time = np.arange(len(values)) / rate
    elif clock is not None and rate is None:
        time = np.asarray(clock, np.float64)
    else:
        raise InputError(f"{where}: expected either the rate or the times of its frames")
    if time.shape != (len(values),) or not np.isfinite(time).all() or (np.diff(time) <= 0).any():
        raise InputError(
            f"{where}: time of shape {time.shape}, expected {len(values)} increasing finite seconds"
        )
    none = np.empty(0, np.int64), np.empty(0)
    sequence = NeuralSequence(where, "", f"{at}", values, time, *none, ())
    return _converted(sequence, trained_on) if convert else sequence


def _converted(sequence: NeuralSequence, trained_on: Mapping[str, Any]) -> NeuralSequence:
    """The sequence after the conversion steps of the model, with its own statistics."""
    steps = {key: trained_on["steps"][key] for key in (*STEPS, "dtype") if key in trained_on["steps"]}
    if steps.get("scale") is not None:
        # Models of older versions, without the key `per`, were trained on traces scaled per trial.
        steps["scale"] = {"per": "trial", **steps["scale"]}
    settings = ConvertSettings.model_validate({"reader": "array", **steps})
    values, time = np.asarray(sequence.neural, np.float32), sequence.time
    if not np.isfinite(values).all():
        raise InputError(f"{sequence.where}: holds NaN or infinity, expected finite values")
    rate = trained_on["steps"].get("neural_rate")
    if rate is not None and len(time) > 1 and not np.isclose(np.median(np.diff(time)) * rate, 1, rtol=1e-6):
        frames, time, _ = at_rate(values, time, rate)
        values = np.asarray(frames)
    return replace(sequence, neural=np.asarray(normalised(settings, values)), time=time)


def _checked(sequence: NeuralSequence, trained_on: Mapping[str, Any]) -> NeuralSequence:
    where, values = sequence.where, sequence.neural
    expected = tuple(trained_on["neural_shape"])
    if sessions := trained_on.get("sessions"):
        if sequence.animal not in sessions:
            raise InputError(
                f"{where}: animal {sequence.animal or '(none)'}, the model only has units of {', '.join(sessions)}; "
                "adapt it to a new animal first (adapt, neural-action adapt-animal)"
            )
        expected = (sessions[sequence.animal],)
    if values.shape[1:] != expected:
        raise InputError(
            f"{where}: neural frames of shape {values.shape[1:]}, the model was trained on {expected}"
        )
    if len(sequence.time) > 1:
        check_rate(where, "neural frames", rate_of(sequence.time), trained_on["neural_rate"])
    if not np.isfinite(values).all():
        raise InputError(f"{where}: holds NaN or infinity, expected finite values")
    if trained_on["steps"].get("scale") is not None:
        low, high = float(values.min()), float(values.max())
        if low < -_RANGE_SLACK or high > 1 + _RANGE_SLACK:
            raise InputError(
                f"{where}: values from {low:.4g} to {high:.4g}, the model was trained on trials scaled to 0 to 1 "
                f"(convert.scale {trained_on['steps']['scale']}); convert=True scales them"
            )
    return sequence
