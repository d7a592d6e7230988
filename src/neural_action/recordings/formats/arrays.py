"""Plain arrays: .npy, .npz, .csv, .parquet and headerless binary files, described by a short YAML or by options.

A description ``session.yaml`` assigns arrays to roles, with paths relative to itself; every role is optional::

    neural: {file: traces.npy, key: null, axes: frame unit, rate: 30.0, unit: dF/F}
    behavior: {file: pose.csv, columns: [x, y], time: t, unit: mm}
    labels: {file: actions.npy}

If the configuration names an array file directly, the same keys are its options.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from neural_action.config.kinds import MOST_ACTIONS, Section
from neural_action.config.load import read_yaml
from neural_action.errors import InputError, reading
from neural_action.files import check_zip
from neural_action.recordings.formats import (
    ROLES,
    Behavior,
    Labels,
    Neural,
    as_classes,
    frame_numbers,
)
from neural_action.recordings.hdf5 import Dataset
from neural_action.recordings.streams import NOT_STATED
from neural_action.recordings.table_files import column_of, read_table, texts
from neural_action.recordings.units import FRAMES, TIMES, called, lasting, seconds_named, seconds_of_dates

EXPECTED = "an array (.npy, .npz, .csv, .txt, .parquet, or binary with dtype and shape), or a .yaml that describes some"
SUFFIXES = (".npy", ".npz", ".csv", ".txt", ".parquet", ".yaml", ".yml")
_BLOCK_BYTES = 8 << 20


class Options(Section):
    """Options of this format, or one role of a description.

    Attributes:
        file: in a description, the file of the array, relative to the description.
        key: entry of an .npz; optional if there is only one.
        columns: data columns of a table; null: all except ``time``, ``frame`` and unnamed ones.
        axes: names of the axes in file order, out of ``frame`` or ``sample``, ``unit``, ``y x``, ``feature``,
            ``keypoint axis``; null: frame or sample first, then in this order.
        names: names of keypoints or features; null: the table's columns, or numbers.
        keypoints: number of axes of each keypoint, if behaviour columns are keypoints in order; null: features.
        rate: frames or samples per second.
        time: column of the table, entry of the .npz, or file in the same folder, with times; null: a column with such a
            name (``time``, ``timestamp``, ``time_ms``), if there is one and no rate.
        time_unit: seconds per unit of ``time``; null: from its name (``time_ms``), else 1.
        frame: column of video frame numbers, from 0; null: a column with such a name, or an unnamed first one.
        unit: unit of the values.
        dtype: type of a headerless binary file, such as ``<i2``.
        shape: shape of a headerless binary file.
        unlabelled: label names that are no class.
    """

    file: str | None = None
    key: str | None = None
    columns: list[str] | None = None
    axes: str | None = None
    names: list[str] | None = None
    keypoints: Annotated[int, Field(ge=1)] | None = None
    rate: Annotated[float, Field(gt=0)] | None = None
    time: str | None = None
    time_unit: Annotated[float, Field(gt=0)] | None = None
    frame: str | None = None
    unit: str = NOT_STATED
    dtype: str | None = None
    shape: list[Annotated[int, Field(ge=1)]] | None = None
    unlabelled: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """Recognise a YAML that describes arrays; arrays alone lack the needed information."""
    if path.suffix not in (".yaml", ".yml") or not path.is_file() or path.stat().st_size > 1 << 16:
        return None
    try:
        roles = [role for role, part in read_yaml(path).items() if role in ROLES and "file" in (part or {})]
    except (InputError, TypeError):
        return None
    return f"a description of arrays ({', '.join(roles)})" if roles else None


def described_roles(path: Path) -> list[str]:
    """The roles that a description has."""
    return [role for role in ROLES if role in read_yaml(path)]


def files(path: Path) -> list[Path]:
    """The array's file, or a description and the files that it names."""
    if path.suffix not in (".yaml", ".yml"):
        return [path]
    found = [path]
    for role in described_roles(path):
        options, file = _described(path, role, Options())
        found.append(file)
        beside = file.parent / (options.time or "")
        if options.time and beside.suffix in SUFFIXES and beside.is_file():
            found.append(beside)
    return list(dict.fromkeys(found))


