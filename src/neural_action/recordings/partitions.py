"""Splits of an animal's trials into train, validation and test, for decoding within the animal.

``published``: in the order of time, as the release of MYOW splits. ``repeated``: at random, trial by trial; a recording
without trials is cut into blocks of time, and where blocks of different parts meet a gap is left out, so that no two
neighbouring bins are on both sides.

Pretraining sees the training part. Under ``published`` it also sees validation without labels, as the release does;
under ``repeated`` it does not, since an encoder that has seen validation makes what is chosen by it look better than it
is on new trials (our choice).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from neural_action.config.settings import SplitSettings
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording
from neural_action.recordings.splits import Trial

PARTS = ("train", "validation", "test")
#: The parts that pretraining sees, by protocol.
SEEN = {"published": ("train", "validation"), "repeated": ("train",)}
_GAP = -1
_COLUMNS = {
    "animal": str,
    "trial": str,
    "segment": str,
    "start": int,
    "stop": int,
    "split": int,
    "part": str,
    "visible": bool,
}


@dataclass(frozen=True)
class Piece:
    """Consecutive neural frames [start, stop) of a recording that are in one part of a split."""

    segment: str
    start: int
    stop: int
    part: str
    visible: bool


#: The pieces of each recording, in the order of time, of one split.
Partition = Mapping[Trial, Sequence[Piece]]
#: Where each trial is: its fold, or the pieces of one split.
Assignment = dict[Trial, int] | Partition


def partition(recordings: Sequence[Recording], settings: SplitSettings) -> pd.DataFrame:
    """Every piece of every split of every animal.

    Columns ``animal, trial, segment, start, stop, split, part, visible``; the last says what pretraining may see.

    Args:
        recordings: without their neural data; an animal's are taken in the order of their trial names.
        settings: protocol, number of splits, shares, blocks and gaps.

    Raises:
        InputError: an animal has too few trials (or blocks) for three parts.
    """
    by_animal: dict[str, list[Recording]] = {}
    for recording in sorted(recordings, key=lambda recording: (recording.animal, recording.trial)):
        by_animal.setdefault(recording.animal, []).append(recording)
    seen = SEEN[settings.protocol]
    rows = []
    for at, own in enumerate(by_animal.values()):
        for split in range(1 if settings.protocol == "published" else settings.splits):
            if settings.protocol == "published":
                parts = _in_order(own, settings)
            else:
                parts = _at_random(own, settings, np.random.default_rng([settings.seed, at, split]))
            for recording, part in zip(own, parts, strict=True):
                where = (recording.animal, recording.trial)
                rows += [
                    (*where, *piece, split, name, name in seen) for *piece, name in _pieces(recording, part)
                ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def cut_by_time(assigned: Assignment, animal: str) -> bool:
    """Whether a split cuts an animal's recordings by time, as they have no trials: ``_pieces`` numbers such pieces."""
    own = [pieces for (name, _), pieces in assigned.items() if name == animal and not isinstance(pieces, int)]
    return all(piece.segment == str(piece.start) for pieces in own for piece in pieces)


def _in_order(own: list[Recording], settings: SplitSettings) -> list[np.ndarray]:
    """The part of every frame: the first trials train, then validate, then test; frames where there are no trials."""
    units = [
        _numbered(np.arange(len(recording.neural_time)) if recording.segment is None else recording.segment)
        for recording in own
    ]
    # Rounded down, as the release does.
    count = sum(unit[-1] + 1 for unit in units)
    edges = [int(count * settings.train), int(count * (settings.train + settings.validation))]
    return _spread(own, np.searchsorted(edges, np.arange(count), side="right"), units)


def _at_random(own: list[Recording], settings: SplitSettings, rng: np.random.Generator) -> list[np.ndarray]:
    """The part of every frame: trials or blocks of time, drawn so that each class is spread over the parts.

    Trials of a class (of blocks, with the rarest class that they hold) are shuffled and laid evenly along a line,
    which is cut by the shares of the parts (our choice).
    """
    units = [
        _numbered(
            np.floor(recording.neural_time / settings.block_seconds)
            if recording.segment is None
            else recording.segment
        )
        for recording in own
    ]
    kinds = _rarest_class(own, units)
    place = np.empty(len(kinds))
    for kind in np.unique(kinds):
        members = rng.permutation(np.flatnonzero(kinds == kind))
        place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    test = max(1, round((1 - settings.train - settings.validation) * len(kinds)))
    validation = max(1, round(settings.validation * len(kinds)))
    parts = np.zeros(len(kinds), np.int64)
    order = np.argsort(place)
    parts[order[:test]] = PARTS.index("test")
    parts[order[test : test + validation]] = PARTS.index("validation")
    frames = _spread(own, parts, units)
    return [
        part
        if recording.segment is not None
        else _with_gaps(part, recording.neural_time, settings.gap_seconds)
        for recording, part in zip(own, frames, strict=True)
    ]


