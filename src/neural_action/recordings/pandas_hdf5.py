"""Tables of numbers that pandas wrote to HDF5 (``to_hdf``, both formats), read without PyTables.

Column names of a ``table`` are pickled in an attribute; they are read through the allow-list of ``pickles``, so that
nothing is executed. Sources: pandas/io/pytables.py (``AppendableFrameTable``, ``BlockManagerFixed``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.hdf5 import members, opened, read_numbers
from neural_action.recordings.pickles import object_pickle

_EXPECTED = "a table that pandas wrote to HDF5"


@dataclass(frozen=True)
class Frame:
    """A table of numbers.

    Attributes:
        values: (row, column) float64.
        columns: name of each column, a tuple of its levels.
        index: (row,) numbers or strings.
    """

    values: np.ndarray
    columns: list[tuple[str, ...]]
    index: np.ndarray


def holds_frame(file: Any, key: str) -> bool:
    """Whether an open HDF5 file has a pandas table ``key``."""
    item = members(file).get(key)
    return item is not None and "pandas_type" in getattr(item, "attrs", {})


def read_frame(path: Path, key: str) -> Frame:
    """The table ``key``. InputError naming the file if there is none, or it has no numbers or an unknown layout."""
    with opened(path, _EXPECTED) as file:
        group = members(file).get(key)
        if group is None or "pandas_type" not in group.attrs:
            raise InputError(
                f"{path}: holds {', '.join(members(file)) or 'nothing'}, expected a table {key} of pandas"
            )
        try:
            kind = _text(group.attrs["pandas_type"])
            frame = _table(path, key, group) if kind == "frame_table" else _fixed(path, key, group)
        except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
            reason = str(error)
            raise InputError(
                f"{path}: {key} is not laid out as pandas does ({type(error).__name__}: {reason})"
            ) from None
    if frame.values.shape != (len(frame.index), len(frame.columns)):
        raise InputError(
            f"{path}: {key} has values of shape {frame.values.shape}, expected {len(frame.index)} rows and "
            f"{len(frame.columns)} columns"
        )
    return frame


def _table(path: Path, key: str, group: Any) -> Frame:
    """Read the ``table`` format: rows of a compound type with the index, and one field for each block of columns."""
    table = group["table"][()]
    blocks = [name for name in table.dtype.names if name != "index"]
    columns, values = [], []
    for name in blocks:
        if table[name].dtype.kind not in "iuf":
            raise InputError(f"{path}: {key}/table holds {table[name].dtype} in {name}, expected numbers")
        values.append(table[name].reshape(len(table), -1))
        columns += [
            _levels(entry) for entry in object_pickle(bytes(group["table"].attrs[f"{name}_kind"]), path)
        ]
    order = [_levels(entry) for entry in object_pickle(bytes(group.attrs["non_index_axes"]), path)[0][1]]
    at = [columns.index(name) for name in order]
    return Frame(np.concatenate(values, 1).astype(np.float64)[:, at], order, table["index"])


def _fixed(path: Path, key: str, group: Any) -> Frame:
    """Read the ``fixed`` format: separate arrays of levels, of their numbers, and of each block of values."""
    order = _labelled(group, "axis0")
    columns, values = [], []
    for block in range(int(group.attrs["nblocks"])):
        columns += _labelled(group, f"block{block}_items")
        values.append(read_numbers(path, f"{key}/block{block}_values", group[f"block{block}_values"]))
    at = [columns.index(name) for name in order]
    return Frame(np.concatenate(values, 1).astype(np.float64)[:, at], order, group["axis1"][()])


def _labelled(group: Any, name: str) -> list[tuple[str, ...]]:
    """Names of the columns of an axis, of one level or several."""
    if f"{name}_level0" not in group:
        return [(_text(entry),) for entry in group[name][()]]
    count = int(group.attrs[f"{name}_nlevels"])
    levels = [[_text(entry) for entry in group[f"{name}_level{at}"][()]] for at in range(count)]
    numbers = [group[f"{name}_label{at}"][()] for at in range(count)]
    return [
        tuple(level[int(k)] for level, k in zip(levels, row, strict=True))
        for row in zip(*numbers, strict=True)
    ]


def _levels(entry: Any) -> tuple[str, ...]:
    return tuple(map(_text, entry)) if isinstance(entry, tuple) else (_text(entry),)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
