"""Other content for a file: it stays a sound file of its kind, and says something else."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat

Draw = Callable[[st.SearchStrategy], Any]
EXTREME = (
    0,
    1,
    -1,
    3,
    127,
    128,
    2**31,
    2**62,
    -(2**63),
    0.5,
    -0.0,
    1e-300,
    1e30,
    1e300,
    np.nan,
    np.inf,
    -np.inf,
)
TYPES = ("?", "i1", "u2", "i8", "u8", "f2", "f4", "f8", "c8", "U3", "S3", "M8[s]")
WORDS = (
    "",
    "0",
    "-1",
    "7",
    "1e400",
    "nan",
    "inf",
    "9" * 30,
    "x",
    "é",
    "\x00",
    '"',
    "a,b",
    "-",
    "1.5",
    "True",
    "None",
)
ARRAYS = st.sampled_from(TYPES).flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
)
VALUES = st.one_of(st.sampled_from(EXTREME), st.sampled_from(WORDS), st.none(), ARRAYS)
RESHAPED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "transposed": np.transpose,
    "half": lambda array: array[: len(array) // 2],
    "nothing left": lambda array: array[:0],
    "one left": lambda array: array[:1],
    "flat": np.ravel,
    "deeper": lambda array: array[..., None],
    "backwards": lambda array: array[::-1],
    "twice": lambda array: np.concatenate([array, array]),
    "constant": np.zeros_like,
}


def other_array(array: np.ndarray, draw: Draw) -> np.ndarray:
    """Another array: of any type and shape, or this one in another shape or type, or with other values in it."""
    how = draw(st.sampled_from(["any", "reshaped", "type", "values"]))
    if how == "reshaped" and array.ndim:
        return RESHAPED[draw(st.sampled_from(list(RESHAPED)))](array)
    if how == "type" and array.dtype.kind in "biuf":
        with np.errstate(all="ignore"):
            return array.astype(draw(st.sampled_from(TYPES[:10])))
    if how == "values" and array.dtype.kind in "iuf" and array.size:
        out = np.array(array, np.float64)
        for _ in range(draw(st.integers(1, 3))):
            out.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from(EXTREME))
        with np.errstate(all="ignore"):
            return out.astype(array.dtype)
    return draw(ARRAYS)


def other_value(value: Any, draw: Draw) -> Any:
    """Another value of a dictionary, or the dictionary or list with another value inside."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        name = draw(st.sampled_from(list(value)))
        if not draw(st.integers(0, 4)):
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: other_value(value[name], draw)}
    if isinstance(value, np.ndarray) and draw(st.integers(0, 5)):
        return other_array(value, draw)
    return draw(VALUES)


def _npy(path: Path, draw: Draw) -> None:
    value = np.load(path, allow_pickle=True)
    if value.dtype == object:
        np.save(path, np.array(other_value(value.item(), draw), object), allow_pickle=True)
    else:
        np.save(path, other_array(value, draw))


def _npz(path: Path, draw: Draw) -> None:
    with np.load(path) as file:
        values = dict(file)
    name = draw(st.sampled_from(list(values)))
    if draw(st.integers(0, 4)):
        values[name] = other_array(values[name], draw)
    else:
        del values[name]
    np.savez(path, **values)


def _pickle(path: Path, draw: Draw) -> None:
    path.write_bytes(pickle.dumps(other_value(pickle.loads(path.read_bytes()), draw)))


def _mat(path: Path, draw: Draw) -> None:
    values = {name: item for name, item in loadmat(path, simplify_cells=True).items() if name[:2] != "__"}
    changed = other_value(values, draw)
    try:
        savemat(path, changed if isinstance(changed, dict) else {"x": changed})
    except (TypeError, ValueError, AttributeError):  # such a value has no place in one
        path.write_bytes(b"")


def _hdf5(path: Path, draw: Draw) -> None:
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = draw(st.sampled_from(names))
        how = draw(st.sampled_from(["gone", "group", "other", "other", "other", "attribute", "attribute"]))
        item = file[name]
        if how == "attribute":
            if not len(item.attrs):
                return
            key = draw(st.sampled_from(list(item.attrs)))
            if draw(st.integers(0, 4)):
                _put(lambda value: item.attrs.__setitem__(key, value), draw(VALUES))
            else:
                del item.attrs[key]
            return
        attributes = dict(item.attrs)
        old = item[()] if isinstance(item, h5py.Dataset) else None
        new = other_array(old, draw) if isinstance(old, np.ndarray) else draw(VALUES)
        del file[name]
        if how == "group":
            file.create_group(name)
        elif how == "other":
            _put(lambda value: file.__setitem__(name, value), new)
        if name in file:
            for key, value in attributes.items():
                file[name].attrs[key] = value


def _put(put: Callable[[Any], None], value: Any) -> None:
    """Writes text and times in a form that HDF5 has."""
    if value is None:
        value = h5py.Empty("f")
    if isinstance(value, np.ndarray) and value.dtype.kind in "UM":
        value = np.char.encode(value.astype(str), "utf-8", "replace")
    try:
        put(value)
    except (TypeError, ValueError, OSError):
        put(0)


def _text(path: Path, draw: Draw) -> None:
    text = path.read_text()
    lines = text.splitlines()
    how = draw(st.sampled_from(["word", "word", "word", "line gone", "line twice"]))
    if how != "word":
        at = draw(st.integers(0, len(lines) - 1))
        lines[at : at + 1] = [] if how == "line gone" else [lines[at]] * 2
        path.write_text("\n".join(lines) + "\n")
        return
    words = list(re.finditer(r"[^\s,<>\"={}\[\]/]+", text))
    # Of many lines the first are as likely as all others: names stand there.
    some = words[:60] if draw(st.booleans()) else words
    word = draw(st.sampled_from(some))
    path.write_text(text[: word.start()] + draw(st.sampled_from(WORDS)) + text[word.end() :])


def _tiff(path: Path, draw: Draw) -> None:
    try:
        tifffile.imwrite(path, draw(ARRAYS))
    except Exception:  # such a picture cannot be written
        path.write_bytes(b"")


def _bytes(path: Path, draw: Draw) -> None:
    data = path.read_bytes()
    path.write_bytes(draw(st.sampled_from([b"", data[:-1], data + data, data[: len(data) // 2]])))


_KINDS = {
    ".npy": _npy,
    ".npz": _npz,
    ".pkl": _pickle,
    ".mat": _mat,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".nwb": _hdf5,
    ".csv": _text,
    ".xml": _text,
    ".yaml": _text,
    ".tif": _tiff,
}


def change(path: Path, draw: Draw) -> None:
    """Write other content into a file, of its kind by its suffix; of another suffix, by its bytes."""
    _KINDS.get(path.suffix, _bytes)(path, draw)
