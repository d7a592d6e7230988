"""Reader of centre-out reaches of monkeys (release of Azabou et al., MYOW).

Each recording is one session: firing rates in bins of each reach, the velocity of the hand, and the direction of the
reach. A session comes in several forms, which differ in the file name ``full-<session>...``:

- ``-bin<s>-vel_thresh<v>.pkl``: one graph of torch_geometric for each trial, with the bins in which the hand is faster
  than v;
- ``-bin<s>-vel_thresh<v>.npz``: the same arrays, concatenated, without pickles;
- ``-<s>.pkl``: lists of NumPy arrays with all bins;
- ``.mat``: a trial table, spike times and hand movements, which this reader bins.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.matlab import load_mat, numbers, variable
from neural_action.recordings.pickles import load_npz
from neural_action.recordings.readers import ReaderOptions, hidden, renamed
from neural_action.recordings.recording import Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream
from neural_action.recordings.trial_pickles import load_trial_pickle

EXPECTED = "files full-<session>[-bin<s>-vel_thresh<v>].(pkl|npz|mat)"
DIRECTIONS = 8
CLASS_NAMES = tuple(f"reach_{45 * direction}" for direction in range(DIRECTIONS))
BEHAVIOR_NAMES = ("velocity_x", "velocity_y")
TRIAL = "reaches"
#: Time between two trials, in bins (our choice): the files do not hold the real time.
PAUSE = 10
_FILE = re.compile(
    r"(full-)?(?P<session>.+?)(-(bin)?(?P<bin>\d+\.\d+)(-vel_thresh(?P<speed>\d+\.\d+))?)?\.(?P<form>pkl|npz|mat)"
)
_FORMS = ("pkl", "npz", "mat")
# Names of the same arrays in older pickles, which hold all bins of a trial and number the trials in `sequence`.
_OLDER = {"firing_rates": "x", "velocity": "vel", "labels": "y"}
# Columns of the trial table (the release's code): direction, go cue, end of the trial.
_DIRECTION, _BEGIN, _END = 1, 9, 12

Trial = dict[str, np.ndarray]


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        sessions: sessions to read, such as ``chewie-10032013``; null for all.
        bin_seconds: width of a bin, s.
        speed_threshold: bins in which the hand is not faster are left out, in the files' unit of velocity.
        blocks: recordings into which each session is cut, of consecutive reaches and of similar length, so that folds
            of recordings can be tested; null keeps a session whole.
    """

    sessions: Annotated[list[str], Field(min_length=1)] | None = None
    bin_seconds: Annotated[float, Field(gt=0)] = 0.1
    speed_threshold: Annotated[float, Field(ge=0)] = 5.0
    blocks: Annotated[int, Field(ge=2)] | None = None


def scan(folder: Path, options: Options) -> list[SampleRow]:
    """One row for each session, animal ``<session>`` and trial ``reaches``, or for each of its ``blocks``, ``001``, ...

    If a session has several files, those with the wanted bins are preferred; then those from which slow bins must be
    dropped; then raw files, which must be binned. Pickles come before ``.npz``. InputError if a session has no file
    with these bins, or fewer reaches than ``blocks``; and, with ``blocks``, as ``read``.
    """
    found: dict[str, list[tuple[tuple, Path]]] = {}
    for path in sorted(folder.rglob("*")):
        match = _FILE.fullmatch(path.name)
        if match and path.is_file() and not hidden(path, folder):
            found.setdefault(match["session"], [])
            if (rank := _rank(match, options)) is not None:
                found[match["session"]].append((rank, path))
    usable = {session: min(files)[1] for session, files in found.items() if files}
    for session in options.sessions or sorted(found):
        if session not in usable:
            raise InputError(
                f"{folder}: no file of session {session} with bins of {options.bin_seconds:g} s and a speed threshold "
                f"of at most {options.speed_threshold:g}, expected {EXPECTED}; sessions: {', '.join(found) or 'none'}"
            )
    return [
        row
        for session in options.sessions or sorted(usable)
        for row in _rows(folder, session, usable[session], options)
    ]


def _rows(folder: Path, session: str, path: Path, options: Options) -> list[SampleRow]:
    below = path.relative_to(folder).as_posix()
    if options.blocks is None:
        return [SampleRow(session, TRIAL, below)]
    trials, _ = _moving_trials(path, options)
    if len(trials) < options.blocks:
        raise InputError(
            f"{path}: {len(trials)} reaches, expected at least convert.reader_options.blocks = {options.blocks}"
        )
    borders = np.linspace(0, len(trials), options.blocks + 1).round().astype(int)
    edges = options.bin_seconds * _offsets(trials)[borders]
    return [
        SampleRow(session, f"{at + 1:03d}", below, round(float(start), 4), round(float(stop), 4))
        for at, (start, stop) in enumerate(pairwise(edges))
    ]


