"""Input of a model: paths, folders, recordings, and arrays of several libraries."""

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
#: Names of the time dimension of a DataArray.
_TIMES = ("neural_time", "time", "frame")


def listed(data: Data) -> list[Given]:
    """A list with one entry for each recording; folders are replaced by the manifests below them."""
    if isinstance(data, str | Path | Recording) or is_array(data):
        data = [data]
    out: list[Given] = []
    for one in data:
        out += manifests_below(Path(one)) if isinstance(one, str | Path) else [one]
    return out


def is_array(value: Any) -> bool:
    """Whether a value is an array of some library; a pandas table is not."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def manifests_below(path: Path) -> list[Path]:
    """The path itself, or for a folder that is no store, all manifests below it. InputError if there are none."""
    if not path.is_dir() or path.suffix == ".zarr":
        return [path]
    if found := sorted(path.rglob("*.manifest.json")):
        return found
    raise InputError(
        f"{path}: no *.manifest.json below this folder, expected recordings written by rule convert"
    )


def as_array(value: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Values (frame, ...) in memory, and the frame times in s if a DataArray has them."""
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
    """(frame,) float64 s of a coordinate (dates relative to the first); None if it is no clock."""
    if clock is None:
        return None
    values = np.asarray(clock.values)
    if values.dtype.kind in "mM":
        return (values - values[0]) / np.timedelta64(1, "s")
    return values.astype(np.float64) if values.dtype.kind == "f" else None
