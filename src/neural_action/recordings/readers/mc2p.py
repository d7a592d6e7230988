"""Reader of the authors' release layout (MC2P): one folder a trial, memory-mapped movies and poses.

``2p_dff*.mm`` float32 (frame, side, side) and ``pose_result*.mm`` float32 (sample, 76) without headers,
``indices*.npy`` (sample,) neural frame of each sample, ``labels*.npy`` (sample,) action, ``rest*.npy`` (sample,) bool,
``angles*.pkl`` float32 (sample, 42); folder ``<date>_<genotype>_Fly<k>_<trial>``. Names differ between the release's
description and its code, so files are found by pattern. The layout has no clocks: frames and samples are taken to
come at their nominal rates.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import dask.array as da
import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.pickles import load_array_pickle, load_npy
from neural_action.recordings.readers import ReaderOptions
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.sheet import SheetRow

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
_FOLDER = re.compile(r"(?P<date>[^_]+)_(?P<genotype>.+)_(?P<fly>[Ff]ly\d+)_(?P<trial>[A-Za-z0-9.-]+)")
_SIDES = (128, 64, 32, 16)
_CHUNK_BYTES = 8 << 20


class Options(ReaderOptions):
    """Rates in Hz (paper: 16 and 100), side of the images (null: found from the file size), what behaviour is."""

    neural_rate: float = 16.0
    behavior_rate: float = 100.0
    side: int | None = None
    behavior: Literal["pose", "angles"] = "pose"
    drop_rest: bool = False


def scan(folder: Path, options: Options) -> list[SheetRow]:
    """Trial folders at any depth. Animals are ``Fly<k>``, or ``<date>_<genotype>_Fly<k>`` where flies share a number."""
    found = []
    for movie in sorted(folder.rglob("2p_dff*.mm")):
        if match := _FOLDER.fullmatch(movie.parent.name):
            found.append((match, movie.parent.relative_to(folder).as_posix()))
    found = list({path: (match, path) for match, path in found}.values())
    named: dict[str, set[tuple[str, str]]] = {}
    for match, _ in found:
        named.setdefault(match["fly"], set()).add((match["date"], match["genotype"]))
    rows = []
    for match, path in found:
        alone = len(named[match["fly"]]) == 1
        animal = match["fly"] if alone else f"{match['date']}_{match['genotype']}_{match['fly']}"
        rows.append(SheetRow(animal, match["trial"], path))
    return rows


def files(path: Path) -> list[Path]:
    """The raw files of the trial in folder ``path``."""
    patterns = ("2p_dff*.mm", "pose_result*.mm", "angles*.pkl", "indices*.npy", "rest*.npy", "labels*.npy")
    return sorted(file for pattern in patterns for file in Path(path).glob(pattern))


def read(root: Path, row: SheetRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """The trial, its movie lazy. InputError names the file and what is wrong with it."""
    folder = Path(root) / row.path
    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder, expected a trial folder with 2p_dff*.mm")
    names = class_names or CLASS_NAMES
    indices_file = _one(folder, "indices*.npy")
    indices = _vector(indices_file, load_npy(indices_file))
    if len(indices) and indices.min() < 0:
        raise InputError(f"{indices_file}: frame {indices.min()}, expected frames from 0")
    behavior_file, behavior = _behavior(folder, options)
    count = len(behavior)
    if len(indices) != count:
        raise InputError(f"{indices_file}: {len(indices)} entries, expected {count}, one a sample of {behavior_file.name}")
    if not np.isfinite(behavior).all():
        bad = int(np.argmin(np.isfinite(behavior.reshape(count, -1)).all(1)))
        raise InputError(f"{behavior_file}: NaN or infinity in sample {bad}, expected finite coordinates")
    movie_file, movie = _movie(folder, options, int(indices.max()) + 1 if count else 1)
    if count and indices.max() >= len(movie):
        raise InputError(f"{indices_file}: frame {indices.max()} lies outside the {len(movie)} frames of {movie_file.name}")
    if count and (np.diff(indices) < 0).any():
        at = int(np.argmax(np.diff(indices) < 0)) + 1
        raise InputError(f"{indices_file}: runs backwards at entry {at}, expected non-decreasing frames")
    pose = options.behavior == "pose"
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=movie,
        neural_time=np.arange(len(movie)) / options.neural_rate,
        behavior=behavior.reshape(count, KEYPOINTS, AXES) if pose else behavior,
        behavior_time=np.arange(count) / options.behavior_rate,
        labels=_labels(folder, count, names, options),
        neural_index=indices.astype(np.int32),
        class_names=tuple(names),
        behavior_names=tuple(f"keypoint_{k}" if pose else f"angle_{k}" for k in range(KEYPOINTS if pose else ANGLES)),
        neural_rate=options.neural_rate,
        behavior_rate=options.behavior_rate,
        units={"neural": "dF/F", "behavior": "as released" if pose else "rad", "time": "s"},
    )


def _one(folder: Path, pattern: str, *, optional: bool = False) -> Path | None:
    found = sorted(folder.glob(pattern))
    if len(found) == 1:
        return found[0]
    if not found and optional:
        return None
    raise InputError(f"{folder}: {len(found)} files match {pattern}, expected one")


def _vector(path: Path, array: np.ndarray) -> np.ndarray:
    if array.ndim != 1 or array.dtype.kind not in "iub":
        raise InputError(f"{path}: {array.dtype} of shape {array.shape}, expected a vector of integers")
    return array.astype(np.int64)


def _behavior(folder: Path, options: Options) -> tuple[Path, np.ndarray]:
    if options.behavior == "angles":
        path = _one(folder, "angles*.pkl")
        angles = load_array_pickle(path)
        if angles.ndim != 2 or angles.shape[1] != ANGLES:
            raise InputError(f"{path}: shape {angles.shape}, expected (samples, {ANGLES})")
        return path, np.asarray(angles, np.float32)
    path = _one(folder, "pose_result*.mm")
    values, width = path.stat().st_size // 4, KEYPOINTS * AXES
    if path.stat().st_size % (4 * width) or not values:
        raise InputError(f"{path}: {path.stat().st_size} bytes, expected a multiple of {4 * width} (float32 x {width})")
    return path, np.fromfile(path, np.float32).reshape(-1, width)


def _movie(folder: Path, options: Options, expected: int) -> tuple[Path, da.Array]:
    """The movie as a lazy array in chunks of whole frames; its side is the one that fits the frames expected."""
    path = _one(folder, "2p_dff*.mm")
    size = path.stat().st_size
    sides = [options.side] if options.side else _SIDES
    fitting = [side for side in sides if size and size % (4 * side * side) == 0]
    if not fitting:
        raise InputError(
            f"{path}: {size} bytes, expected whole float32 frames of {' or '.join(f'{s} x {s}' for s in sides)} pixels"
        )
    side = min(fitting, key=lambda side: abs(size // (4 * side * side) - expected))
    frames = size // (4 * side * side)
    if not options.side and not 0.5 * expected <= frames <= 2 * expected:
        raise InputError(
            f"{path}: {frames} frames of {side} x {side} pixels, expected about {expected} from indices*.npy"
        )
    movie = np.memmap(path, np.float32, "r", shape=(frames, side, side))
    rows = max(1, _CHUNK_BYTES // (4 * side * side))
    return path, da.from_array(movie, chunks=(rows, side, side), name=False, asarray=False)


def _labels(folder: Path, count: int, names: tuple[str, ...], options: Options) -> np.ndarray:
    labels = np.full(count, UNLABELLED, np.int8)
    if path := _one(folder, "labels*.npy", optional=True):
        given = _vector(path, load_npy(path))
        if len(given) != count:
            raise InputError(f"{path}: {len(given)} labels, expected {count}, one a behaviour sample")
        if count and (given.min() < UNLABELLED or given.max() >= len(names)):
            bad = int(given.min() if given.min() < UNLABELLED else given.max())
            raise InputError(f"{path}: label {bad} belongs to no class, expected -1 to {len(names) - 1}")
        labels = given.astype(np.int8)
    if options.drop_rest and (path := _one(folder, "rest*.npy", optional=True)):
        rest = _vector(path, load_npy(path)).astype(bool)
        if len(rest) != count:
            raise InputError(f"{path}: {len(rest)} entries, expected {count}, one a behaviour sample")
        labels = np.where(rest, UNLABELLED, labels).astype(np.int8)
    return labels
