"""Folds over trials, and what each pretraining run may see of them."""

from __future__ import annotations

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
    """The folds that ``write_folds`` wrote."""
    table = pd.read_csv(path, dtype={"animal": str, "trial": str, "fold": int}, keep_default_na=False)
    return {(row.animal, row.trial): int(row.fold) for row in table.itertuples()}


@dataclass(frozen=True)
class Holdout:
    """What one pretraining run does not see: nothing, the test trials of a fold, or an animal.

    Its name (``none``, ``fold-2``, ``animal-Fly3``) is a wildcard of the workflow.
    """

    kind: str
    value: str = ""

    @classmethod
    def parse(cls, name: str) -> Holdout:
        """The holdout called ``name``; InputError if it is none of the three kinds."""
        kind, _, value = name.partition("-")
        if (
            (kind == "none" and not value)
            or (kind == "fold" and value.isdigit())
            or (kind == "animal" and value)
        ):
            return cls(kind, value)
        raise InputError(f"holdout {name!r}: expected none, fold-<number> or animal-<name>")

    def hides(self, animal: str, fold: int) -> bool:
        """Whether pretraining must not see a trial of that animal, tested in that fold."""
        return (self.kind == "fold" and fold == int(self.value)) or (
            self.kind == "animal" and animal == self.value
        )

    def tests(self, animal: str, fold: int) -> bool:
        """Whether scores on that animal's trials of that fold belong to this run."""
        return self.kind == "none" or self.hides(animal, fold)


def holdouts(settings: SplitSettings, animals: Iterable[str]) -> list[str]:
    """The pretraining runs that a protocol needs.

    ``transductive``: one, which sees every unlabelled pair (as the paper assumes); ``new_trials``: one a fold,
    which does not see its test trials; ``new_animal``: one an animal, which does not see that animal.
    """
    if settings.protocol == "transductive":
        return ["none"]
    if settings.protocol == "new_trials":
        return [f"fold-{fold}" for fold in range(settings.folds)]
    return [f"animal-{animal}" for animal in sorted(animals)]
