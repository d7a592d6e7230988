"""Stage: trials to folds."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.recordings.sheet import read_sheet
from neural_action.recordings.splits import assign_folds, write_folds


def run(config: str, sheet: Path, output: Path) -> None:
    """Assign the trials of ``sheet`` and write ``output``."""
    settings = Sections(config).split
    folds = assign_folds([(row.animal, row.trial) for row in read_sheet(sheet)], settings)
    with whole(output) as partial:
        write_folds(folds, partial)
