"""DeepLabCut and Lightning Pose: the CSV of a tracked video, (sample, keypoint, 2) with likelihoods.

Header rows ``scorer``, ``individuals`` (several animals only), ``bodyparts``, ``coords``; a row a video frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.formats import Behavior, FormatOptions
from neural_action.recordings.table_files import refuse_short_rows

EXPECTED = "a CSV of DeepLabCut with header rows scorer, bodyparts, coords"


class Options(FormatOptions):
    """Options of this format.

    Attributes:
        min_likelihood: keypoints below it are missing.
        individual: of several animals, the one that was imaged.
        exclude: keypoints that are left out.
    """

    min_likelihood: Annotated[float, Field(ge=0, le=1)] = 0.0
    individual: str | None = None
    exclude: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """A CSV whose first header row is ``scorer``."""
    if path.suffix != ".csv" or not path.is_file():
        return None
    with path.open(errors="replace") as file:
        return "DeepLabCut poses" if file.readline().startswith("scorer,") else None


def files(path: Path) -> list[Path]:
    """The one file."""
    return [path]


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, keypoint, 2) float32 pixels. No clock: the video's rate is yours to give.

    Raises InputError naming the file: its HDF5 form (which keeps pickles inside: use the CSV), no such header,
    several animals without ``individual``, a row that is no number.
    """
    import pandas as pd

    if path.suffix in (".h5", ".hdf5"):
        raise InputError(
            f"{path}: the HDF5 of DeepLabCut holds pickles, which are not executed; expected its CSV "
            "(deeplabcut.analyze_videos_converth5_to_csv)"
        )
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    if recognise(path) is None:
        raise InputError(f"{path}: no header row 'scorer', expected {EXPECTED}")
    with path.open(errors="replace") as file:
        heads = [line.split(",")[0] for line, _ in zip(file, range(4), strict=False)]
    rows = heads.index("coords") + 1 if "coords" in heads else 0
    if "bodyparts" not in heads or not rows or len(set(heads[:rows])) < rows:
        raise InputError(f"{path}: header rows {', '.join(heads)}, expected scorer, bodyparts, coords")
    try:
        table = pd.read_csv(path, header=list(range(rows)), index_col=0, low_memory=False)
        refuse_short_rows(path, table, rows)
        table.columns.names = heads[:rows]
        table = table.astype(np.float32)
    except (ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: {' '.join(str(error).split())}, expected numbers") from None
    if "individuals" in heads:
        found = list(dict.fromkeys(table.columns.get_level_values("individuals")))
        if options.individual not in found:
            raise InputError(f"{path}: individual {options.individual!r}, expected one of {', '.join(found)}")
        table = table.xs(options.individual, axis=1, level="individuals")
    table = table.droplevel("scorer", axis=1)
    parts = [name for name in dict.fromkeys(table.columns.get_level_values(0)) if name not in options.exclude]
    try:
        points = np.stack([table[part][["x", "y"]].to_numpy() for part in parts], 1)
        likely = [
            table[part]["likelihood"].to_numpy() if "likelihood" in table[part] else np.ones(len(table))
            for part in parts
        ]
    except (KeyError, ValueError):
        raise InputError(f"{path}: a body part without columns x and y, expected {EXPECTED}") from None
    points[np.stack(likely, 1) < options.min_likelihood] = np.nan
    return Behavior(points.astype(np.float32), tuple(map(str, parts)), "pixel")
