"""Stage: trials to train, validation and test."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.recordings.partitions import partition, write_partition
from neural_action.recordings.store import read_recording


def run(config: str, output: Path, manifests: tuple[Path, ...]) -> None:
    """Split the trials of every animal and write ``output``."""
    table = partition([read_recording(path, with_neural=False) for path in manifests], Sections(config).split)
    with whole(output) as partial:
        write_partition(table, partial)
