"""Splits of an animal's trials into train, validation and test.

``published``: by the published parts of the recordings, or in the order of time, as the release of MYOW splits spikes.
``repeated``: random splits of trials. A recording without trials is cut into blocks of time, and a gap is left out
between blocks of different roles, so that neighbouring windows are not split between roles.

Pretraining sees the training part. Under ``published`` it also sees the validation part without labels, as in the
release. Under ``repeated`` it does not, because choices by validation would then look better than they are on new
trials (our choice). Probes and objectives use only labels of the training part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from neural_action.config.settings import SplitSettings
from neural_action.datasets.split_table import ROLES
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording

_GAP = -1


def in_order(recordings: Sequence[Recording], settings: SplitSettings) -> Iterator[tuple]:
    """Rows of the split table for one split, by published parts, or in the order of time if there are none.

    Args:
        recordings: recordings, sorted by animal and trial.
        settings: shares of the roles.

    Raises:
        InputError: an animal has too few trials for three roles, or published parts for only some recordings.
    """
    for at, own in enumerate(_by_animal(recordings)):
        published = any(recording.part for recording in own)
        parts = _by_part(own, settings, at) if published else _in_order(own, settings)
        yield from _rows("published", own, parts, ("train", "validation"))


def in_turn(recordings: Sequence[Recording], settings: SplitSettings) -> Iterator[tuple]:
    """Rows of the split table for ``settings.repeats`` random splits of trials or blocks; see ``in_order``."""
    for at, own in enumerate(_by_animal(recordings)):
        for number in range(settings.repeats):
            parts = _at_random(own, settings, np.random.default_rng([settings.seed, at, number]))
            yield from _rows(f"repeat-{number}", own, parts, ("train",))


def _by_animal(recordings: Sequence[Recording]) -> list[list[Recording]]:
    return [list(own) for _, own in groupby(recordings, key=lambda recording: recording.animal)]


def _rows(
    split: str, own: list[Recording], parts: list[np.ndarray], seen: tuple[str, ...]
) -> Iterator[tuple]:
    for recording, part in zip(own, parts, strict=True):
        for start, stop, role in _pieces(recording, part):
            where = (split, recording.animal, recording.trial, start, stop)
            yield (*where, role, role in seen, role == "train")


def _in_order(own: list[Recording], settings: SplitSettings) -> list[np.ndarray]:
    """(frame,) role of each recording: first trials for training, then validation, then test; frames without trials."""
    units = [_units(recording) for recording in own]
    # Rounded down, as in the release.
    count = sum(unit[-1] + 1 for unit in units)
    edges = [int(count * settings.train), int(count * (settings.train + settings.validation))]
    return _spread(own, np.searchsorted(edges, np.arange(count), side="right"), units)


def _by_part(own: list[Recording], settings: SplitSettings, number: int) -> list[np.ndarray]:
    """(frame,) published role of each recording. Without a validation part, training trials are drawn for it.

    Their share is ``split.validation``, stratified by class.
    """
    if without := [recording.trial for recording in own if not recording.part]:
        raise InputError(
            f"animal {own[0].animal}: recording {without[0]} has no published part, expected one for each or for none"
        )
    units = [_units(recording) for recording in own]
    parts = np.repeat([ROLES.index(recording.part) for recording in own], [unit[-1] + 1 for unit in units])
    train = np.flatnonzero(parts == ROLES.index("train"))
    if ROLES.index("validation") not in parts and len(train):
        place = _spread_by_class(
            _rarest_class(own, units)[train], np.random.default_rng([settings.seed, number])
        )
        validation = max(1, round(settings.validation * len(train)))
        parts[train[np.argsort(place)[:validation]]] = ROLES.index("validation")
    return _spread(own, parts, units)


def _at_random(own: list[Recording], settings: SplitSettings, rng: np.random.Generator) -> list[np.ndarray]:
    """(frame,) role of each recording: random trials or blocks of time, stratified by class.

    The trials of a class (blocks with the same rarest class) are shuffled and spread evenly over [0, 1), which is cut
    by the shares of the roles (our choice).
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
    place = _spread_by_class(kinds, rng)
    test = max(1, round((1 - settings.train - settings.validation) * len(kinds)))
    validation = max(1, round(settings.validation * len(kinds)))
    parts = np.zeros(len(kinds), np.int64)
    order = np.argsort(place)
    parts[order[:test]] = ROLES.index("test")
    parts[order[test : test + validation]] = ROLES.index("validation")
    frames = _spread(own, parts, units)
    return [
        part
        if recording.segment is not None
        else _with_gaps(part, recording.neural_time, settings.gap_seconds)
        for recording, part in zip(own, frames, strict=True)
    ]


