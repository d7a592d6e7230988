"""The split table, which defines what is trained on, tested and visible.

A row is a run of neural frames of one recording in one split. All training and probing uses this table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from neural_action.errors import InputError, reading

ROLES = ("train", "validation", "test")
#: The name of a recording: animal and trial.
Trial = tuple[str, str]
_FLAGS = {"True": True, "False": False}


class Row(NamedTuple):
    """A row of the table; the columns of the file have these names (``Piece`` explains the last five)."""

    split: str
    animal: str
    trial: str
    start: int
    stop: int
    role: str
    sees_input: bool
    sees_label: bool


@dataclass(frozen=True)
class Piece:
    """Neural frames [start, stop) of a recording in one split.

    Attributes:
        start, stop: frame numbers.
        role: role for probes: train, validation or test.
        sees_input: whether pretraining may see its neural activity and behaviour.
        sees_label: whether probes and objectives may be trained with its labels. Validation labels are used only for
            choices.
    """

    start: int
    stop: int
    role: str
    sees_input: bool
    sees_label: bool


#: The pieces of every recording in one split, in the order of time.
Pieces = Mapping[Trial, Sequence[Piece]]


class SplitTable:
    """All splits of a dataset.

    Args:
        rows: one for each piece.
    """

    def __init__(self, rows: Iterable[Row]):
        self.rows = list(rows)

    @classmethod
    def read(cls, path: Path) -> SplitTable:
        """Read a file from ``write``. InputError if it is no split table, or if pieces of a split overlap."""
        with (
            reading(path, "splits", OSError, ValueError, LookupError, TypeError, csv.Error),
            path.open(newline="", encoding="utf-8") as file,
        ):
            lines = csv.DictReader(file, strict=True)
            table = cls(_row(line) for line in _checked(path, lines))
        for at, row in enumerate(table.rows, 2):
            if row.role not in ROLES:
                raise InputError(f"{path}: role {row.role!r}, expected one of {', '.join(ROLES)}")
            if not 0 <= row.start < row.stop:
                raise InputError(f"{path}: line {at} has no frames, expected start before stop")
        if overlap := overlaps(table.rows):
            raise InputError(f"{path}: {overlap}")
        return table

    def write(self, path: Path) -> None:
        """Write as CSV."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([Row._fields, *self.rows])

    @property
    def splits(self) -> list[str]:
        """Names of the splits, in order."""
        return list(dict.fromkeys(row.split for row in self.rows))

    def pieces(self, split: str, animal: str | None = None) -> dict[Trial, list[Piece]]:
        """The pieces of one split, of all animals or one. InputError if the table has no such split or animal."""
        own = sorted(row for row in self.rows if row.split == split and animal in (None, row.animal))
        if not own:
            of = "" if animal is None else f" of animal {animal}"
            raise InputError(
                f"split {split!r}{of}: not in the split table, expected one of {', '.join(self.splits)}"
            )
        pieces: dict[Trial, list[Piece]] = {}
        for row in own:
            pieces.setdefault(row[1:3], []).append(Piece(*row[3:]))
        return pieces

    def models(
        self, splits: Iterable[str], animal: str | None = None, *, labels: bool = False
    ) -> list[list[str]]:
        """Groups of ``splits`` that see the same inputs (and labels, if ``labels``); one model serves a group."""
        groups: dict[tuple, list[str]] = {}
        for split in splits:
            pieces = self.pieces(split, animal)
            seen = (tuple(_runs(pieces, labels=False)), tuple(_runs(pieces, labels=True)) if labels else ())
            groups.setdefault(seen, []).append(split)
        return list(groups.values())

    def inputs(self, splits: Iterable[str], animal: str | None = None) -> dict[Trial, list[Piece]]:
        """The pieces of the first of ``splits``. InputError unless all of them see the same inputs."""
        names = list(splits)
        first = self.pieces(names[0], animal)
        for name in names[1:]:
            if _runs(self.pieces(name, animal), labels=False) != _runs(first, labels=False):
                raise InputError(f"splits {names[0]} and {name} see different inputs, expected the same")
        return first


def overlaps(rows: Iterable[Row]) -> str:
    """A message about two pieces of a split that share frames; empty if there are none."""
    for before, row in pairwise(sorted(rows)):
        if before[:3] == row[:3] and row.start < before.stop:
            return f"split {row.split}: two pieces of {row.animal}/{row.trial} share frame {row.start}"
    return ""


def _checked(path: Path, lines: csv.DictReader) -> csv.DictReader:
    """The lines of a file with all columns. InputError for other files, ValueError for an empty one."""
    if not lines.fieldnames:
        raise ValueError("the file is empty")
    if missing := [name for name in Row._fields if name not in lines.fieldnames]:
        older = (
            "; made by an older version, rerun rule splits" if {"fold", "part"} & {*lines.fieldnames} else ""
        )
        found = ", ".join(lines.fieldnames)
        raise InputError(f"{path}: column {missing[0]!r} is missing, found {found}{older}")
    return lines


def _row(line: Mapping[str, str]) -> Row:
    """A line as numbers and flags; a missing value is a TypeError, a wrong one a ValueError or KeyError."""
    split, animal, trial, start, stop, role, *sees = (line[name] for name in Row._fields)
    return Row(split, animal, trial, int(start), int(stop), role, *(_FLAGS[flag] for flag in sees))


def _runs(pieces: Pieces, *, labels: bool) -> list[tuple[Trial, int, int]]:
    """Runs of visible frames, or of visible frames whose labels may be used; adjacent pieces are merged."""
    runs: list[tuple[Trial, int, int]] = []
    for trial, own in pieces.items():
        for piece in own:
            if not piece.sees_input or (labels and not piece.sees_label):
                continue
            if runs and runs[-1][0] == trial and runs[-1][2] == piece.start:
                runs[-1] = (trial, runs[-1][1], piece.stop)
            else:
                runs.append((trial, piece.start, piece.stop))
    return runs
