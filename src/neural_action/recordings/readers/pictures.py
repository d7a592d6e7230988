"""Reader of sets of labelled pictures: CIFAR, Tiny ImageNet, folders of classes, ``.npz``, scikit-learn's digits.

Each published part of a set is a recording, and each picture is a trial of one frame. There is no behaviour, and the
set's name takes the place of the animal's.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Count, Each
from neural_action.errors import InputError
from neural_action.recordings.pictures import ALL, UNLABELLED, Pictures
from neural_action.recordings.pictures.read import DIGITS, EXPECTED, only, read_pictures
from neural_action.recordings.pictures.sources import open_tree
from neural_action.recordings.readers import ReaderOptions, renamed
from neural_action.recordings.recording import Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream

CONFIGURATION = None
EMBEDDED = (DIGITS,)
Part = Literal["train", "validation", "test", "all"]
#: Pictures have no clock; they get one frame per second (our choice).
RATE = 1.0


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        name: name of the set in the tables.
        path: folder, archive or ``.npz``, relative to the raw folder; ``.`` is that folder itself.
        parts: the published parts of the set; ``all`` for a set without parts.
        classes: ``fine`` classes, or ``coarse`` groups of them (the groups of CIFAR-100 are CIFAR-20).
        of_each_class: number of pictures of each class to take from each part, the first ones; null for all.
    """

    name: str = "pictures"
    path: str = "."
    parts: Annotated[list[Part], Each] = Field(default=["train", "test"], min_length=1)
    classes: Literal["fine", "coarse"] = "fine"
    of_each_class: Count | None = None


def scan(folder: Path, options: Options) -> list[SampleRow]:
    """One row for each part, with path ``<set>/<part>``. Opens no file, because an archive takes seconds.

    InputError if the set does not exist.
    """
    path = folder / options.path
    if str(path) != DIGITS and not path.exists():
        raise InputError(f"{path}: no such file or folder, expected {EXPECTED}; or {DIGITS}")
    return [
        SampleRow(options.name, part, (PurePosixPath(options.path) / part).as_posix())
        for part in options.parts
    ]


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The archive or ``.npz``, or every file of the folder; empty for scikit-learn's digits."""
    path, _ = _set_and_part(root, row)
    if str(path) == DIGITS:
        return []
    path = only(path)
    return [path / name for name in open_tree(path).names] if path.is_dir() else [path]


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """One part: lazy pictures (n, channel, y, x) float32 in [0, 1], each with a label. ``class_names`` renames classes.

    InputError as ``read_pictures``, and if the parts of the set differ from ``options.parts``, if it has no coarse
    classes, or if the number of ``class_names`` differs from the number of classes.
    """
    import dask.array as da

    path, part = _set_and_part(root, row)
    found = read_pictures(path)
    if missing := sorted(set(options.parts) ^ set(found.part.tolist())):
        has = ", ".join(dict.fromkeys(found.part.tolist()))
        raise InputError(
            f"{path}: convert.reader_options.parts {', '.join(options.parts)}, expected {has} ({missing[0]} differs)"
        )
    labels, names = _classes(path, found, options.classes)
    names = renamed(names, class_names)
    rows = np.flatnonzero(found.part == part)
    if len(rows) == 0:
        raise InputError(f"{path}: no part {part!r}, expected one of {', '.join(options.parts)}")
    if options.of_each_class is not None:
        rows = rows[_place(labels[rows]) < options.of_each_class]
    count, clock = len(rows), np.arange(len(rows)) / RATE
    pictures = da.from_array(np.ascontiguousarray(found.pictures[rows].transpose(0, 3, 1, 2)), chunks="64MiB")
    width = len(str(count - 1))
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=pictures.map_blocks(_shares, dtype=np.float32),
        neural_time=clock,
        behavior=np.empty((count, 0), np.float32),
        behavior_time=clock,
        labels=labels[rows].astype(np.int16),
        neural_index=np.arange(count, dtype=np.int32),
        class_names=names,
        behavior_names=(),
        neural_rate=RATE,
        behavior_rate=RATE,
        units={"neural": "intensity, 0 to 1", "behavior": "1", "time": "s"},
        streams=(
            Stream.of("neural", clock, f"{row.path}, pictures; {RATE:g} /s, because pictures have no clock"),
            Stream.of("labels", clock, f"{row.path}, classes; one for each picture"),
        ),
        segment=np.arange(count, dtype=np.int32),
        segment_names=tuple(f"{at:0{width}}" for at in range(count)),
        part="" if part == ALL else part,
    )


def _set_and_part(root: Path, row: SampleRow) -> tuple[Path, str]:
    """Path of the set, and the name of the row's part."""
    path = PurePosixPath(row.path)
    return Path(root) / path.parent, path.name


def _classes(path: Path, found: Pictures, kind: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(n,) labels and the names of the classes."""
    if kind == "fine":
        return found.labels, found.class_names
    if found.coarse is None:
        raise InputError(
            f"{path}: convert.reader_options.classes is coarse, expected fine: the set has no groups of classes"
        )
    return found.coarse, found.coarse_names


def _place(labels: np.ndarray) -> np.ndarray:
    """(n,) int64: number of earlier entries with the same label; the largest int64 for unlabelled ones."""
    out = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        out[own] = np.arange(len(own)) if label != UNLABELLED else np.iinfo(np.int64).max
    return out


def _shares(block: np.ndarray) -> np.ndarray:
    return block / np.float32(255)
