"""Folds over trials, and what each pretraining run may see of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from neural_action.config.settings import SplitSettings
from neural_action.errors import InputError

Trial = tuple[str, str]


def assign_folds(trials: Iterable[Trial], settings: SplitSettings) -> dict[Trial, int]:
    """The fold in which each (animal, trial) is tested.

    The trials of an animal are shuffled and dealt out in turn, so that every fold tests every animal and no trial
    is split. Raises InputError if an animal has fewer trials than there are folds. Source: four folds from the
    paper; over trials, because neighbouring clips of one trial are nearly copies (our choice).
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


def write_folds(folds: Mapping[Trial, int], path: Path) -> None:
    """Write ``animal,trial,fold`` as CSV, sorted."""
    rows = [(animal, trial, fold) for (animal, trial), fold in sorted(folds.items())]
    pd.DataFrame(rows, columns=["animal", "trial", "fold"]).to_csv(path, index=False)


def read_folds(path: Path) -> dict[Trial, int]:
    """The folds that ``write_folds`` wrote. InputError if the file is something else, or has a trial twice."""
    try:
        table = pd.read_csv(path, dtype={"animal": str, "trial": str, "fold": int}, keep_default_na=False)
        folds = {(row.animal, row.trial): int(row.fold) for row in table.itertuples()}
    except (OSError, ValueError, OverflowError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read as folds ({' '.join(str(error).split())})") from None
    if len(folds) < len(table):
        raise InputError(f"{path}: {len(table)} rows for {len(folds)} trials, expected a row each")
    return folds


PROTOCOLS = {"none": "transductive", "fold": "new_trials", "animal": "new_animal", "adapted": "adapted"}
_SPLIT = re.compile(r"(\d+)-(\d+)-(.+)")
_JOINT = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True)
class Holdout:
    """What one run does not see: nothing, the test trials of a fold, an animal, or an animal's trials of a fold.

    Its name (``none``, ``fold-2``, ``animal-Fly3``, ``adapted-Fly3-fold-2``) is a wildcard of the workflow. The last
    is a model that did not see the animal in pretraining and was then adapted to its other trials.
    ``split-0-19-Fly3`` stands for splits 0 to 19 of one animal, of which it sees nothing else: one job does them in
    turn, each is a holdout of its own (``parts``), with its number in ``fold``. ``joint-0-19`` is the same for all
    animals together.
    """

    kind: str
    value: str = ""
    fold: int = -1
    last: int = -1

    @classmethod
    def parse(cls, name: str) -> Holdout:
        """The holdout called ``name``; InputError if it is of no kind."""
        kind, _, value = name.partition("-")
        if kind == "split" and (match := _SPLIT.fullmatch(value)) and int(match[1]) <= int(match[2]):
            return cls(kind, match[3], int(match[1]), int(match[2]))
        if kind == "joint" and (match := _JOINT.fullmatch(value)) and int(match[1]) <= int(match[2]):
            return cls(kind, "", int(match[1]), int(match[2]))
        animal, _, fold = value.rpartition("-fold-")
        if kind == "adapted" and animal and fold.isdigit():
            return cls(kind, animal, int(fold))
        if kind == "fold" and value.isdigit():
            return cls(kind, value, int(value))
        if (kind == "none" and not value) or (kind == "animal" and value):
            return cls(kind, value)
        raise InputError(
            f"holdout {name!r}: expected none, fold-<number>, animal-<name>, adapted-<name>-fold-<number> or "
            "split-<first>-<last>-<animal>, joint-<first>-<last>"
        )

    @property
    def name(self) -> str:
        """What ``parse`` takes."""
        if self.kind == "split":
            return f"split-{self.fold}-{self.last}-{self.value}"
        if self.kind == "joint":
            return f"joint-{self.fold}-{self.last}"
        if self.kind == "adapted":
            return f"adapted-{self.value}-fold-{self.fold}"
        return f"{self.kind}-{self.value}" if self.value else self.kind

    @property
    def splits(self) -> bool:
        """Whether it is of splits of each animal's trials, by time; otherwise whole trials or animals are hidden."""
        return self.kind in ("split", "joint")

    @property
    def parts(self) -> list[Holdout]:
        """The holdouts that a job of this name does in turn: one a split, otherwise itself."""
        if not self.splits:
            return [self]
        return [Holdout(self.kind, self.value, split, split) for split in range(self.fold, self.last + 1)]

    @property
    def part_name(self) -> str:
        """What it is called in a file of all parts of a job."""
        return f"split-{self.fold}" if self.splits else "whole"

    @property
    def joint(self) -> Holdout:
        """The splits of the same numbers, of all animals together."""
        return Holdout("joint", "", self.fold, self.last)

    @property
    def protocol(self) -> str:
        """What the runs of its kind are called together."""
        return PROTOCOLS[self.kind]

    def hides(self, animal: str, fold: int) -> bool:
        """Whether the run must not see a trial of that animal, tested in that fold."""
        if self.kind == "adapted":
            return animal == self.value and fold == self.fold
        return (self.kind == "fold" and fold == self.fold) or (self.kind == "animal" and animal == self.value)

    def tests(self, animal: str, fold: int) -> bool:
        """Whether scores on that animal's trials of that fold belong to this run."""
        return self.kind == "none" or self.hides(animal, fold)


def holdouts(settings: SplitSettings, animals: Iterable[str]) -> list[str]:
    """The pretraining runs that a protocol needs.

    ``transductive``: one, which sees every unlabelled pair (as the paper assumes); ``new_trials``: one a fold,
    which does not see its test trials; ``new_animal``: one an animal, which does not see that animal. To be decoded:
    one an animal and ``splits_per_job`` splits.
    """
    if settings.decodes:
        count = 1 if settings.protocol == "published" else settings.splits
        jobs = [
            (first, min(first + settings.splits_per_job, count) - 1)
            for first in range(0, count, settings.splits_per_job)
        ]
        return [Holdout("split", animal, *job).name for animal in sorted(animals) for job in jobs]
    if settings.protocol == "transductive":
        return ["none"]
    if settings.protocol == "new_trials":
        return [f"fold-{fold}" for fold in settings.test_folds or range(settings.folds)]
    return [f"animal-{animal}" for animal in sorted(animals)]
