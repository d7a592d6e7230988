"""DeepLabCut and Lightning Pose: a tracked video as CSV or HDF5, (sample, keypoint, 2 or 3) with likelihoods.

Header rows are ``scorer``, ``individuals`` (only with several animals), ``bodyparts`` and ``coords`` (x, y, likelihood;
in a 3D project x, y, z). Each row is a video frame, whose number is in the first column. Files of manual labels
(``CollectedData_*``) have a row for each image and are not read. Sources:
deeplabcut/pose_estimation_pytorch/apis/analyze_videos.py,
deeplabcut/pose_estimation_3d/triangulation.py, deeplabcut/utils/conversioncode.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError, reading
from neural_action.recordings.formats import Behavior, frame_numbers
from neural_action.recordings.hdf5 import opened
from neural_action.recordings.pandas_hdf5 import holds_frame, read_frame
from neural_action.recordings.table_files import refuse_short_rows

EXPECTED = "a CSV or HDF5 of DeepLabCut with header rows scorer, bodyparts, coords"
_KEY = "df_with_missing"
_HEADS = ("scorer", "individuals", "bodyparts", "coords")


class Options(Section):
    """Options of this format.

    Attributes:
        min_likelihood: keypoints with a lower likelihood are missing.
        individual: the imaged animal, if there are several.
        exclude: keypoints to leave out.
    """

    min_likelihood: Annotated[float, Field(ge=0, le=1)] = 0.0
    individual: str | None = None
    exclude: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class _Table:
    """A file's table: header rows by name, (row, column) values, and the first column."""

    heads: dict[str, list[str]]
    values: np.ndarray
    index: np.ndarray


def recognise(path: Path) -> str | None:
    """Recognise a CSV whose first header row is ``scorer``, or an HDF5 with such a table."""
    if not path.is_file():
        return None
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            lines = [file.readline() for _ in range(5)]
        if not lines[0].startswith("scorer,"):
            return None
        hand = path.name.startswith("CollectedData") or any(line.startswith("labeled-data") for line in lines)
        axes = next((line for line in lines if line.startswith("coords,")), "").strip().split(",")
    elif path.suffix in (".h5", ".hdf5"):
        try:
            with opened(path, EXPECTED) as file:
                if not holds_frame(file, _KEY):
                    return None
            table = read_frame(path, _KEY)
        except InputError:
            return None
        hand = path.name.startswith("CollectedData") or table.index.dtype.kind not in "iuf"
        axes = [column[-1] for column in table.columns]
    else:
        return None
    if hand:
        return "hand labels of DeepLabCut (images, no poses; not read)"
    return "DeepLabCut poses in 3D" if "z" in axes else "DeepLabCut poses"


def roles(path: Path) -> tuple[str, ...]:
    """Behaviour; nothing for hand labels."""
    return () if "hand labels" in (recognise(path) or "") else ("behavior",)


