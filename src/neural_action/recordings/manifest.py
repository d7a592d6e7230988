"""The manifest of a recording store: its attributes and arrays, and the digest of every chunk."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.files import read_regular

#: Version of the layout. Version 1 had dimensions frame and sample, and no coordinates; in version 2 labels were int8.
SCHEMA = 3
#: Type and first dimension of every array except the neural one.
ARRAYS = {
    "behavior": (np.float32, "behavior_time"),
    "neural_time": (np.float64, "neural_time"),
    "behavior_time": (np.float64, "behavior_time"),
    "labels": (np.int16, "behavior_time"),
    "neural_index": (np.int32, "behavior_time"),
}
#: Optional arrays.
_ABSENT = ("behavior",)
#: Array of recordings that hold many trials.
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
#: Types of the neural array; in uint8, 255 stands for 1.
NEURAL = ("float16", "float32", "uint8")
LARGEST = 255
#: Maximum bytes of a manifest: about 100 for each chunk and segment of a very long recording (our choice).
_LONGEST = 256 << 20


@dataclass(frozen=True)
class ArrayDigest:
    """Shape and type of an array, and the SHA-256 of the values (C order) of each chunk of ``chunk`` rows."""

    shape: tuple[int, ...]
    dtype: str
    chunk: int
    sha256: tuple[str, ...]

    def check(self, name: str) -> None:
        """ValueError if shape, type, chunk and digests do not fit each other; every value must have a digest."""
        if not self.shape or min(*self.shape, self.chunk) < 1 or len(self.shape) > 4:
            raise ValueError(
                f"{name} has shape {self.shape} and chunks of {self.chunk}, expected 1 to 4 dimensions of at least 1"
            )
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
        """The type of the values after reading: float32 for uint8, otherwise the stored type."""
        return np.dtype(np.float32 if self.dtype == "uint8" else self.dtype)

    def numbers(self, block: np.ndarray) -> np.ndarray:
        """Decode a block of stored values to type ``read_as``."""
        return block / np.float32(LARGEST) if self.dtype == "uint8" else block

    def chunks(self) -> Iterator[tuple[int, slice]]:
        """Number and rows of every chunk."""
        for number in range(len(self.sha256)):
            yield number, slice(number * self.chunk, min((number + 1) * self.chunk, self.shape[0]))


@dataclass(frozen=True)
class Manifest:
    """Description of a store, written in the same folder.

    Attributes:
        store: the Zarr folder.
        attributes: the attributes of the store: dataset, animal, trial, neural_rate, behavior_rate,
            class_names, behavior_names, units, sources, steps, version; optionally segment_names (with segments),
            unit_names (with identified cells) and part (if published in parts).
        arrays: digest of each array: neural, neural_time, behavior_time, labels, neural_index; optionally behavior, and
            segment for a recording that holds many trials.
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
    """The manifest at ``path``; does not open the store. InputError if the file is not a valid manifest."""
    with reading(
        path, "a manifest", OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError
    ):
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
            raise ValueError(f"store {store!r}, expected a path inside the manifest's folder")
        return Manifest(Path(path).parent / store, attributes, arrays)


def group_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of the Zarr group, in types that NetCDF also has; mappings become JSON text."""
    flat = {
        name: json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value
        for name, value in attributes.items()
    }
    title = f"{attributes['dataset']}: {attributes['animal']}, trial {attributes['trial']}"
    return {**flat, "title": title, "Conventions": "CF-1.11"}


def array_attributes(name: str, dtype: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The CF attributes of an array of type ``dtype``: long name, unit, scale, and meanings of flags."""
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
        # CF separates meanings by blanks.
        out["flag_meanings"] = " ".join(re.sub(r"\s+", "_", one) for one in names)
    return out


def _dtype(name: str) -> str:
    return "float32" if name == "neural" else str(np.dtype({**ARRAYS, **SEGMENT}[name][0]))


def _names(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the required arrays, and of the optional ones that the manifest lists."""
    may = (*_ABSENT, *SEGMENT)
    return tuple(name for name in ("neural", *ARRAYS, *SEGMENT) if name in arrays or name not in may)
