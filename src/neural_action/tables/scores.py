"""Scores for the tables: reading, checking, and means with intervals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from neural_action.config.evaluation_settings import CONTINUOUS, ProbeConfig
from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError, reading
from neural_action.evaluation.columns import COLUMNS
from neural_action.evaluation.statistics import Estimate, estimate, generalises_over, paired

_NUMBERS = ("seed", "value", "n_train", "n_test")
_TEXT = tuple(name for name in COLUMNS if name not in _NUMBERS)
#: Columns of scores.csv in earlier versions.
_OLDER = ("fold", "fraction", "representation")
ALL = "all"
#: Metrics that are not fractions between 0 and 1.
UNBOUNDED = ("r2", "log_loss")


@dataclass(frozen=True)
class Column:
    """A column of a table: the scores of one task, one probe, one label budget and one metric.

    Rows are compared only within a column. ``animal``: None means all animals. ``unit``: a behaviour variable; empty
    for all. ``projection``: whether the probe reads the layer that the objective is trained on. ``heading`` and
    ``part``: heading of the span and of the column. Raises ValueError if task, probe, label budget or metric is empty.
    """

    task: str
    probe: str
    label_budget: str
    metric: str
    heading: str = ""
    part: str = ""
    animal: str | None = None
    unit: str = ""
    projection: bool = False

    def __post_init__(self) -> None:
        for name in ("task", "probe", "label_budget", "metric"):
            if not getattr(self, name):
                raise ValueError(f"a column of scores needs its {name}")

    @property
    def in_paper(self) -> tuple[str, str, str]:
        """Key of the same column in a published table: probe, task, and animal or label budget."""
        return self.probe, self.task, self.animal or self.label_budget


def of_the_papers(sections: Sections) -> dict[str, MethodSettings]:
    """The rows of the papers' tables, without ablation rows."""
    return {name: row for name, row in sections.methods.items() if row.table == "papers"}