def _spread_by_class(kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(unit,) float in [0, 1): the units of each kind, evenly spread in random order."""
    place = np.empty(len(kinds))
    for kind in np.unique(kinds):
        members = rng.permutation(np.flatnonzero(kinds == kind))
        place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return place


def _units(recording: Recording) -> np.ndarray:
    """(frame,) int: number of the trial of each frame; number of the frame if there are no trials."""
    return _numbered(
        np.arange(len(recording.neural_time)) if recording.segment is None else recording.segment
    )


def _numbered(values: np.ndarray) -> np.ndarray:
    """Non-decreasing values, renumbered as 0, 1, 2, ..."""
    return np.cumsum(np.diff(values, prepend=values[:1]) > 0)


def _spread(own: list[Recording], parts: np.ndarray, units: list[np.ndarray]) -> list[np.ndarray]:
    """(frame,) role of each recording, from the role of each unit (``parts``, over all recordings of an animal)."""
    if missing := [name for at, name in enumerate(ROLES) if at not in parts]:
        raise InputError(
            f"animal {own[0].animal}: {len(parts)} trials or blocks of time, none left for {missing[0]}, expected more"
        )
    first = np.cumsum([0, *(unit[-1] + 1 for unit in units)])
    return [parts[start + unit] for start, unit in zip(first, units, strict=False)]


def _rarest_class(own: list[Recording], units: list[np.ndarray]) -> np.ndarray:
    """(unit,) int64: the class of each unit that is rarest in the animal; -1 without labels."""
    labels = np.concatenate([recording.labels for recording in own]).astype(np.int64)
    rank = np.argsort(np.argsort(np.bincount(labels[labels >= 0], minlength=len(own[0].class_names))))
    # The last rank stands for no class.
    classes = np.append(np.argsort(rank), -1)
    kinds = []
    for recording, unit in zip(own, units, strict=True):
        lowest = np.full(unit[-1] + 1, len(rank))
        labelled = recording.labels >= 0
        np.minimum.at(lowest, unit[recording.neural_index[labelled]], rank[recording.labels[labelled]])
        kinds.append(classes[lowest])
    return np.concatenate(kinds)


def _with_gaps(part: np.ndarray, time: np.ndarray, seconds: float) -> np.ndarray:
    """Leave out frames within ``seconds`` of a later role (train before validation before test)."""
    out = part.copy()
    for edge in np.flatnonzero(np.diff(part)):
        low, high = part[edge], part[edge + 1]
        if low < high:
            out[: edge + 1][(time[: edge + 1] > time[edge + 1] - seconds) & (part[: edge + 1] == low)] = _GAP
        else:
            out[edge + 1 :][(time[edge + 1 :] < time[edge] + seconds) & (part[edge + 1 :] == high)] = _GAP
    return out


def _pieces(recording: Recording, part: np.ndarray) -> list[tuple[int, int, str]]:
    """Runs of frames with one role and one trial: start, stop, role."""
    changes = np.diff(part) != 0
    if recording.segment is not None:
        changes |= np.diff(recording.segment) != 0
    starts = np.flatnonzero(np.concatenate([[True], changes]))
    return [
        (int(start), int(stop), ROLES[part[start]])
        for start, stop in zip(starts, [*starts[1:], len(part)], strict=True)
        if part[start] != _GAP
    ]
