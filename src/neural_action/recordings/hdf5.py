"""Datasets of HDF5 files, read a block at a time from a file that is open only meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.formats import needs

EXPECTED = "an HDF5 file"
# What a dataset may come to in memory: this much, or so many times the size of its file. Numbers that were recorded are
# not compressed a hundredfold; a shape that nobody wrote data for takes no room in a file, and is read as zeros.
_BYTES, _TIMES = 1 << 30, 100


@contextmanager
def opened(path: Path, expected: str = EXPECTED) -> Iterator[Any]:
    """The open file. InputError if it is missing or no HDF5, or if a dataset claims far more than the file can hold."""
    with _opened(path, expected) as file:
        _check_sizes(file, path)
        yield file


def _check_sizes(file: Any, path: Path) -> None:
    """InputError naming the dataset, before any is read."""
    most = max(_BYTES, _TIMES * path.stat().st_size)

    def look(name: str, item: Any) -> None:
        claimed = getattr(item, "nbytes", 0)  # groups have none
        if claimed > most:
            raise InputError(
                f"{path}: {name} claims {claimed / 2**30:.1f} GiB (shape {item.shape}) in a file of "
                f"{path.stat().st_size / 2**20:.1f} MiB"
            )

    try:
        file.visititems(look)
    except (RuntimeError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as HDF5 ({' '.join(str(error).split())})") from None


@contextmanager
def _opened(path: Path, expected: str = EXPECTED) -> Iterator[Any]:
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {expected}")
    h5py = needs("h5py", "hdf5", path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: cannot be read as HDF5 ({' '.join(str(error).split())})") from None
    with file:
        yield file


class Dataset:
    """A dataset by name, sliced like an array; its file is opened for each read alone, from any thread."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype):
        self.path, self.name, self.shape, self.dtype, self.ndim = path, name, shape, dtype, len(shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        with _opened(self.path) as file:
            try:
                return file[self.name][index]
            except (OSError, KeyError) as error:
                reason = " ".join(str(error).split())
                raise InputError(f"{self.path}: {self.name} cannot be read ({reason})") from None
