"""Stage: one raw recording to its store."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.sheet import read_sheet


def run(
    config: str, raw: Path, sheet: Path, animal: str, trial: str, store: Path, manifest: Path, threads: int
) -> None:
    """Convert the row of ``sheet`` that is this animal's trial."""
    sections = Sections(config)
    rows = [row for row in read_sheet(sheet) if (row.animal, row.trial) == (animal, trial)]
    if not rows:
        raise InputError(f"{sheet}: has no trial {trial} of animal {animal}")
    convert_trial(sections.convert, sections.dataset, raw, rows[0], store, manifest, threads)
