"""Read trials from the pickles of the MYOW release, without executing their code.

The newer files hold a list of torch_geometric graphs of torch tensors, one graph for each trial. Each tensor is itself
a stream of pickles (``torch.save`` before its zip format) followed by numbers. The older files hold lists of NumPy
arrays. Names are looked up in a table of stand-ins as in ``pickles``; neither torch nor torch_geometric is imported.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.files import most_bytes
from neural_action.recordings.pickles import ALLOWED, Array, Unpickler, bounded

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
#: The type of the numbers of each class of torch storages.
_STORAGES = {
    ("torch", f"{name}Storage"): np.dtype(kind)
    for name, kind in (
        *(("Double", "f8"), ("Float", "f4"), ("Long", "i8"), ("Int", "i4"), ("Short", "i2")),
        *(("Char", "i1"), ("Byte", "u1"), ("Bool", "u1")),
    )
}


class _Object:
    """Stands for a graph and for the container of its arrays: keeps only the pickled state."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _StorageUnpickler(Unpickler):
    """Reads one of the pickles at the start of a saved storage; these only describe the storage."""

    def __init__(self, stream: IO[bytes]):
        super().__init__(stream, _STORAGES, "a torch storage of numbers")

    def persistent_load(self, described: Any) -> np.dtype:
        tag, kind, *_ = described
        if tag != "storage" or not isinstance(kind, np.dtype):
            raise InputError(f"describes {tag!r}, expected a torch storage of numbers")
        return kind


def _storage(data: Any) -> np.ndarray:
    """Stands for torch.storage._load_from_bytes: (n,) numbers."""
    stream = io.BytesIO(data)
    magic, protocol, system, dtype, keys = (_StorageUnpickler(stream).load() for _ in range(5))
    if (magic, protocol) != (_MAGIC, _PROTOCOL) or not isinstance(dtype, np.dtype) or len(keys) != 1:
        raise InputError("holds a tensor in another form, expected that of torch.save before its zip format")
    order: Literal["<", ">"] = "<" if system.get("little_endian", True) else ">"
    count = int.from_bytes(stream.read(8), "little" if order == "<" else "big")
    return np.frombuffer(stream.read(), dtype.newbyteorder(order), count=count)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Array:
    """Stands for torch._utils._rebuild_tensor_v2: numbers of a storage, arranged by offset, size and stride."""
    array = Array()
    if math.prod(size) == 0:
        array.value = np.zeros(size, storage.dtype)
        return array
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    # A stride of 0 would make more numbers than the file holds.
    if min((offset, *size, *stride)) < 0 or last >= len(storage) or math.prod(size) > len(storage):
        raise InputError(
            f"has a tensor of shape {tuple(size)}, expected at most the {len(storage)} numbers of its storage"
        )
    strides = [step * storage.dtype.itemsize for step in stride]
    view = np.lib.stride_tricks.as_strided(storage[offset:], size, strides, writeable=False)
    array.value = view.astype(storage.dtype.newbyteorder("="))
    return array


_TRIALS: dict[tuple[str, str], Any] = {
    **ALLOWED,
    ("torch_geometric.data.data", "Data"): _Object,
    ("torch_geometric.data.storage", "GlobalStorage"): _Object,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("collections", "OrderedDict"): dict,
}


def load_trial_pickle(path: Path) -> list[dict[str, np.ndarray]]:
    """The arrays of each trial, by their name in the file.

    InputError if the file cannot be read, is larger than ``pickles.MAX_BYTES``, holds something else, or refers to a
    name that trials do not need. That name is in the message; nothing is imported or executed.
    """
    with reading(path, "pickled trials", nameless=True):
        expected = "trials of NumPy arrays or torch_geometric graphs"
        content = Unpickler(io.BytesIO(bounded(path)), _TRIALS, expected).load()
        trials = content["data"]
        if isinstance(trials, dict):
            counts = {name: len(values) for name, values in trials.items()}
            if len(set(counts.values())) != 1:
                raise InputError(f"lists of arrays have lengths {counts}, expected one array for each trial")
            trials = [dict(zip(trials, trial, strict=True)) for trial in zip(*trials.values(), strict=True)]
        else:
            trials = [_mapping(trial) for trial in trials]
        found = [_arrays(trial) for trial in trials]
        # One array may be referenced by any number of trials.
        if sum(array.nbytes for trial in found for array in trial.values()) > most_bytes(path):
            raise InputError(f"unpacks to more than {most_bytes(path)} bytes, expected at most that")
        return found


def _mapping(graph: Any) -> dict[str, Any]:
    """Name -> value in a graph; graphs of torch_geometric 1 hold these directly in their state."""
    state = graph.state
    return state["_store"].state["_mapping"] if "_store" in state else state


def _arrays(values: dict[str, Any]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, value in values.items():
        if isinstance(value, Array):
            if value.value is None:
                raise InputError("holds an array without values")
            found[name] = value.value
    return found
