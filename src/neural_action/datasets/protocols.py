"""Protocols: generators of the split table, and the runs that each needs.

``transductive``, ``new_trials`` and ``new_animal`` deal whole trials into folds; they differ in what pretraining may
see. ``published`` and ``repeated`` split each animal's trials into train, validation and test (``partitions``).
``adapted`` goes with ``new_animal``: a model that has not seen an animal is adapted to its trials outside the fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neural_action.config.settings import SplitSettings
from neural_action.datasets.partitions import in_order, in_turn
from neural_action.datasets.split_table import COLUMNS, SplitTable, Trial
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
    """What one job pretrains and evaluates: splits of the table, of all animals or of one.

    Attributes:
        name: of its folder.
        splits: names in the split table.
        animal: the only animal that is read; None for all.
        starts_from: name of the run whose model is adapted; None for a run that is pretrained.
    """

    name: str
    splits: tuple[str, ...]
    animal: str | None = None
    starts_from: str | None = None

    @property
    def options(self) -> list[str]:
        """The run as command line options."""
        animal = [] if self.animal is None else [f"--animal={self.animal}"]
        return [*(f"--split={name}" for name in self.splits), *animal]


def protocol_of(split: str) -> str:
    """The protocol that made the split called ``split``. InputError if none does."""
    first = split.partition("-")[0]
    if first not in _PROTOCOLS:
        raise InputError(f"split {split!r}: expected a name that begins with {', '.join(_PROTOCOLS)}")
    return _PROTOCOLS[first]


def runs(settings: SplitSettings, animals: Iterable[str]) -> dict[str, Run]:
    """The runs that a protocol needs, by name.

    ``transductive``: one, which sees every unlabelled pair (as the paper assumes). ``new_trials``: one a fold, which
    does not see its test trials. ``new_animal``: one an animal, which does not see that animal. ``published`` and
    ``repeated``: one an animal and ``repeats_per_job`` splits.
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
    """The runs of ``published`` and ``repeated`` that pretrain one model for all animals; otherwise ``runs``."""
    if settings.protocol not in ("published", "repeated"):
        return runs(settings, ())
    return _by_name(_partitioned(settings, None))


def unseen_runs(settings: SplitSettings, animals: Iterable[str]) -> dict[str, Run]:
    """Every animal left out of pretraining in turn, as it is and adapted to, test fold by test fold."""
    folds, names = _tested(settings), sorted(animals)
    adapted = [
        Run(f"adapted-{name}-fold-{fold}", (f"adapted-{name}-fold-{fold}",), None, f"without-{name}")
        for name in names
        for fold in folds
    ]
    return _by_name([*(_without(name, folds) for name in names), *adapted])


def split_table(recordings: Sequence[Recording], settings: SplitSettings) -> SplitTable:
    """Every split of the protocol, of all folds; beside ``new_trials`` those of ``unseen_runs`` too.

    So the table stays the same, and with it what was trained, when fewer folds are tested or rows are adapted.

    Args:
        recordings: without their neural data.
        settings: protocol, folds or shares.

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
    return SplitTable(pd.DataFrame(rows, columns=list(COLUMNS)))


def _by_piece(recordings: Sequence[Recording], settings: SplitSettings, protocol: str) -> list[tuple]:
    """Rows of the table: every trial within a recording has the role of the recording."""
    pieces = {(recording.animal, recording.trial): _pieces(recording) for recording in recordings}
    return [
        (split, animal, trial, start, stop, *what)
        for split, animal, trial, *what in _folded(list(pieces), settings, protocol)
        for start, stop in pieces[animal, trial]
    ]


def assign_folds(trials: Iterable[Trial], settings: SplitSettings) -> dict[Trial, int]:
    """The fold in which each (animal, trial) is tested.

    The trials of an animal are shuffled and dealt out in turn, so that every fold tests every animal and no trial
    is split. Raises InputError if an animal has fewer trials than there are folds. Source: four folds from the
    paper; over trials, because neighbouring windows of one trial are nearly copies (our choice).
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
    """The trials whose inputs each split over folds may see; of other protocols, all of them once."""
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
    """Split, animal, trial, role, sees_input and sees_label of every split over folds.

    Probes train with the labels of trials outside the fold and are tested on those in it. Where an animal is left
    out, it alone is tested, and the labels of the fold's trials of other animals are not used, so that its probes
    have the labels of ``new_trials``.
    """
    folds = assign_folds(trials, settings)
    animals = sorted({animal for animal, _ in folds})
    for tested in animals if protocol in ("new_animal", "adapted") else [None]:
        for fold in range(settings.folds):
            name = _split_name(protocol, tested, fold)
            for animal, trial in trials:
                inside = folds[animal, trial] == fold
                tests = inside and tested in (None, animal)
                hidden = {
                    "transductive": False,
                    "new_trials": inside,
                    "new_animal": animal == tested,
                    "adapted": tests,
                }[protocol]
                yield name, animal, trial, "test" if tests else "train", not hidden, not inside


def _pieces(recording: Recording) -> list[tuple[int, int]]:
    """The trials within a recording, as frames; the whole of it where it is one trial."""
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
