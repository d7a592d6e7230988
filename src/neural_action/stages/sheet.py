"""Stage: the recording sheet of a folder."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.recordings.sheet import scan, write_sheet


def run(config: str, raw: Path, output: Path) -> None:
    """Scan ``raw`` with the configured reader and write ``output``."""
    settings = Sections(config).convert
    rows = scan(settings.reader, raw, settings.reader_options)
    with whole(output) as partial:
        write_sheet(rows, partial)