def _rank(match: re.Match, options: Options) -> tuple | None:
    """Sort key of a file, the preferred one lowest; None if the file cannot give the configured bins."""
    form = _FORMS.index(match["form"])
    if match["form"] == "mat":
        return (2, 0.0, form) if match["bin"] is None else None
    if match["bin"] is None or not np.isclose(float(match["bin"]), options.bin_seconds, atol=0.001):
        return None
    speed = float(match["speed"] or 0.0)
    if speed > options.speed_threshold + 0.005:
        return None
    return (int(speed < options.speed_threshold - 0.005), -speed, form)


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The one file of a recording."""
    return [Path(root) / row.path]


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """Firing rates (bin, unit) float32 Hz and hand velocity (bin, 2) float32; each trial is one segment.

    The label of a bin is the direction of its reach. Trials are ``PAUSE`` bins apart, because the files do not hold
    their real times. ``class_names`` renames the eight directions.

    Raises:
        InputError: naming the file: it is unreadable; an array is missing, has the wrong shape or is not finite (with
            the trial); a direction is not 0 to 7; fewer than two trials have bins above the speed threshold.
    """
    path = Path(root) / row.path
    names = renamed(CLASS_NAMES, class_names)
    trials, kept = _moving_trials(path, options)
    lengths = [len(trial["x"]) for trial in trials]
    bins = np.repeat(_offsets(trials)[:-1], lengths) + _joined(trials, "timestep")
    time = options.bin_seconds * (bins + 0.5)
    timed = (
        f"bins of {options.bin_seconds:g} s with the hand above {options.speed_threshold:g}; trials set {PAUSE} bins "
        "apart, because the file has no time between them"
    )
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=_joined(trials, "x").astype(np.float32),
        neural_time=time,
        behavior=_joined(trials, "vel").astype(np.float32),
        behavior_time=time,
        labels=_joined(trials, "y").astype(np.int16),
        neural_index=np.arange(len(time), dtype=np.int32),
        class_names=names,
        behavior_names=BEHAVIOR_NAMES,
        neural_rate=1 / options.bin_seconds,
        behavior_rate=1 / options.bin_seconds,
        units={"neural": "Hz", "behavior": "unit of the files", "time": "s"},
        streams=(
            Stream.of("neural", time, f"{row.path}, firing rates, Hz; {timed}"),
            Stream.of("behavior", time, f"{row.path}, hand velocity, unit of the file; the same bins"),
            Stream.of("labels", time, f"{row.path}, direction of the reach; the same bins"),
        ),
        segment=np.repeat(np.arange(len(kept), dtype=np.int32), lengths),
        segment_names=tuple(f"{at:03d}" for at in kept),
    )


def _moving_trials(path: Path, options: Options) -> tuple[list[Trial], list[int]]:
    """The trials with bins above the speed threshold, only these bins, and their numbers in the file."""
    trials = [_checked(path, at, trial) for at, trial in enumerate(_trials(path, options))]
    moving = [np.hypot(*trial["vel"].T) > options.speed_threshold for trial in trials]
    kept = [at for at, mask in enumerate(moving) if mask.any()]
    if len(kept) < 2:
        raise InputError(
            f"{path}: {len(kept)} trials have bins faster than {options.speed_threshold:g}, expected at least 2"
        )
    trials = [{name: values[moving[at]] for name, values in trials[at].items()} for at in kept]
    if len({trial["x"].shape[1] for trial in trials}) != 1:
        raise InputError(f"{path}: the number of units differs between trials, expected the same in all")
    return trials, kept


def _joined(trials: list[Trial], name: str) -> np.ndarray:
    return np.concatenate([trial[name] for trial in trials])


def _offsets(trials: list[Trial]) -> np.ndarray:
    """(trial + 1,) number of the first bin of every trial when trials are concatenated with ``PAUSE`` bins between."""
    return np.cumsum([0, *(int(trial["timestep"][-1]) + 1 + PAUSE for trial in trials)])


def _trials(path: Path, options: Options) -> list[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".mat":
        return _binned(path, options.bin_seconds)
    if path.suffix == ".npz":
        return _cut(path, load_npz(path))
    return [_renamed(trial) if "firing_rates" in trial else trial for trial in load_trial_pickle(path)]


def _renamed(trial: Trial) -> Trial:
    named = {_OLDER.get(name, name): values for name, values in trial.items()}
    return {**named, "timestep": np.arange(len(named["x"]))}


def _cut(path: Path, content: dict[str, np.ndarray]) -> list[Trial]:
    """Split concatenated arrays into trials."""
    if missing := [name for name in ("x", "vel", "y", "timestep", "trial_id") if name not in content]:
        raise InputError(f"{path}: has no array {missing[0]!r}, found {', '.join(content)}")
    trial = content.pop("trial_id")
    if trial.ndim != 1 or len(trial) == 0 or trial.dtype.kind not in "iuf" or (trial[1:] < trial[:-1]).any():
        raise InputError(
            f"{path}: trial_id is {trial.dtype} of shape {trial.shape} or decreases, expected non-decreasing numbers"
        )
    for name, values in content.items():
        if values.ndim == 0:
            raise InputError(f"{path}: {name} has shape (), expected {len(trial)} bins")
        if len(values) != len(trial):
            raise InputError(f"{path}: {name} has {len(values)} bins, expected {len(trial)}")
    edges = np.flatnonzero(np.diff(trial)) + 1
    parts = {name: np.split(values, edges) for name, values in content.items()}
    return [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]


def _checked(path: Path, at: int, trial: Trial) -> Trial:
    """Rates, velocity, direction and bin numbers of one trial, as float64 and int64."""
    out = {}
    for name, ndim in (("x", 2), ("vel", 2), ("y", 1), ("timestep", 1)):
        if name not in trial:
            raise InputError(f"{path}: trial {at} has no array {name!r}, found {', '.join(trial) or 'none'}")
        values = np.asarray(trial[name])
        if values.dtype.kind not in "iufb":
            raise InputError(f"{path}: trial {at}, {name} is {values.dtype}, expected numbers")
        if values.ndim == 0:
            raise InputError(f"{path}: trial {at}, {name} has shape (), expected one entry for each bin")
        # Older pickles hold vectors as columns (n, 1).
        values = values.reshape(len(values)) if ndim == 1 and values.size == len(values) else values
        if values.ndim != ndim or len(values) != len(trial["x"]):
            raise InputError(
                f"{path}: trial {at}, {name} has shape {values.shape}, expected {len(trial['x'])} bins in "
                f"{ndim} dimension(s)"
            )
        if not np.isfinite(values).all():
            raise InputError(f"{path}: trial {at}, {name} holds NaN or infinity, expected finite numbers")
        out[name] = values.astype(np.float64 if ndim == 2 else np.int64)
    if out["vel"].shape[1] != 2:
        raise InputError(f"{path}: trial {at}, vel has shape {out['vel'].shape}, expected two columns")
    if ((out["y"] < 0) | (out["y"] >= DIRECTIONS)).any():
        raise InputError(
            f"{path}: trial {at} reaches in direction {out['y'].max()}, expected 0 to {DIRECTIONS - 1}"
        )
    if (np.diff(out["timestep"]) <= 0).any():
        raise InputError(f"{path}: trial {at}, timestep runs backwards, expected increasing bins")
    return out


def _binned(path: Path, width: float) -> list[Trial]:
    """Every trial of a raw file, in bins from its go cue to its end.

    A bin includes its left edge and excludes its right one; the release counts a spike on an edge twice.
    """
    content = load_mat(path, "trial_table", "out_struct")
    table = np.atleast_2d(numbers(path, content, "trial_table"))
    if table.ndim != 2 or table.shape[1] <= _END:
        raise InputError(f"{path}: trial_table has shape {table.shape}, expected more than {_END} columns")
    recorded = variable(path, content, "out_struct")
    spikes = [
        np.sort(numbers(path, unit, "ts"), axis=None) for unit in np.ravel(variable(path, recorded, "units"))
    ]
    if not spikes:
        raise InputError(f"{path}: units is empty, expected spike times of units")
    velocity = numbers(path, recorded, "vel")
    if velocity.ndim != 2 or velocity.shape[1] != 3:
        raise InputError(f"{path}: vel has shape {velocity.shape}, expected (samples, 3): time, x, y")
    clock, trials = velocity[:, 0], []
    for at, trial in enumerate(table):
        begin, end = trial[_BEGIN], trial[_END]
        if not (np.isfinite(begin) and np.isfinite(end) and end > begin):
            raise InputError(
                f"{path}: trial {at} lasts from {begin:g} to {end:g} s, expected an end after its start"
            )
        bins = np.ceil((end - begin) / width - 1e-9)
        if bins > len(clock):
            raise InputError(
                f"{path}: trial {at} lasts from {begin:g} to {end:g} s, that is {bins:g} bins of {width:g} s, but the "
                f"file has {len(clock)} samples of the hand, expected at least one for each bin"
            )
        edges = begin + width * np.arange(int(bins) + 1)
        rates = np.stack([np.diff(np.searchsorted(times, edges)) for times in spikes], axis=1) / width
        place = np.searchsorted(clock, edges)
        counts = np.diff(place)
        if (counts == 0).any():
            raise InputError(
                f"{path}: trial {at}, bin {int(np.argmin(counts))} has no sample of the hand, expected at least one"
            )
        sums = np.concatenate([np.zeros((1, 2)), np.cumsum(velocity[:, 1:], axis=0)])
        trials.append(
            {
                "x": rates,
                "vel": np.diff(sums[place], axis=0) / counts[:, None],
                "y": np.full(len(rates), trial[_DIRECTION]),
                "timestep": np.arange(len(rates)),
            }
        )
    return trials
