"""File formats, one module each, found by name. A format reads the data of a file and its clock.

A format module has

- ``EXPECTED``: one phrase that says which files it reads;
- ``Options``: a ``Section``, the keys of ``options`` in a reader's configuration;
- ``recognise(path) -> str | None``: a phrase on the content of ``path`` if it has this format (reads little);
- ``files(path) -> list[Path]`` (optional): the raw files that belong to ``path``, by default only this one;
- one or more of ``neural(path, options) -> Neural``, ``behavior(path, options) -> Behavior`` and
  ``labels(path, options, class_names) -> Labels``;
- ``roles(path) -> tuple[str, ...]`` (optional): which of these three a file has, if that depends on the file; empty for
  a file that is recognised only to say why it is not read.

Bad input is an InputError. Snakemake imports formats whenever it parses the workflow, so import slow packages inside
functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np

from neural_action.config.kinds import MOST_ACTIONS
from neural_action.errors import InputError
from neural_action.text import is_missing

#: Roles of a file.
ROLES = ("neural", "behavior", "labels")


@dataclass(frozen=True)
class Neural:
    """Neural activity as read from a file.

    Attributes:
        data: (frame, y, x) or (frame, unit) numbers; a lazy dask array if it can be large.
        unit: unit of the numbers, such as ``dF/F``.
        time: (frame,) float64 s; None if the file has no times.
        rate: frames per second; None if the file has no rate.
        names: names of the units, if the file has them.
        source: phrase that says which signal of the file was read; "" if there is only one.
    """

    data: Any
    unit: str
    time: np.ndarray | None = None
    rate: float | None = None
    names: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Behavior:
    """Behaviour as read from a file.

    Attributes:
        data: (sample, keypoint, axis) or (sample, feature) float32; NaN if missing.
        names: names of keypoints or features.
        unit: unit of the values.
        time: (sample,) float64 s; None if the file has no times.
        rate: samples per second; None if the file has no rate.
        frames: (sample,) int64, increasing: the video frame of each sample, from 0. Frames that are not listed are a
            gap. None means that sample k is frame k.
        said: phrase on how the samples got their clock; may be empty.
        source: phrase that says which data of the file were read; "" if there is only one.
    """

    data: np.ndarray
    names: tuple[str, ...]
    unit: str
    time: np.ndarray | None = None
    rate: float | None = None
    frames: np.ndarray | None = None
    said: str = ""
    source: str = ""


@dataclass(frozen=True)
class Labels:
    """Action labels, one for each video frame (behaviour sample) or one for each interval.

    Attributes:
        names: names of the classes.
        numbers: (frame,) or (interval,) int16 index into ``names``; -1 is unlabelled.
        intervals: (interval, 2) float64 s, start and stop on the clock of the behaviour; None for labels of frames.
        of_video: whether interval times count from the first video frame instead of the zero of the clock.
        by_frame: whether ``numbers`` are indexed by the frame numbers in the file, not by its rows.
        said: phrase on how the labels are timed.
        in_frames: whether ``intervals`` are video frames, from 0, instead of s.
        stated: whether the unit of ``intervals`` was configured.
        conflicts: overlapping intervals of different classes are an error (``refuse``) or ``unlabelled``.
        source: phrase that says which data of the file were read; "" if there is only one.
    """

    names: tuple[str, ...]
    numbers: np.ndarray
    intervals: np.ndarray | None = None
    of_video: bool = False
    by_frame: bool = False
    said: str = "one for each behaviour sample"
    conflicts: Literal["refuse", "unlabelled"] = "refuse"
    source: str = ""
    in_frames: bool = False
    stated: bool = False


def frame_numbers(values: np.ndarray, path: Path, what: str) -> np.ndarray:
    """(sample,) int64 video frame numbers from a column of them.

    InputError naming ``what`` and the first bad entry unless they are whole numbers >= 0 that increase.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise InputError(
            f"{path}: {what} holds {values.dtype} values or missing ones, expected video frame numbers"
        )
    whole = values.astype(np.int64)
    wrong = (whole != values) | (whole < 0)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"{path}: {what} says {values[at]:g} in row {at}, expected whole frame numbers from 0"
        )
    steps = np.diff(whole)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise InputError(
            f"{path}: {what} says frame {whole[at]}, then {whole[at + 1]} (row {at + 1}), expected increasing frames"
        )
    return whole


def known_formats(role: str | None = None) -> list[str]:
    """Names of the formats, or of those that can read ``role``."""
    # Modules with a leading underscore are parts of a format.
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    return [name for name in names if role is None or hasattr(module_of(name), role)]


def load_format(name: str, role: str, where: str) -> ModuleType:
    """The format module ``name``. InputError, naming ``where``, if there is none that can read ``role``."""
    known = known_formats(role)
    if name not in known:
        raise InputError(f"configuration {where}.format: {name!r} is not one of {', '.join(known)}")
    return module_of(name)


def files_of(name: str, path: Path, pattern: str | None = None) -> list[Path]:
    """The raw files that belong to ``path``; in a folder of some formats, those whose names match ``pattern``."""
    module = module_of(name)
    if not hasattr(module, "files"):
        return [path]
    return module.files(path) if pattern is None else module.files(path, pattern)


def as_classes(
    found: Sequence[str], class_names: tuple[str, ...] | None, unlabelled: Sequence[str], where: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(n,) int16 class numbers of names, and the class names; blank names and those in ``unlabelled`` are -1.

    Blanks around a name are removed. The classes are ``class_names``, or else all names that occur, in alphabetical
    order. InputError for a name that is no class, for more than ``MOST_ACTIONS`` classes, and for names such as NA or
    None, which may mean no label.
    """
    no_class = {"", *unlabelled}
    found = [name.strip() for name in found]
    for at, name in enumerate(found):
        if name not in no_class and is_missing(name) and name not in (class_names or ()):
            raise InputError(
                f"{where}: action {name!r} at entry {at} may mean no label; add it to options unlabelled, or to "
                "convert.class_names if it is an action"
            )
    names = class_names or tuple(sorted(set(found) - no_class))
    if len(names) > MOST_ACTIONS:
        raise InputError(f"{where}: {len(names)} actions, expected at most {MOST_ACTIONS}")
    number = {**dict.fromkeys(no_class, -1), **{name: at for at, name in enumerate(names)}}
    for at, name in enumerate(found):
        if name not in number:
            raise InputError(
                f"{where}: action {name!r} at entry {at}, expected one of convert.class_names "
                f"({', '.join(names)}) or of unlabelled"
            )
    return np.array([number[name] for name in found], np.int16), names


def module_of(name: str) -> ModuleType:
    """The format module ``name``, which must exist."""
    return import_module(f"{__name__}.{name}")
