"""Means of scores with 95 % intervals, and tests of differences.

Scores are correlated: within an animal, within a trained encoder, and between random splits, which share trials. Each
function says what its interval generalises over. ``tests/evaluation/test_statistics.py`` checks the coverage of each
interval by simulation.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

#: Columns that identify a score within a column of a table.
KEYS = ("animal", "split", "seed", "unit")
_LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean of scores.

    Attributes:
        mean: mean, in the unit of the scores.
        low, high: bounds of the 95 % interval; NaN if the scores give none.
        n: number of scores.
        p: two-sided p value of a mean of 0; NaN without an interval.
    """

    mean: float
    low: float
    high: float
    n: int
    p: float


def generalises_over(scores: pd.DataFrame) -> Literal["animals", "splits", "units", "nothing"]:
    """What the interval of ``estimate`` generalises over."""
    # Not by pandas, which takes longer than the estimate for a few dozen scores.
    animal, split, unit = (scores[name].to_numpy(object) for name in ("animal", "split", "unit"))
    whole = unit == ""
    if len(set(animal[whole])) > 1:
        return "animals"
    if len(set(split[whole])) > 1:
        return "splits"
    return "units" if len(set(unit)) > 2 else "nothing"


def estimate(scores: pd.DataFrame, ratio: float) -> Estimate:
    """The mean, with the interval that these scores allow.

    With several animals: ``over_animals``. With one animal (or one score for all animals) and several splits:
    ``over_splits``. With one split whose test trials are scored: ``over_units``. Otherwise there is no interval.

    Args:
        scores: columns ``animal, split, seed, unit, value, n_test``. Rows with an empty unit are scores of whole test
            sets, other rows of single test trials.
        ratio: number of test windows divided by number of training windows of a split with all labels.
    """
    over, whole = generalises_over(scores), scores["unit"] == ""
    if over == "animals":
        return over_animals(scores[whole])
    if over == "splits":
        return over_splits(scores[whole], ratio)
    if over == "units":
        return over_units(scores[~whole])
    nan = float("nan")
    return Estimate(float(scores.loc[whole, "value"].mean()), nan, nan, int(whole.sum()), nan)


def over_animals(scores: pd.DataFrame) -> Estimate:
    """t interval of the mean over animals (of the mean over splits of the mean over seeds).

    All animals read by one trained encoder share its random variation. If all animals have scores of the same (split,
    seed), the variance of the mean includes that shared part (two-way random effects, degrees of freedom by
    Satterthwaite). The interval generalises over animals and seeds.

    Args:
        scores: columns ``animal, split, seed, value``.
    """
    animals = np.array(list(_animal_means(scores).values()))
    runs = list(zip(scores["split"], scores["seed"], strict=True))
    share = np.full(len(animals), 1 / len(animals))
    return _crossed(_complete(scores["animal"], runs, scores["value"]), animals, share, len(scores))


def over_units(scores: pd.DataFrame) -> Estimate:
    """t interval of the mean over the test trials of one split, each weighted by its number of windows.

    This is a ratio estimator, because trials differ in their number of windows. The variance that all trials of a seed
    share is added as in ``over_animals``. The interval generalises over test trials, but not over training sets.

    Args:
        scores: columns ``unit, seed, value, n_test``, one row for each trial and seed.
    """
    means = np.array(list(_means(scores["unit"], scores["value"]).values()))
    windows = np.array(list(_means(scores["unit"], scores["n_test"]).values()), float)
    complete = _complete(scores["unit"], scores["seed"], scores["value"])
    return _crossed(complete, means, windows / windows.sum(), len(scores))


def over_splits(scores: pd.DataFrame, ratio: float) -> Estimate:
    """Corrected resampled t interval of the mean over splits (Nadeau and Bengio, Machine Learning 2003).

    Splits share trials, so the variance of the mean of J splits is (1/J + ratio) times the variance of the splits, not
    1/J times. The interval generalises over trials of the same recordings.

    Args:
        scores: columns ``split, seed, value``.
        ratio: number of test windows divided by number of training windows.
    """
    means = np.array(list(_means(scores["split"], scores["value"]).values()))
    variance = (1 / len(means) + ratio) * means.var(ddof=1) if len(means) > 1 else float("nan")
    return _t(float(means.mean()), variance, len(means) - 1, len(scores))


def paired(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """``one`` minus ``other`` for every animal, split, seed and unit that both have.

    Raises ValueError if either has two scores of the same animal, split, seed and unit.
    """
    keys = [list(zip(*(part[name] for name in KEYS), strict=True)) for part in (one, other)]
    found = [dict(zip(own, part["value"], strict=True)) for own, part in zip(keys, (one, other), strict=True)]
    if any(len(own) > len(set(own)) for own in keys):
        raise ValueError("scores to pair: two of the same animal, split, seed and unit")
    both = one[[key in found[1] for key in keys[0]]]
    return both.assign(value=[found[0][key] - found[1][key] for key in keys[0] if key in found[1]])


def holm(p: Sequence[float]) -> np.ndarray:
    """p values of a family, adjusted by Holm (1979), which controls the family-wise error rate. NaN stays NaN."""
    given = np.asarray(p, float)
    adjusted = np.full(len(given), np.nan)
    order = np.argsort(given)[: int((~np.isnan(given)).sum())]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * factors)) if len(order) else []
    return adjusted


