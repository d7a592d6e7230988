"""Read datasets of HDF5 files block by block; the file is open only during a read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError, needed, reading
from neural_action.files import most_bytes

EXPECTED = "an HDF5 file"


@contextmanager
def opened(path: Path, expected: str = EXPECTED, kind: str = "HDF5") -> Iterator[Any]:
    """The open file; error messages call it ``kind``.

    InputError if the file is missing or no HDF5; if any data lies in another file (an external link, external storage,
    a virtual dataset), which the sources of the recording would not list; or if datasets claim far more data than the
    file can hold.
    """
    with _opened(path, expected, kind) as file:
        _check(file, path, kind)
        yield file


def _check(file: Any, path: Path, kind: str) -> None:
    """InputError naming a bad dataset before any is read; a shape without data takes no space but reads as zeros."""
    import h5py

    links: list[tuple[str, Any]] = []
    with reading(
        path, kind, RuntimeError, OSError, KeyError, ValueError, TypeError, AttributeError, SystemError
    ):
        # Collect first, because an exception raised inside this walk would be lost.
        file.visititems_links(lambda name, link: links.append((name, link)))
        most, claimed = most_bytes(path), 0
        for name, link in links:
            if isinstance(link, h5py.ExternalLink):
                _refuse_other(path, name, f"a link to {link.path} in {link.filename}")
            item = file.get(name)
            if not isinstance(item, h5py.Dataset):
                continue
            if item.is_virtual:
                _refuse_other(path, name, "a virtual dataset, made of other datasets")
            if item.external:
                _refuse_other(path, name, f"stored in {item.external[0][0]}")
            # A dataset with several names counts once for each, because each may be read.
            claimed += item.nbytes
            # A chunk is decompressed as a whole, and may be larger than its dataset.
            chunk = math.prod(item.chunks or (0,)) * item.dtype.itemsize
            if max(claimed, chunk) > most:
                raise InputError(
                    f"{path}: {name} claims {max(item.nbytes, chunk) / 2**30:.1f} GiB (shape {item.shape}), and all "
                    f"datasets up to it {claimed / 2**30:.1f} GiB, expected at most {most / 2**30:.1f} GiB in a file "
                    f"of {path.stat().st_size / 2**20:.1f} MiB"
                )


def _refuse_other(path: Path, name: str, what: str) -> None:
    raise InputError(f"{path}: {name} is {what}; expected all of the recording in one file")


@contextmanager
def _opened(path: Path, expected: str = EXPECTED, kind: str = "HDF5") -> Iterator[Any]:
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {expected}")
    h5py = needed("h5py", "hdf5", f"{path}: reading it")
    with reading(path, kind, OSError):
        file = h5py.File(path, "r")
    with file:
        yield file


def members(item: Any) -> dict[str, Any]:
    """Name -> member of a group, without broken links; empty if ``item`` is no group."""
    return {name: found for name in item if (found := item.get(name)) is not None} if _is_group(item) else {}


def read_numbers(path: Path, name: str, item: Any) -> np.ndarray:
    """A whole dataset of numbers. InputError naming it if ``item`` is something else."""
    if _is_group(item) or item.dtype.kind not in "biuf" or item.shape is None:
        raise InputError(f"{path}: {name} is {_kind(item)}, expected numbers")
    return np.asarray(item[()])


def read_names(path: Path, name: str, item: Any) -> list[str]:
    """A dataset of strings as a list. InputError naming it if ``item`` is something else or empty."""
    values = [] if _is_group(item) or item.shape is None else np.asarray(item[()], object).ravel().tolist()
    if not values or not all(isinstance(value, bytes | str) for value in values):
        raise InputError(f"{path}: {name} is {_kind(item)}, expected names")
    return [value.decode(errors="replace") if isinstance(value, bytes) else value for value in values]


def _is_group(item: Any) -> bool:
    return hasattr(item, "keys")


def _kind(item: Any) -> str:
    return "a group" if _is_group(item) else f"{item.dtype} of shape {item.shape}"


class Dataset:
    """A dataset that can be sliced like an array, from any thread; each read opens and closes the file."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype):
        self.path, self.name, self.shape, self.dtype, self.ndim = path, name, shape, dtype, len(shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        with _opened(self.path) as file:
            try:
                return file[self.name][index]
            except (OSError, KeyError) as error:
                raise InputError(f"{self.path}: {self.name} cannot be read ({error})") from None
