"""Stage: the recordings as plain arrays, for rows that another package makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.recordings.cohort import load_cohort, read_assignment
from neural_action.recordings.frames import frame_arrays
from neural_action.recordings.splits import Holdout


def run(config: str, folds: Path, holdout: str, output: Path, manifests: tuple[Path, ...]) -> None:
    """Write the arrays of ``frame_arrays`` as ``<part>/<name>``, for each part of ``holdout``.

    ``visible`` is what training may see of that part, and behaviour is normalised by it.
    """
    sections = Sections(config)
    arrays: dict[str, np.ndarray] = {}
    for part in Holdout.parse(holdout).parts:
        cohort = load_cohort(manifests, read_assignment(folds, part), part, sections.clips)
        arrays |= {f"{part.part_name}/{name}": values for name, values in frame_arrays(cohort).items()}
    with whole(output) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)
