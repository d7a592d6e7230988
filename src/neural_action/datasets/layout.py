"""All recordings of a dataset as a few plain arrays, written once and memory-mapped by every job.

Neural activity of all recordings is concatenated in one flat array, because animals may have different units or images.
Behaviour, labels and clocks are concatenated too. Stores are verified when the layout is written, and the digest of
each array is verified when it is opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.files import atomic_write, sha256_of, write_text
from neural_action.recordings.manifest import Manifest, read_manifest
from neural_action.recordings.streams import same_rate

SCHEMA = 1
#: Arrays of a layout and their types; each is a file ``<name>.npy``.
ARRAYS = {
    "neural": np.float32,
    "neural_time": np.float64,
    "behavior": np.float32,
    "behavior_time": np.float64,
    "labels": np.int16,
    "neural_index": np.int32,
}
DESCRIPTION = "dataset.json"
FILES = (DESCRIPTION, *(f"{name}.npy" for name in ARRAYS))


@dataclass(frozen=True)
class Entry:
    """A recording in the arrays of a layout.

    Attributes:
        animal, trial: names of animal and trial.
        frame_shape: shape of one neural frame, (y, x), (channel, y, x) or (unit,).
        values: its range in the flat ``neural``.
        frames: its range in ``neural_time``.
        samples: its range in ``behavior``, ``behavior_time``, ``labels`` and ``neural_index``.
        segments: name, first frame and stop frame of each trial within it; empty if it is one trial.
        sha256: digests of its neural chunks in the store.
    """

    animal: str
    trial: str
    frame_shape: tuple[int, ...]
    values: slice
    frames: slice
    samples: slice
    segments: tuple[tuple[str, int, int], ...]
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """The arrays of a dataset, and the attributes common to its recordings.

    Attributes:
        entries: the recordings, sorted by animal and trial.
        attributes: attributes of the first store (dataset, rates, units, steps, ...); JSON values.
        behavior_shape: shape of one behaviour sample, (feature,) or (keypoint, axis).
        arrays: arrays by name; ``neural`` is flat (empty if it was not read), ``behavior`` is (sample, feature).
        digest: digest of the description, which has the digest of every array.
    """

    entries: tuple[Entry, ...]
    attributes: Mapping[str, Any]
    behavior_shape: tuple[int, ...]
    arrays: Mapping[str, np.ndarray]
    digest: str = ""

    @property
    def animals(self) -> tuple[str, ...]:
        """Names of the animals, sorted."""
        return tuple(sorted({entry.animal for entry in self.entries}))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The action classes."""
        return tuple(self.attributes["class_names"])

    @property
    def neural_rate(self) -> float:
        """Neural frames per second."""
        return float(self.attributes["neural_rate"])

    @property
    def units(self) -> dict[str, tuple[int, ...]]:
        """Shape of a neural frame of each animal."""
        return {entry.animal: entry.frame_shape for entry in self.entries}

    def without_neural(self) -> Layout:
        """This layout with an empty neural array."""
        return replace(self, arrays={**self.arrays, "neural": np.empty(0, np.float32)})

    def neural(self, entry: Entry) -> np.ndarray:
        """(frame, y, x) or (frame, unit) float32 of one recording."""
        return self.arrays["neural"][entry.values].reshape(-1, *entry.frame_shape)


def lay_out(manifests: Sequence[Path], folder: Path | None = None) -> Layout:
    """Verify and concatenate recordings: in memory, or as files in ``folder`` (atomically, the description last).

    Raises:
        InputError: recordings that differ in classes, behaviour or rates, or within an animal in units; two recordings
            with the same name or neural data; or a store that does not match its manifest.
    """
    # Imported here, because jobs that open a layout do not need zarr, which takes 0.3 s to import.
    from neural_action.recordings.store import read_recording

    opened = sorted(
        ((read_manifest(path), Path(path)) for path in manifests),
        key=lambda pair: (pair[0].animal, pair[0].trial),
    )
    if not opened:
        raise InputError("dataset: no recording was given, expected at least one manifest")
    _check_alike(opened)
    _check_distinct(opened)
    first = opened[0][0]
    entries, parts = [], []
    value = frame = sample = 0
    for manifest, path in opened:
        recording = read_recording(path, with_neural=False)
        count, *frame_shape = manifest.arrays["neural"].shape
        values, samples = int(count * np.prod(frame_shape, dtype=np.int64)), len(recording.behavior_time)
        entries.append(
            Entry(
                manifest.animal,
                manifest.trial,
                tuple(frame_shape),
                slice(value, value + values),
                slice(frame, frame + count),
                slice(sample, sample + samples),
                tuple(recording.segments),
                tuple(manifest.arrays["neural"].sha256),
            )
        )
        parts.append(recording)
        value, frame, sample = value + values, frame + count, sample + samples
    attributes = {
        name: value for name, value in first.attributes.items() if name not in ("segment_names", "part")
    }
    small = {
        name: np.concatenate([np.asarray(getattr(part, name)) for part in parts]).astype(kind)
        for name, kind in ARRAYS.items()
        if name != "neural"
    }
    shape = small["behavior"].shape[1:]
    small["behavior"] = small["behavior"].reshape(sample, -1)
    if folder is None:
        neural = np.empty(value, np.float32)
        _copy(opened, entries, neural)
        return Layout(tuple(entries), attributes, shape, {"neural": neural, **small})
    return _written(folder, opened, entries, attributes, shape, small, value)


