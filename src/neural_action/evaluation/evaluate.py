"""Evaluate a row on one split: task x probe x label budget x metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neural_action.config.evaluation_settings import CONTINUOUS, OWN, VALUES, EvaluationSettings, ProbeConfig
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.evaluation.budgets import ALL, Budget, label_budgets
from neural_action.evaluation.columns import SHARED
from neural_action.evaluation.features import raw_features
from neural_action.evaluation.metrics import METRICS, Outcome, measure, r2_by_variable
from neural_action.evaluation.probes import build_probe
from neural_action.evaluation.reading import Reading
from neural_action.evaluation.tasks import Problem, classes_of, problems

if TYPE_CHECKING:
    from neural_action.datasets.windows import Windows

#: The layer on which a contrastive loss is computed.
PROJECTION = "projection"
#: Tasks whose predictions are kept for pictures; the first that the dataset has is used.
_SHOWN = ("across", "across_sessions", "within", "decoding")
#: Metrics that are also computed for single test trials, for intervals in the tables.
_OF_UNITS = ("accuracy", "delta_accuracy")


class Score(NamedTuple):
    """One score of ``scores.csv``, without dataset, protocol, method, split and seed."""

    layer: str
    task: str
    probe: str
    label_budget: str
    animal: str
    unit: str
    metric: str
    value: float
    n_train: int
    n_test: int


@dataclass(frozen=True)
class Evaluation:
    """Scores, and predictions of the first probe of classes with all labels.

    Attributes:
        scores: in the order of layers, tasks, animals, budgets and probes.
        predicted: (window,) int64 class of every test window of ``shown``, -1 elsewhere.
        shown: the task of ``predicted``; empty if there is none.
    """

    scores: list[Score]
    predicted: np.ndarray
    shown: str


@dataclass(frozen=True)
class EvaluationData:
    """The windows of a split, and what is to be read from them.

    Attributes:
        windows: the windows of the split.
        animals: names of the animals.
        class_names: names of the classes.
        behavior: (window, variable) float, at the windows' centres, for continuous tasks.
        variables: names of the columns of ``behavior``.
        clusters: (window, cluster) float64 membership, for the task ``clusters``.
        owners: the animal of each of ``animals``, if these are sessions.
        own_units: whether animals have their own units, so that their raw features cannot be compared.
        unit_seconds: if given, test trials are scored too, cut to this length; for a dataset with one split.
    """

    windows: Windows
    animals: Sequence[str]
    class_names: Sequence[str]
    behavior: np.ndarray | None = None
    variables: Sequence[str] = ()
    clusters: np.ndarray | None = None
    owners: Sequence[str] = ()
    own_units: bool = False
    unit_seconds: float | None = None


def evaluate(
    features: Mapping[str, np.ndarray],
    data: EvaluationData,
    method: MethodSettings,
    probes: Mapping[str, ProbeConfig],
    settings: EvaluationSettings,
    split: str,
    seed: int,
    *,
    trained_with_labels: bool = False,
) -> Evaluation:
    """Read a row's representation with every probe.

    If the row has ``features``, these are computed from its raw windows first, for each animal separately if the probe
    is trained within animals. A row without features, (n, 0), guesses. A row whose objective trained with labels is
    read with all labels only, and not across animals if it used labels of the tested animal. If animals have their own
    units, raw windows are read within animals only. Problems with windows that a model cannot represent are left out.
    Of a split embedding, with a layer ``shared``, tasks within an animal read ``encoder``, all others ``shared`` alone.

    Args:
        features: (window, feature) float by layer.
        data: the windows and what is read from them.
        method: the row.
        probes: probes by name.
        settings: settings of the evaluation.
        split: name of the split; the number at its end seeds draws.
        seed: seed of the row's run.
        trained_with_labels: whether the row's objective uses labels.

    Raises:
        InputError: no problem has windows to train and test on, a trial is in both training and test, a probe cannot
            read its tasks or looks for more neighbours than there are training windows, or ``settings.variables`` names
            an unknown variable.
        ValueError: a task needs behaviour, or its clusters, and ``data`` has none.
    """
    windows, animals = data.windows, data.animals
    for name, config in probes.items():
        build_probe(name, config)
    tasks = [task for task in settings.tasks if method.tasks is None or task in method.tasks]
    behavior, variables = _chosen(data, settings) if set(tasks) & set(CONTINUOUS) else (None, ())
    asked = [
        problem
        for task in tasks
        for problem in problems(task, windows, animals, settings, split, seed, data.owners)
    ]
    if not asked:
        raise InputError(
            f"split {split}: no task of {', '.join(tasks)} has labelled windows to train and test on"
        )
    if trained_with_labels:
        asked = [problem for problem in asked if not _known(problem, windows, animals)]
    if data.own_units and method.representation == "raw":
        asked = [problem for problem in asked if problem.task in OWN]
    asked = [problem for problem in asked if all(_represented(raw, problem) for raw in features.values())]
    shown = next((task for task in _SHOWN if any(problem.task == task for problem in asked)), "")
    predicted, scores = np.full(len(windows.label), -1), []
    candidates = _Candidates(method, windows, animals)
    for layer, raw in features.items():
        for problem in asked:
            if SHARED in features and (layer == SHARED) == (problem.task in OWN):
                continue
            reading = Reading(
                candidates.of(raw, problem),
                windows,
                problem,
                _target(problem, data, behavior),
                _count(problem, data),
                scale=method.scale or ("centred" if method.representation == "raw" else settings.scale),
                choose_by=settings.choose_by,
                split=split,
                seed=seed,
                permuted=method.labels == "permuted",
            )
            for budget in label_budgets(windows, problem, settings, split, seed):
                if trained_with_labels and budget.name != ALL:
                    continue
                readers = [(name, probe) for name, probe in probes.items() if problem.task in probe.tasks]
                # Only the first probe reads the projection, which is shown beside the representation.
                if layer == PROJECTION:
                    readers = readers[:1]
                _check_neighbors(readers, budget, split, problem.animal)
                for at, (name, config) in enumerate(readers):
                    outcome = (reading.read if raw.shape[1] else reading.guess)(name, config, budget)
                    what = (layer, problem.task, name, budget.name, problem.animal)
                    units = _units(problem, budget, windows, data.unit_seconds)
                    names = variables if problem.task in CONTINUOUS else ()
                    for unit, metric, value, tested in _numbers(outcome, names, units):
                        scores.append(Score(*what, unit, metric, value, len(budget.train), tested))
                    if layer != PROJECTION and at == 0 and problem.task == shown and budget.name == ALL:
                        predicted[problem.test] = outcome.predicted
    return Evaluation(scores, predicted, shown)


def _check_neighbors(
    readers: Sequence[tuple[str, ProbeConfig]], budget: Budget, split: str, animal: str
) -> None:
    """InputError if a probe looks for more neighbours than there are training windows with all labels.

    With few labels it takes all of them.
    """
    for name, config in readers:
        few = config.kind == "knn" and len(budget.train) < config.neighbors
        if few and budget.name == ALL:
            raise InputError(
                f"probes.{name}.neighbors: {config.neighbors}, expected at most the {len(budget.train)} training "
                f"windows (split {split}, {animal})"
            )


def _target(problem: Problem, data: EvaluationData, behavior: np.ndarray | None) -> np.ndarray:
    """(window,) classes, or (window, column) values of behaviour. ValueError if the data have none."""
    if problem.task not in VALUES:
        return classes_of(problem.task, data.windows)
    found = behavior if problem.task in CONTINUOUS else data.clusters
    if found is None:
        raise ValueError(f"task {problem.task} needs behaviour")
    return found


def _numbers(
    outcome: Outcome, variables: Sequence[str], units: np.ndarray | None
) -> Iterator[tuple[str, str, float, int]]:
    """(unit, metric, value, number of test windows): first of the test set, then of each variable or test trial."""
    tested = len(outcome.scores)
    for metric, value in measure(outcome).items():
        yield "", metric, value, tested
    if outcome.output == "values":
        for variable, value in zip(variables, r2_by_variable(outcome) if variables else (), strict=True):
            if np.isfinite(value):
                yield variable, "r2", float(value), tested
    elif units is not None:
        counts = np.bincount(units)
        for metric in _OF_UNITS:
            each = METRICS[metric].each
            if each is not None and outcome.output in METRICS[metric].outputs:
                for at, value in enumerate(np.bincount(units, each(outcome)) / counts):
                    yield str(at), metric, float(value), int(counts[at])


def _units(problem: Problem, budget: Budget, windows: Windows, seconds: float | None) -> np.ndarray | None:
    """(test window,) int64 number of its trial, cut to ``seconds``; None if single trials are not scored."""
    if seconds is None or budget.name != ALL or problem.task == "identity":
        return None
    test = problem.test
    part = windows.trial[test] * (1 << 20) + (windows.time[test] // seconds).astype(np.int64)
    return np.unique(part, return_inverse=True)[1]


def _known(problem: Problem, windows: Windows, animals: Sequence[str]) -> bool:
    """Whether the encoder was trained with labels of the tested animal, although the task is across animals."""
    if problem.task in (*OWN, "identity"):
        return False
    own = windows.animal == list(animals).index(problem.animal)
    return bool((own & windows.sees_input & windows.sees_label).any())


def _represented(values: np.ndarray, problem: Problem) -> bool:
    """Whether every window of the problem has a representation, that is, is not NaN in ``values`` (window, feature)."""
    rows = np.concatenate([problem.train, problem.validation, problem.test, problem.fitted])
    return not np.isnan(values[rows, :1]).any()


def _count(problem: Problem, data: EvaluationData) -> int:
    """Number of classes; 0 for values of behaviour."""
    if problem.task in VALUES:
        return 0
    return len(data.animals if problem.task == "identity" else data.class_names)


def _chosen(data: EvaluationData, settings: EvaluationSettings) -> tuple[np.ndarray, Sequence[str]]:
    """The configured behaviour variables (window, variable) float64 and their names.

    Raises InputError for unknown names, ValueError if the data have no behaviour.
    """
    if data.behavior is None:
        raise ValueError("continuous tasks need behaviour")
    names = settings.variables if settings.variables is not None else list(data.variables)
    if missing := [name for name in names if name not in data.variables]:
        raise InputError(
            f"evaluation.variables: {missing[0]!r} is not one of the behaviour variables {', '.join(data.variables)}"
        )
    return data.behavior[:, [list(data.variables).index(name) for name in names]].astype(np.float64), names


class _Candidates:
    """Candidates that validation chooses among: the representation, or features of raw windows, computed once."""

    def __init__(self, method: MethodSettings, windows: Windows, animals: Sequence[str]):
        self.method, self.windows, self.animals = method, windows, list(animals)
        self._made: dict[str, dict[str, np.ndarray]] = {}

    def of(self, values: np.ndarray, problem: Problem) -> Mapping[str, np.ndarray]:
        """(window, feature) by name; 0 for windows that the problem does not need."""
        if self.method.features is None:
            return {"": values}
        key = problem.animal if problem.task in OWN else ""
        if key not in self._made:
            every = np.ones(len(values), bool)
            rows = np.flatnonzero(self.windows.animal == self.animals.index(key) if key else every)
            made = raw_features(
                self.method.features, values[rows], self.windows.trial[rows], self.windows.sees_input[rows]
            )
            self._made[key] = {}
            for name, part in made.items():
                self._made[key][name] = np.zeros((len(values), part.shape[1]), part.dtype)
                self._made[key][name][rows] = part
        return self._made[key]