def _numbered(values: np.ndarray) -> np.ndarray:
    """Non-decreasing values as 0, 1, 2, ..."""
    return np.cumsum(np.diff(values, prepend=values[:1]) > 0)


def _spread(own: list[Recording], parts: np.ndarray, units: list[np.ndarray]) -> list[np.ndarray]:
    """The part of each unit, end to end over the recordings of an animal, for the frames of each recording."""
    if missing := [name for at, name in enumerate(PARTS) if at not in parts]:
        raise InputError(
            f"animal {own[0].animal}: {len(parts)} trials or blocks of time leave none for {missing[0]}, expected more"
        )
    first = np.cumsum([0, *(unit[-1] + 1 for unit in units)])
    return [parts[start + unit] for start, unit in zip(first, units, strict=False)]


def _rarest_class(own: list[Recording], units: list[np.ndarray]) -> np.ndarray:
    """(unit,) int64: of the classes that occur in a unit, the one that is rarest in the animal; -1 without labels."""
    labels = np.concatenate([recording.labels for recording in own]).astype(np.int64)
    rank = np.argsort(np.argsort(np.bincount(labels[labels >= 0], minlength=len(own[0].class_names))))
    kinds = []
    for recording, unit in zip(own, units, strict=True):
        sample_unit = unit[recording.neural_index]
        for number in range(unit[-1] + 1):
            inside = np.unique(recording.labels[(sample_unit == number) & (recording.labels >= 0)])
            kinds.append(int(inside[np.argmin(rank[inside])]) if len(inside) else -1)
    return np.array(kinds)


def _with_gaps(part: np.ndarray, time: np.ndarray, seconds: float) -> np.ndarray:
    """Leave out what is within ``seconds`` of a later part: train beside validation or test, validation beside test."""
    out = part.copy()
    for edge in np.flatnonzero(np.diff(part)):
        low, high = part[edge], part[edge + 1]
        if low < high:
            out[: edge + 1][(time[: edge + 1] > time[edge + 1] - seconds) & (part[: edge + 1] == low)] = _GAP
        else:
            out[edge + 1 :][(time[edge + 1 :] < time[edge] + seconds) & (part[edge + 1 :] == high)] = _GAP
    return out


def _pieces(recording: Recording, part: np.ndarray) -> list[tuple[str, int, int, str]]:
    """Runs of frames of one part and one trial: name, start, stop, part. The trial's name, or the number of the run."""
    changes = np.diff(part) != 0
    if recording.segment is not None:
        changes |= np.diff(recording.segment) != 0
    starts = np.flatnonzero(np.concatenate([[True], changes]))
    pieces = []
    for start, stop in zip(starts, [*starts[1:], len(part)], strict=True):
        if part[start] != _GAP:
            name = (
                str(start) if recording.segment is None else recording.segment_names[recording.segment[start]]
            )
            pieces.append((name, int(start), int(stop), PARTS[part[start]]))
    return pieces


def write_partition(table: pd.DataFrame, path: Path) -> None:
    """Write what ``partition`` returned as CSV."""
    table.to_csv(path, index=False)


def read_partition(path: Path, split: int) -> Partition:
    """The pieces of one split. InputError if the file is something else or has no such split."""
    try:
        table = pd.read_csv(path, dtype=_COLUMNS, keep_default_na=False)
        own = table[table["split"] == split]
    except (OSError, KeyError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: cannot be read as splits ({' '.join(str(error).split())})") from None
    if missing := [name for name in _COLUMNS if name not in table.columns]:
        raise InputError(f"{path}: column {missing[0]!r} is missing, found {', '.join(table.columns)}")
    if own.empty:
        raise InputError(f"{path}: has no split {split}, expected one of {sorted(table['split'].unique())}")
    pieces: dict[Trial, list[Piece]] = {}
    for row in own.itertuples():
        pieces.setdefault((row.animal, row.trial), []).append(
            Piece(row.segment, row.start, row.stop, row.part, row.visible)
        )
    return pieces