def neural(path: Path, options: Options) -> Neural:
    """(frame, unit) or (frame, y, x), lazy; memory-mapped if the format allows. InputError naming the file."""
    options, path = _described(path, "neural", options)
    data, columns, time, _ = _read(path, options)
    data = _ordered(path, data, options, ("frame", "unit"), ("frame", "y", "x"))
    return Neural(lazy(data), options.unit, time, options.rate, source=_source(path, options, columns))


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, feature) or (sample, keypoint, axis) float32. InputError naming the file."""
    options, path = _described(path, "behavior", options)
    data, columns, time, frames = _read(path, options)
    if data.ndim == 1:
        data = data[:, None]
    data = _ordered(path, data, options, ("sample", "feature"), ("sample", "keypoint", "axis"))
    data = np.asarray(data, np.float32)
    if options.keypoints is not None:
        if data.ndim != 2 or data.shape[1] % options.keypoints:
            raise InputError(f"{path}: shape {data.shape}, expected columns of {options.keypoints} axes each")
        data = data.reshape(len(data), -1, options.keypoints)
        columns = None
    source = _source(path, options, columns)
    kind = "keypoint" if data.ndim == 3 else "feature"
    names = options.names or columns or [f"{kind}_{at}" for at in range(data.shape[1])]
    if len(names) != data.shape[1]:
        raise InputError(f"{path}: {len(names)} names, expected {data.shape[1]}, one for each {kind}")
    return Behavior(data, tuple(names), options.unit, time, options.rate, frames=frames, source=source)


def labels(path: Path, options: Options, class_names: tuple[str, ...] | None) -> Labels:
    """One class for each behaviour sample: whole numbers (-1 unlabelled) or names. InputError naming the file."""
    options, path = _described(path, "labels", options)
    data, columns, time, _ = _read(path, options, numbers=False)
    source = _source(path, options, columns)
    data = np.asarray(data)
    if data.ndim == 2 and data.shape[1] == 1:
        data = data[:, 0]
    if data.ndim != 1:
        raise InputError(f"{path}: shape {data.shape}, expected one label for each behaviour sample")
    if not len(data) or data.dtype.kind not in "biufOUT":
        raise InputError(f"{path}: {data.dtype} of shape {data.shape}, expected labels")
    names, numbers = _classes(path, data, options, class_names)
    if time is None:
        return Labels(names, numbers, source=source)
    intervals = lasting(time, 1.0, f"{path}: its times")
    return Labels(names, numbers, intervals, said="times of the file", source=source, stated=True)


def _source(path: Path, options: Options, columns: Sequence[str] | None) -> str:
    """The entry or the columns that were read, and their file if a description names it."""
    what = options.key or ", ".join([*(columns or ())[:4], *(["..."] if len(columns or ()) > 4 else [])])
    return " of ".join(filter(None, (what, path.name if options.file is not None else "")))


def _classes(
    path: Path, data: np.ndarray, options: Options, class_names: tuple[str, ...] | None
) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes, and their numbers (n,) int16, of a vector of whole numbers or names."""
    if data.dtype.kind in "OUT":
        return as_classes(texts(data), class_names, options.unlabelled, path)[::-1]
    whole = np.nan_to_num(data, nan=-1).astype(np.int64)
    if (whole != np.nan_to_num(data, nan=-1)).any():
        at = int(np.argmax(whole != np.nan_to_num(data, nan=-1)))
        raise InputError(f"{path}: label {data[at]} at entry {at}, expected whole numbers")
    if whole.max() >= MOST_ACTIONS:
        raise InputError(
            f"{path}: label {whole.max()} at entry {int(whole.argmax())}, expected below {MOST_ACTIONS}"
        )
    names = class_names or tuple(f"class_{number}" for number in range(int(whole.max()) + 1))
    if whole.min() < -1 or whole.max() >= len(names):
        bad = int(np.argmax((whole < -1) | (whole >= len(names))))
        raise InputError(
            f"{path}: label {whole[bad]} at entry {bad}, expected -1 (unlabelled) or 0 to {len(names) - 1}"
        )
    return tuple(names), whole.astype(np.int16)


