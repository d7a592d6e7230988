"""All recordings of a dataset as a few plain arrays, laid out once and mapped by every job.

Neural activity of all recordings lies end to end in one flat array, since animals may have other units or images;
behaviour, labels and clocks likewise. Stores are verified when they are laid out, and the digest of each array when it
is opened: whoever reads can trust it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.files import atomic_write, sha256_of
from neural_action.recordings.manifest import Manifest, read_manifest

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
#: Two rates are the same within this share (our choice: clocks are measured).
_SAME_RATE = 0.01


@dataclass(frozen=True)
class Entry:
    """A recording in the arrays of a layout.

    Attributes:
        animal, trial: its name.
        frame_shape: (y, x), (channel, y, x) or (unit,) of one neural frame.
        values: its place in the flat ``neural``.
        frames: its place in ``neural_time``.
        samples: its place in ``behavior``, ``behavior_time``, ``labels`` and ``neural_index``.
        segments: name, first frame and end of each trial within it; none where it is one trial.
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
    """The arrays, and what the recordings have in common.

    Attributes:
        entries: the recordings, sorted by animal and trial.
        attributes: of the first store (dataset, rates, units, steps, ...); JSON values.
        behavior_shape: of one behaviour sample, (feature,) or (keypoint, axis).
        arrays: by name; ``neural`` is flat, ``behavior`` is (sample, feature). Without neural data it is empty.
        digest: of the description, which holds the digest of every array.
    """

    entries: tuple[Entry, ...]
    attributes: Mapping[str, Any]
    behavior_shape: tuple[int, ...]
    arrays: Mapping[str, np.ndarray]
    digest: str = ""

    @property
    def animals(self) -> tuple[str, ...]:
        """Names, sorted."""
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
        """The same with an empty neural array."""
        return replace(self, arrays={**self.arrays, "neural": np.empty(0, np.float32)})

    def neural(self, entry: Entry) -> np.ndarray:
        """(frame, y, x) or (frame, unit) float32 of one recording."""
        return self.arrays["neural"][entry.values].reshape(-1, *entry.frame_shape)


def lay_out(manifests: Sequence[Path], folder: Path | None = None) -> Layout:
    """Verified recordings laid end to end: in memory, or as files in ``folder`` (written whole, description last).

    Raises:
        InputError: recordings that do not fit each other (classes, behaviour, rates, neurons of one animal), two of
            one name or with the same neural data, or a store that does not match its manifest.
    """
    # zarr takes a third of a second to import, and jobs that map a layout do without it.
    from neural_action.recordings.store import read_recording

    opened = sorted(
        ((read_manifest(path), Path(path)) for path in manifests),
        key=lambda pair: (pair[0].animal, pair[0].trial),
    )
    if not opened:
        raise InputError("dataset: no recording is given, expected the manifest of at least one")
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
    """The layout in ``folder``, its arrays mapped. InputError if a file is missing or is not what was written.

    Without ``neural`` that array is not read, and empty.
    """
    path = Path(folder) / DESCRIPTION
    try:
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
    except InputError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        said = str(error)
        raise InputError(f"{path}: cannot be read as a dataset ({type(error).__name__}: {said})") from None


def _mapped(path: Path, kind: type, expected: str) -> np.ndarray:
    if not path.is_file():
        raise InputError(
            f"{path}: is missing; delete {DESCRIPTION} beside it and rerun, rule dataset makes it anew"
        )
    if sha256_of(path) != expected:
        raise InputError(
            f"{path}: was changed or damaged; delete {DESCRIPTION} beside it and rerun, rule dataset makes it anew"
        )
    # Copy on write: torch takes no array that is read-only, and nothing here writes.
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
    with atomic_write(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
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
    """InputError for classes, behaviour or rates that differ, or neurons that differ within an animal."""
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
            if abs(rate - expected) > _SAME_RATE * expected:
                raise InputError(
                    f"{path}: {name.replace('_', ' ')} {rate:g} /s differs from {expected:g} /s in {first_path}, "
                    "expected one rate for all recordings"
                )
        shape = tuple(manifest.arrays["neural"].shape[1:])
        known = shapes.setdefault(manifest.animal, shape)
        if shape != known:
            raise InputError(f"{path}: neural frame {shape} differs from {known} of the same animal")


def _check_distinct(opened: Sequence[tuple[Manifest, Path]]) -> None:
    """InputError for two recordings of one name, or with the same neural data under two names."""
    known: dict[tuple[str, tuple[str, ...]], Path] = {}
    for manifest, path in opened:
        name, content = (manifest.animal, manifest.trial), manifest.arrays["neural"].sha256
        for key in (("name", name), ("neural data", content)):
            if key in known:
                raise InputError(f"{path}: has the {key[0]} of {known[key]}, expected a recording of its own")
            known[key] = path
