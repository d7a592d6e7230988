"""Stage: convert one raw recording to its store."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.samples import SampleRow


def run(
    config: str,
    raw: Path,
    path: str,
    animal: str,
    trial: str,
    start: float | None,
    stop: float | None,
    store: Path,
    manifest: Path,
    threads: int,
) -> None:
    """Convert the recording ``path`` in ``raw``, or its part from ``start`` to before ``stop`` (s).

    InputError if only one of ``start`` and ``stop`` is given.
    """
    sections = Sections(config)
    if (start is None) != (stop is None):
        raise InputError("--start and --stop: only one is given, expected both or neither")
    row = SampleRow(animal, trial, path, start, stop)
    convert_trial(sections.convert, sections.dataset, raw, row, store, manifest, threads)