def mapped_npy(path: Path) -> np.ndarray:
    """The array of numbers in a .npy file, memory-mapped, never unpickled. InputError if it cannot be read."""
    with reading(path, ".npy"):
        return np.load(path, mmap_mode="r", allow_pickle=False)


def lazy(data: Any) -> Any:
    """A dask array with blocks of whole frames of about 8 MiB; a dask array is returned unchanged."""
    import dask.array as da

    if isinstance(data, da.Array):
        return data
    frame = max(1, int(np.prod(data.shape[1:])) * data.dtype.itemsize)
    rows = max(1, _BLOCK_BYTES // frame)
    return da.from_array(data, chunks=(rows, *data.shape[1:]), name=False)


def transposed(traces: np.ndarray | Dataset, keep: Any = slice(None)) -> Any:
    """(unit, frame) of a mapped file as lazy (frame, unit) float32, only the units ``keep``."""
    import dask.array as da

    units, frames = traces.shape
    rows = max(1, _BLOCK_BYTES // (4 * units))
    kept = len(np.arange(units)[keep])

    def block(block_info: Any = None) -> np.ndarray:
        first, last = block_info[None]["array-location"][0]
        return np.ascontiguousarray(np.asarray(traces[:, first:last], np.float32)[keep].T)

    chunks = (tuple(min(rows, frames - first) for first in range(0, frames, rows)), (kept,))
    return da.map_blocks(block, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0), np.float32))


def time_column(path: Path, column: str | None = None) -> str | None:
    """The column with times in a table: ``column``, else the only one, else one with a name of times, else None."""
    if column is not None or path.suffix not in (".csv", ".parquet") or not path.is_file():
        return column
    columns = read_table(path, headerless=True).columns
    return str(columns[0]) if len(columns) == 1 else called(columns, TIMES)


def side_by_side(parts: Sequence[Any]) -> Any:
    """Lazy (frame, unit) arrays concatenated along units, cut to the shortest; each block has all units of a frame."""
    import dask.array as da

    shortest = min(len(part) for part in parts)
    if len(parts) == 1:
        return parts[0]
    return da.concatenate([part[:shortest] for part in parts], axis=1).rechunk({1: -1})


def read_vector(path: Path, column: str | None = None) -> np.ndarray:
    """A float64 vector from .npy, .csv, .txt, .npz or .parquet; dates become Unix times (s).

    From a table, it is ``column``, else the only column, else the one with a name of times. InputError naming the file
    if it is no vector of finite numbers or dates.
    """
    column = time_column(path, column)
    name = {"columns": [column]} if column and path.suffix in (".csv", ".parquet") else {"key": column}
    values = np.asarray(_read(path, Options(**name), numbers=False, vector=True)[0])
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not len(values):
        raise InputError(f"{path}: shape {values.shape}, expected a vector")
    if values.dtype.kind not in "biuf":
        values = seconds_of_dates(values, path)
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        at = int(np.argmin(np.isfinite(values)))
        raise InputError(f"{path}: NaN or infinity at entry {at}, expected finite numbers")
    return values


def _described(path: Path, role: str, options: Options) -> tuple[Options, Path]:
    """The options and file of a role; from the description if ``path`` is one, otherwise unchanged."""
    if path.suffix not in (".yaml", ".yml"):
        return options, path
    content = read_yaml(path)
    if unknown := sorted(set(content) - set(ROLES)):
        raise InputError(f"{path}: {unknown[0]!r}, expected {', '.join(ROLES)}")
    given = content.get(role)
    options = Options.parse(given if isinstance(given, dict) else {}, f"{path}: {role}")
    if options.file is None:
        raise InputError(f"{path}: describes no {role}, expected {role}: {{file: ...}}")
    for key in ("file", "time"):
        named = getattr(options, key) or ""
        if ".." in Path(named).parts or Path(named).is_absolute():
            raise InputError(
                f"{path}: {role}.{key} {named!r}, expected a file in the folder of the description or below it"
            )
    return options, path.parent / options.file