def between_protocols(one: pd.DataFrame, other: pd.DataFrame) -> Estimate:
    """t interval of the mean over animals of ``one`` minus ``other``, which were trained on other splits.

    Each is averaged over its own splits and seeds first. Animals without a score in one of them are left out. What all
    animals owe to the luck of one trained encoder is not in the interval.

    Args:
        one: columns ``animal, split, seed, value``.
        other: the same.
    """
    means = [_animal_means(part) for part in (one, other)]
    differences = np.array([means[0][name] - means[1][name] for name in means[0] if name in means[1]])
    count = len(differences)
    mean = float(differences.mean()) if count else float("nan")
    variance = differences.var(ddof=1) / count if count > 1 else float("nan")
    return _t(mean, variance, count - 1, count)


def _means(keys: Iterable[Hashable], values: Iterable[float]) -> dict[Any, float]:
    """Mean of the values of each key, in order of appearance. Faster than a group-by for a few dozen values."""
    found: dict[Any, list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        found.setdefault(key, []).append(value)
    return {key: sum(own) / len(own) for key, own in found.items()}


def _animal_means(scores: pd.DataFrame) -> dict[str, float]:
    """Mean over splits of the mean over seeds, for each animal."""
    splits = _means(zip(scores["animal"], scores["split"], strict=True), scores["value"])
    return _means((animal for animal, _ in splits), splits.values())


def _complete(units: Iterable[Hashable], runs: Iterable[Hashable], values: Iterable[float]) -> np.ndarray:
    """(unit, run) values of the runs that every unit has."""
    table = {(unit, run): value for unit, run, value in zip(units, runs, values, strict=True)}
    rows, columns = (list(dict.fromkeys(key[at] for key in table)) for at in (0, 1))
    kept = [run for run in columns if all((unit, run) in table for unit in rows)]
    return np.array([[table[unit, run] for run in kept] for unit in rows]).reshape(len(rows), len(kept))


def _crossed(values: np.ndarray, means: np.ndarray, share: np.ndarray, n: int) -> Estimate:
    """Mean over units crossed with runs, with the interval from ``crossed_variance``."""
    variance, freedom = crossed_variance(values, means, share)
    return _t(float(means @ share), float(variance), float(freedom), n)


def crossed_variance(
    values: np.ndarray, means: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of a weighted mean over units that share runs, and its degrees of freedom (Satterthwaite).

    Args:
        values: (..., unit, run) scores of units (animals, trials) that all have the same runs (seeds, encoders);
            with fewer than two runs, the variance that units share is not estimated.
        means: (..., unit) means of the units.
        share: (unit,) weights with sum 1.

    Returns:
        (...,) variance, NaN for a single unit, and (...,) degrees of freedom.
    """
    units, runs = values.shape[-2:]
    if units < 2:
        return np.full(means.shape[:-1], np.nan), np.ones(means.shape[:-1])
    few = units / (units - 1)
    mean = (means * share).sum(-1, keepdims=True)
    of_units = few * (share**2 * (means - mean) ** 2).sum(-1)
    freedom = np.full(of_units.shape, units - 1.0)
    if runs < 2:
        return of_units, freedom
    by_run = (values * share[:, None]).sum(-2, keepdims=True)
    centre = by_run.mean(-1, keepdims=True)
    of_runs = ((by_run - centre) ** 2).sum((-2, -1)) / (runs * (runs - 1))
    rest = values - values.mean(-1, keepdims=True) - by_run + centre
    of_rest = few * (share[:, None] ** 2 * rest**2).sum((-2, -1)) / (runs * (runs - 1))
    both = of_units + of_runs - of_rest
    wider = both > of_units
    parts = of_units**2 / (units - 1) + of_runs**2 / (runs - 1) + of_rest**2 / ((units - 1) * (runs - 1))
    satterthwaite = np.divide(both**2, parts, out=np.full_like(parts, units - 1.0), where=parts > 0)
    # For a difference of mean squares, the approximation can fall below the degrees of freedom of the smaller factor.
    satterthwaite = np.maximum(satterthwaite, min(units, runs) - 1.0)
    return np.where(wider, both, of_units), np.where(wider, satterthwaite, freedom)


def _t(mean: float, variance: float, freedom: float, n: int) -> Estimate:
    if np.isnan(variance):
        return Estimate(mean, float("nan"), float("nan"), n, float("nan"))
    error = float(np.sqrt(variance))
    half = float(stdtrit(freedom, (1 + _LEVEL) / 2)) * error
    if error > 1e-12 * max(1.0, abs(mean)):
        p = float(2 * stdtr(freedom, -abs(mean) / error))
    else:
        p = float(abs(mean) < 1e-12)
    return Estimate(mean, mean - half, mean + half, n, p)
