"""The recording store: one Zarr store (format 3) for each trial, and a manifest with the digest of every chunk.

A lost or changed chunk is not noticed by a workflow or by Zarr, which reads a missing chunk as zeros. So each chunk is
hashed and read back when it is written, the manifest is written last, and every read verifies the chunks.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import uuid
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from neural_action import __version__
from neural_action.errors import InputError
from neural_action.files import atomic_write, zstd_size
from neural_action.progress import Progress
from neural_action.recordings.manifest import (
    ARRAYS,
    SCHEMA,
    SEGMENT,
    ArrayDigest,
    Manifest,
    array_attributes,
    group_attributes,
    read_manifest,
)
from neural_action.recordings.recording import Recording

# Imported late elsewhere: dask takes most of a second to import, and many short jobs read stores without it.
if TYPE_CHECKING:
    import dask.array as da

__all__ = [
    "ArrayDigest",
    "Manifest",
    "copy_neural",
    "open_neural",
    "read_manifest",
    "read_recording",
    "write_store",
]

#: Bytes that a manifest may claim without a check of the file sizes, and the maximum compression ratio above that (our
#: choice: recordings have noise and compress less than a hundredfold).
_TRUSTED, _COMPRESSED = 1 << 30, 1000
#: Maximum bytes of a zarr.json, enough for the names of very many segments (our choice).
_METADATA = 64 << 20


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
    """Write a recording and its manifest. A failure keeps any old store and leaves no partial one.

    A lazy neural array is computed and written chunk by chunk; memory is bounded by chunk size x threads. Every chunk
    is read back and compared.

    Args:
        recording: the recording; its neural array may be lazy, and is stored as float16, uint8 or else float32.
        path: the Zarr store; an existing one is replaced when the new one is complete.
        manifest: JSON with the digest of every chunk, written last; a store without a manifest is not valid.
        dataset: name of the dataset, an attribute.
        steps: the conversion steps, an attribute; JSON values.
        chunk_mb: size of a chunk, MiB before compression.
        threads: number of chunks computed at the same time.

    Raises:
        InputError: the recording is inconsistent, or its lazy array raises it.
    """
    recording.check(f"{recording.animal}/{recording.trial}")
    attributes = {
        "dataset": dataset,
        "animal": recording.animal,
        "trial": recording.trial,
        "neural_rate": float(recording.neural_rate),
        "behavior_rate": float(recording.behavior_rate),
        "class_names": list(recording.class_names),
        "behavior_names": list(recording.behavior_names),
        "units": dict(recording.units),
        "sources": dict(recording.sources),
        "steps": dict(steps),
        "version": __version__,
    }
    if recording.segment is not None:
        attributes["segment_names"] = list(recording.segment_names)
    if recording.unit_names:
        attributes["unit_names"] = list(recording.unit_names)
    if recording.part:
        attributes["part"] = recording.part
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*.part"):
        shutil.rmtree(left, ignore_errors=True)
    # A unique name, because a killed job may have left a child process that still writes to its folder.
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        group = zarr.open_group(partial, mode="w", zarr_format=3, attributes=group_attributes(attributes))
        digests = {
            name: _write(
                group,
                name,
                values,
                dimensions,
                array_attributes(name, str(values.dtype), attributes),
                chunk_mb,
                threads,
            )
            for name, values, dimensions in _arrays(recording)
        }
        if recording.behavior_names:
            _name(group, "keypoint" if recording.behavior.ndim == 3 else "feature", recording.behavior_names)
        with warnings.catch_warnings():
            # Zarr warns that other programs may not know consolidated metadata; they read those of each array.
            warnings.simplefilter("ignore", zarr.errors.ZarrUserWarning)
            zarr.consolidate_metadata(group.store)
        content = {
            "schema": SCHEMA,
            "store": os.path.relpath(path, manifest.parent),
            "attributes": attributes,
            "arrays": {name: asdict(digest) for name, digest in digests.items()},
        }
        with atomic_write(manifest) as file:
            file.write_text(json.dumps(content, indent=1) + "\n")
            # Remove the old manifest first: without it, the old store is not valid.
            manifest.unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
            os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def read_recording(path: Path, *, with_neural: bool = True) -> Recording:
    """The recording of a manifest as NumPy arrays, with every chunk verified.

    Without ``with_neural``, ``neural`` is not read and has 0 frames; the other arrays are small and always read.
    InputError, naming store, array and chunk, if attributes, shapes or values differ from the manifest.
    """
    manifest = read_manifest(path)
    group = _open(manifest)
    values: dict[str, np.ndarray] = {}
    for name, digest in manifest.arrays.items():
        skipped = name == "neural" and not with_neural
        values[name] = np.empty((0, *digest.shape[1:]) if skipped else digest.shape, digest.read_as)
        if not skipped:
            _copy(manifest, group, name, values[name])
    attributes = manifest.attributes
    return Recording(
        animal=manifest.animal,
        trial=manifest.trial,
        neural=values["neural"],
        neural_time=values["neural_time"],
        behavior=values.get("behavior", np.empty((len(values["behavior_time"]), 0), np.float32)),
        behavior_time=values["behavior_time"],
        labels=values["labels"],
        neural_index=values["neural_index"],
        segment=values.get("segment"),
        class_names=manifest.class_names,
        behavior_names=manifest.behavior_names,
        neural_rate=manifest.neural_rate,
        behavior_rate=float(attributes["behavior_rate"]),
        units=attributes["units"],
        sources=attributes["sources"],
        segment_names=tuple(attributes.get("segment_names", ())),
        unit_names=tuple(attributes.get("unit_names", ())),
        part=attributes.get("part", ""),
    )


def copy_neural(path: Path, out: np.ndarray) -> None:
    """Copy the neural array of a manifest into ``out`` chunk by chunk, verifying each.

    ``out`` has the array's shape and any float type; it may be memory-mapped. InputError as ``read_recording``,
    ValueError for another shape.
    """
    manifest = read_manifest(path)
    if out.shape != manifest.arrays["neural"].shape:
        raise ValueError(f"out has shape {out.shape}, the neural array {manifest.arrays['neural'].shape}")
    _copy(manifest, _open(manifest), "neural", out)


def open_neural(path: Path) -> da.Array:
    """The neural array of a manifest as a lazy array in the store's chunks; each is verified when it is computed.

    For recordings that do not fit in memory. InputError as ``read_recording``, when opened or when computed.
    """
    import dask.array as da

    manifest = read_manifest(path)
    digest, array = manifest.arrays["neural"], _array(manifest, _open(manifest), "neural")
    numbers = [(number, rows) for number, rows in digest.chunks()]

    def block(block_id: tuple[int, ...]) -> np.ndarray:
        return digest.numbers(_chunk(manifest, array, "neural", *numbers[block_id[0]]))

    chunks = (tuple(rows.stop - rows.start for _, rows in numbers), *((side,) for side in digest.shape[1:]))
    dtype = digest.read_as
    return da.map_blocks(block, chunks=chunks, dtype=dtype, meta=np.empty((0,) * len(chunks), dtype))


class _Checked:
    """A Zarr array that hashes and reads back every chunk written, in any order and from any thread."""

    def __init__(self, array: zarr.Array, shown: Progress):
        self.array, self.rows, self.shown = array, array.chunks[0], shown
        self.sha256 = [""] * -(-array.shape[0] // self.rows)

    def __setitem__(self, region: tuple[slice, ...], block: np.ndarray) -> None:
        block = np.ascontiguousarray(block, self.array.dtype)
        rows = region[0]
        self.array[rows] = block
        # Compare bits: this includes NaN and signed zeros, and is cheaper than a second digest.
        bits = f"u{block.dtype.itemsize}"
        if not np.array_equal(np.asarray(self.array[rows]).view(bits), block.view(bits)):
            raise OSError(
                f"{self.array.store_path}: rows from {rows.start} read back differ from what was written"
            )
        self.sha256[rows.start // self.rows] = hashlib.sha256(block.data).hexdigest()
        self.shown.update()

    def digest(self) -> ArrayDigest:
        """The digest of the finished array."""
        if "" in self.sha256:
            raise OSError(f"{self.array.store_path}: chunk {self.sha256.index('')} was not written")
        return ArrayDigest(self.array.shape, str(self.array.dtype), self.rows, tuple(self.sha256))


def _arrays(recording: Recording) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Name, values and dimension names of each array, in its stored type; the neural one may be lazy."""
    neural = recording.neural
    kept = neural.dtype in (np.float16, np.uint8)
    numbers = neural.astype(neural.dtype if kept else np.float32, copy=False)
    yield (
        "neural",
        numbers,
        ("neural_time", *{2: ("unit",), 3: ("y", "x"), 4: ("channel", "y", "x")}[neural.ndim]),
    )
    several = SEGMENT if recording.segment is not None else {}
    for name, (dtype, clock) in {**ARRAYS, **several}.items():
        values = np.ascontiguousarray(getattr(recording, name), dtype)
        if 0 in values.shape:
            continue
        rest = {1: (), 2: ("feature",), 3: ("keypoint", "axis")}[values.ndim]
        yield name, values, (clock, *rest)