def _read(
    path: Path, options: Options, numbers: bool = True, vector: bool = False
) -> tuple[Any, list[str] | None, Any, Any]:
    """The array; for a table, its column names; its times (s) and its video frames, if it has any.

    With ``vector``, every column is data, even one with a name of times or frames.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    if options.dtype is not None:
        return _binary(path, options), None, None, None
    columns = time = frames = None
    named = options.time
    if path.suffix in (".csv", ".parquet"):
        table = read_table(path, words=not numbers, headerless=True)
        frame = None
        if not vector and options.columns is None:
            clock = called(table.columns, TIMES)
            named = options.time or clock
            frame = options.frame or called(table.columns, FRAMES) or _unnamed(table)
            others = {named, clock, frame}
        else:
            frame, others = options.frame, {options.time}
        chosen = options.columns or [
            name for name in table.columns if name not in others and not str(name).startswith("Unnamed:")
        ]
        for name in [*chosen, *([options.frame] if options.frame else [])]:
            column_of(path, table, name)
        data, columns = table[chosen].to_numpy(), [str(name) for name in chosen]
        # A given rate is preferred to a column with a name of times.
        if options.time is None and options.rate is not None:
            named = None
        time = table[named].to_numpy() if named in table.columns else None
        if frame is not None:
            frames = frame_numbers(table[frame].to_numpy(), path, f"column {frame!r}")
    elif path.suffix == ".txt":
        with reading(path, "numbers", ValueError):
            data = np.loadtxt(path)
    elif path.suffix == ".npz":
        data, time = _npz(path, options)
    elif path.suffix == ".npy":
        data = mapped_npy(path)
    else:
        raise InputError(f"{path}: expected {EXPECTED}")
    if numbers and data.dtype.kind not in "biuf":
        raise InputError(f"{path}: {data.dtype} values, expected numbers")
    if options.time is not None and time is None:
        time = read_vector(path.parent / options.time)
    if time is None:
        return data, columns, None, frames
    if time.dtype.kind not in "iuf" or time.ndim != 1:
        raise InputError(
            f"{path}: times {options.time!r} are {time.dtype} of shape {time.shape}, expected numbers"
        )
    unit = seconds_named(named or "") if options.time_unit is None else options.time_unit
    return data, columns, time.astype(np.float64) * unit, frames


def _unnamed(table: Any) -> str | None:
    """The first column, if it holds the row numbers that pandas writes; else None."""
    first = table.columns[0]
    return first if str(first).startswith("Unnamed:") and table[first].dtype.kind in "iu" else None


def _npz(path: Path, options: Options) -> tuple[np.ndarray, np.ndarray | None]:
    with reading(path, ".npz"):
        check_zip(path)
        with np.load(path, allow_pickle=False) as archive:
            key = options.key
            if key is None:
                others = [name for name in archive.files if name != options.time]
                if len(others) != 1:
                    raise InputError(
                        f"{path}: holds {', '.join(archive.files)}, expected one; choose it with key"
                    )
                key = others[0]
            if key not in archive.files:
                raise InputError(f"{path}: no array {key!r}, found {', '.join(archive.files)}")
            time = archive[options.time] if options.time in archive.files else None
            return archive[key], time


def _binary(path: Path, options: Options) -> np.ndarray:
    try:
        dtype = np.dtype(options.dtype)
    except TypeError:
        raise InputError(
            f"configuration dtype: {options.dtype!r}, expected a NumPy type such as '<i2'"
        ) from None
    shape = tuple(options.shape or ())
    size, expected = path.stat().st_size, int(np.prod(shape)) * dtype.itemsize
    if not shape or dtype.kind not in "iuf" or size != expected:
        raise InputError(f"{path}: {size} bytes, expected {expected} for {options.dtype} of shape {shape}")
    return np.memmap(path, dtype, "r", shape=shape)


def _ordered(path: Path, data: Any, options: Options, *forms: Sequence[str]) -> Any:
    """``data`` with its axes in the order of one of ``forms``."""
    if options.axes is None:
        if data.ndim not in {len(form) for form in forms}:
            raise InputError(
                f"{path}: shape {data.shape}, expected ({') or ('.join(', '.join(form) for form in forms)})"
            )
        return data
    given = options.axes.split()
    for form in forms:
        if sorted(given) == sorted(form) and len(given) == data.ndim:
            return data.transpose([given.index(name) for name in form])
    raise InputError(
        f"{path}: axes {options.axes!r} for shape {data.shape}, expected an order of "
        f"{' or '.join(repr(' '.join(form)) for form in forms)}"
    )
