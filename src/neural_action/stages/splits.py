"""Stage: write the split table."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.datasets.protocols import split_table
from neural_action.files import atomic_write
from neural_action.recordings.store import read_recording


def run(config: str, output: Path, manifests: tuple[Path, ...]) -> None:
    """Write every split of the protocol."""
    recordings = [read_recording(path, with_neural=False) for path in manifests]
    table = split_table(recordings, Sections(config).split)
    with atomic_write(output) as partial:
        table.write(partial)
