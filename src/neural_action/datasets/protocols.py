"""Protocols: generators of the split table, and the runs of each protocol.

``transductive``, ``new_trials`` and ``new_animal`` assign whole trials to folds; they differ in what pretraining may
see. ``published`` and ``repeated`` split each animal's trials into train, validation and test (``partitions``).
``adapted`` belongs to ``new_animal``: a model is adapted to the trials of an unseen animal outside the test fold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from neural_action.config.settings import SplitSettings
from neural_action.datasets.partitions import in_order, in_turn
from neural_action.datasets.split_table import Row, SplitTable, Trial
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording

#: The protocol of a split, by the first word of its name.
_PROTOCOLS = {
    "transductive": "transductive",
    "fold": "new_trials",
    "without": "new_animal",
    "adapted": "adapted",
    "published": "published",
    "repeat": "repeated",
}


@dataclass(frozen=True)
class Run:
    """Splits that one job pretrains and evaluates, of all animals or of one.

    Attributes:
        name: name of the run and of its folder.
        splits: names of splits in the split table.
        animal: the only animal that is read; None for all.
        starts_from: name of the run whose model is adapted; None for a run that is pretrained.
    """

    name: str
    splits: tuple[str, ...]
    animal: str | None = None
    starts_from: str | None = None

    @property
    def options(self) -> list[str]:
        """The run as command-line options."""
        animal = [] if self.animal is None else [f"--animal={self.animal}"]
        return [*(f"--split={name}" for name in self.splits), *animal]


def animals_of(sessions: Iterable[str], settings: SplitSettings) -> dict[str, str]:
    """The animal of each session, by the name of the session; the session itself without ``animal_of_session``.

    InputError if the expression finds nothing in a session's name.
    """
    if settings.animal_of_session is None:
        return {session: session for session in sessions}
    found = {}
    for session in sessions:
        match = re.search(settings.animal_of_session, session)
        if match is None or not match[0]:
            raise InputError(
                f"configuration split.animal_of_session: {settings.animal_of_session!r} finds no animal in the name "
                f"of session {session}, expected a part of it"
            )
        found[session] = match[0]
    return found


def protocol_of(split: str) -> str:
    """The protocol of the split called ``split``. InputError for an unknown name."""
    first = split.partition("-")[0]
    if first not in _PROTOCOLS:
        raise InputError(f"split {split!r}: expected a name that begins with {', '.join(_PROTOCOLS)}")
    return _PROTOCOLS[first]


def runs(settings: SplitSettings, animals: Iterable[str]) -> dict[str, Run]:
    """The runs that a protocol needs, by name.

    ``transductive``: one run, which sees every unlabelled pair (as the paper assumes). ``new_trials``: one run for each
    fold, which does not see its test trials. ``new_animal``: one run for each animal, which does not see that animal.
    ``published`` and ``repeated``: one run for each animal and ``repeats_per_job`` splits.
    """
    folds = _tested(settings)
    if settings.protocol == "transductive":
        return _by_name([Run("transductive", tuple(f"transductive-fold-{fold}" for fold in folds))])
    if settings.protocol == "new_trials":
        return _by_name([Run(f"fold-{fold}", (f"fold-{fold}",)) for fold in folds])
    if settings.protocol == "new_animal":
        return _by_name([_without(animal, folds) for animal in sorted(animals)])
    return _by_name([run for animal in sorted(animals) for run in _partitioned(settings, animal)])


def joint_runs(settings: SplitSettings) -> dict[str, Run]:
    """Runs of ``published`` and ``repeated`` that pretrain one model for all animals; ``runs`` of other protocols."""
    if settings.protocol not in ("published", "repeated"):
        return runs(settings, ())
    return _by_name(_partitioned(settings, None))


def unseen_runs(settings: SplitSettings, animals: Iterable[str]) -> dict[str, Run]:
    """Runs that leave each animal out of pretraining, and runs that adapt to it, for each test fold."""
    folds, names = _tested(settings), sorted(animals)
    adapted = [
        Run(f"adapted-{name}-fold-{fold}", (f"adapted-{name}-fold-{fold}",), None, f"without-{name}")
        for name in names
        for fold in folds
    ]
    return _by_name([*(_without(name, folds) for name in names), *adapted])


def split_table(recordings: Sequence[Recording], settings: SplitSettings) -> SplitTable:
    """All splits of the protocol, of all folds; for ``new_trials`` also those of ``unseen_runs``.

    The table thus does not change, and nothing is retrained, if fewer folds are tested or rows are adapted.

    Args:
        recordings: recordings without neural data.
        settings: protocol, and folds or shares.

    Raises:
        InputError: an animal has too few trials for the folds, or for train, validation and test.
    """
    ordered = sorted(recordings, key=lambda recording: (recording.animal, recording.trial))
    if settings.protocol in ("published", "repeated"):
        cut = in_order if settings.protocol == "published" else in_turn
        rows = list(cut(ordered, settings))
    else:
        rows = _by_piece(ordered, settings, settings.protocol)
    if settings.protocol == "new_trials" and len({recording.animal for recording in ordered}) > 1:
        rows += [
            row for protocol in ("new_animal", "adapted") for row in _by_piece(ordered, settings, protocol)
        ]
    return SplitTable(Row(*row) for row in rows)


def _by_piece(recordings: Sequence[Recording], settings: SplitSettings, protocol: str) -> list[tuple]:
    """Rows of the table; every trial within a recording has the role of the recording."""
    pieces = {(recording.animal, recording.trial): _pieces(recording) for recording in recordings}
    return [
        (split, animal, trial, start, stop, *what)
        for split, animal, trial, *what in _folded(list(pieces), settings, protocol)
        for start, stop in pieces[animal, trial]
    ]


def assign_folds(trials: Iterable[Trial], settings: SplitSettings) -> dict[Trial, int]:
    """The fold in which each (animal, trial) is tested.

    The trials of an animal are shuffled and assigned to folds in turn, so that every fold tests every animal and no
    trial is split. Raises InputError if an animal has fewer trials than folds. Source: four folds as in the paper;
    folds of trials are our choice, because neighbouring windows of a trial are almost equal.
    """
    by_animal: dict[str, list[str]] = {}
    for animal, trial in trials:
        by_animal.setdefault(animal, []).append(trial)
    folds: dict[Trial, int] = {}
    for at, (animal, names) in enumerate(sorted(by_animal.items())):
        if len(names) < settings.folds:
            raise InputError(
                f"animal {animal} has {len(names)} trials, expected at least split.folds = {settings.folds} of them"
            )
        order = np.random.default_rng([settings.seed, at]).permutation(len(names))
        for position, index in enumerate(order):
            folds[animal, sorted(names)[index]] = position % settings.folds
    return folds


def seen_trials(trials: Sequence[Trial], settings: SplitSettings) -> list[list[Trial]]:
    """The trials whose inputs each split over folds may see; for other protocols, all trials once."""
    if settings.protocol in ("published", "repeated"):
        return [list(trials)]
    seen: dict[str, list[Trial]] = {}
    every = {
        split for run in runs(settings, {animal for animal, _ in trials}).values() for split in run.splits
    }
    for split, animal, trial, _, sees_input, _ in _folded(trials, settings, settings.protocol):
        if split not in every:
            continue
        seen.setdefault(split, []).extend([(animal, trial)] if sees_input else [])
    return list(seen.values())


def _folded(
    trials: Sequence[Trial], settings: SplitSettings, protocol: str
) -> Iterable[tuple[str, str, str, str, bool, bool]]:
    """Split, animal, trial, role, sees_input and sees_label for every split over folds.

    Probes are trained on trials outside the fold and tested on trials in it. If an animal is left out, only this animal
    is tested, and labels of other animals' trials in the fold are not used, so that probes have the same labels as
    under ``new_trials``. Of an animal with several sessions, one session is tested and all are hidden.
    """
    folds = assign_folds(trials, settings)
    animals = sorted({animal for animal, _ in folds})
    owner = animals_of(animals, settings)
    for tested in animals if protocol in ("new_animal", "adapted") else [None]:
        for fold in range(settings.folds):
            name = _split_name(protocol, tested, fold)
            for animal, trial in trials:
                inside = folds[animal, trial] == fold
                tests = inside and tested in (None, animal)
                hidden = {
                    "transductive": False,
                    "new_trials": inside,
                    "new_animal": owner[animal] == owner.get(tested or ""),
                    "adapted": tests,
                }[protocol]
                yield name, animal, trial, "test" if tests else "train", not hidden, not inside


def _pieces(recording: Recording) -> list[tuple[int, int]]:
    """Frames [start, stop) of the trials within a recording; the whole recording if it is one trial."""
    inside = [(start, stop) for _, start, stop in recording.segments]
    return inside or [(0, len(recording.neural_time))]


def _split_name(protocol: str, tested: str | None, fold: int) -> str:
    if protocol == "new_trials":
        return f"fold-{fold}"
    if protocol == "transductive":
        return f"transductive-fold-{fold}"
    return f"{'without' if protocol == 'new_animal' else 'adapted'}-{tested}-fold-{fold}"


def _tested(settings: SplitSettings) -> list[int]:
    return list(settings.test_folds or range(settings.folds))


def _without(animal: str, folds: Iterable[int]) -> Run:
    return Run(f"without-{animal}", tuple(f"without-{animal}-fold-{fold}" for fold in folds))


def _partitioned(settings: SplitSettings, animal: str | None) -> list[Run]:
    suffix = "" if animal is None else f"-{animal}"
    if settings.protocol == "published":
        return [Run(f"published{suffix}", ("published",), animal)]
    out = []
    for first in range(0, settings.repeats, settings.repeats_per_job):
        numbers = range(first, min(first + settings.repeats_per_job, settings.repeats))
        splits = tuple(f"repeat-{number}" for number in numbers)
        out.append(Run(f"repeats-{numbers[0]}-{numbers[-1]}{suffix}", splits, animal))
    return out


def _by_name(found: Iterable[Run]) -> dict[str, Run]:
    return {run.name: run for run in found}
