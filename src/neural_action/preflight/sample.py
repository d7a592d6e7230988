"""Read a few trials of each animal: shapes, clocks, classes, and the correlation of activity with movement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from neural_action.calcium.rest import motion_energy
from neural_action.config.settings import ConvertSettings
from neural_action.preflight.alike import Form
from neural_action.preflight.rests import Motion
from neural_action.recordings.plausible import doubtful_units
from neural_action.recordings.readers import load_reader
from neural_action.recordings.recording import Recording
from neural_action.recordings.resample import resampled
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.steps import sampled_frames
from neural_action.recordings.streams import Stream

#: For synchrony (our choice): maximum frames and bytes to read, largest lag (s), number of random shifts.
FRAMES, BYTES, LAG, SHIFTS = 2000, 64 << 20, 2.0, 200


@dataclass(frozen=True)
class Look:
    """Summary of a trial.

    Attributes:
        row: row of the samples table.
        seconds: time from the first to the last neural frame, s.
        frames, samples: number of neural frames and of behaviour samples.
        segments: number of trials in the recording; 0 if the recording is one trial.
        form: shapes and names.
        motion: motion, from which rests are found.
        neural_rate, behavior_rate: frames and samples per second.
        gaps: number of steps of the neural clock longer than 1.5 periods.
        covered: fraction of the neural frames that have behaviour.
        counts: (class + 1,) number of unlabelled samples, then of samples of each class.
        class_names: names of the classes.
        lags: (lag,) s; positive: neural activity follows behaviour.
        correlation: (lag,) correlation of motion energy with mean neural activity; empty if there is too little data.
        chance: 95th percentile of the largest absolute correlation after random circular shifts.
        notes: notes of the reader.
        recorded_rates: neural frames and behaviour samples per second as recorded, before any resampling.
        doubtful: reason -> names of units that cannot be trusted.
        streams: streams of the whole recording, each with its clock.
        part: train, validation or test, if the recordings were published with such parts; otherwise empty.
    """

    row: SampleRow
    seconds: float
    frames: int
    samples: int
    segments: int
    form: Form
    motion: Motion
    neural_rate: float
    behavior_rate: float
    gaps: int
    covered: float
    counts: np.ndarray
    class_names: tuple[str, ...]
    lags: np.ndarray
    correlation: np.ndarray
    chance: float
    notes: tuple[str, ...] = ()
    recorded_rates: tuple[float, float] = (0.0, 0.0)
    doubtful: Mapping[str, list[str]] = field(default_factory=dict)
    streams: tuple[Stream, ...] = ()
    part: str = ""


def look_at(root: Path, rows: list[SampleRow], settings: ConvertSettings, energy: str) -> Iterator[Look]:
    """Summarise each trial: read its clocks and behaviour, and part of its neural activity.

    Args:
        root: the raw folder.
        rows: the trials.
        settings: reader and its options.
        energy: ``positions`` or ``velocities`` (``calcium.behavior``).

    Raises:
        InputError: a recording cannot be read.
    """
    for row, recording in read_rows(root, rows, settings):
        yield _look(root, row, recording, settings, energy)


def read_rows(
    root: Path, rows: list[SampleRow], settings: ConvertSettings
) -> Iterator[tuple[SampleRow, Recording]]:
    """Each row with its recording; consecutive rows of one recording read it once. InputError from the reader."""
    reader = load_reader(settings.reader)
    options = reader.Options.parse(settings.reader_options)
    names = None if settings.class_names is None else tuple(settings.class_names)
    last: tuple[str, Recording] | None = None
    for row in rows:
        where = str(root / row.path)
        # Only rows with a start are parts of one recording; a file may also hold several whole recordings.
        if last is None or row.start is None or last[0] != row.path:
            last = row.path, reader.read(root, row, options, names).check(where)
        yield row, last[1] if row.part is None else last[1].between(*row.part, where)


def _look(root: Path, row: SampleRow, recording: Recording, settings: ConvertSettings, energy: str) -> Look:
    recorded, doubtful = (recording.neural_rate, recording.behavior_rate), _doubtful(recording, settings)
    recording = resampled(recording, settings.neural_rate, settings.behavior_rate, str(root / row.path))
    clock = recording.neural_time
    period = float(np.median(np.diff(clock))) if len(clock) > 1 else np.inf
    lags, correlation, chance = synchrony(recording, energy)
    return Look(
        row=row,
        seconds=float(clock[-1] - clock[0]),
        frames=len(clock),
        samples=len(recording.behavior),
        segments=len(recording.segments),
        form=Form.of(replace(recording, animal=row.animal, trial=row.trial)),
        motion=Motion.of(recording, settings.root_relative, energy),
        neural_rate=recording.neural_rate,
        behavior_rate=recording.behavior_rate,
        gaps=int((np.diff(clock) > 1.5 * period).sum()),
        covered=len(np.unique(recording.neural_index)) / len(clock),
        counts=np.bincount(recording.labels.astype(int) + 1, minlength=len(recording.class_names) + 1),
        class_names=recording.class_names,
        lags=lags,
        correlation=correlation,
        chance=chance,
        notes=recording.notes,
        recorded_rates=recorded,
        doubtful=doubtful,
        streams=recording.streams
        or tuple(
            Stream.of(name, times, "the reader does not name its file, signal and clock (Recording.streams)")
            for name, times in (("neural", clock), ("behavior", recording.behavior_time))
            if name == "neural" or 0 not in recording.behavior.shape
        ),
        part=recording.part,
    )


def _doubtful(recording: Recording, settings: ConvertSettings) -> dict[str, list[str]]:
    """Reason -> names of units that cannot be trusted; empty for images."""
    if recording.neural.ndim != 2:
        return {}
    frames = np.asarray(sampled_frames(recording.neural), np.float32)
    found = doubtful_units(frames, settings.dff.percentile if settings.dff is not None else None)
    names = recording.neural_names or tuple(map(str, range(frames.shape[1])))
    return {reason: [names[unit] for unit in units] for reason, units in found.items()}


def synchrony(recording: Recording, energy: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Lagged correlation of log motion energy with mean neural activity, and its chance level (our choice).

    Reads at most ``FRAMES`` frames, from the first one with behaviour. Units or pixels are z-scored before the mean.
    Chance is the 95th percentile, over random circular shifts by at least twice the largest lag, of the largest
    absolute correlation.

    Args:
        recording: the trial.
        energy: ``positions`` or ``velocities`` (``calcium.behavior``).

    Returns:
        (lag,) s, (lag,) correlation, and chance. Both arrays are empty and chance is NaN if there are fewer than 50
        frames or samples, fewer frames than 8 times the largest lag, no movement or constant activity.
    """
    nothing = np.empty(0), np.empty(0), float("nan")
    first = int(recording.neural_index[0])
    frame_bytes = 4 * int(np.prod(recording.neural.shape[1:]))
    count = max(1, min(FRAMES, BYTES // frame_bytes))
    block = np.asarray(recording.neural[first : first + count], np.float32).reshape(-1, frame_bytes // 4)
    time = recording.neural_time[first : first + len(block)]
    if len(block) < 50:
        return nothing
    step = float(np.median(np.diff(time)))
    reach = max(1, round(LAG / step))
    sd = block.std(0)
    activity = ((block - block.mean(0)) / np.where(sd > 0, sd, np.inf)).mean(1)
    moving = motion_energy(np.asarray(recording.behavior), recording.behavior_time, energy)
    good = np.isfinite(moving)
    if good.sum() < 50 or not moving[good].max() > 0:
        return nothing
    floor = max(float(np.quantile(moving[good], 0.05)), 1e-6 * float(moving[good].max()))
    moving = np.interp(time, recording.behavior_time[good], np.log(np.maximum(moving[good], floor)))
    if len(time) < 8 * reach or activity.std() == 0 or moving.std() == 0:
        return nothing
    lags = np.arange(-reach, reach + 1)
    late = _normed(np.lib.stride_tricks.sliding_window_view(activity, len(activity) - 2 * reach))
    shifts = np.random.default_rng(0).integers(2 * reach, len(moving) - 2 * reach, SHIFTS)
    shifted = _normed(np.stack([np.roll(moving, shift)[reach:-reach] for shift in shifts]))
    chance = float(np.quantile(np.abs(shifted @ late.T).max(1), 0.95))
    return lags * step, late @ _normed(moving[None, reach:-reach])[0], chance


def _normed(rows: np.ndarray) -> np.ndarray:
    """Rows with mean 0 and norm 1, so that their products are correlations; constant rows become 0."""
    centred = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(length > 0, length, np.inf)
