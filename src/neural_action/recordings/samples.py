"""The samples table: animal, trial and file or folder of each recording."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from neural_action.errors import InputError
from neural_action.files import csv_lines
from neural_action.text import has_hidden, is_missing

COLUMNS = ("animal", "trial", "path")
#: Optional columns; without them, or if empty, the trial is the whole recording.
PART = ("start", "stop")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
#: Names become parts of file names, to which temporary suffixes are added; file systems allow 255 bytes.
_LONGEST = 100
#: Maximum number of rows (our choice): each is a job, and the workflow plans about ten thousand jobs in a minute.
MOST_ROWS = 50_000


@dataclass(frozen=True)
class SampleRow:
    """One row: ``trial`` of ``animal``, and ``path``, its file or folder relative to the raw folder.

    If ``start`` and ``stop`` are set (s on the neural clock), the trial is only this part of the recording.
    """

    animal: str
    trial: str
    path: str
    start: float | None = None
    stop: float | None = None

    @property
    def part(self) -> tuple[float, float] | None:
        """``start`` and ``stop``; None for the whole recording."""
        return None if self.start is None or self.stop is None else (self.start, self.stop)


def check_rows(rows: list[SampleRow], where: str) -> list[SampleRow]:
    """The rows, sorted by animal and trial.

    Raises:
        InputError: naming ``where``: there are no rows, or more than ``MOST_ROWS``; a name has characters other than
            letters, digits, dot, underscore and hyphen, reads as a missing value (NA, None) or is too long; a path is
            outside the raw folder; two rows have the same animal and trial; or parts of one recording overlap, which
            would leak data between trials.
    """
    if not rows:
        raise InputError(f"{where}: lists no recording, expected at least one")
    if len(rows) > MOST_ROWS:
        raise InputError(
            f"{where}: lists {len(rows)} recordings, expected at most {MOST_ROWS}; join short trials"
        )
    seen: dict[tuple[str, str], str] = {}
    for row in rows:
        for kind, name in (("animal", row.animal), ("trial", row.trial)):
            if not _NAME.fullmatch(name) or name in (".", ".."):
                raise InputError(
                    f"{where}: {kind} {name[:_LONGEST]!r}, expected letters, digits, dot, underscore and hyphen"
                )
            if is_missing(name):
                raise InputError(
                    f"{where}: {kind} {name!r}, expected a name that programs do not read as a missing value"
                )
            if len(name) > _LONGEST:
                raise InputError(f"{where}: {kind} has {len(name)} characters, expected at most {_LONGEST}")
        path = PurePosixPath(row.path)
        if not row.path or path.is_absolute() or ".." in path.parts or has_hidden(row.path):
            raise InputError(
                f"{where}: path {row.path!r}, expected a path inside the raw folder, without control characters"
            )
        if (row.animal, row.trial) in seen:
            raise InputError(
                f"{where}: trial {row.trial} of animal {row.animal} is listed twice "
                f"({seen[row.animal, row.trial]} and {row.path}), expected once"
            )
        seen[row.animal, row.trial] = row.path
    parts = sorted((row.path, row.start, row.stop, row.trial) for row in rows if row.start is not None)
    for (one, _, stop, trial), (other, start, _, after) in pairwise(parts):
        if one == other and start is not None and stop is not None and start < stop:
            raise InputError(
                f"{where}: trials {trial} and {after} of {one} overlap from {start:g} to {stop:g} s, expected none"
            )
    return sorted(rows, key=lambda row: (row.animal, row.trial))


def read_samples(path: Path) -> list[SampleRow]:
    """The rows of a CSV with columns animal, trial and path, optionally start and stop; other columns are ignored.

    InputError if the file cannot be read, a column is missing, start and stop are invalid, and as ``check_rows``.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise InputError(f"{path}: is not a file, expected a CSV of recordings")
    rows = [
        SampleRow(animal, trial, below, *_part(path, line))
        for line in csv_lines(path, COLUMNS)
        for animal, trial, below in [[(line[name] or "").strip() for name in COLUMNS]]
    ]
    return check_rows(rows, str(path))


def write_samples(rows: list[SampleRow], path: Path) -> None:
    """Write rows as CSV with columns animal, trial and path; and start and stop, if any row has them."""
    columns = (*COLUMNS, *(PART if any(row.start is not None for row in rows) else ()))
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([getattr(row, name) for name in columns] for row in rows)


def _part(path: Path, line: dict[str, str]) -> tuple[float, float] | tuple[()]:
    """Start and stop of a line; empty if it has neither. InputError if it has one, or they are no increasing times."""
    given = [(line.get(name) or "").strip() for name in PART]
    if given == ["", ""]:
        return ()
    try:
        start, stop = (float(value) for value in given)
    except ValueError:
        raise InputError(
            f"{path}: start {given[0]!r} and stop {given[1]!r}, expected both in seconds, or neither"
        ) from None
    if not start < stop:
        raise InputError(f"{path}: start {start:g} and stop {stop:g}, expected start before stop")
    return start, stop


def scan(reader: str, folder: Path, options: dict[str, Any]) -> list[SampleRow]:
    """Every recording that ``reader`` recognises below ``folder``, sorted by animal and trial.

    InputError for an unknown reader or option, if there is no recording, and as ``check_rows``.
    """
    from neural_action.recordings.readers import load_reader

    module = load_reader(reader)
    rows = module.scan(Path(folder), module.Options.parse(options))
    if not rows:
        raise InputError(f"{folder}: no recording found, expected {module.EXPECTED}")
    return check_rows(rows, str(folder))
