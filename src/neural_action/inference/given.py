"""What a model can be given: paths, folders of them, recordings, and arrays of whatever library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.recording import Recording

#: A path, a ``Recording``, or an array (frame, ...): NumPy, torch, xarray or dask.
Given = str | Path | Recording | Any
Data = Given | Sequence[Given]
#: Dimensions of a DataArray that are time, wherever they stand.
_TIMES = ("neural_time", "time", "frame")


def listed(data: Data) -> list[Given]:
    """One entry a recording: what was given, or what is in the list, folders as the manifests below them."""
    if isinstance(data, str | Path | Recording) or is_array(data):
        data = [data]
    out: list[Given] = []
    for one in data:
        out += manifests_below(Path(one)) if isinstance(one, str | Path) else [one]
    return out


def is_array(value: Any) -> bool:
    """Whether a value is an array of some library; a pandas table is none."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def manifests_below(path: Path) -> list[Path]:
    """The path; of a folder that is no store every manifest below it. InputError for a folder without one."""
    if not path.is_dir() or path.suffix == ".zarr":
        return [path]
    if found := sorted(path.rglob("*.manifest.json")):
        return found
    raise InputError(f"{path}: holds no *.manifest.json, expected recordings that rule convert wrote")


def as_array(value: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """The values (frame, ...) in memory, and the times of the frames in s if it is a DataArray that has them."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # NumPy has no bfloat16.
        return (value.float() if value.is_floating_point() else value).numpy(), None
    if hasattr(value, "dims") and hasattr(value, "coords"):
        first = next((name for name in _TIMES if name in value.dims), value.dims[0])
        value = value.transpose(first, ...)
        return np.asarray(value.values), _seconds(value.coords.get(first))
    return np.asarray(value), None


def _seconds(clock: Any) -> np.ndarray | None:
    """(frame,) float64 s of a coordinate; of dates from the first on; None for what is no clock."""
    if clock is None:
        return None
    values = np.asarray(clock.values)
    if values.dtype.kind in "mM":
        return (values - values[0]) / np.timedelta64(1, "s")
    return values.astype(np.float64) if values.dtype.kind == "f" else None
