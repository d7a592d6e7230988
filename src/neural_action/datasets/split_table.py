"""The split table, which defines what is trained on, tested and visible.

A row is a run of neural frames of one recording in one split. All training and probing uses this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from neural_action.errors import InputError

ROLES = ("train", "validation", "test")
#: The name of a recording: animal and trial.
Trial = tuple[str, str]
COLUMNS = {
    "split": str,
    "animal": str,
    "trial": str,
    "start": int,
    "stop": int,
    "role": str,
    "sees_input": bool,
    "sees_label": bool,
}


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
        frame: table with columns ``COLUMNS`` and one row for each piece.
    """

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame

    @classmethod
    def read(cls, path: Path) -> SplitTable:
        """Read a file from ``write``. InputError if it is no split table, or if pieces of a split overlap."""
        try:
            frame = pd.read_csv(path, dtype=COLUMNS, keep_default_na=False)
        except (OSError, ValueError, OverflowError) as error:
            raise InputError(f"{path}: cannot be read as splits ({error})") from None
        if missing := [name for name in COLUMNS if name not in frame.columns]:
            older = "; made by an older version, rerun rule splits" if {"fold", "part"} & set(frame) else ""
            raise InputError(
                f"{path}: column {missing[0]!r} is missing, found {', '.join(frame.columns)}{older}"
            )
        if unknown := sorted(set(frame["role"]) - set(ROLES)):
            raise InputError(f"{path}: role {unknown[0]!r}, expected one of {', '.join(ROLES)}")
        table = cls(frame)
        if (bad := frame["start"] >= frame["stop"]).any() or (frame["start"] < 0).any():
            at = int(bad.argmax()) + 2
            raise InputError(f"{path}: line {at} has no frames, expected start before stop")
        if overlap := table.overlaps():
            raise InputError(f"{path}: {overlap}")
        return table

    def write(self, path: Path) -> None:
        """Write as CSV."""
        self.frame[list(COLUMNS)].to_csv(path, index=False)

    @property
    def splits(self) -> list[str]:
        """Names of the splits, in order."""
        return list(dict.fromkeys(self.frame["split"]))

    def pieces(self, split: str, animal: str | None = None) -> dict[Trial, list[Piece]]:
        """The pieces of one split, of all animals or one. InputError if the table has no such split or animal."""
        own = self.frame[self.frame["split"] == split]
        if animal is not None:
            own = own[own["animal"] == animal]
        if own.empty:
            of = "" if animal is None else f" of animal {animal}"
            raise InputError(
                f"split {split!r}{of}: not in the split table, expected one of {', '.join(self.splits)}"
            )
        pieces: dict[Trial, list[Piece]] = {}
        ordered = own.sort_values(["animal", "trial", "start"])[[name for name in COLUMNS if name != "split"]]
        for animal, trial, *piece in ordered.itertuples(index=False, name=None):
            pieces.setdefault((animal, trial), []).append(Piece(*piece))
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

    def overlaps(self) -> str:
        """A message about two pieces of a split that share frames; empty if there are none."""
        keys = ["split", "animal", "trial"]
        ordered = self.frame.sort_values([*keys, "start"])
        before = ordered.groupby(keys, sort=False)["stop"].shift()
        bad = ordered["start"] < before
        if not bad.any():
            return ""
        row = ordered[bad].iloc[0]
        return (
            f"split {row['split']}: two pieces of {row['animal']}/{row['trial']} share frame {row['start']}"
        )

    def leaks(self) -> list[str]:
        """One line for each piece outside the role train whose labels may be used for training."""
        frame = self.frame
        bad = frame[frame["sees_label"] & (frame["role"] != "train")]
        return [
            f"split {row.split}: labels of {row.animal}/{row.trial} frames {row.start} to {row.stop} are used for "
            f"training, but their role is {row.role}"
            for row in bad.itertuples()
        ]


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
