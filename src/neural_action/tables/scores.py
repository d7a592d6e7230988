"""Scores as the tables take them: read, checked, and gathered into means with intervals."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings, TableSettings
from neural_action.errors import InputError
from neural_action.evaluation.statistics import hierarchical_bootstrap, paired_difference, trial_bootstrap

_TEXT = ("dataset", "protocol", "method", "representation", "probe", "task", "animal", "metric")
_NUMBERS = ("fraction", "fold", "seed", "value")


@dataclass(frozen=True)
class Column:
    """Which scores a column of a table is made of, and what it is headed with.

    ``probe`` chooses among the probes of the identity task, and among the labels that decoding was given; actions have
    one probe a row. None for ``fraction`` or ``animal`` takes all.
    """

    task: str
    fraction: float | None
    metric: str
    heading: str
    part: str
    probe: str | None = None
    animal: str | None = None

    @property
    def in_paper(self) -> tuple[str, float | str | None]:
        """What stands over the same column of a published table: the fraction of labels, or the animal."""
        return self.task, self.animal or self.fraction


@dataclass(frozen=True)
class Cell:
    """Mean and 95 % interval, as fractions of 1, of ``n_scores`` scores."""

    mean: float
    low: float
    high: float
    n_scores: int


def of_the_papers(sections: Sections) -> dict[str, MethodSettings]:
    """The rows of the papers' tables: those that are no ablation."""
    return {name: row for name, row in sections.methods.items() if row.table == "papers"}


class Scores:
    """Every score of a dataset, and its statistics.

    Attributes:
        table: one row a score; columns as written by the ``evaluate`` stage. Only the configured methods.
        settings: bootstrap draws and seed.
    """

    def __init__(self, table: pd.DataFrame, settings: TableSettings):
        self.table = table
        self.settings = settings

    @classmethod
    def read(
        cls,
        path: Path,
        methods: Collection[str],
        dataset: str,
        protocol: str,
        settings: TableSettings,
        *,
        only: bool = False,
    ) -> Scores:
        """Read ``path`` (CSV, one row a score); with ``only``, of its protocols the one that is asked for.

        Raises InputError if it is not such a table, is of another dataset or protocol, holds a value that is
        no number or a score twice, or lacks one of ``methods``.
        """
        try:
            table = pd.read_csv(
                path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values={"value": ["", "nan"]}
            )
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as CSV ({' '.join(str(error).split())})") from None
        if missing := [name for name in (*_TEXT, *_NUMBERS) if name not in table.columns]:
            raise InputError(f"{path}: column {missing[0]!r} is missing, found {', '.join(table.columns)}")
        for name in _NUMBERS:
            numbers = pd.to_numeric(table[name], errors="coerce")
            if numbers.isna().any():
                at = int(numbers.isna().argmax())
                raise InputError(
                    f"{path}: row {at + 1}, {name} is {str(table[name].iloc[at])!r}, expected a number"
                )
            table[name] = numbers
        if (twice := table.duplicated([*_TEXT, "fraction", "fold", "seed"])).any():
            raise InputError(f"{path}: row {int(twice.argmax()) + 1} scores what an earlier row scored")
        if only:
            table = table[table["protocol"] == protocol]
        for name, expected in (("dataset", dataset), ("protocol", protocol)):
            if other := sorted(set(table[name]) - {expected}):
                raise InputError(f"{path}: {name} {other[0]!r}, expected {expected!r}")
        if missing := [name for name in methods if name not in set(table["method"])]:
            raise InputError(f"{path}: has no score of method {missing[0]!r}")
        return cls(table[table["method"].isin(methods)].reset_index(drop=True), settings)

    @property
    def animals(self) -> list[str]:
        """Names of the animals that actions were scored on, sorted."""
        return sorted(self.table.loc[self.table["task"] != "identity", "animal"].unique())

    def fractions(self, *tasks: str) -> list[float]:
        """The fractions of the training labels that ``tasks`` were scored with, ascending."""
        return sorted(map(float, self.table.loc[self.table["task"].isin(tasks), "fraction"].unique()))

    def pick(self, method: str, column: Column, *, projection: bool = False) -> pd.DataFrame:
        """The scores of one method in one column, on its projection or on what the tables show first."""
        table = self.table
        return table[
            (table["method"] == method)
            & (table["task"] == column.task)
            & ((column.fraction is None) | (table["fraction"] == column.fraction))
            & ((column.animal is None) | (table["animal"] == column.animal))
            & (table["metric"] == column.metric)
            & ((column.probe is None) | (table["probe"] == column.probe))
            & ((table["representation"] == "projection") == projection)
        ]

    def cell(self, method: str, column: Column, *, projection: bool = False) -> Cell | None:
        """Mean and interval of ``pick``; None where there is no score."""
        chosen = self.pick(method, column, projection=projection)
        if chosen.empty:
            return None
        interval = hierarchical_bootstrap(chosen, self.settings.bootstrap, self.settings.seed)
        return Cell(*interval, len(chosen))

    def difference(self, method: str, reference: str, column: Column) -> Cell | None:
        """``method`` minus ``reference``, paired by animal, fold and seed; None where they share none."""
        one, other = self.pick(method, column), self.pick(reference, column)
        pairs = len(one.merge(other, on=["animal", "fold", "seed"]))
        if pairs == 0:
            return None
        interval = paired_difference(one, other, self.settings.bootstrap, self.settings.seed)
        return Cell(*interval, pairs)


class SplitScores(Scores):
    """Scores of decoding. Where there is one split alone, intervals are over its test trials (and seeds)."""

    def cell(self, method: str, column: Column, *, projection: bool = False) -> Cell | None:
        """As ``Scores.cell``; over the trials of the test where a single split was scored trial by trial."""
        trials = self._trials(method, column, projection)
        if trials.empty:
            return super().cell(method, column, projection=projection)
        return Cell(
            *trial_bootstrap(trials, self.settings.bootstrap, self.settings.seed), trials["seed"].nunique()
        )

    def difference(self, method: str, reference: str, column: Column) -> Cell | None:
        """As ``Scores.difference``; paired by trial and seed likewise."""
        one, other = (self._trials(name, column, False) for name in (method, reference))
        both = one.merge(other[["fold", "seed", "value"]], on=["fold", "seed"], suffixes=("", "_other"))
        if both.empty:
            return super().difference(method, reference, column)
        both["value"] -= both["value_other"]
        return Cell(
            *trial_bootstrap(both, self.settings.bootstrap, self.settings.seed), both["seed"].nunique()
        )

    def _trials(self, method: str, column: Column, projection: bool) -> pd.DataFrame:
        return self.pick(
            method, replace(column, metric=f"trial_{column.metric}"), projection=projection
        ).copy()


def read_scores(path: Path, sections: Sections) -> Scores:
    """The scores of a configuration's rows, as its dataset is scored. Raises as ``Scores.read``."""
    kind = SplitScores if sections.split.decodes else Scores
    return kind.read(path, sections.methods, sections.dataset, sections.split.protocol, sections.tables)