class Scores:
    """Every score of a dataset, and its statistics.

    Attributes:
        table: one row for each score of the configured methods, columns ``evaluation.columns``.
        probes: the configured probes.
    """

    def __init__(self, table: pd.DataFrame, probes: Mapping[str, ProbeConfig]):
        # Thousands of cells select a few rows each, which is slow for Arrow strings.
        self.table = table = table.astype(dict.fromkeys(_TEXT, object)).copy()
        self._whole = table.assign(unit="").astype({"unit": object})
        self.probes = probes
        keys = ["method", "task", "probe", "label_budget", "metric"]
        self._places = table.groupby(keys, sort=False).indices
        self._ratios: dict[tuple[str, ...], float] = {}
        self._methods = list(table["method"].unique())
        self._columns = {name: table[name].to_numpy(object) for name in ("layer", "animal", "unit")}
        # The combinations that were scored.
        self._kinds = table[["task", "probe", "label_budget", "metric", "animal"]].drop_duplicates()

    @classmethod
    def read(
        cls,
        path: Path,
        methods: Collection[str],
        dataset: str,
        protocol: str,
        probes: Mapping[str, ProbeConfig],
        *,
        only: bool = False,
    ) -> Scores:
        """Read ``path`` (CSV, one row for each score); with ``only``, keep the scores of ``protocol``.

        Raises InputError if the file is not such a table or was made by an older version; if it is of another dataset
        or protocol; if it has a value that is not a finite number, or the same score twice; or if one of ``methods``
        has no score. With ``only``, the table may have no score at all.
        """
        with reading(path, "CSV", OSError, OverflowError, ValueError):
            table = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False)
        if missing := [name for name in COLUMNS if name not in table.columns]:
            if older := [name for name in _OLDER if name in table.columns]:
                raise InputError(
                    f"{path}: made by an older version (column {older[0]!r}), rerun the evaluation"
                )
            raise InputError(f"{path}: column {missing[0]!r} is missing, found {', '.join(table.columns)}")
        for name in _NUMBERS:
            numbers = pd.to_numeric(table[name], errors="coerce").astype(float)
            whole = name != "value"
            right = np.isfinite(numbers) & ((not whole) | ((numbers % 1 == 0) & (numbers.abs() < 2**53)))
            if not right.all():
                at, expected = int((~right).argmax()), "a whole number" if whole else "a number"
                raise InputError(
                    f"{path}: row {at + 1}, {name} is {str(table[name].iloc[at])!r}, expected {expected}"
                )
            table[name] = numbers.astype(np.int64) if whole else numbers
        if (twice := table.duplicated([*_TEXT, "seed"])).any():
            raise InputError(f"{path}: row {int(twice.argmax()) + 1} repeats the score of an earlier row")
        keys = ["method", "task"]
        layers = table.loc[table["layer"] != "projection", [*keys, "layer"]].drop_duplicates()
        if (more := layers.duplicated(keys)).any():
            method, _, layer = layers[more].iloc[0]
            raise InputError(
                f"{path}: method {method!r} has layer {layer!r} and another, expected one beside the projection"
            )
        if only:
            table = table[table["protocol"] == protocol]
        for name, expected in (("dataset", dataset), ("protocol", protocol)):
            if other := sorted(set(table[name].unique()) - {expected}):
                raise InputError(f"{path}: {name} {other[0]!r}, expected {expected!r}")
        found = set(table["method"].unique())
        missing = [name for name in methods if name not in found]
        if missing and not (only and table.empty):
            raise InputError(
                f"{path}: no score of method {missing[0]!r}, expected scores of every row; see the logs of its "
                "evaluations"
            )
        return cls(table[table["method"].isin(methods)].reset_index(drop=True), probes)

    @property
    def animals(self) -> list[str]:
        """Names of the animals that were tested, sorted."""
        return sorted(set(self._kinds["animal"]) - {"all"}) or sorted(set(self._kinds["animal"]))

    def read_by(self, *tasks: str) -> list[str]:
        """The probes that ``tasks`` were scored with, in the order of the configuration."""
        found = set(self._kinds.loc[self._kinds["task"].isin(tasks), "probe"])
        return [name for name in self.probes if name in found]

    def budgets(self, task: str, probe: str) -> list[str]:
        """The label budgets that ``task`` was scored with: numbers of trials first, then half, then all."""
        kinds = self._kinds
        found = set(kinds.loc[(kinds["task"] == task) & (kinds["probe"] == probe), "label_budget"])
        trials = sorted((name for name in found if name.isdecimal()), key=int)
        return [*trials, *(name for name in ("half", ALL) if name in found)]

    def shares(self, task: str, probe: str) -> list[str]:
        """Those of ``half`` and ``all`` that ``task`` was scored with."""
        return [name for name in self.budgets(task, probe) if not name.isdecimal()]

    def metrics(self, task: str, probe: str) -> set[str]:
        """The metrics that ``task`` was scored by."""
        kinds = self._kinds
        return set(kinds.loc[(kinds["task"] == task) & (kinds["probe"] == probe), "metric"])

    def probe_label(self, name: str) -> str:
        """The label of a probe."""
        return self.probes[name].label or name.replace("_", " ")

    def pick(self, method: str, column: Column) -> pd.DataFrame:
        """The scores of one row in one column: of whole test sets (empty ``unit``), and of single test trials."""
        key = (method, column.task, column.probe, column.label_budget, column.metric)
        places = self._places.get(key, np.empty(0, np.int64))
        chosen = (self._columns["layer"][places] == "projection") == column.projection
        if column.animal is not None:
            chosen &= self._columns["animal"][places] == column.animal
        if column.task in CONTINUOUS:
            # In continuous tasks, a unit is a behaviour variable.
            chosen &= self._columns["unit"][places] == column.unit
            return self._whole.iloc[places[chosen]]
        return self.table.iloc[places[chosen]]

    def cell(self, method: str, column: Column) -> Estimate | None:
        """Mean and interval of the scores of ``pick``; None without scores."""
        chosen = self.pick(method, column)
        if chosen.empty:
            return None
        found = estimate(chosen, self._ratio(chosen))
        if column.metric in UNBOUNDED:
            return found
        # With few scores, the t interval may leave [0, 1], but a share cannot.
        return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))

    def difference(self, method: str, reference: str, column: Column) -> Estimate | None:
        """``method`` minus ``reference`` in one column, paired by animal, split and seed; None without a pair."""
        one = self.pick(method, column)
        both = paired(one, self.pick(reference, column))
        return None if both.empty else estimate(both, self._ratio(one))

    def over(self, column: Column) -> set[str]:
        """What the intervals of a column generalise over, see ``statistics.generalises_over``."""
        rows = (self.pick(method, column) for method in self._methods)
        return {generalises_over(chosen) for chosen in rows if not chosen.empty}

    def _ratio(self, chosen: pd.DataFrame) -> float:
        """Mean ratio of test to training windows over splits, with all labels; the same for every row and metric."""
        first, animals = chosen.iloc[0], chosen["animal"].unique()
        where = (first["task"], first["probe"], *animals)
        if where not in self._ratios:
            key = (first["method"], first["task"], first["probe"], ALL, first["metric"])
            whole = self.table.iloc[self._places.get(key, chosen.index)]
            whole = whole[(whole["unit"] == "") & whole["animal"].isin(animals)]
            self._ratios[where] = float((whole["n_test"] / whole["n_train"].clip(lower=1)).mean())
        return self._ratios[where]


def read_scores(path: Path, sections: Sections) -> Scores:
    """The scores of the configured rows. Raises InputError as ``Scores.read`` does.

    A row that is read for none of the dataset's tasks may be missing.
    """
    tasks = set(sections.evaluation.tasks)
    methods = [name for name, row in sections.methods.items() if row.tasks is None or tasks & set(row.tasks)]
    return Scores.read(path, methods, sections.dataset, sections.split.protocol, sections.probes)
