"""Anipose: the CSV of triangulated poses, (sample, keypoint, 3).

Columns are ``<keypoint>_x``, ``_y``, ``_z``, ``_error``, ``_ncams``, ``_score`` (since version 0.5), and ``fnum``, the
video frame. Source: anipose/triangulate.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError, reading
from neural_action.recordings.formats import Behavior, frame_numbers
from neural_action.recordings.table_files import read_table

EXPECTED = "a CSV of Anipose with columns <keypoint>_x, <keypoint>_y, <keypoint>_z"


class Options(Section):
    """Options of this format.

    Attributes:
        max_error: keypoints with a larger reprojection error, pixels, are missing; null keeps all.
        min_score: keypoints with a lower score are missing.
        exclude: keypoints to leave out.
    """

    max_error: Annotated[float, Field(gt=0)] | None = None
    min_score: Annotated[float, Field(ge=0)] = 0.0
    exclude: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """Recognise a CSV with such columns."""
    if path.suffix != ".csv" or not path.is_file():
        return None
    with path.open(errors="replace") as file:
        columns = file.readline().strip().split(",")
    return "Anipose poses" if _keypoints(columns) else None


def scored(path: Path) -> bool:
    """Whether the file has scores."""
    with path.open(errors="replace") as file:
        return any(name.endswith("_score") for name in file.readline().strip().split(","))


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, keypoint, 3) float32, as calibrated. InputError naming the file.

    The file has no clock, so the video's rate must be configured.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    with reading(path, "poses", ValueError):
        table = read_table(path)
        names = [name for name in _keypoints(list(table.columns)) if name not in options.exclude]
        if not names:
            raise InputError(f"{path}: columns {', '.join(table.columns[:6])}, ..., expected {EXPECTED}")
        points = np.stack(
            [table[[f"{name}_{axis}" for axis in "xyz"]].to_numpy(np.float32) for name in names], 1
        )
    for option, suffix, given in (
        ("max_error", "error", options.max_error is not None),
        ("min_score", "score", options.min_score > 0),
    ):
        if given and not any(f"{name}_{suffix}" in table for name in names):
            raise InputError(f"{path}: no column ends in _{suffix}, expected one, or no option {option}")
    for at, name in enumerate(names):
        if options.max_error is not None and f"{name}_error" in table:
            points[table[f"{name}_error"].to_numpy() > options.max_error, at] = np.nan
        if options.min_score and f"{name}_score" in table:
            points[table[f"{name}_score"].to_numpy() < options.min_score, at] = np.nan
    frames = frame_numbers(table["fnum"].to_numpy(), path, "fnum") if "fnum" in table else None
    return Behavior(points, tuple(names), "as calibrated", frames=frames)


def _keypoints(columns: list[str]) -> list[str]:
    """Names of keypoints with columns x, y and z."""
    there = set(columns)
    return [
        name[:-2]
        for name in columns
        if name.endswith("_x") and f"{name[:-2]}_y" in there and f"{name[:-2]}_z" in there
    ]
