"""Arrays from pickles, without executing them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from neural_action.errors import InputError

# Everything that a pickled plain NumPy array names, in NumPy 1 and 2. Nothing here runs code of the file.
_ALLOWED = {
    (module, name)
    for package in ("numpy.core", "numpy._core")
    for module, name in (
        (f"{package}.multiarray", "_reconstruct"),
        (f"{package}.multiarray", "scalar"),
        (f"{package}.numeric", "_frombuffer"),
    )
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        if (module, name) not in _ALLOWED:
            raise InputError(f"names {module}.{name}, expected a plain NumPy array; it was not executed")
        return super().find_class(module, name)


def load_array_pickle(path: Path) -> np.ndarray:
    """The NumPy array in a pickle, read through an allow-list.

    Raises InputError if the file names anything but what a plain array needs, or holds something else.
    """
    try:
        with Path(path).open("rb") as file:
            array = _ArrayUnpickler(file).load()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except Exception as error:  # a broken pickle raises whatever its bytes happen to mean
        raise InputError(f"{path}: cannot be read as a pickled array ({type(error).__name__}: {error})") from None
    if not isinstance(array, np.ndarray) or array.dtype.hasobject:
        raise InputError(f"{path}: holds {type(array).__name__}, expected a NumPy array of numbers")
    return array


def load_npy(path: Path) -> np.ndarray:
    """The array in a .npy file, never unpickled. InputError if it cannot be read."""
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read as .npy ({' '.join(str(error).split())})") from None
