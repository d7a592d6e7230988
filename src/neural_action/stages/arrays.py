"""Stage: the recordings as plain arrays, for rows that another package makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.frames import frame_arrays
from neural_action.recordings.splits import Holdout, read_folds


def run(config: str, folds: Path, holdout: str, output: Path, manifests: tuple[Path, ...]) -> None:
    """Write the arrays of ``frame_arrays``; ``visible`` is what training may see under ``holdout``."""
    sections = Sections(config)
    cohort = load_cohort(manifests, read_folds(folds), Holdout.parse(holdout), sections.clips)
    with whole(output) as partial, partial.open("wb") as file:
        np.savez(file, **frame_arrays(cohort))
