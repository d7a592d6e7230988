"""Stage: write the samples table of a folder."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.files import atomic_write
from neural_action.recordings.samples import scan, write_samples


def run(config: str, raw: Path, output: Path) -> None:
    """Scan ``raw`` with the configured reader and write ``output``."""
    settings = Sections(config).convert
    rows = scan(settings.reader, raw, settings.reader_options)
    with atomic_write(output) as partial:
        write_samples(rows, partial)
