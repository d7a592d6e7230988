"""Stage: one raw recording to its store."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.sheet import SheetRow


def run(
    config: str, raw: Path, path: str, animal: str, trial: str, store: Path, manifest: Path, threads: int
) -> None:
    """Convert the recording at ``path`` below ``raw``, which is this animal's trial."""
    sections = Sections(config)
    row = SheetRow(animal, trial, path)
    convert_trial(sections.convert, sections.dataset, raw, row, store, manifest, threads)