def scored(path: Path) -> bool:
    """Whether the file has likelihoods. InputError as ``behavior``."""
    return "likelihood" in _read(path).heads["coords"]


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, keypoint, 2) float32 pixels, or (sample, keypoint, 3) as calibrated; frames from the first column.

    The file has no clock, so the video's rate must be configured. InputError naming the file: it holds hand labels; it
    has no such header; there are several animals and no ``individual``; ``min_likelihood`` is set without likelihoods;
    frames do not increase; or values are not numbers.
    """
    table = _read(path)
    names, coords, values = table.heads["bodyparts"], table.heads["coords"], table.values
    chosen = np.ones(len(names), bool)
    if "individuals" in table.heads:
        animals = table.heads["individuals"]
        found = list(dict.fromkeys(animals))
        wanted = options.individual or (found[0] if len(found) == 1 else None)
        if wanted not in found:
            raise InputError(
                f"{path}: individual {options.individual!r}, expected one of {', '.join(found)} "
                f"(--option behavior.options.individual={found[0]})"
            )
        chosen = np.array([animal == wanted for animal in animals])
    elif options.individual is not None:
        raise InputError(f"{path}: individual {options.individual!r}, but the file names no individuals")
    column = {(names[at], coords[at]): at for at in np.flatnonzero(chosen)}
    parts = [part for part in dict.fromkeys(np.array(names)[chosen].tolist()) if part not in options.exclude]
    axes = [axis for axis in "xyz" if any(at[1] == axis for at in column)]
    if axes not in (["x", "y"], ["x", "y", "z"]) or any(
        (part, axis) not in column for part in parts for axis in axes
    ):
        raise InputError(f"{path}: a body part without columns x and y, expected {EXPECTED}")
    if not parts:
        raise InputError(f"{path}: no body part is left of {', '.join(dict.fromkeys(names))}")
    points = np.stack([values[:, [column[part, axis] for axis in axes]] for part in parts], 1)
    if options.min_likelihood:
        if any((part, "likelihood") not in column for part in parts):
            raise InputError(
                f"{path}: has no likelihood, expected min_likelihood: 0 instead of {options.min_likelihood:g}"
            )
        likely = np.stack([values[:, column[part, "likelihood"]] for part in parts], 1)
        points[likely < options.min_likelihood] = np.nan
    frames = frame_numbers(table.index, path, "the first column (video frame)")
    unit = "pixel" if len(axes) == 2 else "as calibrated"
    return Behavior(points.astype(np.float32), tuple(map(str, parts)), unit, frames=frames)


def _read(path: Path) -> _Table:
    """The table of a CSV or HDF5. InputError for hand labels and for other content."""
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    table = _hdf5(path) if path.suffix in (".h5", ".hdf5") else _csv(path)
    if table.index.dtype.kind not in "iuf":
        raise InputError(
            f"{path}: row 0 is called {str(table.index[0])!r}, so these are hand labels of images; expected poses of a "
            "video, the CSV or HDF5 that analyze_videos wrote"
        )
    return table


def _hdf5(path: Path) -> _Table:
    frame = read_frame(path, _KEY)
    heads = [name for name in _HEADS if name != "individuals"]
    levels = {len(column) for column in frame.columns}
    if levels == {4}:
        heads = list(_HEADS)
    elif levels != {3}:
        raise InputError(f"{path}: columns of {sorted(levels)} levels, expected {EXPECTED}")
    index = frame.index
    if index.dtype.kind == "S":
        index = np.char.decode(index, "utf-8", "replace")
    return _Table(
        dict(zip(heads, map(list, zip(*frame.columns, strict=True)), strict=True)), frame.values, index
    )


def _csv(path: Path) -> _Table:
    import pandas as pd

    if recognise(path) is None:
        raise InputError(f"{path}: no header row 'scorer', expected {EXPECTED}")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = [line.rstrip("\r\n").split(",") for line, _ in zip(file, range(4), strict=False)]
    heads = [line[0] for line in lines]
    rows = heads.index("coords") + 1 if "coords" in heads else 0
    if "bodyparts" not in heads or not rows or len(set(heads[:rows])) < rows:
        raise InputError(f"{path}: header rows {', '.join(heads)}, expected scorer, bodyparts, coords")
    with reading(path, "poses", ValueError, TypeError):
        table = pd.read_csv(path, header=None, skiprows=rows, low_memory=False)
        refuse_short_rows(path, table, rows)
        # Hand labels have two more columns with the folders of their image.
        if not pd.api.types.is_numeric_dtype(table[0]):
            return _Table({}, np.empty((0, 0)), table[0].astype(str).to_numpy())
        values = table.iloc[:, 1:].to_numpy(np.float64)
    named = {line[0]: line[1:] for line in lines[:rows]}
    if any(len(line) != values.shape[1] for line in named.values()):
        raise InputError(
            f"{path}: {values.shape[1]} columns below {len(named['coords'])} names, expected one name for each"
        )
    return _Table(named, values, table[0].to_numpy())
