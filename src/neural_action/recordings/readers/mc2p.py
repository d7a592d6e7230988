"""Reader of the authors' release layout (MC2P): one folder for each trial, with memory-mapped movies and poses.

Folder ``<date>_<genotype>_Fly<k>_<trial>`` with

- ``2p_dff*.mm``: float32 (frame, side, side), no header; or ``traces*.npy``: (frame, unit), which the simulator writes
  for animals with different units;
- ``pose_result*.mm``: float32 (sample, 76) = 38 keypoints x 2, no header;
- ``angles*.pkl``: float32 (sample, 42), only read with ``behavior: angles``;
- ``indices*.npy``: (sample,) neural frame of each behaviour sample;
- ``labels*.npy``: (sample,) action; without this file all samples are unlabelled;
- ``rest*.npy``: (sample,) bool, only read with ``drop_rest``.

The release's description and its code give different file names, so files are found by pattern. The layout has no
clocks, so frames and samples get times from their nominal rates.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.pickles import load_array_pickle, load_npy
from neural_action.recordings.readers import ReaderOptions, search
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream

if TYPE_CHECKING:
    import dask.array as da

EXPECTED = "trial folders named <date>_<genotype>_Fly<k>_<trial> that hold 2p_dff*.mm"
CLASS_NAMES = (
    "forward_walking",
    "pushing",
    "hindleg_grooming",
    "abdominal_grooming",
    "rest",
    "foreleg_grooming",
    "antennal_grooming",
    "eye_grooming",
)
KEYPOINTS, AXES, ANGLES = 38, 2, 42
MOVIE, TRACES, POSE, ANGLE, INDEX, REST, LABEL = (
    "2p_dff*.mm",
    "traces*.npy",
    "pose_result*.mm",
    "angles*.pkl",
    "indices*.npy",
    "rest*.npy",
    "labels*.npy",
)
SIDES = (128, 64, 32, 16)
_FOLDER = re.compile(r"(?P<date>[^_]+)_(?P<genotype>.+)_(?P<fly>[Ff]ly\d+)_(?P<trial>[A-Za-z0-9.-]+)")
_CHUNK_BYTES = 8 << 20


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        neural_rate: neural frames per second (paper: 16).
        behavior_rate: behaviour samples per second (paper: 100).
        side: side of the images, pixels; null chooses it from ``SIDES`` by the file size and the indices.
        behavior: ``pose`` for (sample, 38, 2) keypoints, ``angles`` for (sample, 42) joint angles.
        drop_rest: whether samples marked by ``rest*.npy`` become unlabelled (the authors' code drops such windows).
    """

    neural_rate: Annotated[float, Field(gt=0)] = 16.0
    behavior_rate: Annotated[float, Field(gt=0)] = 100.0
    side: Annotated[int, Field(ge=1)] | None = None
    behavior: Literal["pose", "angles"] = "pose"
    drop_rest: bool = False


