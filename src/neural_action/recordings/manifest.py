"""The manifest of a recording store: what it holds, and the digest of every chunk."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.files import read_regular

#: 1 had dimensions frame and sample, and no coordinates.
SCHEMA = 2
#: Type and first dimension of every array but the neural one.
ARRAYS = {
    "behavior": (np.float32, "behavior_time"),
    "neural_time": (np.float64, "neural_time"),
    "behavior_time": (np.float64, "behavior_time"),
    "labels": (np.int8, "behavior_time"),
    "neural_index": (np.int32, "behavior_time"),
}
#: What a recording may be without: behaviour.
_ABSENT = ("behavior",)
#: Of recordings that hold many trials.
SEGMENT = {"segment": (np.int32, "neural_time")}
_ATTRIBUTES = (
    "dataset",
    "animal",
    "trial",
    "neural_rate",
    "behavior_rate",
    "class_names",
    "behavior_names",
    "units",
    "sources",
    "steps",
    "version",
)
_OPTIONAL = ("segment_names", "unit_names", "part")
#: Types of the neural array. Of whole numbers 255 stands for 1.
NEURAL = ("float16", "float32", "uint8")
LARGEST = 255
#: Most bytes of a manifest: a hundred characters for each chunk and segment of a very long recording (our choice).
_LONGEST = 256 << 20


@dataclass(frozen=True)
class ArrayDigest:
    """Shape and type of an array; per chunk of ``chunk`` rows, the SHA-256 of its values (C order)."""

    shape: tuple[int, ...]
    dtype: str
    chunk: int
    sha256: tuple[str, ...]

    def check(self, name: str) -> None:
        """ValueError if shape, chunk and digests do not fit each other: an entry without a digest is never read."""
        if not self.shape or min(*self.shape, self.chunk) < 1 or len(self.shape) > 4:
            raise ValueError(f"{name} of shape {self.shape} in chunks of {self.chunk}, expected entries")
        if not (name == "neural" and self.dtype in NEURAL) and self.dtype != _dtype(name):
            raise ValueError(f"{name} is {self.dtype}, expected {_dtype(name)}")
        if len(self.sha256) != (expected := -(-self.shape[0] // self.chunk)):
            raise ValueError(f"{name} has {len(self.sha256)} digests, expected {expected}")

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def read_as(self) -> np.dtype:
        """The type that values are read as."""
        return np.dtype(np.float32 if self.dtype == "uint8" else self.dtype)

    def numbers(self, block: np.ndarray) -> np.ndarray:
        """The numbers, of type ``read_as``, that a block of values stands for."""
        return block / np.float32(LARGEST) if self.dtype == "uint8" else block

    def chunks(self) -> Iterator[tuple[int, slice]]:
        """Number and rows of every chunk."""
        for number in range(len(self.sha256)):
            yield number, slice(number * self.chunk, min((number + 1) * self.chunk, self.shape[0]))


@dataclass(frozen=True)
class Manifest:
    """What a store holds, as written beside it.

    Attributes:
        store: the Zarr folder.
        attributes: the attributes of the store: dataset, animal, trial, neural_rate, behavior_rate,
            class_names, behavior_names, units, sources, steps, version; segment_names where there are segments,
            unit_names where cells are known, part where it was published in parts.
        arrays: digest of each array: neural, behavior (where there is some), neural_time, behavior_time, labels,
            neural_index; segment of a recording that holds many trials.
    """

    store: Path
    attributes: Mapping[str, Any]
    arrays: Mapping[str, ArrayDigest]

    @property
    def animal(self) -> str:
        """Name of the animal."""
        return self.attributes["animal"]

    @property
    def trial(self) -> str:
        """Name of the trial."""
        return self.attributes["trial"]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The action classes."""
        return tuple(self.attributes["class_names"])

    @property
    def behavior_names(self) -> tuple[str, ...]:
        """Keypoints or features."""
        return tuple(self.attributes["behavior_names"])

    @property
    def neural_rate(self) -> float:
        """Neural frames per second."""
        return float(self.attributes["neural_rate"])


def read_manifest(path: Path) -> Manifest:
    """The manifest at ``path``; the store is not looked at. InputError if it is not one."""
    try:
        content = json.loads(read_regular(path, _LONGEST))
        if content["schema"] != SCHEMA:
            raise InputError(f"{path}: schema {content['schema']!r}, expected {SCHEMA}; rerun rule convert")
        arrays = {
            name: ArrayDigest(tuple(a["shape"]), a["dtype"], int(a["chunk"]), tuple(a["sha256"]))
            for name, a in ((name, content["arrays"][name]) for name in _names(content["arrays"]))
        }
        given = content["attributes"]
        attributes = {name: given[name] for name in (*_ATTRIBUTES, *(n for n in _OPTIONAL if n in given))}
        for name, array in arrays.items():
            array.check(name)
        store = content["store"]
        if Path(store).is_absolute() or ".." in Path(store).parts:
            raise ValueError(f"store {store!r}, expected a folder beside it")
        return Manifest(Path(path).parent / store, attributes, arrays)
    except InputError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as a manifest ({type(error).__name__}: {error})") from None


def group_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of the Zarr group, of the kinds that NetCDF has too: sections of keys are JSON."""
    flat = {
        name: json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value
        for name, value in attributes.items()
    }
    title = f"{attributes['dataset']}: {attributes['animal']}, trial {attributes['trial']}"
    return {**flat, "title": title, "Conventions": "CF-1.11"}


def array_attributes(name: str, dtype: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The CF attributes of an array of that type: what it is, its unit, and what its numbers and flags mean."""
    long_names = {
        "neural": "neural activity",
        "behavior": "behaviour",
        "neural_time": "time of the neural frame",
        "behavior_time": "time of the behaviour sample, on the clock of the neural frames",
        "labels": "action",
        "neural_index": "neural frame of the behaviour sample, from 0",
        "segment": "trial of the neural frame, place in segment_names",
    }
    units = {"neural_time": "s", "behavior_time": "s"} | {
        key: unit for key, unit in attributes["units"].items() if key in ("neural", "behavior")
    }
    out: dict[str, Any] = {"long_name": long_names[name]}
    if name in units:
        out["units"] = units[name]
    if dtype == "uint8":
        out["scale_factor"] = 1 / LARGEST
    if name == "labels":
        names = ["unlabelled", *attributes["class_names"]]
        out["flag_values"] = list(range(-1, len(names) - 1))
        # Blanks part the meanings.
        out["flag_meanings"] = " ".join(re.sub(r"\s+", "_", one) for one in names)
    return out


def _dtype(name: str) -> str:
    return "float32" if name == "neural" else str(np.dtype({**ARRAYS, **SEGMENT}[name][0]))


def _names(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the arrays that a manifest must list, and of those that it may."""
    may = (*_ABSENT, *SEGMENT)
    return tuple(name for name in ("neural", *ARRAYS, *SEGMENT) if name in arrays or name not in may)
