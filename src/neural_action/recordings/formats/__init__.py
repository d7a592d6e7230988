"""File formats, one file each, found by name: what a file holds of a recording, and on which clock.

A format module has

- ``EXPECTED``: one phrase that says what it looks for;
- ``Options``: a ``FormatOptions``, the keys of ``options`` in a reader's configuration;
- ``recognise(path) -> str | None``: what ``path`` holds, in a phrase, if it is of this format (reads little);
- ``files(path) -> list[Path]``: the raw files behind ``path``;
- where that depends on the file, ``roles(path) -> tuple[str, ...]``: what it can give; nothing for what is recognised
  in order to say why it is not read;
- and what it can give, one or more of ``neural(path, options) -> Neural``,
  ``behavior(path, options) -> Behavior`` and ``labels(path, options, class_names) -> Labels``.

Bad input is an InputError. What is slow to import belongs inside functions: Snakemake imports formats whenever it
parses the workflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from neural_action.config.kinds import MOST_CLASSES
from neural_action.config.signatures import one_line
from neural_action.errors import InputError
from neural_action.text import is_missing

#: What a format can give.
ROLES = ("neural", "behavior", "labels")


class FormatOptions(BaseModel):
    """Options of a format: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def parse(cls, options: dict[str, Any], where: str) -> Self:
        """The typed options; InputError with the key below ``where``, the value and what was expected."""
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise InputError(f"configuration {one_line(error, where)}") from None


@dataclass(frozen=True)
class Neural:
    """Neural activity as its file has it.

    Attributes:
        data: (frame, y, x) or (frame, unit) numbers; a lazy dask array where it can be large.
        unit: what the numbers are, such as ``dF/F``.
        time: (frame,) float64 s, None where the file has no clock.
        rate: frames per second, None where the file does not say.
        names: of the units, where the file has them.
        source: what of the file this is, in a phrase; "" where there is no choice.
    """

    data: Any
    unit: str
    time: np.ndarray | None = None
    rate: float | None = None
    names: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Behavior:
    """Behaviour as its file has it.

    Attributes:
        data: (sample, keypoint, axis) or (sample, feature) float32; NaN where it is missing.
        names: keypoints or features.
        unit: of the values.
        time: (sample,) float64 s, None where the file has no clock.
        rate: samples per second, None where the file does not say.
        frames: (sample,) int64, increasing: the video frame of each sample, from 0, where the file says it. A frame
            that is not listed is a gap; None: sample k is frame k.
        said: how the samples got their clock, where there is something to say.
    """

    data: np.ndarray
    names: tuple[str, ...]
    unit: str
    time: np.ndarray | None = None
    rate: float | None = None
    frames: np.ndarray | None = None
    said: str = ""


@dataclass(frozen=True)
class Labels:
    """Actions, either one a video frame (behaviour sample) or one an interval.

    Attributes:
        names: the classes.
        numbers: (frame,) or (interval,) int8 index into ``names``; -1 unlabelled.
        intervals: (interval, 2) float64 s, start and stop on the clock of the behaviour; None: one a frame.
        of_video: intervals count from the first video frame, wherever the clock of the behaviour starts.
        by_frame: numbers are of the frames that the file names, not of its rows.
        said: what says when an action was.
        conflicts: where two intervals of different classes overlap: an error, or ``unlabelled``.
    """

    names: tuple[str, ...]
    numbers: np.ndarray
    intervals: np.ndarray | None = None
    of_video: bool = False
    by_frame: bool = False
    said: str = "one a behaviour sample"
    conflicts: Literal["refuse", "unlabelled"] = "refuse"


def frame_numbers(values: np.ndarray, path: Path, what: str) -> np.ndarray:
    """(sample,) int64 video frames of a column that counts them.

    InputError naming ``what`` and the first bad entry unless they are whole, from 0, and increasing.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise InputError(f"{path}: {what} holds {values.dtype} values or gaps, expected video frame numbers")
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
    """Names of the formats, or of those that give ``role``."""
    # Files that begin with an underscore are parts of a format.
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    return [name for name in names if role is None or hasattr(module_of(name), role)]


def load_format(name: str, role: str, where: str) -> ModuleType:
    """The format module called ``name``. InputError, naming ``where``, if none of that name gives ``role``."""
    known = known_formats(role)
    if name not in known:
        raise InputError(f"configuration {where}.format: {name!r} is not one of {', '.join(known)}")
    return module_of(name)


def needs(package: str, extra: str, path: Path) -> ModuleType:
    """An optional package. InputError that says how to install it, if it is missing."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != package.split(".")[0]:
            raise
        raise InputError(
            f'{path}: reading it needs the package {package}; pip install "neural-action[{extra}]"'
        ) from None


def as_classes(
    found: Sequence[str], class_names: tuple[str, ...] | None, unlabelled: Sequence[str], where: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers of names, (n,) int8; ``unlabelled`` names and blank ones are -1. Blanks around a name are no part.

    The classes are ``class_names``, or all that occur, in alphabetical order. Raises InputError for a name that is
    neither, for more classes than can be counted, and for NA, None and the like: a class, or no label?
    """
    no_class = {"", *unlabelled}
    found = [name.strip() for name in found]
    for at, name in enumerate(found):
        if name not in no_class and is_missing(name) and name not in (class_names or ()):
            raise InputError(
                f"{where}: action {name!r} at entry {at} may mean no label; expected it in options unlabelled, or in "
                "convert.class_names if it is an action"
            )
    names = class_names or tuple(sorted(set(found) - no_class))
    if len(names) > MOST_CLASSES:
        raise InputError(f"{where}: {len(names)} actions, expected at most {MOST_CLASSES}")
    number = {**dict.fromkeys(no_class, -1), **{name: at for at, name in enumerate(names)}}
    for at, name in enumerate(found):
        if name not in number:
            raise InputError(
                f"{where}: action {name!r} at entry {at}, expected one of convert.class_names "
                f"({', '.join(names)}) or of unlabelled"
            )
    return np.array([number[name] for name in found], np.int8), names


def module_of(name: str) -> ModuleType:
    """The format module of a known name."""
    return import_module(f"{__name__}.{name}")
