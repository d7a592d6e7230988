"""The recording store: Zarr format 3, one a trial, with a manifest that knows every chunk's digest.

A Zarr folder that loses or changes a chunk looks fine to a workflow, and to Zarr (a missing chunk reads as zeros).
So what is written is hashed on the way in, the manifest is written last, and whoever reads verifies.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import zarr

from neural_action import __version__
from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.recordings.recording import Recording

SCHEMA = 1
DIMENSIONS = {
    "neural_time": ("frame",),
    "behavior_time": ("sample",),
    "labels": ("sample",),
    "neural_index": ("sample",),
}
_TYPES = {
    "neural_time": np.float64,
    "behavior": np.float32,
    "behavior_time": np.float64,
    "labels": np.int8,
    "neural_index": np.int32,
}


@dataclass(frozen=True)
class ArrayDigest:
    """Shape, type and, per chunk of ``chunk`` rows, the SHA-256 of one array's values."""

    shape: tuple[int, ...]
    dtype: str
    chunk: int
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What a store holds, as written beside it."""

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


def write_store(
    recording: Recording,
    path: Path,
    manifest: Path,
    *,
    dataset: str,
    steps: Mapping[str, Any],
    chunk_mb: float,
    threads: int = 1,
) -> None:
    """Write a recording and its manifest; on any failure neither is left.

    Lazy arrays are computed and written chunk by chunk: memory is bounded by chunk size x threads.

    Args:
        recording: what to write; its neural array may be lazy.
        path: the Zarr store, replaced if it exists.
        manifest: JSON with the digest of every chunk, written last.
        dataset: name of the dataset, an attribute.
        steps: the conversion steps, an attribute.
        chunk_mb: size of a chunk of the neural array, MiB.
        threads: chunks that are computed at a time.
    """
    recording.check(f"{recording.animal}/{recording.trial}")
    partial = path.with_name(f".{path.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    manifest.unlink(missing_ok=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    attributes = {
        "dataset": dataset,
        "animal": recording.animal,
        "trial": recording.trial,
        "neural_rate": recording.neural_rate,
        "behavior_rate": recording.behavior_rate,
        "class_names": list(recording.class_names),
        "behavior_names": list(recording.behavior_names),
        "units": dict(recording.units),
        "sources": dict(recording.sources),
        "steps": dict(steps),
        "version": __version__,
    }
    try:
        group = zarr.open_group(partial, mode="w", zarr_format=3, attributes=attributes)
        digests = {}
        for name, values in _arrays(recording).items():
            lazy = values if isinstance(values, da.Array) else None
            dtype = np.dtype(values.dtype)
            row_bytes = max(1, int(np.prod(values.shape[1:], dtype=np.int64)) * dtype.itemsize)
            rows = min(max(1, int(chunk_mb * 2**20) // row_bytes), max(1, values.shape[0]))
            target = _HashedArray(group, name, values.shape, dtype, rows, _dimensions(name, values.ndim))
            if lazy is None:
                for first in range(0, len(values), rows):
                    target[slice(first, first + rows),] = values[first : first + rows]
            else:
                whole_rows = lazy.rechunk({0: rows, **{axis: -1 for axis in range(1, lazy.ndim)}})
                with dask.config.set(scheduler="threads", num_workers=threads):
                    da.store(whole_rows, target, lock=False)
            digests[name] = target.digest()
        shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    content = {
        "schema": SCHEMA,
        "store": os.path.relpath(path, manifest.parent),
        "attributes": attributes,
        "arrays": {name: vars(digest) for name, digest in digests.items()},
    }
    with whole(manifest) as file:
        file.write_text(json.dumps(content, indent=1) + "\n")


def read_manifest(path: Path) -> Manifest:
    """The manifest at ``path``. InputError if it is not one."""
    try:
        content = json.loads(Path(path).read_text())
        if content["schema"] != SCHEMA:
            raise InputError(f"{path}: schema {content['schema']}, expected {SCHEMA}; rerun rule convert")
        arrays = {
            name: ArrayDigest(tuple(a["shape"]), a["dtype"], a["chunk"], tuple(a["sha256"]))
            for name, a in content["arrays"].items()
        }
        return Manifest(Path(path).parent / content["store"], content["attributes"], arrays)
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a manifest ({type(error).__name__}: {error})") from None


def read_recording(path: Path, *, with_neural: bool = True) -> Recording:
    """The recording of a manifest, in memory, every chunk verified.

    Raises InputError if attributes, shapes or a chunk differ from the manifest. Without neural data,
    ``neural`` has no frames.
    """
    manifest = read_manifest(path)
    group = _open(manifest)
    values = {}
    for name, digest in manifest.arrays.items():
        if name == "neural" and not with_neural:
            values[name] = np.empty((0, *digest.shape[1:]), digest.dtype)
            continue
        values[name] = np.empty(digest.shape, digest.dtype)
        _copy(manifest, group, name, values[name])
    attributes = manifest.attributes
    return Recording(
        animal=manifest.animal,
        trial=manifest.trial,
        class_names=manifest.class_names,
        behavior_names=manifest.behavior_names,
        neural_rate=manifest.neural_rate,
        behavior_rate=float(attributes["behavior_rate"]),
        units=attributes["units"],
        sources=attributes["sources"],
        **values,
    )


def copy_neural(path: Path, out: np.ndarray) -> None:
    """Copy the neural array of a manifest into ``out`` (same shape, any float type), a verified chunk at a time."""
    manifest = read_manifest(path)
    _copy(manifest, _open(manifest), "neural", out)


class _HashedArray:
    """A Zarr array that hashes each chunk as it is written; chunks may come in any order, from any thread."""

    def __init__(self, group, name: str, shape, dtype: np.dtype, rows: int, dimensions: tuple[str, ...]):
        self.array = group.create_array(
            name,
            shape=shape,
            dtype=dtype,
            chunks=(rows, *(max(1, side) for side in shape[1:])),
            compressors=zarr.codecs.ZstdCodec(level=1),
            dimension_names=dimensions,
            # Without a fill value of its own, xarray would read integers as masked floats.
            fill_value=0,
        )
        self.rows, self.sha256 = rows, [""] * -(-shape[0] // rows)

    def __setitem__(self, region: tuple[slice, ...], block: np.ndarray) -> None:
        block = np.ascontiguousarray(block, self.array.dtype)
        self.sha256[region[0].start // self.rows] = hashlib.sha256(block).hexdigest()
        self.array[region] = block

    def digest(self) -> ArrayDigest:
        """The digest of the finished array."""
        return ArrayDigest(self.array.shape, str(self.array.dtype), self.rows, tuple(self.sha256))


def _arrays(recording: Recording) -> dict[str, Any]:
    arrays = {"neural": recording.neural, "behavior": recording.behavior}
    arrays |= {name: getattr(recording, name) for name in DIMENSIONS}
    return {
        name: value if name == "neural" else np.ascontiguousarray(value, _TYPES[name]) for name, value in arrays.items()
    }


def _dimensions(name: str, ndim: int) -> tuple[str, ...]:
    if name == "neural":
        return ("frame", "y", "x") if ndim == 3 else ("frame", "unit")
    if name == "behavior":
        return ("sample", "keypoint", "axis") if ndim == 3 else ("sample", "feature")
    return DIMENSIONS[name]


def _broken(manifest: Manifest, what: str) -> InputError:
    return InputError(
        f"{manifest.store}: {what}; the store was changed or damaged: delete its manifest and rerun, "
        "rule convert makes it anew"
    )


def _open(manifest: Manifest):
    try:
        group = zarr.open_group(manifest.store, mode="r", zarr_format=3)
    except Exception as error:  # zarr raises as many kinds as there are ways to damage a folder
        raise _broken(manifest, f"cannot be opened as Zarr ({type(error).__name__})") from None
    if dict(group.attrs) != dict(manifest.attributes):
        raise _broken(manifest, "attributes differ from the manifest")
    return group


def _copy(manifest: Manifest, group, name: str, out: np.ndarray) -> None:
    digest = manifest.arrays[name]
    try:
        array = group[name]
    except Exception as error:
        raise _broken(manifest, f"array {name} cannot be opened ({type(error).__name__})") from None
    if tuple(array.shape) != digest.shape or str(array.dtype) != digest.dtype:
        raise _broken(manifest, f"array {name} is {array.dtype} {array.shape}, expected {digest.dtype} {digest.shape}")
    for number, expected in enumerate(digest.sha256):
        rows = slice(number * digest.chunk, min((number + 1) * digest.chunk, digest.shape[0]))
        try:
            block = np.ascontiguousarray(array[rows])
        except Exception as error:
            raise _broken(manifest, f"chunk {number} of {name} cannot be read ({type(error).__name__})") from None
        if hashlib.sha256(block).hexdigest() != expected:
            raise _broken(manifest, f"chunk {number} of {name} does not match its digest")
        out[rows] = block