def scan(folder: Path, options: Options) -> list[SampleRow]:
    """One row for each trial folder at any depth; hidden folders are skipped.

    An animal is named ``Fly<k>``, or ``<date>_<genotype>_Fly<k>`` if flies of several dates or genotypes share a
    number. InputError for a folder that holds a movie or poses but is not named as a trial.
    """
    trials = {file.parent for pattern in (MOVIE, POSE) for file in search(folder, pattern)}
    found = []
    for trial in sorted(trials):
        match = _FOLDER.fullmatch(trial.name)
        if match is None:
            raise InputError(
                f"{trial}: the folder of a recording, expected the name <date>_<genotype>_Fly<k>_<trial>"
            )
        found.append((match, trial.relative_to(folder).as_posix()))
    named: dict[str, set[tuple[str, str]]] = {}
    for match, _ in found:
        named.setdefault(match["fly"], set()).add((match["date"], match["genotype"]))
    rows = []
    for match, path in found:
        alone = len(named[match["fly"]]) == 1
        animal = match["fly"] if alone else f"{match['date']}_{match['genotype']}_{match['fly']}"
        rows.append(SampleRow(animal, match["trial"], path))
    return rows


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The raw files of the trial in folder ``root / row.path``."""
    patterns = (MOVIE, TRACES, POSE, ANGLE, INDEX, REST, LABEL)
    return sorted(file for pattern in patterns for file in (Path(root) / row.path).glob(pattern))


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """The trial in folder ``root / row.path``: a lazy float32 movie (frame, side, side), or traces (frame, unit).

    Behaviour is float32, (sample, 38, 2) or (sample, 42). Frame k is at k / neural_rate s, and sample k at
    k / behavior_rate s. ``class_names`` names the numbers in ``labels*.npy``, by default ``CLASS_NAMES``.

    Raises:
        InputError: naming the file: it is missing or ambiguous; its size is no whole number of frames or samples; it
            holds NaN or infinity (with the first sample or frame; the movie raises when it is computed); its length
            differs from the behaviour's; frames lie outside the movie or decrease; a label is unknown.
    """
    folder = Path(root) / row.path
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder, expected a trial folder with {MOVIE}")
    names = CLASS_NAMES if class_names is None else class_names
    behavior_file, behavior = _behavior(folder, options)
    samples = len(behavior)
    indices_file, indices = _vector(folder, INDEX, samples)
    if indices[0] < 0 or (np.diff(indices) < 0).any():
        at = 0 if indices[0] < 0 else int(np.argmax(np.diff(indices) < 0)) + 1
        raise InputError(
            f"{indices_file}: frame {indices[at]} at entry {at}, expected non-decreasing frames from 0"
        )
    neural: np.ndarray | da.Array
    if any(folder.glob(TRACES)):
        neural_file, neural = _traces(folder)
    else:
        neural_file, neural = _movie(folder, options, int(indices[-1]) + 1)
    if indices[-1] >= len(neural):
        raise InputError(
            f"{indices_file}: frame {indices[-1]} lies outside the {len(neural)} frames of {neural_file.name}"
        )
    pose = options.behavior == "pose"
    neural_time, behavior_time = (
        np.arange(len(neural)) / options.neural_rate,
        np.arange(samples) / options.behavior_rate,
    )
    labels, labels_from = _labels(folder, samples, names, options)
    given = "/s as configured"
    streams = [
        Stream.of(
            "neural", neural_time, f"{row.path}/{neural_file.name}, dF/F; {options.neural_rate:g} {given}"
        ),
        Stream.of(
            "behavior",
            behavior_time,
            f"{row.path}/{behavior_file.name}; {options.behavior_rate:g} {given}; neural frames by {indices_file.name}",
        ),
    ]
    if (labelled := labels != UNLABELLED).any():
        streams.append(Stream.of("labels", behavior_time[labelled], f"{row.path}/{labels_from}"))
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=neural,
        neural_time=neural_time,
        behavior=behavior.reshape(samples, KEYPOINTS, AXES) if pose else behavior,
        behavior_time=behavior_time,
        labels=labels,
        neural_index=indices.astype(np.int32),
        class_names=tuple(names),
        behavior_names=_names("keypoint", KEYPOINTS) if pose else _names("angle", ANGLES),
        neural_rate=options.neural_rate,
        behavior_rate=options.behavior_rate,
        units={"neural": "dF/F", "behavior": "as released" if pose else "rad", "time": "s"},
        streams=tuple(streams),
    )


class _Movie:
    """A headerless float32 movie that is mapped anew for each read, so that no page of it stays in memory."""

    def __init__(self, path: Path, shape: tuple[int, int, int]):
        self.path, self.shape, self.ndim, self.dtype = path, shape, 3, np.dtype(np.float32)

    def __getitem__(self, index: Any) -> np.ndarray:
        block = np.array(np.memmap(self.path, np.float32, "r", shape=self.shape)[index])
        if not np.isfinite(block).all():
            frames = np.arange(self.shape[0])[index[0] if isinstance(index, tuple) else index]
            bad = int(np.argmin(np.isfinite(block.reshape(len(block), -1)).all(1)))
            raise InputError(
                f"{self.path}: NaN or infinity in frame {frames[bad]}, expected finite fluorescence"
            )
        return block


def _names(kind: str, count: int) -> tuple[str, ...]:
    return tuple(f"{kind}_{number}" for number in range(count))


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        names = f" ({', '.join(path.name for path in found)})" if found else ""
        raise InputError(f"{folder}: {len(found)} files match {pattern}{names}, expected one")
    return found[0]


def _vector(folder: Path, pattern: str, samples: int) -> tuple[Path, np.ndarray]:
    """The file that ``pattern`` matches, and its (samples,) whole numbers as int64."""
    path = _one(folder, pattern)
    array = load_npy(path)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise InputError(f"{path}: {array.dtype} of shape {array.shape}, expected a vector of whole numbers")
    if len(array) != samples:
        raise InputError(f"{path}: {len(array)} entries, expected {samples}, one for each behaviour sample")
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    if (whole != array).any():
        at = int(np.argmax(whole != array))
        raise InputError(f"{path}: {array[at]} at entry {at}, expected whole numbers")
    return path, whole


def _behavior(folder: Path, options: Options) -> tuple[Path, np.ndarray]:
    """The behaviour file and its (samples, width) finite float32 values."""
    if options.behavior == "angles":
        path = _one(folder, ANGLE)
        values = load_array_pickle(path)
        if values.ndim != 2 or values.shape[1] != ANGLES or not len(values):
            raise InputError(f"{path}: shape {values.shape}, expected (samples, {ANGLES})")
        values = values.astype(np.float32)
    else:
        path = _one(folder, POSE)
        size, width = path.stat().st_size, KEYPOINTS * AXES
        if not size or size % (4 * width):
            raise InputError(
                f"{path}: {size} bytes, expected whole samples of {width} float32 ({4 * width} bytes each)"
            )
        values = np.fromfile(path, np.float32).reshape(-1, width)
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values).all(1)))
        raise InputError(f"{path}: NaN or infinity in sample {bad}, expected finite numbers")
    return path, values


def _movie(folder: Path, options: Options, expected: int) -> tuple[Path, da.Array]:
    """The movie file and its lazy array, with the configured side, or the one whose frame count fits ``expected`` best.

    The file size alone does not determine the side: half the side gives four times as many frames. A frame count
    outside 0.5 to 1.5 times ``expected`` is an InputError, unless the side is configured.
    """
    import dask.array as da

    path = _one(folder, MOVIE)
    size = path.stat().st_size
    sides = SIDES if options.side is None else (options.side,)
    frames = {side: size // (4 * side * side) for side in sides if size and not size % (4 * side * side)}
    if not frames:
        raise InputError(
            f"{path}: {size} bytes, expected whole float32 frames of side {' or '.join(map(str, sides))}"
        )
    side = min(frames, key=lambda side: abs(frames[side] - expected))
    if options.side is None and not 0.5 * expected <= frames[side] <= 1.5 * expected:
        raise InputError(
            f"{path}: {frames[side]} frames of side {side}, expected about {expected} from {INDEX}; "
            "if the file is right, set convert.reader_options.side"
        )
    rows = max(1, _CHUNK_BYTES // (4 * side * side))
    movie = _Movie(path, (frames[side], side, side))
    return path, da.from_array(movie, chunks=(rows, side, side), name=False, asarray=False)


def _traces(folder: Path) -> tuple[Path, np.ndarray]:
    """The file of traces and its finite float32 values (frame, unit). InputError if there is also a movie."""
    path = _one(folder, TRACES)
    if movies := sorted(folder.glob(MOVIE)):
        raise InputError(f"{folder}: holds {path.name} and {movies[0].name}, expected one of them")
    values = load_npy(path)
    if values.ndim != 2 or values.dtype.kind not in "iuf" or values.size == 0:
        raise InputError(f"{path}: {values.dtype} of shape {values.shape}, expected traces (frames, units)")
    with np.errstate(over="ignore"):  # An overflow becomes infinity, which is refused below.
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values).all(1)))
        raise InputError(f"{path}: NaN or infinity in frame {bad}, expected finite numbers")
    return path, values


def _labels(folder: Path, samples: int, names: tuple[str, ...], options: Options) -> tuple[np.ndarray, str]:
    """(samples,) int16, and a phrase on where they come from."""
    labels, said = np.full(samples, UNLABELLED, np.int16), ""
    if any(folder.glob(LABEL)):
        path, given = _vector(folder, LABEL, samples)
        wrong = (given < UNLABELLED) | (given >= len(names))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise InputError(
                f"{path}: label {given[at]} at entry {at}, "
                f"expected {UNLABELLED} (unlabelled) or 0 to {len(names) - 1}"
            )
        labels, said = given.astype(np.int16), f"{path.name}; one for each behaviour sample"
    if options.drop_rest:
        path, rest = _vector(folder, REST, samples)
        labels[rest != 0] = UNLABELLED
        said = f"{said}, none at rest by {path.name}"
    return labels, said
