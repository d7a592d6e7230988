"""Consistency: how well one embedding maps linearly onto another.

Between runs (seeds, splits) the same windows are compared; between animals, windows with similar behaviour. Each pair
is scored in both directions by two measures. ``held_out`` (our choice) fits least squares on some trials and computes
R2 on the others, so that noise scores 0 or less. ``cebra`` is CEBRA's ``consistency_score`` (Schneider et al. 2023), R2
on the fitted points. It grows with the dimension of the first embedding, up to 1 if it has as many dimensions as
points, so compare it only between embeddings of the same dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from neural_action.errors import InputError
from neural_action.evaluation.selection import inner_folds
from neural_action.neighbors.index import ExactIndex
from neural_action.principal import principal_axes

COLUMNS = ["row", "kind", "measure", "one", "other", "value"]
#: Bins of the label in CEBRA's measure (its default).
BINS = 100

Pair = tuple[np.ndarray, np.ndarray]


def between_runs(row: str, kind: str, runs: Mapping[str, np.ndarray], trial: np.ndarray) -> pd.DataFrame:
    """Consistency of runs on the same windows.

    Args:
        row: name of the row.
        kind: how the runs differ, such as ``seeds``.
        runs: (window, dimension) embeddings by name; dimensions may differ. Pass windows that no run was trained on.
        trial: (window,) int64; for ``held_out``, no trial is both fitted and scored.

    Returns:
        Table with ``COLUMNS``, two rows for each ordered pair of runs; ``value`` is R2 of predicting ``other`` from
        ``one``.

    Raises:
        InputError: fewer than two runs, or runs of different windows.
    """
    if len(runs) < 2:
        raise InputError(f"consistency of {row}: {len(runs)} {kind}, expected at least 2")
    for name, values in runs.items():
        if len(values) != len(trial):
            raise InputError(f"consistency of {row}: {name} has {len(values)} windows, expected {len(trial)}")
    fold = inner_folds(trial)

    def held_out(one: str, other: str) -> float:
        x, y = runs[one], runs[other]
        parts = [(fold != at, fold == at) for at in np.unique(fold)]
        return held_out_r2([((x[kept], y[kept]), (x[held], y[held])) for kept, held in parts])

    return _frame(row, kind, list(runs), held_out, lambda one, other: fitted_r2(runs[one], runs[other]))


def between_animals(
    row: str,
    values: np.ndarray,
    behavior: np.ndarray,
    animal: np.ndarray,
    trial: np.ndarray,
    animals: Sequence[str],
) -> pd.DataFrame:
    """Consistency of animals at windows with similar behaviour.

    ``held_out`` pairs each window of one animal with the window of the other with the nearest behaviour (Euclidean),
    separately among fitted and among scored trials. ``cebra`` averages embeddings within bins of a label. The label is
    the rank of the window within its animal along the first principal component of behaviour, scaled from 0 to 1 (our
    choice, so that no bin is empty).

    Args:
        row: name of the row.
        values: (window, dimension) embeddings.
        behavior: (window, variable) behaviour, normalised by animal.
        animal: (window,) int64 index into ``animals``.
        trial: (window,) int64.
        animals: names of the animals.

    Returns:
        Table as from ``between_runs``, with ``kind`` ``animals``.

    Raises:
        InputError: fewer than two animals, no behaviour, or an animal with fewer than two windows or too few for the
            bins.
    """
    if len(animals) < 2 or not behavior.shape[1]:
        raise InputError(
            f"consistency of {row}: {len(animals)} animals and {behavior.shape[1]} behaviour variables, expected at "
            "least 2 and 1"
        )
    rows = {name: np.flatnonzero(animal == number) for number, name in enumerate(animals)}
    for name, own in rows.items():
        if len(own) < 2:
            raise InputError(
                f"consistency of {row}: animal {name} has {len(own)} windows, expected at least 2"
            )
    folds = {name: inner_folds(trial[own]) for name, own in rows.items()}
    component = _first_component(behavior)
    binned = {
        name: bin_means(values[own], _share_below(component[own]), BINS, (0.0, 1.0))
        for name, own in rows.items()
    }

    def held_out(one: str, other: str) -> float:
        def pairs(mine: np.ndarray, theirs: np.ndarray) -> Pair:
            nearest = theirs[ExactIndex(behavior[theirs]).query(behavior[mine], 1)[0][:, 0]]
            return values[mine], values[nearest]

        parts = []
        for at in range(min(folds[one].max(), folds[other].max()) + 1):
            held, kept = (
                pairs(*(rows[name][(folds[name] == at) == tests] for name in (one, other)))
                for tests in (True, False)
            )
            parts.append((kept, held))
        return held_out_r2(parts)

    return _frame(row, "animals", animals, held_out, lambda one, other: fitted_r2(binned[one], binned[other]))


def held_out_r2(parts: Sequence[tuple[Pair, Pair]]) -> float:
    """R2 (weighted by variance) of all scored pairs, by least squares fitted on other pairs; NaN for constant targets.

    Args:
        parts: pairs of fitted (x, y) and scored (x, y), each (n, dimension).
    """
    left, scored = 0.0, []
    for (x, y), (probed, true) in parts:
        centre, offset = x.mean(0), y.mean(0)
        weights = np.linalg.lstsq(x - centre, y - offset, rcond=None)[0]
        left += float(((true - offset - (probed - centre) @ weights) ** 2).sum())
        scored.append(true)
    every = np.concatenate(scored)
    total = float(((every - every.mean(0)) ** 2).sum())
    return 1 - left / total if total > 0 else float("nan")


def fitted_r2(one: np.ndarray, other: np.ndarray) -> float:
    """R2 of least squares with intercept on the fitted points (n, dimension) themselves, mean over dimensions.

    Constant dimensions of ``other`` are ignored; NaN if all are constant.
    """
    x, y = one - one.mean(0), other - other.mean(0)
    left = ((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum(0)
    total = (y**2).sum(0)
    varied = total > 1e-12 * max(1e-300, float(total.max()))
    return float(np.mean(1 - left[varied] / total[varied])) if varied.any() else float("nan")


def bin_means(values: np.ndarray, label: np.ndarray, bins: int, span: tuple[float, float]) -> np.ndarray:
    """(bins - 1, dimension) float64: mean embedding in each bin of the label, scaled to length 1, as in CEBRA.

    Edges are ``bins`` evenly spaced values over ``span``. An empty bin is merged with up to two neighbours on each
    side. Raises InputError if these are empty too.
    """
    number = np.digitize(label, np.linspace(*span, bins))
    counts = np.bincount(number, minlength=bins + 3).astype(float)
    sums = np.stack([np.bincount(number, column, minlength=bins + 3) for column in values.T], axis=1)
    # With cumulative sums, the sum from bin a to bin b is a difference.
    counts, sums = np.cumsum(counts), np.cumsum(sums, axis=0)
    out = np.zeros((bins - 1, values.shape[1]))
    found = np.zeros(bins - 1, bool)
    at = np.arange(1, bins)
    for reach in range(3):
        before = np.maximum(at - reach - 1, -1)
        low = np.where(before >= 0, counts[before], 0)
        low_sum = np.where((before >= 0)[:, None], sums[before], 0)
        count = counts[at + reach] - low
        new = ~found & (count > 0)
        out[new] = (sums[at + reach] - low_sum)[new] / count[new, None]
        found |= new
    if not found.all():
        raise InputError(
            f"consistency: {len(label)} windows leave {int((~found).sum())} of {bins} bins of behaviour empty, "
            "expected more windows or fewer bins"
        )
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return np.divide(out, length, out=out, where=length > 0)


def _frame(
    row: str,
    kind: str,
    names: Sequence[str],
    held_out: Callable[[str, str], float],
    fitted: Callable[[str, str], float],
) -> pd.DataFrame:
    def lines() -> Iterator[tuple[str, str, str, str, str, float]]:
        for one, other in permutations(names, 2):
            yield row, kind, "held_out", one, other, held_out(one, other)
            yield row, kind, "cebra", one, other, fitted(one, other)

    return pd.DataFrame(lines(), columns=COLUMNS)


def _first_component(behavior: np.ndarray) -> np.ndarray:
    """(window,) scores on the first principal component, with the sign that makes its largest weight positive."""
    centred = behavior - behavior.mean(0, dtype=np.float64)
    axis = principal_axes(centred.T @ centred, 1)[:, 0]
    return centred @ (axis * np.sign(axis[np.abs(axis).argmax()]))


def _share_below(values: np.ndarray) -> np.ndarray:
    """(n,) float: share of the other values that are smaller, from 0 to 1."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(1, len(values) - 1)