def open_layout(folder: Path, *, neural: bool = True) -> Layout:
    """The layout in ``folder``, with memory-mapped arrays. InputError if a file is missing or was changed.

    Without ``neural``, the neural array is not read and is empty.
    """
    path = Path(folder) / DESCRIPTION
    with reading(path, "a dataset", OSError, LookupError, TypeError, ValueError, AttributeError):
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if content["schema"] != SCHEMA:
            raise InputError(f"{path}: schema {content['schema']!r}, expected {SCHEMA}; rerun rule dataset")
        entries = tuple(_entry(one) for one in content["entries"])
        arrays = {}
        for name, kind in ARRAYS.items():
            if name == "neural" and not neural:
                arrays[name] = np.empty(0, kind)
                continue
            arrays[name] = _mapped(path.with_name(f"{name}.npy"), kind, content["sha256"][name])
        shape = tuple(content["behavior_shape"])
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Layout(entries, content["attributes"], shape, arrays, digest)


def _mapped(path: Path, kind: type, expected: str) -> np.ndarray:
    if not path.is_file():
        raise InputError(
            f"{path}: missing; delete {DESCRIPTION} beside it and rerun, then rule dataset writes it again"
        )
    if sha256_of(path) != expected:
        raise InputError(
            f"{path}: changed or damaged; delete {DESCRIPTION} beside it and rerun, then rule dataset writes it again"
        )
    # Copy on write, because torch does not accept read-only arrays; nothing writes to them.
    array = np.load(path, mmap_mode="c", allow_pickle=False)
    if array.dtype != kind:
        raise ValueError(f"{path.name} is {array.dtype}, expected {np.dtype(kind)}")
    return array.view(np.ndarray)


def _written(
    folder: Path,
    opened: Sequence[tuple[Manifest, Path]],
    entries: list[Entry],
    attributes: Mapping[str, Any],
    shape: tuple[int, ...],
    small: Mapping[str, np.ndarray],
    values: int,
) -> Layout:
    digests = {}
    for name in ARRAYS:
        with atomic_write(folder / f"{name}.npy") as partial:
            if name == "neural":
                array = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=(values,))
                _copy(opened, entries, array)
                array.flush()
                del array
            else:
                np.save(partial, small[name])
            digests[name] = sha256_of(partial)
    content = {
        "schema": SCHEMA,
        "attributes": dict(attributes),
        "behavior_shape": list(shape),
        "sha256": digests,
        "entries": [_described(entry) for entry in entries],
    }
    write_text(folder / DESCRIPTION, json.dumps(content, indent=1) + "\n")
    return open_layout(folder)


def _copy(opened: Sequence[tuple[Manifest, Path]], entries: Sequence[Entry], out: np.ndarray) -> None:
    from neural_action.recordings.store import copy_neural

    for (_, path), entry in zip(opened, entries, strict=True):
        copy_neural(path, out[entry.values].reshape(-1, *entry.frame_shape))


def _described(entry: Entry) -> dict[str, Any]:
    return {
        name: [value.start, value.stop] if isinstance(value, slice) else value
        for name, value in vars(entry).items()
    }


def _entry(content: Mapping[str, Any]) -> Entry:
    return Entry(
        str(content["animal"]),
        str(content["trial"]),
        tuple(content["frame_shape"]),
        slice(*content["values"]),
        slice(*content["frames"]),
        slice(*content["samples"]),
        tuple((str(name), int(start), int(stop)) for name, start, stop in content["segments"]),
        tuple(content["sha256"]),
    )


def _check_alike(opened: Sequence[tuple[Manifest, Path]]) -> None:
    """Raise InputError if classes, behaviour or rates differ, or if units differ within an animal."""
    first, first_path = opened[0]
    shapes: dict[str, tuple[int, ...]] = {}
    for manifest, path in opened:
        for what, here, there in (
            ("class_names", manifest.class_names, first.class_names),
            ("behaviour", manifest.behavior_names, first.behavior_names),
        ):
            if tuple(here) != tuple(there):
                raise InputError(f"{path}: {what} {here} differs from {there} in {first_path}")
        for name in ("neural_rate", "behavior_rate"):
            rate, expected = (float(one.attributes[name]) for one in (manifest, first))
            if not same_rate(rate, expected):
                raise InputError(
                    f"{path}: {name.replace('_', ' ')} {rate:g} /s differs from {expected:g} /s in {first_path}, "
                    f"expected one rate for all recordings: set convert.{name}, and convert them again"
                )
        shape = tuple(manifest.arrays["neural"].shape[1:])
        known = shapes.setdefault(manifest.animal, shape)
        if shape != known:
            raise InputError(f"{path}: neural frame {shape} differs from {known} of the same animal")


def _check_distinct(opened: Sequence[tuple[Manifest, Path]]) -> None:
    """Raise InputError for two recordings with the same name, or with the same neural data."""
    known: dict[tuple[str, tuple[str, ...]], Path] = {}
    for manifest, path in opened:
        name, content = (manifest.animal, manifest.trial), manifest.arrays["neural"].sha256
        for key in (("name", name), ("neural data", content)):
            if key in known:
                raise InputError(
                    f"{path}: has the same {key[0]} as {known[key]}, expected different recordings"
                )
            known[key] = path