def _write(
    group: zarr.Group,
    name: str,
    values: Any,
    dimensions: tuple[str, ...],
    attributes: dict[str, Any],
    chunk_mb: float,
    threads: int,
) -> ArrayDigest:
    row_bytes = max(1, int(np.prod(values.shape[1:])) * values.dtype.itemsize)
    rows = min(max(1, int(chunk_mb * 2**20) // row_bytes), values.shape[0])
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=(rows, *values.shape[1:]),
        compressors=ZstdCodec(level=1),
        dimension_names=dimensions,
        attributes=attributes,
        # Chunks of zeros are written too, so that a missing file always means damage.
        config={"write_empty_chunks": True},
    )
    with Progress(-(-values.shape[0] // rows), f"writing {name}", "chunk") as shown:
        target = _Checked(array, shown)
        if not isinstance(values, np.ndarray):
            import dask
            import dask.array as da

            with dask.config.set(scheduler="threads", num_workers=threads):
                blocks = values.rechunk((rows, *values.shape[1:]))
                da.store(blocks, target, lock=False)  # type: ignore[arg-type]  # whatever has __setitem__ will do
        else:
            for first in range(0, len(values), rows):
                target[slice(first, min(first + rows, len(values))),] = values[first : first + rows]
    return target.digest()


def _name(group: zarr.Group, dimension: str, names: tuple[str, ...]) -> None:
    """Write a coordinate of names for other programs; this package reads names from the manifest."""
    array = group.create_array(
        dimension, shape=(len(names),), dtype="string", chunks=(len(names),), dimension_names=(dimension,)
    )
    array[:] = np.array(names, dtype=object)


def _broken(manifest: Manifest, what: str) -> InputError:
    return InputError(
        f"{manifest.store}: {what}; the store was changed or damaged: delete its manifest and rerun, "
        "rule convert writes it again"
    )


def _open(manifest: Manifest) -> zarr.Group:
    if wrong := _irregular(manifest.store / "zarr.json", _METADATA):
        raise _broken(manifest, f"cannot be opened as Zarr (zarr.json {wrong})")
    try:
        group = zarr.open_group(manifest.store, mode="r", zarr_format=3, use_consolidated=False)
        attributes = dict(group.attrs)
    except Exception as error:  # zarr raises as many kinds as there are ways to damage a folder
        raise _broken(manifest, f"cannot be opened as Zarr ({type(error).__name__})") from None
    claimed = sum(array.nbytes for array in manifest.arrays.values())
    if claimed > _TRUSTED:
        held = sum(path.stat().st_size for path in manifest.store.rglob("*") if path.is_file())
        if claimed > _TRUSTED + _COMPRESSED * held:
            raise _broken(manifest, f"its files hold {held} bytes, but its manifest claims {claimed}")
    expected = group_attributes(manifest.attributes)
    for name in {**expected, **attributes}:
        if name not in attributes or name not in expected or attributes[name] != expected[name]:
            raise _broken(manifest, f"attribute {name} differs from the manifest")
    return group


def _array(manifest: Manifest, group: zarr.Group, name: str) -> zarr.Array:
    digest = manifest.arrays[name]
    if wrong := _irregular(manifest.store / name / "zarr.json", _METADATA):
        raise _broken(manifest, f"array {name} cannot be opened (zarr.json {wrong})")
    try:
        array = group[name]
        if not isinstance(array, zarr.Array) or not hasattr(array.metadata, "codecs"):
            raise TypeError(f"{type(array).__name__}, expected an array of Zarr format 3")
        shape, dtype = tuple(array.shape), str(array.dtype)
        written = tuple(array.chunks), [str(codec.to_dict()["name"]) for codec in array.metadata.codecs]
    except Exception as error:
        raise _broken(manifest, f"array {name} cannot be opened ({type(error).__name__})") from None
    if (shape, dtype) != (digest.shape, digest.dtype):
        raise _broken(manifest, f"array {name} is {dtype} {shape}, expected {digest.dtype} {digest.shape}")
    if written != ((digest.chunk, *digest.shape[1:]), ["bytes", "zstd"]):
        raise _broken(
            manifest,
            f"array {name} has chunks {written[0]} with codecs {', '.join(written[1])}, expected "
            f"{(digest.chunk, *digest.shape[1:])} with bytes, zstd",
        )
    return array


def _chunk(manifest: Manifest, array: zarr.Array, name: str, number: int, rows: slice) -> np.ndarray:
    expected = math.prod(array.chunks) * array.dtype.itemsize
    key = "/".join(["c", str(number), *("0" for _ in array.shape[1:])])
    path = manifest.store / name / key
    # Zstandard adds at most a 256th to the size. Its header has the decompressed size, which Zarr would allocate.
    wrong = _irregular(path, expected + expected // 128 + 1024)
    if not wrong:
        with path.open("rb") as file:
            unpacked = zstd_size(file.read(18))
        wrong = (
            "" if unpacked == expected else f"unpacks to {unpacked or 'unknown'} bytes, expected {expected}"
        )
    if wrong:
        raise _broken(manifest, f"chunk {number} of {name} does not match its digest ({wrong})")
    try:
        block = np.ascontiguousarray(array[rows])
    except Exception as error:
        raise _broken(manifest, f"chunk {number} of {name} cannot be read ({type(error).__name__})") from None
    if hashlib.sha256(block.data).hexdigest() != manifest.arrays[name].sha256[number]:
        raise _broken(manifest, f"chunk {number} of {name} does not match its digest")
    return block


def _irregular(path: Path, most: int) -> str:
    """Phrase if ``path`` is missing, no regular file (reading may never end) or larger than ``most`` bytes; else ""."""
    if not path.is_file():
        return "is no file" if path.exists() else "missing"
    size = path.stat().st_size
    return f"has {size} bytes, expected at most {most}" if size > most else ""


def _copy(manifest: Manifest, group: zarr.Group, name: str, out: np.ndarray) -> None:
    array, digest = _array(manifest, group, name), manifest.arrays[name]
    for number, rows in digest.chunks():
        out[rows] = digest.numbers(_chunk(manifest, array, name, number, rows))
